#include "index/key_queue.h"

#include <span>

namespace vecdb::index {
namespace {

/// A part of so many keys is sorted, a larger one split.
constexpr std::size_t kSorted = 256;
/// Keys looked at for splitting, and the place of the one among them that splits.
constexpr std::size_t kSample = 32;
constexpr std::size_t kPlace = 3;

/// Put the keys below `limit` last; returns the number of the others.
std::size_t split(std::span<std::uint64_t> keys, std::uint64_t limit) noexcept {
    // Every key is moved, so that nothing is to be predicted.
    std::size_t count = 0;
    for (std::uint64_t& each : keys) {
        const std::uint64_t key = std::exchange(each, keys[count]);
        keys[count] = key;
        count += key >= limit ? 1U : 0U;
    }
    return count;
}

/// Choose one of the keys, which differ, that about a tenth of them are below, kPlace at least.
std::uint64_t choose_limit(std::span<const std::uint64_t> keys) noexcept {
    std::uint64_t sample[kSample];
    const std::size_t step = keys.size() / kSample;
    for (std::size_t i = 0; i < kSample; ++i)
        sample[i] = keys[i * step];
    std::nth_element(sample, sample + kPlace, sample + kSample);
    return sample[kPlace];
}

}  // namespace

KeyQueue::KeyQueue(std::vector<std::uint64_t> keys) : size_(keys.size()) {
    parts_.push_back({0, std::move(keys)});
}

/// Sort the part with the smallest keys, or what is split off it, in place of those used up.
void KeyQueue::take_part() {
    while (parts_.back().keys.empty())
        parts_.pop_back();
    while (parts_.back().keys.size() > kSorted) {
        parts_.emplace_back();
        Part& large = parts_[parts_.size() - 2];
        const std::uint64_t limit = choose_limit(large.keys);
        const std::size_t kept = split(large.keys, limit);
        const auto end = large.keys.begin() + static_cast<std::ptrdiff_t>(kept);
        parts_.back().keys.assign(end, large.keys.end());
        parts_.back().low = std::exchange(large.low, limit);
        large.keys.erase(end, large.keys.end());
    }
    Part& smallest = parts_.back();
    std::sort(smallest.keys.begin(), smallest.keys.end(), std::greater<>());
    near_.swap(smallest.keys);
    // One part remains, so that what is pushed later has a place.
    if (parts_.size() > 1) {
        parts_.pop_back();
    } else {
        smallest.low = near_.front() + 1;
    }
}

std::vector<std::uint64_t> KeyQueue::release() {
    std::vector<std::uint64_t> keys;
    keys.reserve(size_);
    keys.insert(keys.end(), near_.begin(), near_.end());
    for (const Part& part : parts_)
        keys.insert(keys.end(), part.keys.begin(), part.keys.end());
    *this = KeyQueue();
    return keys;
}

}  // namespace vecdb::index
