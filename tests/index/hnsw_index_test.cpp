#include "index/hnsw_index.h"

#include "index/exact.h"
#include "index/hnsw_order.h"
#include "index/hnsw_walk.h"
#include "simd/dispatch.h"
#include "support/catch.h"
#include "support/random_data.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

using namespace vecdb;         // NOLINT(google-build-using-namespace): the headers under test
using namespace vecdb::index;  // NOLINT(google-build-using-namespace)
using vecdb::test::Matrix;

namespace {

/// Rows as a segment stores them, and the index over them.
class Built {
  public:
    /// \param base  built on this one's rows kept[i], if not null
    Built(Matrix matrix,
          Metric metric,
          const HnswOptions& options,
          std::size_t threads = 1,
          const Built* base = nullptr,
          std::span<const std::uint32_t> kept = {})
        : matrix_(std::move(matrix)),
          metric_(metric),
          ids_(vecdb::test::sequential_ids(matrix_.rows)),
          index_(options, ElementType::kFloat32) {
        if (metric == Metric::kCosine) normalise(matrix_);
        const IndexBuild how{.threads = threads, .seed = 7};
        const auto order = base != nullptr
                               ? index_.build_on(rows(), base->index_, kept, how).value()
                               : index_.build(rows(), how).value();
        REQUIRE(order.size() == matrix_.rows);
        Matrix moved(matrix_.rows, matrix_.dim);
        for (std::size_t i = 0; i < order.size(); ++i) {
            const auto row = matrix_.row(order[i]);
            std::copy(row.begin(), row.end(), moved.row(i).begin());
            ids_[i] = order[i];
        }
        matrix_ = std::move(moved);
    }

    static void normalise(Matrix& matrix) {
        for (std::size_t i = 0; i < matrix.rows; ++i) {
            double sum = 0;
            for (const float x : matrix.row(i))
                sum += static_cast<double>(x) * x;
            for (float& x : matrix.row(i))
                x = static_cast<float>(x / std::sqrt(sum));
        }
    }

    [[nodiscard]] IndexRows rows() const {
        return {.base = matrix_.values.data(),
                .stride = matrix_.dim * sizeof(float),
                .dim = matrix_.dim,
                .count = matrix_.rows,
                .ids = ids_.data(),
                .metric = metric_};
    }
    [[nodiscard]] std::span<const float> row(std::size_t i) const { return matrix_.row(i); }
    [[nodiscard]] HnswIndex& index() { return index_; }
    [[nodiscard]] const HnswIndex& index() const { return index_; }
    void append(const Matrix& more) {
        matrix_.values.insert(matrix_.values.end(), more.values.begin(), more.values.end());
        for (std::size_t i = 0; i < more.rows; ++i)
            ids_.push_back(static_cast<Id>(matrix_.rows + i));
        matrix_.rows += more.rows;
    }

    [[nodiscard]] std::vector<Hit> search(std::span<const float> query,
                                          std::size_t k,
                                          IndexSearch how,
                                          std::span<const Hit> before = {}) const {
        if (how.filter.allows_all()) how.allowed_rows = matrix_.rows;
        std::vector<Hit> slots(k);
        TopK best(slots);
        for (const Hit& hit : before)
            best.offer(hit.score, hit.id);
        const void* queries[1] = {query.data()};
        index_.search(rows(), queries, how, {&best, 1});
        const auto hits = best.sort();
        return {hits.begin(), hits.end()};
    }
    [[nodiscard]] std::unique_ptr<IndexCursor> cursor(std::span<const float> query,
                                                      IndexSearch how) const {
        if (how.filter.allows_all()) how.allowed_rows = matrix_.rows;
        return index_.cursor(rows(), query.data(), how);
    }
    [[nodiscard]] std::vector<Hit> truth(std::span<const float> query,
                                         std::size_t k,
                                         const RowFilter& filter) const {
        std::vector<Hit> slots(k);
        TopK best(slots);
        scan_allowed(rows(), query.data(), filter, best);
        const auto hits = best.sort();
        return {hits.begin(), hits.end()};
    }
    /// Return the part of the true hits that searches find.
    [[nodiscard]] double recall(const Matrix& queries,
                                std::size_t k,
                                const IndexSearch& how) const {
        std::size_t found = 0;
        std::size_t wanted = 0;
        for (std::size_t q = 0; q < queries.rows; ++q) {
            const auto hits = search(queries.row(q), k, how);
            const auto exact = truth(queries.row(q), k, how.filter);
            REQUIRE(hits.size() == exact.size());
            wanted += exact.size();
            for (const Hit& hit : exact)
                found += std::find(hits.begin(), hits.end(), hit) != hits.end() ? 1U : 0U;
        }
        return static_cast<double>(found) / static_cast<double>(wanted);
    }

