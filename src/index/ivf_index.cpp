#include "index/ivf_index.h"

#include "check.h"
#include "index/exact.h"
#include "index/ivf_lists.h"
#include "index/ivf_ranking.h"
#include "index/ivf_search.h"
#include "index/row_floats.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vecdb::index {
namespace {

/// nprobe = 0 searches one list of so many.
constexpr std::size_t kDefaultShare = 16;
/// When fewer than one row of so many is allowed, just those are compared.
constexpr std::size_t kFewAllowed = 10;

/// What a thread keeps from query to query.
struct Scratch {
    ListRanking ranking;
    std::vector<float> query;
};

Scratch& scratch_of_thread() {
    thread_local Scratch scratch;
    return scratch;
}

class IvfIndex final : public Index {
  public:
    IvfIndex(const IvfOptions& options, Codes codes) : options_(options), codes_(codes) {}

    [[nodiscard]] IndexCapabilities capabilities() const noexcept override {
        return {.name = "ivf"};
    }

    [[nodiscard]] Result<std::vector<std::uint32_t>> build(const IndexRows& rows,
                                                           const IndexBuild& how) override;
    void search(const IndexRows& rows,
                std::span<const void* const> queries,
                const IndexSearch& how,
                std::span<TopK> best) const override;
    [[nodiscard]] Status validate(const IndexRows& rows) const override {
        return lists_.validate(rows);
    }
    [[nodiscard]] Status save(SectionWriter& to) const override;
    [[nodiscard]] Status load(SectionReader& from, const IndexRows& rows) override;
    [[nodiscard]] std::size_t memory_bytes() const noexcept override {
        return lists_.memory_bytes();
    }

  private:
    void search_one(const IndexRows& rows,
                    const void* query,
                    const IndexSearch& how,
                    TopK& best) const;
    void rank_lists(const IndexRows& rows, const void* query, Scratch& scratch) const;
    [[nodiscard]] std::size_t lists_to_open(const IndexSearch& how) const noexcept;
    [[nodiscard]] bool compare_allowed_only(const IndexRows& rows,
                                            const IndexSearch& how) const noexcept;

    IvfOptions options_;
    Codes codes_;
    IvfLists lists_;
};

Result<std::vector<std::uint32_t>> IvfIndex::build(const IndexRows& rows, const IndexBuild& how) {
    lists_ = IvfLists();
    std::vector<std::uint32_t> order;
    VECDB_ASSIGN(IvfLists lists, IvfLists::build(rows, options_.nlist, how, order));
    lists_ = std::move(lists);
    return order;
}

void IvfIndex::search(const IndexRows& rows,
                      std::span<const void* const> queries,
                      const IndexSearch& how,
                      std::span<TopK> best) const {
    if (rows.count == 0) return;
    for (std::size_t q = 0; q < queries.size(); ++q)
        search_one(rows, queries[q], how, best[q]);
}

std::size_t IvfIndex::lists_to_open(const IndexSearch& how) const noexcept {
    const std::size_t wanted =
        how.nprobe != 0 ? how.nprobe : (lists_.count() + kDefaultShare - 1) / kDefaultShare;
    return std::min(wanted, lists_.count());
}

bool IvfIndex::compare_allowed_only(const IndexRows& rows, const IndexSearch& how) const noexcept {
    if (how.filter.allows_all()) return false;
    const std::size_t allowed = how.allowed_rows;
    return allowed * kFewAllowed < rows.count ||
           allowed <= rows.count / lists_.count() * lists_to_open(how);
}

void IvfIndex::search_one(const IndexRows& rows,
                          const void* query,
                          const IndexSearch& how,
                          TopK& best) const {
    if (compare_allowed_only(rows, how)) {
        scan_allowed(rows, query, how.filter, best);
        if (how.counters != nullptr) {
            how.counters->distances += how.allowed_rows;
            how.counters->rescored += how.allowed_rows;
        }
        return;
    }
    Scratch& scratch = scratch_of_thread();
    rank_lists(rows, query, scratch);
    const std::size_t wanted = std::min(best.capacity(), best.size() + how.allowed_rows);
    VectorListScan scan(rows, query, how, best);
    const std::size_t opened =
        open_lists(lists_, lists_to_open(how), wanted, best, scratch.ranking, scan);
    if (how.counters != nullptr) {
        how.counters->visited += opened;
        how.counters->distances += scan.compared();
        how.counters->rescored += scan.compared();
    }
}

void IvfIndex::rank_lists(const IndexRows& rows, const void* query, Scratch& scratch) const {
    const auto* floats = static_cast<const float*>(query);
    if (rows.element_type != ElementType::kFloat32) {
        scratch.query.resize(rows.dim);
        to_floats(rows.element_type, query, rows.dim, scratch.query.data());
        floats = scratch.query.data();
    }
    const bool by_product = larger_is_nearer(rows.metric);
    const auto range =
        simd::table_in_use()
            .distances(by_product ? Metric::kInnerProduct : Metric::kL2, ElementType::kFloat32)
            .range;
    float* distances = scratch.ranking.distances(lists_.count());
    std::uint32_t kept[kListStep];
    for (std::size_t first = 0; first < lists_.count(); first += kListStep) {
        const simd::Rows part{lists_.centroids() + first * rows.dim, rows.dim, rows.dim};
        range(floats,
              part,
              std::min(kListStep, lists_.count() - first),
              std::numeric_limits<float>::infinity(),
              {kept, distances + first});
    }
    scratch.ranking.take_distances();
}

Status IvfIndex::save(SectionWriter& to) const {
    return lists_.save(to);
}

Status IvfIndex::load(SectionReader& from, const IndexRows& rows) {
    lists_ = IvfLists();
    VECDB_ASSIGN(lists_, IvfLists::load(from, rows));
    return {};
}

}  // namespace

Result<std::unique_ptr<Index>> make_ivf_index(const VectorField& field) {
    const auto* options = std::get_if<IvfOptions>(&field.index);
    VECDB_ASSERT(options != nullptr);
    VECDB_TRY(options->validate());
    const bool floats = field.element_type == ElementType::kFloat32;
    if (!floats && options->codes != Codes::kDefault && options->codes != Codes::kNone) {
        return Status(StatusCode::kUnsupported,
                      "ivf: only float32 fields have codes, this one is " +
                          std::string(to_string(field.element_type)));
    }
    if (options->codes == Codes::kPq4) {
        return Status(StatusCode::kUnsupported, "ivf: codes = pq4 are not served yet");
    }
    const Codes codes = options->codes != Codes::kDefault ? options->codes
                        : floats                          ? Codes::kSq4
                                                          : Codes::kNone;
    return std::unique_ptr<Index>(std::make_unique<IvfIndex>(*options, codes));
}

}  // namespace vecdb::index
