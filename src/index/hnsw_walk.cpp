#include "index/hnsw_walk.h"

#include "simd/dispatch.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vecdb::index {
namespace {

constexpr WalkKey kEmpty = ~WalkKey{0};  // counts as expanded and is above every key
constexpr std::size_t kKeyBlock = 8;     // of the insert kernel

constexpr std::size_t round_up(std::size_t n, std::size_t to) {
    return (n + to - 1) / to * to;
}

}  // namespace

void Walk::reserve(const HnswGraph& graph, std::size_t entries, const WalkWidth& width) {
    table_ = &simd::table_in_use();
    width_ = width;
    size_ = round_up(width.ef, kKeyBlock);
    if (storage_.size() < size_ + kKeyBlock) {
        storage_ = simd::AlignedBuffer<WalkKey>(size_ + kKeyBlock);
    }
    keys_ = storage_.data() + kKeyBlock;
    std::fill_n(storage_.data(), kKeyBlock, WalkKey{0});
    std::fill_n(keys_, size_, kEmpty);
    cursor_ = 0;
    visited_.reserve(graph.nodes(), std::max(graph.width(), entries), !keeps_rest_);
    const std::size_t most = round_up(std::max(graph.width(), entries), 16);
    if (kept_nodes_.size() < most) {
        kept_nodes_.resize(most);
        kept_distances_.resize(most);
    }
    counted_ = {};
}

std::uint32_t Walk::pop() noexcept {
    while (cursor_ < size_ && (keys_[cursor_] & 1U) != 0)
        ++cursor_;
    if (cursor_ == size_) return kNone;
    if (cursor_ >= width_.least && distance_of(keys_[cursor_]) > width_.within) return kNone;
    keys_[cursor_] |= 1U;
    return node_of(keys_[cursor_]);
}

void Walk::insert(WalkKey key) {
    if (keeps_rest_) return insert_keeping_rest(key);
    cursor_ = std::min(cursor_, table_->walk.insert(keys_, size_, key));
}

void Walk::insert_keeping_rest(WalkKey key) {
    const WalkKey last = keys_[size_ - 1];
    if (last != kEmpty) rest_.push(std::max(key, last));
    if (key >= last) return;
    const std::size_t place = table_->walk.insert(keys_, size_, key);
    cursor_ = std::min(cursor_, place);
    unchanged_ = std::min(unchanged_, place);
}

/// Move the nearest of the rest behind the keys, which become `size`.
void Walk::take_from_rest(std::size_t size) {
    if (storage_.size() < size + kKeyBlock) {
        simd::AlignedBuffer<WalkKey> larger(2 * size + kKeyBlock);
        std::copy_n(storage_.data(), size_ + kKeyBlock, larger.data());
        storage_ = std::move(larger);
        keys_ = storage_.data() + kKeyBlock;
    }
    for (std::size_t i = size_; i < size; ++i) {
        keys_[i] = kEmpty;
        if (rest_.empty()) continue;
        keys_[i] = rest_.front();
        rest_.pop();
    }
    size_ = size;
}

/// Start from the nearest few of the nodes to enter at.
void Walk::enter(const WalkDistances& distances, std::span<const std::uint32_t> first) {
    constexpr float kAll = std::numeric_limits<float>::infinity();
    const simd::Kept kept{kept_nodes_.data(), kept_distances_.data()};
    const std::size_t count = distances(first.data(), first.size(), kAll, kept);
    counted_.distances += count;
    WalkKey nearest[kStarts];
    std::fill_n(nearest, kStarts, kEmpty);
    for (std::size_t i = 0; i < count; ++i) {
        WalkKey key = walk_key(kept_distances_[i], kept_nodes_[i]);
        for (WalkKey& place : nearest) {
            if (key < place) std::swap(key, place);
        }
    }
    std::uint32_t* fresh = visited_.next();
    std::size_t started = 0;
    for (const WalkKey key : nearest) {
        if (key == kEmpty) continue;
        const std::uint32_t node = node_of(key);
        visited_.words()[node / 64] |= std::uint64_t{1} << (node % 64);
        fresh[started++] = node;
        insert(key);
    }
    visited_.keep(started);
}