  private:
    Matrix matrix_;
    Metric metric_;
    std::vector<Id> ids_;
    HnswIndex index_;
};

/// Keeps sections in memory.
struct Sections final : SectionWriter, SectionReader {
    std::map<std::string, std::vector<std::byte>, std::less<>> bytes;
    Status write(std::string_view name, std::span<const std::byte> section) override {
        bytes[std::string(name)].assign(section.begin(), section.end());
        return {};
    }
    Result<std::span<const std::byte>> read(std::string_view name) override {
        const auto found = bytes.find(name);
        if (found == bytes.end()) return Status(StatusCode::kCorruption, "no section");
        return std::span<const std::byte>(found->second);
    }
};

Sections save(const HnswIndex& index) {
    Sections saved;
    REQUIRE(index.save(saved).ok());
    return saved;
}

/// Draw rows around a few centres.
Matrix clustered_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    const Matrix centres = vecdb::test::normal_rows(40, dim, 99);
    Matrix matrix = vecdb::test::normal_rows(rows, dim, seed);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t d = 0; d < dim; ++d)
            matrix.row(i)[d] = 0.5F * matrix.row(i)[d] + centres.row(i % 40)[d];
    }
    return matrix;
}

}  // namespace

TEST_CASE("a graph built on another one finds as much as a new one") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const std::size_t threads = GENERATE(1U, 3U);
    constexpr std::size_t kOld = 4'000;
    constexpr std::size_t kNew = 1'500;
    const HnswOptions options{.m = 8, .ef_construction = 60};
    const Built base(test::normal_rows(kOld, 16, 21), metric, options);
    std::vector<std::uint32_t> kept;
    for (std::uint32_t row = 0; row < kOld; ++row) {
        if (row % 5 != 1) kept.push_back(row);
    }
    Matrix rows(kept.size() + kNew, 16);
    for (std::size_t i = 0; i < kept.size(); ++i)
        std::copy_n(base.row(kept[i]).begin(), 16, rows.row(i).begin());
    const Matrix added = test::normal_rows(kNew, 16, 22);
    std::copy(added.values.begin(), added.values.end(), rows.row(kept.size()).begin());

    const Built fresh(rows, metric, options);
    const Built continued(rows, metric, options, threads, &base, kept);
    const Matrix queries = test::normal_rows(100, 16, 23);
    const IndexSearch how{.ef = 20};
    CHECK(continued.recall(queries, 10, how) > fresh.recall(queries, 10, how) - 0.02);
    CHECK(continued.index().unreachable_rows() == 0);
    CHECK(continued.index().validate(continued.rows()).ok());
    if (threads > 1) return;
    const Built again(rows, metric, options, 3, &base, kept);
    for (std::size_t q = 0; q < queries.rows; ++q)
        CHECK(again.search(queries.row(q), 10, how) == continued.search(queries.row(q), 10, how));
}

