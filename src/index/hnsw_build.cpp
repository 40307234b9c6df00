#include "index/hnsw_build.h"

#include "check.h"
#include "index/parallel.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace vecdb::index {
namespace {

/// Nodes linked at a time are at most this part of those linked before, and this many: they do not
/// see each other.
constexpr std::size_t kBatchPart = 8;
constexpr std::size_t kMaxBatch = 4'096;
/// Nodes a thread takes at a time.
constexpr std::size_t kTaskNodes = 32;
/// Of an overfull list this part of its places is freed, so that the next links cost nothing.
constexpr std::size_t kFreedPart = 16;
constexpr float kFirstAlpha = 1.0F;
/// Neighbours that stand in for one that was left behind.
constexpr std::size_t kStandIns = 16;
constexpr std::uint32_t kNone = ~std::uint32_t{0};
/// Candidates that are asked to link to a node nobody links to.
constexpr std::size_t kConnectEf = 64;

std::size_t batch_size(std::size_t linked, std::size_t left) {
    return std::min({left, kMaxBatch, std::max<std::size_t>(1, linked / kBatchPart)});
}

/// Which nodes a search can come to.
class Reached {
  public:
    explicit Reached(const HnswGraph& graph) : graph_(graph), bits_(graph.nodes(), false) {}

    [[nodiscard]] bool has(std::uint32_t node) const { return bits_[node]; }
    [[nodiscard]] const std::vector<std::uint32_t>& nodes() const { return nodes_; }

    /// Take up `start` and whatever can be reached from it.
    void spread(std::uint32_t start) {
        if (bits_[start]) return;
        bits_[start] = true;
        std::size_t next = nodes_.size();
        nodes_.push_back(start);
        for (; next < nodes_.size(); ++next) {
            for (const std::uint32_t each : graph_.neighbours(nodes_[next])) {
                if (bits_[each]) continue;
                bits_[each] = true;
                nodes_.push_back(each);
            }
        }
    }

  private:
    const HnswGraph& graph_;
    std::vector<bool> bits_;
    std::vector<std::uint32_t> nodes_;
};

}  // namespace

HnswBuilder::HnswBuilder(const HnswSpace& space,
                         const HnswShape& shape,
                         const IndexBuild& how,
                         HnswGraph& graph)
    : space_(space), shape_(shape), how_(how), graph_(graph), workers_(how.threads) {
    VECDB_ASSERT(shape.degree < graph.width());
    degrees_.resize(graph.nodes());
    for (std::size_t node = 0; node < graph.nodes(); ++node) {
        degrees_[node] =
            static_cast<std::uint16_t>(graph.neighbours(static_cast<std::uint32_t>(node)).size());
    }
}

Status HnswBuilder::build(std::span<const std::uint32_t> order) {
    to_do_ = 2.0 * static_cast<double>(order.size());
    const std::size_t entries = entry_count(order.size());
    VECDB_TRY(pass(order, 0, order.first(entries), narrow()));
    return pass(order, order.size(), order.first(entries), shape_);
}

/// Return the shape of a first pass. The second one finds what it missed: half the width costs no
/// recall.
HnswShape HnswBuilder::narrow() const {
    HnswShape narrow = shape_;
    narrow.alpha = kFirstAlpha;
    narrow.ef = std::max(shape_.ef / 2, std::min(shape_.ef, shape_.degree));
    return narrow;
}

Status HnswBuilder::take_over(const HnswGraph& from, std::span<const std::uint32_t> kept) {
    VECDB_TRY(how_.check());
    Origin origin{from, std::vector<std::uint32_t>(from.nodes(), kNone)};
    for (std::size_t i = 0; i < kept.size(); ++i)
        origin.numbers[kept[i]] = static_cast<std::uint32_t>(i);
    const std::size_t tasks = (kept.size() + kTaskNodes - 1) / kTaskNodes;
    parallel_for(tasks, how_.threads, [&](std::size_t task, std::size_t thread) {
        const std::size_t end = std::min(kept.size(), (task + 1) * kTaskNodes);
        for (std::size_t i = task * kTaskNodes; i < end; ++i)
            inherit(static_cast<std::uint32_t>(i), origin, kept[i], workers_[thread]);
    });
    return how_.check();
}

