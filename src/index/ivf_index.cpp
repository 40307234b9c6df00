#include "index/ivf_index.h"

#include "check.h"
#include "index/coded_scan.h"
#include "index/exact.h"
#include "index/ivf_code_scan.h"
#include "index/ivf_codes.h"
#include "index/ivf_lists.h"
#include "index/ivf_product_codes.h"
#include "index/ivf_product_scan.h"
#include "index/ivf_ranking.h"
#include "index/ivf_search.h"
#include "index/row_floats.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vecdb::index {
namespace {

/// nprobe = 0 searches one list of so many, more under a filter: recall@10 of 10,000 words is .95
/// then, whichever rows are allowed (collection/selectivity_test.cpp).
constexpr double kDefaultShare = 8;
/// When fewer than one row of so many is allowed, just those are compared, ...
constexpr std::size_t kFewAllowed = 10;
/// ... by blocks of codes when there is more than one of so many: most blocks have one then.
constexpr std::size_t kAllowedInBlocks = 32;
/// Comparing a row in full that lies alone takes as long as so many codes of a list.
constexpr std::size_t kCodesPerRow = 8;

/// What a thread keeps from query to query.
struct Scratch {
    ListRanking ranking;
    std::vector<float> query;
    PreparedQuery centroid_query;
    CodeScanScratch scan;
    ProductScanScratch products;
};

Scratch& scratch_of_thread() {
    thread_local Scratch scratch;
    return scratch;
}

class IvfIndex final : public Index {
  public:
    /// `codes` is kNone, kSq4, kPq4 or kOpq4.
    IvfIndex(const IvfOptions& options, Codes codes, std::size_t dim)
        : options_(options),
          coded_(codes == Codes::kSq4),
          has_products_(codes == Codes::kPq4 || codes == Codes::kOpq4),
          products_wish_{.dims = std::min(options.pq_dims, dim), .rotates = codes == Codes::kOpq4} {
    }

    [[nodiscard]] IndexCapabilities capabilities() const noexcept override {
        return {.name = "ivf"};
    }

    [[nodiscard]] Result<std::vector<std::uint32_t>> build(const IndexRows& rows,
                                                           const IndexBuild& how) override;
    void search(const IndexRows& rows,
                std::span<const void* const> queries,
                const IndexSearch& how,
                std::span<TopK> best) const override;
    void range_search(const IndexRows& rows,
                      const void* query,
                      float radius,
                      const IndexSearch& how,
                      std::vector<Hit>& hits) const override;
    [[nodiscard]] Status validate(const IndexRows& rows) const override;
    [[nodiscard]] Status save(SectionWriter& to) const override;
    [[nodiscard]] Status load(SectionReader& from, const IndexRows& rows) override;
    [[nodiscard]] std::size_t memory_bytes() const noexcept override {
        return sizeof(*this) + lists_.memory_bytes() + codes_.memory_bytes() +
               products_.memory_bytes();
    }

  private:
    void search_one(const IndexRows& rows,
                    const void* query,
                    const IndexSearch& how,
                    TopK& best) const;
    /// Compare all rows that are allowed: exact.
    void search_allowed(const IndexRows& rows,
                        const void* query,
                        const IndexSearch& how,
                        TopK& best) const;
    void prepare_scan(const float* query, float bound, CodeScanScratch& scratch) const;
    void search_by_codes(const IndexRows& rows,
                         const float* query,
                         const IndexSearch& how,
                         Scratch& scratch,
                         TopK& best) const;
    void search_by_products(const IndexRows& rows,
                            const float* query,
                            const IndexSearch& how,
                            Scratch& scratch,
                            TopK& best) const;
    void search_by_vectors(const IndexRows& rows,
                           const void* query,
                           const IndexSearch& how,
                           Scratch& scratch,
                           TopK& best) const;
    /// Let `scan` take the lists that scratch.ranking has first, and count.
    template <class Scan>
    void open(const IndexRows& rows,
              const IndexSearch& how,
              Scratch& scratch,
              TopK& best,
              Scan& scan) const;
    /// Become as new.
    void forget() {
        lists_ = IvfLists();
        codes_ = IvfCodes();
        products_ = IvfProductCodes();
    }
    [[nodiscard]] std::size_t lists_to_open(const IndexSearch& how,
                                            std::size_t rows) const noexcept;
    [[nodiscard]] bool compare_allowed_only(const IndexRows& rows,
                                            const IndexSearch& how) const noexcept;

