#include "index/ivf_index.h"

#include "index/ivf_segment.h"
#include "support/capture.h"
#include "support/catch.h"

#include <vecdb/dataset_io.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace vecdb::test {
namespace {

/// Draw rows around `clusters` centres that overlap.
Matrix clustered_rows(std::size_t rows, std::size_t dim, std::size_t clusters, std::uint64_t seed) {
    const Matrix centres = normal_rows(clusters, dim, seed);
    Matrix matrix = normal_rows(rows, dim, seed + 1);
    Random random(seed + 2);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto centre = centres.row(random() % clusters);
        for (std::size_t d = 0; d < dim; ++d)
            matrix.row(i)[d] = 2 * centre[d] + 0.7F * matrix.row(i)[d];
    }
    return matrix;
}

/// Return rows and queries of one distribution.
std::pair<Segment, Matrix> clustered_segment(Metric metric,
                                             std::size_t rows,
                                             std::size_t dim,
                                             std::size_t queries = 50) {
    Matrix all = clustered_rows(rows + queries, dim, 60, 21);
    Matrix asked(queries, dim);
    std::copy_n(all.values.begin() + static_cast<std::ptrdiff_t>(rows * dim),
                queries * dim,
                asked.values.begin());
    all.values.resize(rows * dim);
    all.rows = rows;
    return {Segment(metric, std::move(all)), Segment(metric, std::move(asked)).matrix};
}

std::map<std::string, std::vector<std::byte>, std::less<>> saved(const Index& index) {
    SavedSections sections;
    REQUIRE(index.save(sections).ok());
    return sections.sections;
}

TEST_CASE("ivf finds what its effort promises") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4);
    auto [segment, queries] = clustered_segment(metric, 6000, 32);
    const auto index = build_ivf(segment, {.nlist = 60, .codes = codes});
    CAPTURE(to_string(metric), static_cast<int>(codes));
    // Largest products are found in lists that lie anywhere.
    const bool products = metric == Metric::kInnerProduct;
    CHECK(mean_recall(*index, segment, queries, 10, {.nprobe = 8}) > (products ? 0.8 : 0.9));
    CHECK(mean_recall(*index, segment, queries, 10, {.nprobe = 20}) > (products ? 0.95 : 0.97));
    CHECK(mean_recall(*index, segment, queries, 10, {.nprobe = 60}) > 0.995);
}

TEST_CASE("ivf that opens all lists and believes the whole bound is exact bit for bit") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4);
    const std::size_t dim = GENERATE(5U, 64U, 300U);
    const std::size_t k = GENERATE(1U, 10U, 300U);
    auto [segment, queries] = clustered_segment(metric, 2000, dim, 10);
    const auto index = build_ivf(segment, {.nlist = 17, .codes = codes});
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const float* query = queries.row(q).data();
        CHECK(search_one(*index, segment, query, k, {.nprobe = 17, .bound = 1.0F}) ==
              exact_hits(segment, query, k));
    }
}

TEST_CASE("ivf that opens all lists and compares all candidates in full is exact bit for bit") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const Codes codes = GENERATE(Codes::kPq4, Codes::kOpq4);
    const std::size_t dim = GENERATE(5U, 64U);
    auto [segment, queries] = clustered_segment(metric, 2000, dim, 10);
    const auto index = build_ivf(segment, {.nlist = 17, .codes = codes, .pq_dims = 3});
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const float* query = queries.row(q).data();
        CHECK(search_one(*index, segment, query, 10, {.nprobe = 17, .rerank = 2000}) ==
              exact_hits(segment, query, 10));
    }
}

TEST_CASE("ivf with product codes finds more the more candidates are compared in full") {
    const Codes codes = GENERATE(Codes::kPq4, Codes::kOpq4);
    auto data = clustered_segment(Metric::kL2, 6000, 32);
    auto& segment = data.first;
    auto& queries = data.second;
    const auto index = build_ivf(segment, {.nlist = 60, .codes = codes, .pq_dims = 4});
    const auto at = [&](std::size_t rerank, std::size_t k) {
        return mean_recall(*index, segment, queries, k, {.nprobe = 60, .rerank = rerank});
    };
    // Fewer than k count as k: k come back, chosen by their codes.
    CHECK(at(1, 10) == at(10, 10));
    CHECK(at(1, 10) < 0.7);
    CHECK(at(30, 10) > at(10, 10));
    CHECK(at(200, 10) > at(30, 10));
    CHECK(at(1000, 10) > 0.97);
    CHECK(at(0, 10) == at(200, 10));
    CHECK(at(0, 50) == at(1000, 50));
    SearchCounters counters;
    search_one(*index,
               segment,
               queries.row(0).data(),
               10,
               {.nprobe = 60, .rerank = 77, .counters = &counters});
    CHECK(counters.rescored == 77);
    CHECK(counters.distances == 6000);
}