/// Give `node` the list that it had as node `old`.
void HnswBuilder::inherit(std::uint32_t node,
                          const Origin& from,
                          std::uint32_t old,
                          Worker& worker) {
    auto& list = worker.list;
    list.clear();
    bool all = true;
    for (const std::uint32_t each : from.graph.neighbours(old)) {
        if (from.numbers[each] != kNone) {
            list.push_back(from.numbers[each]);
            continue;
        }
        all = false;
        const auto others = from.graph.neighbours(each);
        for (const std::uint32_t other : others.first(std::min(others.size(), kStandIns))) {
            if (from.numbers[other] != kNone) list.push_back(from.numbers[other]);
        }
    }
    if (!all) {
        measure(node, worker);
        prune(shape_.degree, shape_.alpha, worker);
        list = worker.chosen;
    }
    graph_.set(node, list);
    degrees_[node] = static_cast<std::uint16_t>(list.size());
}

Status HnswBuilder::add(std::size_t first, std::span<const std::uint32_t> entries) {
    std::vector<std::uint32_t> order(graph_.nodes() - first);
    std::iota(order.begin(), order.end(), static_cast<std::uint32_t>(first));
    to_do_ = 2.0 * static_cast<double>(order.size());
    VECDB_TRY(pass(order, first, entries, narrow()));
    return pass(order, graph_.nodes(), entries, shape_);
}

/// Go over the nodes of `order` once, `linked` being in the graph already.
Status HnswBuilder::pass(std::span<const std::uint32_t> order,
                         std::size_t linked,
                         std::span<const std::uint32_t> entries,
                         const HnswShape& shape) {
    const bool first_nodes = linked == 0;
    for (std::size_t done = 0; done < order.size();) {
        VECDB_TRY(how_.check());
        const auto batch = order.subspan(done, batch_size(linked, order.size() - done));
        // The first nodes of all are the ones to enter at, as far as they are there.
        const auto enter = first_nodes ? entries.first(std::min(entries.size(), done)) : entries;
        link_batch(batch, enter, shape);
        done += batch.size();
        linked = std::min(linked + batch.size(), graph_.nodes());
        done_ += static_cast<double>(batch.size());
        if (how_.control != nullptr) how_.control->report(done_ / to_do_);
    }
    return {};
}

void HnswBuilder::link_batch(std::span<const std::uint32_t> batch,
                             std::span<const std::uint32_t> entries,
                             const HnswShape& shape) {
    new_lists_.resize(batch.size() * shape.degree);
    new_degrees_.assign(batch.size(), 0);
    const std::size_t tasks = (batch.size() + kTaskNodes - 1) / kTaskNodes;
    parallel_for(tasks, how_.threads, [&](std::size_t task, std::size_t thread) {
        Worker& worker = workers_[thread];
        const std::size_t end = std::min(batch.size(), (task + 1) * kTaskNodes);
        for (std::size_t i = task * kTaskNodes; i < end; ++i) {
            find_list(batch[i], entries, shape, worker);
            std::copy(worker.chosen.begin(),
                      worker.chosen.end(),
                      new_lists_.begin() + static_cast<std::ptrdiff_t>(i * shape.degree));
            new_degrees_[i] = static_cast<std::uint16_t>(worker.chosen.size());
        }
    });
    for (std::size_t i = 0; i < batch.size(); ++i) {
        graph_.set(batch[i], {new_lists_.data() + i * shape.degree, new_degrees_[i]});
        degrees_[batch[i]] = new_degrees_[i];
    }
    add_reverse(batch, shape.alpha);
}