    IvfOptions options_;
    bool coded_;         ///< By codes_.
    bool has_products_;  ///< Coded by products_.
    IvfProductCodes::Wish products_wish_;
    IvfLists lists_;
    IvfCodes codes_;
    IvfProductCodes products_;
};

/// Copy rows into another order.
std::vector<float> reordered(const IndexRows& rows, std::span<const std::uint32_t> order) {
    std::vector<float> floats(rows.count * rows.dim);
    gather_floats(rows, order, floats.data());
    return floats;
}

Result<std::vector<std::uint32_t>> IvfIndex::build(const IndexRows& rows, const IndexBuild& how) {
    forget();
    std::vector<std::uint32_t> order;
    VECDB_ASSIGN(IvfLists lists, IvfLists::build(rows, options_.nlist, how, order));
    IvfCodes codes;
    IvfProductCodes products;
    if (coded_ || has_products_) {
        const std::vector<float> floats = reordered(rows, order);
        IndexRows in_order = rows;
        in_order.base = floats.data();
        in_order.stride = rows.dim * sizeof(float);
        in_order.ids = nullptr;
        in_order.norms = nullptr;
        if (coded_) {
            VECDB_ASSIGN(codes, IvfCodes::build(in_order, lists, how));
        } else {
            VECDB_ASSIGN(products, IvfProductCodes::build(in_order, lists, products_wish_, how));
        }
    }
    lists_ = std::move(lists);
    codes_ = std::move(codes);
    products_ = std::move(products);
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

std::size_t IvfIndex::lists_to_open(const IndexSearch& how, std::size_t rows) const noexcept {
    if (how.nprobe != 0) return std::min(how.nprobe, lists_.count());
    // The nearest of fewer rows are farther away, and so in more lists.
    const double sparse =
        static_cast<double>(rows) / static_cast<double>(std::max<std::size_t>(how.allowed_rows, 1));
    const double wanted =
        static_cast<double>(lists_.count()) / kDefaultShare * std::sqrt(std::max(sparse, 1.0));
    return std::min(static_cast<std::size_t>(std::ceil(wanted)), lists_.count());
}

bool IvfIndex::compare_allowed_only(const IndexRows& rows, const IndexSearch& how) const noexcept {
    if (how.filter.allows_all()) return false;
    const std::size_t open_rows = rows.count / lists_.count() * lists_to_open(how, rows.count);
    const std::size_t scan = how.allowed_rows * (coded_ || has_products_ ? kCodesPerRow : 1);
    if (how.counters != nullptr) {
        how.counters->index_cost = static_cast<double>(open_rows);
        how.counters->scan_cost = static_cast<double>(scan);
    }
    return how.allowed_rows * kFewAllowed < rows.count || scan <= open_rows;
}

void IvfIndex::search_allowed(const IndexRows& rows,
                              const void* query,
                              const IndexSearch& how,
                              TopK& best) const {
    if (coded_ && how.allowed_rows * kAllowedInBlocks > rows.count) {
        CodeScanScratch& scratch = scratch_of_thread().scan;
        prepare_scan(static_cast<const float*>(query), 1.0F, scratch);
        CodeListScan scan(rows, codes_, query, how, best, scratch);
        scan.scan(0, rows.count);
        scan.flush();
        if (how.counters == nullptr) return;
        how.counters->plan = SearchPlan::kCodes;
        how.counters->distances += scan.compared();
        how.counters->rescored += scan.rescored();
    } else {
        scan_allowed(rows, query, how.filter, best);
        if (how.counters == nullptr) return;
        how.counters->add_compared(SearchPlan::kRows, how.allowed_rows);
    }
}

void IvfIndex::search_one(const IndexRows& rows,
                          const void* query,
                          const IndexSearch& how,
                          TopK& best) const {
    if (compare_allowed_only(rows, how)) return search_allowed(rows, query, how, best);
    Scratch& scratch = scratch_of_thread();
    const auto* floats = static_cast<const float*>(query);
    if (rows.element_type != ElementType::kFloat32) {
        scratch.query.resize(rows.dim);
        to_floats(rows.element_type, query, rows.dim, scratch.query.data());
        floats = scratch.query.data();
    }
    if (coded_) {
        search_by_codes(rows, floats, how, scratch, best);
    } else if (has_products_) {
        search_by_products(rows, floats, how, scratch, best);
    } else {
        rank_lists(lists_, rows.metric, floats, CodeTable(), {}, scratch.ranking);
        search_by_vectors(rows, query, how, scratch, best);
    }
}

template <class Scan>
void IvfIndex::open(
    const IndexRows& rows, const IndexSearch& how, Scratch& scratch, TopK& best, Scan& scan) const {
    const std::size_t wanted = std::min(best.capacity(), best.size() + how.allowed_rows);
    const std::size_t opened =
        open_lists(lists_, lists_to_open(how, rows.count), wanted, best, scratch.ranking, scan);
    if (how.counters == nullptr) return;
    how.counters->plan = SearchPlan::kLists;
    how.counters->visited += opened;
    how.counters->distances += scan.compared();
    how.counters->rescored += scan.rescored();
}

void IvfIndex::prepare_scan(const float* query, float bound, CodeScanScratch& scratch) const {
    codes_.rows().prepare(codes_.space(), query, bound, scratch.coarse);
    if (codes_.fine_rows().empty()) return;
    codes_.fine_rows().prepare(codes_.fine_space(), query, bound, scratch.fine);
}

void IvfIndex::search_by_codes(const IndexRows& rows,
                               const float* query,
                               const IndexSearch& how,
                               Scratch& scratch,
                               TopK& best) const {
    const float bound = how.bound > 0 ? how.bound : codes_.default_bound();
    prepare_scan(query, bound, scratch.scan);
    const CodeTable& coded = codes_.centroids();
    simd::CodeQuery& estimate = scratch.centroid_query.estimate;
    if (!coded.empty()) {
        coded.prepare_again(
            codes_.space(), query, 1.0F, scratch.scan.coarse, scratch.centroid_query);
    }
    rank_lists(lists_, rows.metric, query, coded, estimate, scratch.ranking);
    CodeListScan scan(rows, codes_, query, how, best, scratch.scan);
    open(rows, how, scratch, best, scan);
}

void IvfIndex::search_by_products(const IndexRows& rows,
                                  const float* query,
                                  const IndexSearch& how,
                                  Scratch& scratch,
                                  TopK& best) const {
    PreparedQuery& prepared = scratch.centroid_query;
    if (products_.centroids().empty()) {
        prepared.head.resize(products_.space().head());
        products_.space().project(query, prepared.head.data());
    } else {
        products_.centroids().prepare(products_.space(), query, 1.0F, prepared);
    }
    products_.codebooks().look_at(prepared.head.data(), rows.metric, scratch.products.query);
    rank_lists(
        lists_, rows.metric, query, products_.centroids(), prepared.estimate, scratch.ranking);
    ProductListScan scan(rows, products_, query, how, best, scratch.products);
    open(rows, how, scratch, best, scan);
}

void IvfIndex::search_by_vectors(const IndexRows& rows,
                                 const void* query,
                                 const IndexSearch& how,
                                 Scratch& scratch,
                                 TopK& best) const {
    VectorListScan scan(rows, query, how, best);
    open(rows, how, scratch, best, scan);
}

void IvfIndex::range_search(const IndexRows& rows,
                            const void* query,
                            float radius,
                            const IndexSearch& how,
                            std::vector<Hit>& hits) const {
    if (!coded_ || rows.count == 0 || compare_allowed_only(rows, how)) {
        return Index::range_search(rows, query, radius, how, hits);
    }
    const CodedStages stages{.space = &codes_.space(), .blocks = &codes_.rows()};
    range_coded(
        stages, rows, static_cast<const float*>(query), radius, how.filter, hits, how.counters);
}

Status IvfIndex::validate(const IndexRows& rows) const {
    VECDB_TRY(lists_.validate(rows));
    const std::size_t wanted = coded_ || has_products_ ? rows.count : 0;
    const std::size_t coded = has_products_ ? products_.rows() : codes_.rows().rows();
    if (coded != wanted) {
        return {StatusCode::kCorruption,
                "ivf index: " + std::to_string(coded) + " rows have codes, not " +
                    std::to_string(wanted)};
    }
    return {};
}

Status IvfIndex::save(SectionWriter& to) const {
    VECDB_TRY(lists_.save(to));
    return has_products_ ? products_.save(to) : codes_.save(to);
}

Status IvfIndex::load(SectionReader& from, const IndexRows& rows) {
    forget();
    VECDB_ASSIGN(IvfLists lists, IvfLists::load(from, rows));
    if (coded_) {
        VECDB_ASSIGN(codes_, IvfCodes::load(from, rows, lists));
    } else if (has_products_) {
        VECDB_ASSIGN(products_, IvfProductCodes::load(from, rows, lists, products_wish_));
    }
    lists_ = std::move(lists);
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
    const Codes codes = options->codes != Codes::kDefault ? options->codes
                        : floats                          ? Codes::kSq4
                                                          : Codes::kNone;
    return std::unique_ptr<Index>(std::make_unique<IvfIndex>(*options, codes, field.dim));
}

}  // namespace vecdb::index