TEST_CASE("ivf with product codes holds half a byte for each piece of a row") {
    const std::size_t pq_dims = GENERATE(1U, 2U, 4U, 64U);
    auto data = clustered_segment(Metric::kL2, 3200, 32, 1);
    auto& segment = data.first;
    const auto bytes = [&](Codes codes) {
        return build_ivf(segment, {.nlist = 20, .codes = codes, .pq_dims = pq_dims})
            ->memory_bytes();
    };
    const std::size_t codebooks = std::max<std::size_t>(1, 32 / pq_dims);
    const std::size_t groups = (codebooks + 3) / 4;
    const std::size_t code_bytes = bytes(Codes::kPq4) - bytes(Codes::kNone);
    CAPTURE(pq_dims);
    // Words and their squares come on top.
    CHECK(code_bytes ==
          3200 * groups * 2 + 16 * 4 * codebooks * (std::min<std::size_t>(pq_dims, 32) + 1));
}

TEST_CASE("ivf returns allowed rows only, and never too few") {
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4);
    const double part = GENERATE(0.9, 0.5, 0.1, 0.06, 0.01, 0.001, 0.0);
    const std::size_t k = GENERATE(1U, 10U, 700U);
    const std::size_t nprobe = GENERATE(1U, 5U);
    auto [segment, queries] = clustered_segment(Metric::kL2, 5000, 16, 20);
    const auto index = build_ivf(segment, {.nlist = 50, .codes = codes});
    const RowMask mask(5000, part, 3);
    std::map<Id, std::size_t> row_of;
    for (std::size_t i = 0; i < 5000; ++i)
        row_of[segment.ids[i]] = i;
    const IndexSearch how{
        .filter = {.allowed = mask.words.data()}, .allowed_rows = mask.allowed, .nprobe = nprobe};
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const auto hits = search_one(*index, segment, queries.row(q).data(), k, how);
        CHECK(hits.size() == std::min(k, mask.allowed));
        std::set<Id> ids;
        for (const Hit& hit : hits) {
            CHECK(mask.test(row_of.at(hit.id)));
            CHECK(ids.insert(hit.id).second);
        }
    }
    if (part < 0.09) CHECK(mean_recall(*index, segment, queries, k, how) == 1.0);
    if (part >= 0.5 && nprobe == 5) CHECK(mean_recall(*index, segment, queries, 10, how) > 0.75);
}

TEST_CASE("ivf goes on while the allowed rows lie in other lists") {
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4);
    auto [segment, queries] = clustered_segment(Metric::kL2, 4000, 16, 1);
    const auto index = build_ivf(segment, {.nlist = 40, .codes = codes});
    const float* query = queries.row(0).data();
    // Allow the farther half of all rows: the nearest lists have none.
    const auto ranked = exact_hits(segment, query, 4000);
    std::map<Id, std::size_t> row_of;
    for (std::size_t i = 0; i < 4000; ++i)
        row_of[segment.ids[i]] = i;
    RowMask mask(4000, 0.0, 1);
    for (std::size_t i = 2000; i < 4000; ++i) {
        const std::size_t row = row_of.at(ranked[i].id);
        mask.words[row / 64] |= std::uint64_t{1} << (row % 64);
    }
    const IndexSearch how{
        .filter = {.allowed = mask.words.data()}, .allowed_rows = 2000, .nprobe = 1};
    CHECK(search_one(*index, segment, query, 10, how).size() == 10);
    CHECK(search_one(*index, segment, query, 2000, how).size() == 2000);
    CHECK(search_one(*index, segment, query, 3000, how).size() == 2000);
}

TEST_CASE("ivf fills up beside hits of another segment") {
    auto [segment, queries] = clustered_segment(Metric::kL2, 3000, 8, 1);
    const auto index = build_ivf(segment, {.nlist = 30});
    std::vector<Hit> slots(20);
    TopK best(slots);
    for (Id id = 100000; id < 100005; ++id)
        best.offer(0.0F, id);
    const void* query[] = {queries.row(0).data()};
    index->search(
        segment.rows(), query, {.allowed_rows = 3000, .nprobe = 30, .bound = 1.0F}, {&best, 1});
    const auto hits = best.sort();
    REQUIRE(hits.size() == 20);
    const auto truth = exact_hits(segment, queries.row(0).data(), 15);
    CHECK(std::equal(hits.begin() + 5, hits.end(), truth.begin()));
}