/// Choose the neighbours of `node` among what a walk for it finds and those it has.
void HnswBuilder::find_list(std::uint32_t node,
                            std::span<const std::uint32_t> entries,
                            const HnswShape& shape,
                            Worker& worker) {
    worker.list.clear();
    if (!entries.empty()) {
        const auto found = worker.walk.run(
            graph_, space_.search_for(node, worker.query), entries, {.ef = shape.ef}, nullptr);
        for (const WalkKey key : found)
            worker.list.push_back(node_of(key));
    }
    const auto old = graph_.neighbours(node);
    worker.list.insert(worker.list.end(), old.begin(), old.end());
    measure(node, worker);
    prune(shape.degree, shape.alpha, worker);
}

/// Turn worker.list into candidates, nearest first, each once.
void HnswBuilder::measure(std::uint32_t node, Worker& worker) const {
    auto& list = worker.list;
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    list.erase(std::remove(list.begin(), list.end(), node), list.end());
    worker.distances.resize(list.size());
    space_.prepare(node, worker.query);
    space_.between(node, worker.query, list, worker.distances.data());
    worker.order.resize(list.size());
    for (std::size_t i = 0; i < list.size(); ++i)
        worker.order[i] = walk_key(worker.distances[i], list[i]);
    std::sort(worker.order.begin(), worker.order.end());
    Candidates& candidates = worker.candidates;
    candidates.resize(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        candidates.nodes[i] = node_of(worker.order[i]);
        candidates.distances[i] = distance_of(worker.order[i]);
        candidates.factors[i] = 0;
    }
}

/// Choose at most `most` of the candidates: nearest first, leaving out those to which a chosen one
/// is nearer than the node itself; then, while there is room, those to which it is so only by less
/// than alpha.
void HnswBuilder::prune(std::size_t most, float alpha, Worker& worker) const {
    worker.chosen.clear();
    choose(most, kFirstAlpha, alpha, worker);
    if (alpha > kFirstAlpha) choose(most, alpha, alpha, worker);
}

/// One round of prune: take those whose factor is at most `take`; forget those above `keep`.
void HnswBuilder::choose(std::size_t most, float take, float keep, Worker& worker) const {
    Candidates& candidates = worker.candidates;
    for (std::size_t at = 0; at < candidates.size() && worker.chosen.size() < most;) {
        if (candidates.factors[at] > take) {
            ++at;
            continue;
        }
        const std::uint32_t chosen = candidates.nodes[at];
        worker.chosen.push_back(chosen);
        candidates.factors[at] = std::numeric_limits<float>::infinity();
        worker.distances.resize(candidates.size());
        space_.prepare(chosen, worker.query);
        space_.between(chosen, worker.query, candidates.nodes, worker.distances.data());
        at = candidates.weigh(worker.distances, keep, at);
    }
}

/// Raise the factors by the distances to a chosen node and drop candidates above `keep`. Returns
/// where the candidate at `at` or its successor is afterwards.
std::size_t HnswBuilder::Candidates::weigh(std::span<const float> between,
                                           float keep,
                                           std::size_t at) {
    std::size_t left = 0;
    std::size_t moved = 0;
    for (std::size_t i = 0; i < size(); ++i) {
        if (i == at) moved = left;
        const float quotient =
            between[i] > 0 ? distances[i] / between[i] : std::numeric_limits<float>::infinity();
        const float factor = std::max(factors[i], quotient);
        nodes[left] = nodes[i];
        distances[left] = distances[i];
        factors[left] = factor;
        left += factor <= keep ? 1U : 0U;
    }
    resize(left);
    return moved;
}

