#include "index/ivf_index.h"

#include "check.h"
#include "index/coded_scan.h"
#include "index/crossovers.h"
#include "index/exact.h"
#include "index/flat_batch.h"
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
    /// How a search under a filter goes about it.
    struct Choice {
        std::size_t lists = 0;  ///< To open; 0: none, all allowed rows are compared, ...
        bool by_codes = true;   ///< ... perhaps by codes first.
    };

    void search_one(const IndexRows& rows,
                    const void* query,
                    const IndexSearch& how,
                    TopK& best) const;
    /// Compare all rows that are allowed, by codes first if that may be and pays: exact.
    void search_allowed(const IndexRows& rows,
                        const void* query,
                        const IndexSearch& how,
                        bool by_codes,
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
    /// Let `scan` take the `count` lists that scratch.ranking has first, and count.
    template <class Scan>
    void open(
        std::size_t count, const IndexSearch& how, Scratch& scratch, TopK& best, Scan& scan) const;
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
    [[nodiscard]] std::size_t scan_cost(const IndexSearch& how) const noexcept;
    /// Choose how many of the ranked lists a search opens.
    Choice choose_lists(const IndexRows& rows, const IndexSearch& how, ListRanking& ranking) const;

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
    if (how.counters != nullptr) {
        how.counters->index_cost = static_cast<double>(open_rows);
        how.counters->scan_cost = static_cast<double>(scan_cost(how));
    }
    return how.allowed_rows * kFewAllowed < rows.count || scan_cost(how) <= open_rows;
}

std::size_t IvfIndex::scan_cost(const IndexSearch& how) const noexcept {
    return how.allowed_rows * (coded_ || has_products_ ? kCodesPerRow : 1);
}

IvfIndex::Choice IvfIndex::choose_lists(const IndexRows& rows,
                                        const IndexSearch& how,
                                        ListRanking& ranking) const {
    const std::size_t usual = lists_to_open(how, rows.count);
    if (how.nprobe != 0 || how.filter.allows_all()) return {usual};
    // Enough are as many allowed rows as the usual lists would have if they lay anywhere; but at
    // least as many lists are opened as without a filter.
    const std::size_t least = (lists_.count() + kDefaultShare - 1) / kDefaultShare;
    const double share = static_cast<double>(how.allowed_rows) / static_cast<double>(rows.count);
    const std::size_t enough = how.allowed_rows * usual / lists_.count();
    std::size_t opened = 0;
    std::size_t passed = 0;
    std::size_t seen = 0;
    std::size_t cost = 0;
    const auto look_at_next = [&] {
        const std::size_t list = ranking[opened++];
        const std::size_t size = lists_.end(list) - lists_.begin(list);
        const std::size_t allowed = count_allowed(how.filter, lists_.begin(list), lists_.end(list));
        passed += size;
        seen += allowed;
        if (allowed > 0) cost += size;
    };
    while (opened < usual && (opened < least || seen < enough))
        look_at_next();
    const double expected = share * static_cast<double>(passed);
    if (static_cast<double>(seen) * kElsewhere < expected) return {0, false};
    while (opened < lists_.count() && opened >= usual && static_cast<double>(seen) < expected)
        look_at_next();
    if (how.counters != nullptr) how.counters->index_cost = static_cast<double>(cost);
    return {scan_cost(how) <= cost ? 0 : opened};
}

void IvfIndex::search_allowed(const IndexRows& rows,
                              const void* query,
                              const IndexSearch& how,
                              bool by_codes,
                              TopK& best) const {
    if (coded_ && by_codes && how.allowed_rows * kAllowedInBlocks > rows.count) {
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
        const void* const queries[1] = {query};
        scan_rows(rows, 0, queries, how.filter, {&best, 1});
        if (how.counters == nullptr) return;
        how.counters->add_compared(SearchPlan::kRows, how.allowed_rows);
    }
}

void IvfIndex::search_one(const IndexRows& rows,
                          const void* query,
                          const IndexSearch& how,
                          TopK& best) const {
    if (compare_allowed_only(rows, how)) return search_allowed(rows, query, how, true, best);
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
    std::size_t count, const IndexSearch& how, Scratch& scratch, TopK& best, Scan& scan) const {
    const std::size_t wanted = std::min(best.capacity(), best.size() + how.allowed_rows);
    const std::size_t opened = open_lists(lists_, count, wanted, best, scratch.ranking, scan);
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
    const Choice choice = choose_lists(rows, how, scratch.ranking);
    if (choice.lists == 0) return search_allowed(rows, query, how, choice.by_codes, best);
    CodeListScan scan(rows, codes_, query, how, best, scratch.scan);
    open(choice.lists, how, scratch, best, scan);
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
    const Choice choice = choose_lists(rows, how, scratch.ranking);
    if (choice.lists == 0) return search_allowed(rows, query, how, choice.by_codes, best);
    ProductListScan scan(rows, products_, query, how, best, scratch.products);
    open(choice.lists, how, scratch, best, scan);
}

void IvfIndex::search_by_vectors(const IndexRows& rows,
                                 const void* query,
                                 const IndexSearch& how,
                                 Scratch& scratch,
                                 TopK& best) const {
    const Choice choice = choose_lists(rows, how, scratch.ranking);
    if (choice.lists == 0) return search_allowed(rows, query, how, choice.by_codes, best);
    VectorListScan scan(rows, query, how, best);
    open(choice.lists, how, scratch, best, scan);
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
