// At every selectivity, wherever the allowed rows lie, an index with default settings finds as many
// rows as are allowed and wanted, and nearly all of the nearest.

#include "support/catch.h"
#include "support/random_data.h"

#include <vecdb/database.h>
#include <vecdb/dataset_io.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

constexpr std::size_t kQueries = 40;
constexpr std::size_t kK = 10;
constexpr double kLeastRecall = 0.95;

/// Where the allowed rows lie.
enum class Where : std::uint8_t {
    kAnywhere,
    kNear,  ///< Among those nearest to the query.
    kFar,   ///< Among the farthest.
};

struct IndexCase {
    const char* name;
    IndexOptions index;
};

const IndexCase kIndexes[] = {
    {"flat", FlatOptions{.codes = Codes::kNone}},
    {"flat sq4", FlatOptions{.codes = Codes::kSq4}},
    {"hnsw", HnswOptions{.codes = Codes::kNone}},
    {"hnsw codes", HnswOptions{}},
    {"ivf", IvfOptions{.nlist = 100, .codes = Codes::kNone}},
    {"ivf sq4", IvfOptions{.nlist = 100, .codes = Codes::kSq4}},
    {"ivf pq4", IvfOptions{.nlist = 100, .codes = Codes::kPq4}},
};

/// Words, and others to ask for.
class Words {
  public:
    explicit Words(const IndexOptions& index)
        : all_(read_floats(VECDB_EXAMPLES_DATA "/words.npy").value()),
          rows_(all_.view().rows() - kQueries) {
        Schema schema = Schema::single(all_.view().dim(), Metric::kCosine);
        schema.vectors[0].index = index;
        schema.segments.seal_rows = 0;
        words_ = database_.create_collection("words", schema).value();
        const std::size_t sealed = rows_ * 9 / 10;
        words_->insert(test::sequential_ids(sealed), all_.view().slice(0, sealed)).check();
        words_->build_index().check();
        // Some are not in the index, and some of the index are gone.
        const auto later = test::sequential_ids(rows_ - sealed, static_cast<Id>(sealed));
        words_->insert(later, all_.view().slice(sealed, rows_ - sealed)).check();
        std::vector<Id> gone;
        for (Id id = 0; id < static_cast<Id>(rows_); id += 10)
            gone.push_back(id);
        words_->remove(gone).status().check();
    }

    [[nodiscard]] VectorView query(std::size_t i) const {
        return std::span(all_.view().row<float>(rows_ + i), all_.view().dim());
    }
    [[nodiscard]] const Collection& words() const { return *words_; }

    /// Return the live rows, those nearest to the query first.
    [[nodiscard]] std::vector<Id> ranked(std::size_t i) const {
        std::vector<Id> ids;
        for (const Hit& hit : words_->search(query(i), {.k = kMaxK, .exact = true}).value())
            ids.push_back(hit.id);
        return ids;
    }

  private:
    FloatMatrix all_;
    std::size_t rows_;
    Database database_ = Database::in_memory().value();
    std::optional<Collection> words_;
};

/// Return a part of the ranked rows.
std::vector<Id> allowed(std::vector<Id> ranked, double part, Where where, test::Random& random) {
    const auto count = static_cast<std::size_t>(
        std::max(1.0, std::round(part * static_cast<double>(ranked.size()))));
    const std::size_t among = std::min(2 * count, ranked.size());
    if (where == Where::kFar) std::reverse(ranked.begin(), ranked.end());
    if (where != Where::kAnywhere) ranked.resize(among);
    std::shuffle(ranked.begin(), ranked.end(), random);
    ranked.resize(count);
    return ranked;
}

}  // namespace

TEST_CASE("filters of any selectivity and place keep counts and recall", "[filter][planner]") {
    const IndexCase index = GENERATE(from_range(std::begin(kIndexes), std::end(kIndexes)));
    INFO(index.name);
    const Words words(index.index);
    std::vector<std::vector<Id>> ranked;
    for (std::size_t i = 0; i < kQueries; ++i)
        ranked.push_back(words.ranked(i));
    test::Random random(1);
    for (const double part : {1.0, 0.5, 0.1, 0.01, 0.001, 0.0001}) {
        for (const Where where : {Where::kAnywhere, Where::kNear, Where::kFar}) {
            INFO("allowed " << part << ", place " << static_cast<int>(where));
            std::size_t found = 0;
            std::size_t wanted = 0;
            for (std::size_t i = 0; i < kQueries; ++i) {
                const auto ids = allowed(ranked[i], part, where, random);
                const Filter filter = Filter::allow_ids(ids);
                const SearchOptions options{.k = kK, .filter = filter};
                SearchOptions exact = options;
                exact.exact = true;
                const Hits hits = words.words().search(words.query(i), options).value();
                const Hits truth = words.words().search(words.query(i), exact).value();
                REQUIRE(hits.size() == std::min(kK, ids.size()));
                REQUIRE(hits == words.words().search(words.query(i), options).value());
                wanted += truth.size();
                for (const Hit& hit : hits) {
                    REQUIRE(std::find(ids.begin(), ids.end(), hit.id) != ids.end());
                    found += std::count(truth.begin(), truth.end(), hit) != 0 ? 1U : 0U;
                }
            }
            const double recall = static_cast<double>(found) / static_cast<double>(wanted);
            CHECK(recall >= kLeastRecall);
        }
    }
}

TEST_CASE("rows that lie where the query does not are found", "[filter][planner]") {
    // Random directions: the centroids of lists say next to nothing about rows far away.
    constexpr std::size_t kDim = 24;
    constexpr std::size_t kRows = 20'000;
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4);
    const test::Matrix rows = test::normal_rows(kRows, kDim, 1);
    const test::Matrix queries = test::normal_rows(20, kDim, 2);
    Schema schema = Schema::single(kDim, Metric::kCosine);
    schema.vectors[0].index = IvfOptions{.nlist = 100, .codes = codes};
    schema.segments.seal_rows = 0;
    Database database = Database::in_memory().value();
    Collection collection = database.create_collection("rows", schema).value();
    collection.insert(test::sequential_ids(kRows), rows.view()).check();
    collection.build_index().check();
    test::Random random(1);
    for (const double part : {0.2, 0.1, 0.03}) {
        std::size_t found = 0;
        for (std::size_t q = 0; q < queries.rows; ++q) {
            const VectorView query(queries.row(q));
            std::vector<Id> ranked;
            for (const Hit& hit : collection.range_search(query, -2.0F).value())
                ranked.push_back(hit.id);
            REQUIRE(ranked.size() == kRows);
            const Filter filter =
                Filter::allow_ids(allowed(std::move(ranked), part, Where::kFar, random));
            const Hits hits = collection.search(query, {.k = kK, .filter = filter}).value();
            const Hits truth =
                collection.search(query, {.k = kK, .filter = filter, .exact = true}).value();
            REQUIRE(hits.size() == kK);
            for (const Hit& hit : hits)
                found += std::count(truth.begin(), truth.end(), hit) != 0 ? 1U : 0U;
        }
        CAPTURE(static_cast<int>(codes), part);
        CHECK(static_cast<double>(found) >= kLeastRecall * static_cast<double>(kK * queries.rows));
    }
}

}  // namespace vecdb
