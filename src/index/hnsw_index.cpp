#include "index/hnsw_index.h"

#include "check.h"
#include "index/coded_scan.h"
#include "index/crossovers.h"
#include "index/exact.h"
#include "index/flat_batch.h"
#include "index/hnsw_cursor.h"
#include "index/hnsw_order.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>

namespace vecdb::index {
namespace {

/// Candidates of a walk when the caller names none.
constexpr std::size_t kDefaultEf = 64;
/// Candidates compared by their vectors when the caller names none: more than this many do not
/// raise recall at any ef that was measured, fewer than kMinRerank lower it.
constexpr std::size_t kMostRerank = 96;
constexpr std::size_t kMinRerank = 16;

/// Where other segments have given k rows already, this part of the candidates is kept in any case,
/// and so many; the others only while they are nearer than the worst of the k. Not where more than
/// a fifth of the rows may not be returned.
constexpr std::size_t kNarrowPart = 4;
constexpr std::size_t kLeastWidth = 8;
constexpr double kNarrowShare = 1.25;

/// Codes of up to this many dimensions at 4 bits fill one cache line.
constexpr std::size_t kOneLineHead = 112;
/// And at 7 bits two.
constexpr std::size_t kTwoLineHead = 120;

constexpr std::uint32_t kFormat = 1;

/// The first section of a saved index.
struct Header {
    std::uint32_t format = kFormat;
    std::uint32_t coded = 0;
    std::uint64_t nodes = 0;
    std::uint64_t width = 0;
    std::uint64_t chosen_for = 0;
    double lost = 0;
};

Status corrupt(const std::string& what) {
    return {StatusCode::kCorruption, "hnsw index: " + what};
}

template <class T>
std::span<const std::byte> bytes_of(std::span<const T> items) {
    return std::as_bytes(items);
}

/// Neighbours that stand in for nodes left behind are not the best. After so many nodes were, as a
/// share of all, the graph is made from nothing again.
constexpr double kMostLost = 0.2;

/// The space of the codes is chosen anew for so many times the rows.
constexpr std::size_t kChooseAgain = 2;

/// Linking a new node costs about as much as taking over a hundred, whose rows are coded and put in
/// order again.
constexpr std::size_t kBuildOnRatio = 32;

/// Choose the nodes to enter a graph at: its first `old`, at which another one was entered, and
/// others at random.
std::vector<std::uint32_t> add_entries(std::size_t nodes, std::size_t old, std::uint64_t seed) {
    std::vector<std::uint32_t> entries(old);
    std::iota(entries.begin(), entries.end(), 0U);
    for (const std::uint32_t each : random_order(nodes - old, seed)) {
        if (entries.size() >= entry_count(nodes)) break;
        entries.push_back(static_cast<std::uint32_t>(old) + each);
    }
    return entries;
}

}  // namespace

/// One thread's memory for searches.
struct HnswIndex::Scratch {
    Walk walk;
    PreparedQuery query;
    std::vector<std::uint32_t> rows;
};

/// How a search goes about it.
struct HnswIndex::Plan {
    bool scan = false;     ///< Compare the allowed rows, all of them, instead of walking.
    double walk_cost = 0;  ///< Of a walk, in rows scanned.
    WalkWidth width;
    std::size_t rerank = 0;
    std::size_t enough = 0;  ///< Allowed rows that the walk must bring.
};

Result<std::unique_ptr<Index>> make_hnsw_index(const VectorField& field) {
    const auto* options = std::get_if<HnswOptions>(&field.index);
    if (options == nullptr) {
        return Status(StatusCode::kInvalidArgument, "the field has no HnswOptions");
    }
    VECDB_TRY(options->validate());
    const bool floats = field.element_type == ElementType::kFloat32;
    if (!floats && options->codes != Codes::kDefault && options->codes != Codes::kNone) {
        return Status(StatusCode::kUnsupported,
                      "codes of element type " + std::string(to_string(field.element_type)) +
                          " are not served; only float32 has codes");
    }
    return std::unique_ptr<Index>(std::make_unique<HnswIndex>(*options, field.element_type));
}

HnswIndex::HnswIndex(const HnswOptions& options, ElementType element_type) : options_(options) {
    if (element_type != ElementType::kFloat32) options_.codes = Codes::kNone;
}

IndexCapabilities HnswIndex::capabilities() const noexcept {
    return {.name = "hnsw", .exact = false, .growable = true};
}

HnswShape HnswIndex::shape() const noexcept {
    // One place of each list is left for reaching nodes that nobody links to.
    const std::size_t degree = 2 * options_.m;
    const std::size_t width = HnswGraph::width_of(degree);
    return {.degree = std::min(degree, width - 1),
            .ef = options_.ef_construction,
            .alpha = options_.alpha};
}

std::vector<std::uint32_t> HnswIndex::entries() const {
    std::vector<std::uint32_t> entries(entry_count(graph_.nodes()));
    std::iota(entries.begin(), entries.end(), 0U);
    return entries;
}

/// Choose what the walk compares, and in which space.
Result<CodeLayout> HnswIndex::choose_codes(const IndexRows& rows,
                                           const IndexBuild& how,
                                           CodeSpace& space) const {
    space = CodeSpace(rows.dim);
    if (options_.codes == Codes::kDefault && rows.dim <= kOneLineHead) return CodeLayout::kRow4;
    const bool by_default = options_.codes == Codes::kDefault;
    const CodeSpace::Wish wish{.max_head = by_default ? kTwoLineHead : 0, .variance = 0.9};
    VECDB_ASSIGN(space, CodeSpace::choose(rows, wish, how));
    switch (options_.codes) {
        case Codes::kSq4:
            return CodeLayout::kRow4;
        case Codes::kSq5:
            return CodeLayout::kRow5;
        case Codes::kSq8:
            return CodeLayout::kRow8;
        case Codes::kSq7:
            return CodeLayout::kRow7;
        default:
            return space.head() <= kTwoLineHead ? CodeLayout::kRow7 : CodeLayout::kRow4;
    }
}

/// Choose the codes anew where there are many more rows than when they were chosen.
Status HnswIndex::choose_again(const IndexRows& rows,
                               const IndexBuild& how,
                               const Choice& choice) const {
    if (rows.count < kChooseAgain * choice.rows) return {};
    VECDB_ASSIGN(choice.layout, choose_codes(rows, how, choice.space));
    choice.rows = rows.count;
    return {};
}

Result<HnswIndex::Codings> HnswIndex::code(const IndexRows& rows,
                                           const CodeSpace& space,
                                           CodeLayout layout,
                                           const IndexBuild& how) {
    Codings codes;
    VECDB_ASSIGN(codes.walk, CodeTable::build(rows, space, layout, how));
    // A graph of coarse codes is a coarse graph: it is built on finer ones.
    if (layout == CodeLayout::kRow4 || layout == CodeLayout::kRow5) {
        VECDB_ASSIGN(codes.finer, CodeTable::build(rows, space, CodeLayout::kRow7, how));
    }
    return codes;
}

/// Become a finished graph, its nodes put in an order of their own, which is returned. Searches
/// enter it at `entries`.
std::vector<std::uint32_t> HnswIndex::adopt(HnswGraph graph,
                                            const CodeTable& walk_codes,
                                            CodeSpace space,
                                            std::span<const std::uint32_t> entries) {
    std::vector<std::uint32_t> placed = locality_order(graph, entries);
    graph_ = renumbered(graph, placed);
    unreachable_ = count_unreachable(graph_, this->entries());
    codes_ = coded() ? walk_codes.reordered(placed) : CodeTable();
    space_ = std::move(space);
    return placed;
}

Result<std::vector<std::uint32_t>> HnswIndex::build(const IndexRows& rows, const IndexBuild& how) {
    CodeSpace space(rows.dim);
    Codings codes;
    if (coded()) {
        VECDB_ASSIGN(const CodeLayout layout, choose_codes(rows, how, space));
        VECDB_ASSIGN(codes, code(rows, space, layout, how));
    }
    const HnswSpace nodes(rows, space, coded() ? &codes.compared() : nullptr);
    HnswGraph graph(rows.count, 2 * options_.m);
    const HnswShape wanted = shape();
    std::vector<std::uint32_t> order = random_order(rows.count, how.seed);
    VECDB_TRY(HnswBuilder(nodes, wanted, how, graph).build(order));
    order.resize(entry_count(rows.count));
    connect(nodes, order, graph);
    lost_ = 0;
    chosen_for_ = rows.count;
    return adopt(std::move(graph), codes.walk, std::move(space), order);
}

// Under ip few long rows are near to all others, and lists made before they came miss them.
std::size_t HnswIndex::build_on_ratio(Metric metric) const noexcept {
    return metric == Metric::kInnerProduct ? 0 : kBuildOnRatio;
}

Result<std::vector<std::uint32_t>> HnswIndex::build_on(const IndexRows& rows,
                                                       const Index& base,
                                                       std::span<const std::uint32_t> kept,
                                                       const IndexBuild& how) {
    const auto* known = dynamic_cast<const HnswIndex*>(&base);
    if (known == nullptr || known->coded() != coded()) return build(rows, how);
    const std::size_t gone = known->graph_.nodes() - kept.size();
    const std::size_t come = rows.count - kept.size();
    const double lost = known->lost_ + static_cast<double>(gone) / static_cast<double>(rows.count);
    const bool worn = lost > kMostLost || build_on_ratio(rows.metric) == 0;
    if (worn || come > kept.size()) return build(rows, how);
    CodeSpace space = known->space_;
    Codings codes;
    std::size_t chosen_for = known->chosen_for_;
    if (coded()) {
        CodeLayout layout = known->codes_.layout();
        VECDB_TRY(choose_again(rows, how, {space, layout, chosen_for}));
        VECDB_ASSIGN(codes, code(rows, space, layout, how));
    }
    const HnswSpace nodes(rows, space, coded() ? &codes.compared() : nullptr);
    HnswGraph graph(rows.count, 2 * options_.m);
    const HnswShape wanted = shape();
    HnswBuilder builder(nodes, wanted, how, graph);
    VECDB_TRY(builder.take_over(known->graph_, kept));
    const auto left = std::count_if(kept.begin(), kept.end(), [&](std::uint32_t node) {
        return node < entry_count(known->graph_.nodes());
    });
    // New rows get their share of the entries.
    const std::size_t share = entry_count(rows.count) * kept.size() / rows.count;
    const std::size_t old = std::clamp<std::size_t>(static_cast<std::size_t>(left), 1, share);
    const std::vector<std::uint32_t> enter = add_entries(rows.count, old, how.seed);
    std::vector<std::uint32_t> linked;
    std::copy_if(enter.begin(), enter.end(), std::back_inserter(linked), [&](std::uint32_t node) {
        return node < kept.size();
    });
    VECDB_TRY(builder.add(kept.size(), linked));
    connect(nodes, enter, graph);
    lost_ = lost;
    chosen_for_ = chosen_for;
    return adopt(std::move(graph), codes.walk, std::move(space), enter);
}

Status HnswIndex::add(const IndexRows& rows, std::size_t first, const IndexBuild& how) {
    VECDB_ASSERT(first == graph_.nodes() && first <= rows.count);
    if (first == rows.count) return {};
    CodeTable codes;
    CodeSpace space = space_;
    std::size_t chosen_for = chosen_for_;
    if (coded()) {
        CodeLayout layout = codes_.layout();
        VECDB_TRY(choose_again(rows, how, {space, layout, chosen_for}));
        VECDB_ASSIGN(codes, CodeTable::build(rows, space, layout, how));
    }
    const HnswSpace nodes(rows, space, coded() ? &codes : nullptr);
    const HnswShape wanted = shape();
    HnswGraph graph = first == 0 ? HnswGraph(rows.count, 2 * options_.m) : graph_.grown(rows.count);
    std::vector<std::uint32_t> enter(entry_count(rows.count));
    std::iota(enter.begin(), enter.end(), 0U);
    if (first == 0) {
        std::vector<std::uint32_t> order(rows.count);
        std::iota(order.begin(), order.end(), 0U);
        VECDB_TRY(HnswBuilder(nodes, wanted, how, graph).build(order));
    } else {
        enter.resize(std::min(enter.size(), first));
        VECDB_TRY(HnswBuilder(nodes, wanted, how, graph).add(first, enter));
    }
    connect(nodes, enter, graph);
    unreachable_ = count_unreachable(graph, enter);
    graph_ = std::move(graph);
    codes_ = std::move(codes);
    space_ = std::move(space);
    chosen_for_ = chosen_for;
    return {};
}

HnswIndex::Plan HnswIndex::plan(const IndexRows& rows,
                                const IndexSearch& how,
                                const TopK& best) const {
    const std::size_t k = best.capacity();
    const std::size_t allowed = how.allowed_rows;
    const std::size_t wanted = std::max(how.ef != 0 ? how.ef : kDefaultEf, k);
    Plan plan;
    // Where a part of the rows may be returned, the frontier must hold as many more.
    const double share = static_cast<double>(rows.count) / static_cast<double>(allowed);
    const double ef = static_cast<double>(wanted) * share;
    const double walk = ef * static_cast<double>(graph_.width()) * kWalkCost;
    plan.walk_cost = walk;
    plan.scan = static_cast<double>(allowed) <= walk || allowed <= k;
    plan.width.ef = std::min(static_cast<std::size_t>(ef), rows.count);
    plan.width.least = plan.width.ef;
    plan.rerank = how.rerank != 0 ? how.rerank : std::clamp(wanted, kMinRerank, kMostRerank);
    plan.rerank = std::max(plan.rerank, k);
    plan.enough = std::min(allowed, share > 1 ? std::max(k, wanted / 2) : k);
    const bool narrowed = how.narrowed && share < kNarrowShare && best.size() == k;
    if (narrowed) {
        plan.width.least = std::min(std::max(wanted / kNarrowPart, kLeastWidth), plan.width.ef);
        plan.width.within = best.threshold();
        plan.enough = 0;
    }
    return plan;
}

void HnswIndex::search(const IndexRows& rows,
                       std::span<const void* const> queries,
                       const IndexSearch& how,
                       std::span<TopK> best) const {
    if (how.allowed_rows == 0) return;
    for (std::size_t q = 0; q < queries.size(); ++q)
        search_one(rows, queries[q], how, best[q]);
}

void HnswIndex::search_one(const IndexRows& rows,
                           const void* query,
                           const IndexSearch& how,
                           TopK& best) const {
    const Plan plan = this->plan(rows, how, best);
    if (how.counters != nullptr) {
        how.counters->plan = SearchPlan::kGraph;
        how.counters->index_cost = plan.walk_cost;
        how.counters->scan_cost = static_cast<double>(how.allowed_rows);
    }
    if (plan.scan) return scan(rows, query, how, best);
    thread_local Scratch scratch;
    thread_local std::vector<std::uint32_t> first;
    const std::size_t count = entry_count(graph_.nodes());
    while (first.size() < count)
        first.push_back(static_cast<std::uint32_t>(first.size()));

    std::span<const WalkKey> found;
    const std::span<const std::uint32_t> enter(first.data(), count);
    if (coded()) {
        codes_.prepare(space_, static_cast<const float*>(query), 0, scratch.query);
        const WalkDistances distances(simd::table_in_use(), codes_, scratch.query.estimate);
        found = scratch.walk.run(graph_, distances, enter, plan.width, how.counters);
    } else {
        const WalkDistances distances(rows, query);
        found = scratch.walk.run(graph_, distances, enter, plan.width, how.counters);
    }

    auto& list = scratch.rows;
    list.clear();
    for (const WalkKey key : found) {
        if (how.filter.test(node_of(key))) list.push_back(node_of(key));
    }
    if (list.size() < plan.enough) {
        scan(rows, query, how, best);
        if (how.counters != nullptr) how.counters->plan = SearchPlan::kGraphRows;
        return;
    }
    if (coded()) list.resize(std::min(list.size(), plan.rerank));
    if (how.counters != nullptr) how.counters->rescored += list.size();
    offer_listed(rows, ListDistances(rows), query, list, best);
}

std::unique_ptr<IndexCursor> HnswIndex::cursor(const IndexRows& rows,
                                               const void* query,
                                               const IndexSearch& how) const {
    WalkedGraph graph{graph_, space_, coded() ? &codes_ : nullptr, entries()};
    const std::size_t ef = how.ef != 0 ? how.ef : kDefaultEf;
    return std::make_unique<HnswCursor>(std::move(graph), rows, query, how, ef);
}

/// Find the nearest of all allowed rows, exactly.
void HnswIndex::scan(const IndexRows& rows,
                     const void* query,
                     const IndexSearch& how,
                     TopK& best) const {
    if (coded()) {
        const CodedStages stages{.space = &space_, .listed = &codes_};
        return scan_listed_coded(stages,
                                 rows,
                                 static_cast<const float*>(query),
                                 how.filter,
                                 how.allowed_rows,
                                 best,
                                 how.counters);
    }
    if (how.counters != nullptr) how.counters->add_compared(SearchPlan::kRows, how.allowed_rows);
    const void* const queries[1] = {query};
    scan_rows(rows, 0, queries, how.filter, {&best, 1});
}

Status HnswIndex::validate(const IndexRows& rows) const {
    const std::size_t nodes = graph_.nodes();
    if (nodes != rows.count) {
        return corrupt(std::to_string(nodes) + " nodes for " + std::to_string(rows.count) +
                       " rows");
    }
    if (coded() && codes_.rows() != nodes) {
        return corrupt(std::to_string(codes_.rows()) + " codes for " + std::to_string(nodes) +
                       " nodes");
    }
    const auto links = graph_.links();
    const auto wrong =
        std::find_if(links.begin(), links.end(), [&](std::uint32_t to) { return to >= nodes; });
    if (wrong != links.end()) {
        return corrupt("a link to node " + std::to_string(*wrong) + " of " + std::to_string(nodes));
    }
    if (const auto node = find_repeated_link(graph_); node < nodes)
        return corrupt("node " + std::to_string(node) + " links to another one twice");
    const std::size_t lost = count_unreachable(graph_, entries());
    if (lost > 0) return corrupt(std::to_string(lost) + " nodes cannot be reached");
    return {};
}

Status HnswIndex::save(SectionWriter& to) const {
    const Header header{.coded = coded() ? 1U : 0U,
                        .nodes = graph_.nodes(),
                        .width = graph_.width(),
                        .chosen_for = chosen_for_,
                        .lost = lost_};
    VECDB_TRY(to.write("hnsw.header", bytes_of(std::span<const Header>(&header, 1))));
    VECDB_TRY(to.write("hnsw.links", bytes_of(graph_.links())));
    if (!coded()) return {};
    VECDB_TRY(space_.save(to));
    return codes_.save(to);
}

Status HnswIndex::load(SectionReader& from, const IndexRows& rows) {
    VECDB_ASSIGN(const auto header_bytes, from.read("hnsw.header"));
    Header header;
    if (header_bytes.size() != sizeof(header)) return corrupt("the header has a wrong size");
    std::memcpy(&header, header_bytes.data(), sizeof(header));
    if (header.format != kFormat) {
        return corrupt("format " + std::to_string(header.format) + "; known is " +
                       std::to_string(kFormat));
    }
    const std::size_t width = HnswGraph::width_of(2 * options_.m);
    if (header.nodes != rows.count || header.width != width ||
        header.coded != (coded() ? 1U : 0U)) {
        return corrupt("the header does not fit the field or its rows");
    }
    if (!(header.lost >= 0 && header.lost <= kMostLost))
        return corrupt(std::to_string(header.lost) + " of its nodes lost");
    VECDB_ASSIGN(const auto links, from.read("hnsw.links"));
    if (links.size() != rows.count * width * sizeof(std::uint32_t)) {
        return corrupt("the links have a wrong size");
    }
    HnswIndex loaded(options_, rows.element_type);
    loaded.graph_ = HnswGraph(rows.count, width);
    std::memcpy(loaded.graph_.links().data(), links.data(), links.size());
    if (coded()) {
        VECDB_ASSIGN(loaded.space_, CodeSpace::load(from, rows.dim));
        VECDB_ASSIGN(loaded.codes_, CodeTable::load(from, rows, loaded.space_));
    }
    VECDB_TRY(loaded.validate(rows));
    graph_ = std::move(loaded.graph_);
    unreachable_ = 0;  // as validate() found
    lost_ = header.lost;
    chosen_for_ = header.chosen_for;
    space_ = std::move(loaded.space_);
    codes_ = std::move(loaded.codes_);
    return {};
}

std::size_t HnswIndex::memory_bytes() const noexcept {
    return graph_.memory_bytes() + codes_.memory_bytes() + space_.memory_bytes();
}

}  // namespace vecdb::index