/// Give the nodes that the batch links to their links back.
void HnswBuilder::add_reverse(std::span<const std::uint32_t> batch, float alpha) {
    reverse_.clear();
    for (const std::uint32_t from : batch) {
        for (const std::uint32_t to : graph_.neighbours(from))
            reverse_.push_back({to, from});
    }
    std::sort(reverse_.begin(), reverse_.end(), [](const Reverse& a, const Reverse& b) {
        return a.to != b.to ? a.to < b.to : a.from < b.from;
    });
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i < reverse_.size(); ++i) {
        if (i == 0 || reverse_[i].to != reverse_[i - 1].to) starts.push_back(i);
    }
    starts.push_back(reverse_.size());
    const std::size_t targets = starts.size() - 1;
    const std::size_t tasks = (targets + kTaskNodes - 1) / kTaskNodes;
    parallel_for(tasks, how_.threads, [&](std::size_t task, std::size_t thread) {
        const std::size_t end = std::min(targets, (task + 1) * kTaskNodes);
        for (std::size_t t = task * kTaskNodes; t < end; ++t) {
            const std::span<const Reverse> links(reverse_.data() + starts[t],
                                                 starts[t + 1] - starts[t]);
            take_links(links.front().to, links, alpha, workers_[thread]);
        }
    });
}

void HnswBuilder::take_links(std::uint32_t node,
                             std::span<const Reverse> links,
                             float alpha,
                             Worker& worker) {
    const auto old = graph_.neighbours(node);
    worker.list.assign(old.begin(), old.end());
    for (const Reverse& link : links) {
        const auto end = worker.list.begin() + degrees_[node];
        if (std::find(worker.list.begin(), end, link.from) == end) worker.list.push_back(link.from);
    }
    if (worker.list.size() <= shape_.degree) {
        graph_.set(node, worker.list);
        degrees_[node] = static_cast<std::uint16_t>(worker.list.size());
        return;
    }
    measure(node, worker);
    prune(shape_.degree - shape_.degree / kFreedPart, alpha, worker);
    graph_.set(node, worker.chosen);
    degrees_[node] = static_cast<std::uint16_t>(worker.chosen.size());
}

std::size_t count_unreachable(const HnswGraph& graph, std::span<const std::uint32_t> entries) {
    Reached reached(graph);
    if (!entries.empty()) reached.spread(entries.front());
    return graph.nodes() - reached.nodes().size();
}

std::size_t find_repeated_link(const HnswGraph& graph) {
    std::vector<std::uint32_t> linked_from(graph.nodes(), ~std::uint32_t{0});
    for (std::size_t i = 0; i < graph.nodes(); ++i) {
        const auto node = static_cast<std::uint32_t>(i);
        for (const std::uint32_t to : graph.neighbours(node)) {
            if (linked_from[to] == node) return i;
            linked_from[to] = node;
        }
    }
    return graph.nodes();
}

void connect(const HnswSpace& space, std::span<const std::uint32_t> entries, HnswGraph& graph) {
    if (entries.empty()) return;
    Reached reached(graph);
    reached.spread(entries.front());
    Walk walk;
    HnswQuery query;
    std::size_t full_until = 0;  // of reached.nodes(), all before have no room
    for (std::size_t i = 0; i < graph.nodes(); ++i) {
        const auto node = static_cast<std::uint32_t>(i);
        if (reached.has(node)) continue;
        const auto has_room = [&](std::uint32_t each) {
            return graph.neighbours(each).size() < graph.width();
        };
        const auto near = walk.run(graph,
                                   space.search_for(node, query),
                                   {reached.nodes().data(), 1},
                                   {.ef = kConnectEf},
                                   nullptr);
        const auto* from = std::find_if(near.data(), near.data() + near.size(), [&](WalkKey key) {
            return reached.has(node_of(key)) && has_room(node_of(key));
        });
        std::uint32_t giver = 0;
        if (from != near.data() + near.size()) {
            giver = node_of(*from);
        } else {
            while (!has_room(reached.nodes()[full_until]))
                ++full_until;
            giver = reached.nodes()[full_until];
        }
        graph.append(giver, graph.neighbours(giver).size(), node);
        reached.spread(node);
    }
}

}  // namespace vecdb::index