TEST_CASE("ivf range search finds every allowed row within the radius") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4);
    const bool masked = GENERATE(false, true);
    auto [segment, queries] = clustered_segment(metric, 3000, 40, 10);
    const auto index = build_ivf(segment, {.nlist = 30, .codes = codes});
    const RowMask mask(3000, masked ? 0.5 : 1.0, 8);
    const IndexSearch how{.filter = {.allowed = masked ? mask.words.data() : nullptr},
                          .allowed_rows = mask.allowed};
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const float* query = queries.row(q).data();
        const auto nearest = exact_hits(segment, query, 100, how.filter);
        std::vector<Hit> hits;
        index->range_search(segment.rows(), query, nearest.back().score, how, hits);
        std::sort(hits.begin(), hits.end(), nearer);
        CHECK(hits == nearest);
    }
}

TEST_CASE("ivf gives the same bytes and order for any number of threads") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kCosine);
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4);
    const auto pair = clustered_segment(metric, 3000, 24, 1);
    Segment one = pair.first;
    const auto bytes = saved(*build_ivf(one, {.nlist = 30, .codes = codes}, 1));
    for (const std::size_t threads : {2U, 3U}) {
        Segment other = pair.first;
        CHECK(saved(*build_ivf(other, {.nlist = 30, .codes = codes}, threads)) == bytes);
        CHECK(other.ids == one.ids);
    }
}

TEST_CASE("a saved ivf index answers the same when loaded") {
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4);
    const std::size_t dim = GENERATE(16U, 300U);
    auto [segment, queries] = clustered_segment(Metric::kL2, 4000, dim);
    const IvfOptions options{.nlist = 80, .codes = codes};
    const auto index = build_ivf(segment, options);
    SavedSections sections;
    REQUIRE(index->save(sections).ok());
    const auto loaded = make_ivf(segment, options);
    REQUIRE(loaded->load(sections, segment.rows()).ok());
    CHECK(loaded->validate(segment.rows()).ok());
    CHECK(loaded->memory_bytes() == index->memory_bytes());
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const float* query = queries.row(q).data();
        CHECK(search_one(*loaded, segment, query, 10, {.nprobe = 7}) ==
              search_one(*index, segment, query, 10, {.nprobe = 7}));
    }
}

TEST_CASE("ivf refuses damaged sections and is as new then") {
    Segment segment = clustered_segment(Metric::kL2, 1000, 8, 1).first;
    const IvfOptions options{
        .nlist = 10, .codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4)};
    SavedSections good;
    REQUIRE(build_ivf(segment, options)->save(good).ok());
    const auto refuses = [&](const SavedSections& bad) {
        const auto index = make_ivf(segment, options);
        SavedSections copy = bad;
        CHECK(index->load(copy, segment.rows()).code() == StatusCode::kCorruption);
        CHECK(saved(*index) == saved(*make_ivf(segment, options)));
    };
    for (const auto& [name, bytes] : good.sections) {
        SavedSections bad = good;
        bad.sections.erase(name);
        refuses(bad);
        if (bytes.empty()) continue;
        bad = good;
        bad.sections[name].pop_back();
        refuses(bad);
        bad = good;
        bad.sections[name].resize(bytes.size() + 4);
        refuses(bad);
    }
    const auto with_start = [&](std::size_t list, std::uint32_t row) {
        SavedSections bad = good;
        std::memcpy(bad.sections.find("starts")->second.data() + list * 4, &row, 4);
        return bad;
    };
    refuses(with_start(0, 1));
    refuses(with_start(5, 4000000000U));
    refuses(with_start(10, 999));
    SavedSections infinite = good;
    const float infinity = std::numeric_limits<float>::infinity();
    std::memcpy(infinite.sections.find("centroids")->second.data() + 12, &infinity, 4);
    refuses(infinite);
}

TEST_CASE("ivf over no row, one row, equal rows") {
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4);
    const std::size_t rows = GENERATE(0U, 1U, 2U, 31U, 500U);
    Segment segment(Metric::kL2, Matrix(rows, 6));
    const auto index = build_ivf(segment, {.codes = codes});
    CHECK(index->validate(segment.rows()).ok());
    const float query[6] = {1, 0, 0, 0, 0, 0};
    CHECK(search_one(*index, segment, query, 40, {}) == exact_hits(segment, query, 40));
    std::vector<Hit> hits;
    index->range_search(segment.rows(), query, 1.0F, {.allowed_rows = rows}, hits);
    CHECK(hits.size() == rows);
}