TEST_CASE("a graph that has lost many nodes is made from nothing again, also when it was saved") {
    const HnswOptions options{.m = 8, .ef_construction = 60};
    const IndexBuild how{.threads = 1, .seed = 7};
    std::vector<std::uint32_t> kept;
    const auto without_some = [&](const Built& base) {
        kept.clear();
        for (std::uint32_t row = 0; row < base.rows().count; ++row) {
            if (row % 8 != 1) kept.push_back(row);
        }
        Matrix rows(kept.size(), 16);
        for (std::size_t i = 0; i < kept.size(); ++i)
            std::copy_n(base.row(kept[i]).begin(), 16, rows.row(i).begin());
        return rows;
    };
    // Whether what is built over `rows` on `base` is what is built from nothing.
    const auto is_new = [&](const Matrix& rows, const HnswIndex& base) {
        const Built unordered(rows, Metric::kL2, options);
        HnswIndex on_base(options, ElementType::kFloat32);
        HnswIndex on_nothing(options, ElementType::kFloat32);
        REQUIRE(on_base.build_on(unordered.rows(), base, kept, how).ok());
        REQUIRE(on_nothing.build(unordered.rows(), how).ok());
        return save(on_base).bytes["hnsw.links"] == save(on_nothing).bytes["hnsw.links"];
    };
    const Built base(test::normal_rows(1'000, 16, 21), Metric::kL2, options);
    const Matrix most = without_some(base);
    CHECK_FALSE(is_new(most, base.index()));
    const Built once(most, Metric::kL2, options, 1, &base, kept);
    const Matrix rest = without_some(once);
    CHECK(is_new(rest, once.index()));
    HnswIndex loaded(options, ElementType::kFloat32);
    Sections saved = save(once.index());
    REQUIRE(loaded.load(saved, once.rows()).ok());
    CHECK(is_new(rest, loaded));
}

TEST_CASE("beside other segments a graph is walked only as far as their hits leave it to") {
    const Built built(test::normal_rows(5'000, 24, 11), Metric::kL2, {.m = 16});
    const Matrix queries = test::normal_rows(20, 24, 12);
    constexpr std::size_t kNearest = 10;
    constexpr Id kOther = 1'000'000;
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const auto query = queries.row(q);
        SearchCounters alone;
        const auto hits = built.search(query, kNearest, {.ef = 100, .counters = &alone});

        // Others are all farther: nothing is lost.
        std::vector<Hit> others(kNearest, Hit{kOther, 1e6F});
        SearchCounters counters;
        IndexSearch how{.ef = 100, .narrowed = true, .counters = &counters};
        CHECK(built.search(query, kNearest, how, others) == hits);
        CHECK(counters.visited == alone.visited);

        // Half of the others are nearer: half of the places are left.
        std::fill_n(others.begin(), kNearest / 2, Hit{kOther, 0.0F});
        std::fill(others.begin() + kNearest / 2, others.end(), Hit{kOther, 1e6F});
        const auto half = built.search(query, kNearest, how, others);
        CHECK(std::equal(hits.begin(), hits.begin() + kNearest / 2, half.begin() + kNearest / 2));

        // All of the others are nearer: hardly anything is looked at.
        std::fill(others.begin(), others.end(), Hit{kOther, 0.0F});
        counters = {};
        CHECK(built.search(query, kNearest, how, others) == others);
        CHECK(counters.visited < alone.visited / 2);
    }
}

/// Count the hits of `some` that are among `all`.
std::size_t common(std::span<const Hit> some, const std::vector<Hit>& all) {
    std::set<Id> ids;
    for (const Hit& hit : all)
        ids.insert(hit.id);
    return static_cast<std::size_t>(std::count_if(
        some.begin(), some.end(), [&](const Hit& hit) { return ids.count(hit.id) != 0; }));
}

TEST_CASE("a walk made wider comes to the nodes of a wide one, at no more cost") {
    const Built built(clustered_rows(6'000, 24, 11), Metric::kL2, {.m = 16});
    const Matrix queries = test::normal_rows(20, 24, 12);
    constexpr std::size_t kWidest = 400;
    const auto entries = built.index().entries();
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const WalkDistances distances(built.rows(), queries.row(q).data());
        const HnswGraph& graph = built.index().graph();
        SearchCounters at_once;
        Walk wide;
        const auto all = wide.run(graph, distances, entries, {.ef = kWidest}, &at_once);
        const std::set<WalkKey> expected(all.begin(), all.end());

        SearchCounters in_steps;
        Walk walk;
        auto found = walk.begin(graph, distances, entries, 40, &in_steps);
        CHECK(walk.unchanged() == 0);
        std::vector<WalkKey> before(found.begin(), found.end());
        for (std::size_t ef = 43; ef <= kWidest; ef += ef < 60 ? 1 : 17) {
            found = walk.widen(graph, distances, ef == 400 - 17 ? kWidest : ef, &in_steps);
            REQUIRE(found.size() >= ef);
            REQUIRE(std::is_sorted(found.begin(), found.end()));
            REQUIRE(std::equal(found.begin(),
                               found.begin() + static_cast<std::ptrdiff_t>(walk.unchanged()),
                               before.begin()));
            before.assign(found.begin(), found.end());
            REQUIRE(std::adjacent_find(before.begin(), before.end(), [](WalkKey a, WalkKey b) {
                        return node_of(a) == node_of(b);
                    }) == before.end());
        }
        found = walk.widen(graph, distances, kWidest, &in_steps);
        REQUIRE(found.size() == kWidest);
        const auto same = std::count_if(
            found.begin(), found.end(), [&](WalkKey key) { return expected.count(key) != 0; });
        CAPTURE(q, same, at_once.visited, in_steps.visited);
        CHECK(same >= 390);
        // Nothing is visited or compared again.
        CHECK(in_steps.visited <= at_once.visited + at_once.visited / 10);
        CHECK(in_steps.distances <= at_once.distances + at_once.distances / 10);
    }
}

TEST_CASE("a walk made ever wider comes to every node, each once") {
    const Built built(test::normal_rows(1'000, 12, 11), Metric::kL2, {.m = 8});
    const Matrix query = test::normal_rows(1, 12, 12);
    const WalkDistances distances(built.rows(), query.row(0).data());
    const auto entries = built.index().entries();
    Walk walk;
    auto found = walk.begin(built.index().graph(), distances, entries, 10, nullptr);
    for (std::size_t ef = 50; !walk.at_end(); ef += 50) {
        REQUIRE(ef <= 1'100);
        found = walk.widen(built.index().graph(), distances, ef, nullptr);
    }
    std::set<std::uint32_t> nodes;
    for (const WalkKey key : found)
        nodes.insert(node_of(key));
    CHECK(found.size() == 1'000);
    CHECK(nodes.size() == 1'000);
}

TEST_CASE("a cursor walks on, and ranks the rest once that costs less") {
    constexpr std::size_t kRows = 20'000;
    constexpr std::size_t kWalked = 200;
    const Codes codes = GENERATE(Codes::kDefault, Codes::kNone);
    const Built built(clustered_rows(kRows, 16, 11),
                      Metric::kL2,
                      {.m = 12, .ef_construction = 60, .codes = codes});
    const Matrix queries = clustered_rows(8, 16, 12);
    std::vector<std::uint64_t> most(kRows / 64 + 1, 0x7F7F'7F7F'7F7F'7F7FU);
    for (const bool masked : {false, true}) {
        IndexSearch how;
        const std::size_t allowed = masked ? kRows / 8 * 7 : kRows;
        if (masked) how = {.filter = {.allowed = most.data()}, .allowed_rows = allowed};
        for (std::size_t q = 0; q < queries.rows; ++q) {
            const auto query = queries.row(q);
            SearchCounters counters;
            how.counters = &counters;
            const auto cursor = built.cursor(query, how);
            std::vector<Hit> hits;
            while (hits.size() < kWalked)
                cursor->next(20, hits);
            CAPTURE(masked, q, static_cast<int>(codes));
            CHECK(counters.plan == SearchPlan::kGraph);
            // As much is found as by one search for as many, at no more cost.
            SearchCounters one;
            how.counters = &one;
            how.ef = kWalked + 64;
            how.rerank = kWalked + 64;
            const auto at_once = built.search(query, kWalked, how);
            REQUIRE(one.plan == SearchPlan::kGraph);
            const auto nearest = built.truth(query, kWalked, how.filter);
            CAPTURE(common(hits, nearest), common(at_once, nearest), counters.visited, one.visited);
            CHECK(common(hits, nearest) + kWalked / 20 >= common(at_once, nearest));
            CHECK(counters.visited <= one.visited + one.visited / 5);
            how.rerank = 0;
            how.ef = 0;

            while (cursor->next(500, hits), hits.size() % 500 == kWalked)
                REQUIRE(hits.size() <= allowed);
            CHECK(counters.plan != SearchPlan::kGraph);
            CHECK(counters.visited < kRows / 16);
            REQUIRE(hits.size() == allowed);
            CHECK(common(hits, built.truth(query, allowed, how.filter)) == allowed);
            // Once all are ranked the order is exact.
            CHECK(std::is_sorted(hits.begin() + kWalked + 1'000, hits.end(), nearer));
        }
    }
}

TEST_CASE("hnsw finds most of the nearest rows under every metric and code", "[index][hnsw]") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const Codes codes =
        GENERATE(Codes::kDefault, Codes::kNone, Codes::kSq4, Codes::kSq7, Codes::kSq8);
    const std::size_t dim = GENERATE(24U, 130U);
    CAPTURE(static_cast<int>(metric), static_cast<int>(codes), dim);
    Built built(clustered_rows(1'200, dim, 1), metric, {.m = 16, .codes = codes});
    Matrix queries = clustered_rows(50, dim, 2);
    if (metric == Metric::kCosine) Built::normalise(queries);
    CHECK(built.recall(queries, 10, {.ef = 64}) > 0.95);
    CHECK(built.recall(queries, 10, {.ef = 400}) > 0.99);
    CHECK(built.index().validate(built.rows()).ok());
}

TEST_CASE("hnsw leaves no node that cannot be reached", "[index][hnsw]") {
    SECTION("separate clusters") {
        Matrix matrix = clustered_rows(4'000, 16, 3);
        for (std::size_t i = 0; i < matrix.rows; ++i) {
            for (float& x : matrix.row(i))
                x = 0.01F * x + static_cast<float>(i % 7) * 100.0F;
        }
        Built built(std::move(matrix), Metric::kL2, {.m = 4, .ef_construction = 20});
        CHECK(count_unreachable(built.index().graph(), built.index().entries()) == 0);
    }
    SECTION("more equal rows than a list holds") {
        Matrix matrix = vecdb::test::normal_rows(1'000, 16, 4);
        for (std::size_t i = 0; i < 300; ++i)
            std::copy(matrix.row(0).begin(), matrix.row(0).end(), matrix.row(i).begin());
        Built built(std::move(matrix), Metric::kL2, {.m = 8});
        CHECK(count_unreachable(built.index().graph(), built.index().entries()) == 0);
        const Matrix queries = vecdb::test::normal_rows(50, 16, 5);
        CHECK(built.recall(queries, 10, {.ef = 64}) > 0.9);
    }
    SECTION("a graph with pieces is mended") {
        Built built(vecdb::test::normal_rows(200, 8, 6), Metric::kL2, {.m = 8});
        HnswGraph graph(200, 16);  // no links at all
        const CodeSpace whole(8);
        const IndexRows rows = built.rows();
        const HnswSpace space(rows, whole, nullptr);
        const std::vector<std::uint32_t> entries = built.index().entries();
        REQUIRE(count_unreachable(graph, entries) == 199);
        connect(space, entries, graph);
        CHECK(count_unreachable(graph, entries) == 0);
    }
}

TEST_CASE("hnsw gives the same bytes for any number of threads", "[index][hnsw]") {
    const HnswOptions options{.m = 8, .ef_construction = 60};
    Sections one;
    Built first(clustered_rows(2'000, 20, 8), Metric::kL2, options, 1);
    REQUIRE(first.index().save(one).ok());
    for (const std::size_t threads : {2U, 3U}) {
        Built again(clustered_rows(2'000, 20, 8), Metric::kL2, options, threads);
        Sections other;
        REQUIRE(again.index().save(other).ok());
        CHECK(one.bytes == other.bytes);
    }
}

TEST_CASE("hnsw returns allowed rows only, and as many as there are", "[index][hnsw]") {
    const Codes codes = GENERATE(Codes::kDefault, Codes::kNone);
    const std::size_t n = 6'000;
    Built built(clustered_rows(n, 24, 10), Metric::kL2, {.m = 16, .codes = codes});
    const Matrix queries = clustered_rows(30, 24, 11);
    std::map<Id, std::size_t> row_of;
    for (std::size_t i = 0; i < n; ++i)
        row_of[built.rows().ids[i]] = i;
    for (const std::size_t of_thousand : {900U, 500U, 100U, 10U, 1U}) {
        vecdb::test::Random random(12);
        std::vector<std::uint64_t> allowed((n + 63) / 64);
        std::size_t count = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (random() % 1'000 >= of_thousand) continue;
            allowed[i / 64] |= std::uint64_t{1} << (i % 64);
            ++count;
        }
        CAPTURE(of_thousand, count);
        const IndexSearch how{
            .filter = {.allowed = allowed.data()}, .allowed_rows = count, .ef = 100};
        CHECK(built.recall(queries, 10, how) > 0.95);
        for (const Hit& hit : built.search(queries.row(0), 50, how)) {
            CHECK(how.filter.test(row_of.at(hit.id)));
        }
        CHECK(built.search(queries.row(0), 20, how).size() == std::min<std::size_t>(20, count));
    }
}

TEST_CASE("hnsw grows", "[index][hnsw]") {
    const Codes codes = GENERATE(Codes::kDefault, Codes::kNone);
    const std::size_t first = GENERATE(0U, 1U, 1'000U);
    CAPTURE(first);
    const Matrix all = clustered_rows(3'000, 24, 13);
    Matrix start(first, 24);
    std::copy_n(all.values.begin(), start.values.size(), start.values.begin());
    Built built(start, Metric::kL2, {.m = 16, .codes = codes});
    for (std::size_t done = first; done < all.rows;) {
        const std::size_t count = std::min<std::size_t>(1'200, all.rows - done);
        Matrix more(count, 24);
        std::copy_n(all.row(done).begin(), more.values.size(), more.values.begin());
        built.append(more);
        REQUIRE(built.index().add(built.rows(), done, {}).ok());
        REQUIRE(built.index().validate(built.rows()).ok());
        done += count;
    }
    CHECK(built.recall(clustered_rows(50, 24, 14), 10, {.ef = 64}) > 0.95);
}

TEST_CASE("hnsw refuses damaged bytes", "[index][hnsw]") {
    Built built(clustered_rows(500, 24, 15), Metric::kL2, {.m = 8});
    Sections saved;
    REQUIRE(built.index().save(saved).ok());
    HnswIndex loaded({.m = 8}, ElementType::kFloat32);
    REQUIRE(loaded.load(saved, built.rows()).ok());
    SECTION("a link past the last node") {
        const std::uint32_t wrong = 500;
        std::memcpy(saved.bytes["hnsw.links"].data() + 40, &wrong, sizeof(wrong));
        CHECK(loaded.load(saved, built.rows()).code() == StatusCode::kCorruption);
    }
    SECTION("a link twice") {
        std::byte* first = saved.bytes["hnsw.links"].data();
        std::memcpy(first + 4, first, 4);
        CHECK(loaded.load(saved, built.rows()).code() == StatusCode::kCorruption);
    }
    SECTION("a share of lost nodes that is none") {
        const double wrong = std::numeric_limits<double>::quiet_NaN();
        std::memcpy(saved.bytes["hnsw.header"].data() + 32, &wrong, sizeof(wrong));
        CHECK(loaded.load(saved, built.rows()).code() == StatusCode::kCorruption);
    }
    SECTION("a section that is missing or cut short") {
        for (const auto& [name, bytes] : Sections(saved).bytes) {
            Sections damaged = saved;
            damaged.bytes[name].resize(bytes.size() - 1);
            CHECK(loaded.load(damaged, built.rows()).code() == StatusCode::kCorruption);
            damaged.bytes.erase(name);
            CHECK(loaded.load(damaged, built.rows()).code() == StatusCode::kCorruption);
        }
    }
    CHECK(loaded.validate(built.rows()).ok());
}

TEST_CASE("a walk's keys order distances and keep them", "[index][hnsw]") {
    const float values[] = {-1e30F, -2.0F, -0.0F, 0.0F, 1e-40F, 3.0F, 1e30F};
    for (std::size_t i = 0; i < std::size(values); ++i) {
        CHECK(distance_of(walk_key(values[i], 5)) == values[i]);
        CHECK(node_of(walk_key(values[i], 2'000'000'000)) == 2'000'000'000);
        if (i > 0) CHECK(walk_key(values[i - 1], 9) < walk_key(values[i], 3));
    }
}