Walk::Hop Walk::expand(const HnswGraph& graph, const WalkDistances& distances, std::uint32_t node) {
    const std::uint32_t* list = graph.list(node);
    std::uint32_t* fresh = visited_.next();
    const std::size_t count = table_->walk.visit(list,
                                                 graph.used_width(node),
                                                 visited_.words(),
                                                 distances.memory(),
                                                 distances.lines(),
                                                 fresh);
    visited_.keep(count);
    ++counted_.visited;
    counted_.distances += count;
    return {fresh, count};
}

/// Return the distance beyond which no node needs to be kept.
float Walk::threshold() const noexcept {
    constexpr float kAll = std::numeric_limits<float>::infinity();
    const WalkKey last = keys_[size_ - 1];
    const float farthest = last == kEmpty ? kAll : distance_of(last);
    if (width_.least >= size_) return farthest;
    const WalkKey least = keys_[width_.least - 1];
    if (least == kEmpty) return farthest;
    return std::min(farthest, std::max(distance_of(least), width_.within));
}

void Walk::score(const WalkDistances& distances, const Hop& hop) {
    constexpr float kAll = std::numeric_limits<float>::infinity();
    const simd::Kept kept{kept_nodes_.data(), kept_distances_.data()};
    const float limit = keeps_rest_ ? kAll : threshold();
    const std::size_t count = distances(hop.nodes, hop.count, limit, kept);
    for (std::size_t i = 0; i < count; ++i)
        insert(walk_key(kept.distances[i], kept.rows[i]));
}

/// Ask for the list of a node.
void Walk::ask_for_list(const HnswGraph& graph, std::uint32_t node) const {
    const std::uint32_t* list = graph.list(node);
    for (std::size_t l = 0; l < graph.width(); l += HnswGraph::kPerLine)
        __builtin_prefetch(list + l, 0, 3);
}

void Walk::walk(const HnswGraph& graph, const WalkDistances& distances, SearchCounters* counters) {
    std::uint32_t listed = kNone;
    Hop waiting;
    for (;;) {
        const std::uint32_t node = pop();
        if (node == kNone && listed == kNone && waiting.count == 0) break;
        if (node != kNone) ask_for_list(graph, node);
        const Hop next = listed != kNone ? expand(graph, distances, listed) : Hop();
        if (waiting.count > 0) score(distances, waiting);
        listed = node;
        waiting = next;
    }
    if (counters == nullptr) return;
    counters->visited += counted_.visited;
    counters->distances += counted_.distances;
}

std::span<const WalkKey> Walk::found() const noexcept {
    const WalkKey* end = std::lower_bound(keys_, keys_ + size_, kEmpty);
    return {keys_, static_cast<std::size_t>(end - keys_)};
}

std::span<const WalkKey> Walk::run(const HnswGraph& graph,
                                   const WalkDistances& distances,
                                   std::span<const std::uint32_t> first,
                                   const WalkWidth& width,
                                   SearchCounters* counters) {
    keeps_rest_ = false;
    reserve(graph, first.size(), width);
    enter(distances, first);
    walk(graph, distances, counters);
    visited_.clear();
    auto count = std::min(found().size(), width.ef);
    while (count > width.least && distance_of(keys_[count - 1]) > width.within)
        --count;
    return {keys_, count};
}

std::span<const WalkKey> Walk::begin(const HnswGraph& graph,
                                     const WalkDistances& distances,
                                     std::span<const std::uint32_t> first,
                                     std::size_t ef,
                                     SearchCounters* counters) {
    keeps_rest_ = true;
    reserve(graph, first.size(), {.ef = ef});
    rest_ = KeyQueue();
    unchanged_ = 0;
    enter(distances, first);
    walk(graph, distances, counters);
    return found();
}

std::span<const WalkKey> Walk::widen(const HnswGraph& graph,
                                     const WalkDistances& distances,
                                     std::size_t ef,
                                     SearchCounters* counters) {
    unchanged_ = found().size();
    const std::size_t size = round_up(ef, kKeyBlock);
    if (size > size_) take_from_rest(size);
    width_ = {.ef = size_};
    counted_ = {};
    walk(graph, distances, counters);
    return found();
}

bool Walk::at_end() const noexcept {
    return keys_[size_ - 1] == kEmpty;
}

}  // namespace vecdb::index