TEST_CASE("ivf says when rows are too few for its lists") {
    auto [segment, queries] = clustered_segment(Metric::kL2, 99, 8, 1);
    const auto index = make_ivf(segment, {.nlist = 100});
    const auto built = index->build(segment.rows(), {.threads = 1});
    REQUIRE(built.status().code() == StatusCode::kFailedPrecondition);
    CHECK(built.status().message().find("99 rows") != std::string::npos);
    CHECK(built.status().message().find("nlist = 100") != std::string::npos);
    CHECK(make_ivf(segment, {.nlist = 99})->build(segment.rows(), {.threads = 1}).ok());
}

TEST_CASE("ivf refuses codes of other than floats, and parameters out of range") {
    VectorField field{.dim = 8, .element_type = ElementType::kInt8};
    field.index = IvfOptions{.codes = Codes::kSq4};
    CHECK(index::make_ivf_index(field).status().code() == StatusCode::kUnsupported);
    field.index = IvfOptions{};
    CHECK(index::make_ivf_index(field).ok());
    field.index = IvfOptions{.codes = GENERATE(Codes::kPq4, Codes::kOpq4)};
    CHECK(index::make_ivf_index(field).status().code() == StatusCode::kUnsupported);
    field.element_type = ElementType::kFloat32;
    CHECK(index::make_ivf_index(field).ok());
    field.index = IvfOptions{.codes = Codes::kPq4, .pq_dims = GENERATE(0U, 65U)};
    CHECK(index::make_ivf_index(field).status().code() == StatusCode::kInvalidArgument);
    field.index = IvfOptions{.nlist = (std::size_t{1} << 24U) + 1};
    CHECK(index::make_ivf_index(field).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("an ivf build ends when asked and leaves the index as new") {
    auto [segment, queries] = clustered_segment(Metric::kL2, 3000, 16, 1);
    const IvfOptions options{.nlist = 30,
                             .codes = GENERATE(Codes::kSq4, Codes::kPq4, Codes::kOpq4)};
    const auto index = make_ivf(segment, options);
    Control control;
    control.deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(GENERATE(-1, 3));
    const auto built = index->build(segment.rows(), {.threads = 2, .seed = 1, .control = &control});
    REQUIRE(built.status().code() == StatusCode::kDeadlineExceeded);
    CHECK(saved(*index) == saved(*make_ivf(segment, options)));
}

TEST_CASE("ivf counts what it did") {
    auto [segment, queries] = clustered_segment(Metric::kL2, 3000, 16, 1);
    const auto index = build_ivf(
        segment,
        {.nlist = 30, .codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4)});
    SearchCounters counters;
    const float* query = queries.row(0).data();
    search_one(*index, segment, query, 10, {.nprobe = 30, .counters = &counters});
    CHECK(counters.visited == 30);
    CHECK(counters.distances == 3000);
    CHECK(counters.rescored >= 10);
    search_one(*index, segment, query, 10, {.nprobe = 1, .counters = &counters});
    CHECK(counters.visited == 31);
    CHECK(counters.distances < 4500);
}

TEST_CASE("ivf training prints nothing") {
    // So few rows a list make Faiss warn unless it is told not to.
    Segment segment(Metric::kL2, normal_rows(150, 8, 1));
    Capture out(1);
    Capture error(2);
    const auto index = build_ivf(
        segment, {.nlist = 100, .codes = GENERATE(Codes::kNone, Codes::kPq4, Codes::kOpq4)});
    const long printed = out.bytes() + error.bytes();
    CHECK(printed == 0);
}

TEST_CASE("ivf recall on the shipped words") {
    const auto file = read_floats(std::string(VECDB_EXAMPLES_DATA) + "/words.npy").value();
    Matrix rows(file.rows - 200, file.dim);
    Matrix asked(200, file.dim);
    for (std::size_t i = 0, r = 0, q = 0; i < file.rows; ++i) {
        const bool is_query = i % 7 == 3 && q < 200;
        const auto to = is_query ? asked.row(q++) : rows.row(r++);
        std::copy_n(
            file.values.begin() + static_cast<std::ptrdiff_t>(i * file.dim), file.dim, to.begin());
    }
    Segment segment(Metric::kCosine, std::move(rows));
    const Matrix queries = Segment(Metric::kCosine, std::move(asked)).matrix;
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4);
    const auto index = build_ivf(segment, {.nlist = 100, .codes = codes});
    const auto recall_at = [&](std::size_t nprobe) {
        return mean_recall(*index, segment, queries, 10, {.nprobe = nprobe});
    };
    CHECK(recall_at(10) > 0.75);
    CHECK(recall_at(25) > 0.9);
    CHECK(recall_at(50) > 0.97);
}

}  // namespace
}  // namespace vecdb::test
