#include "collection/storage/id_map.h"

#include "collection/storage/id_hash.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace vecdb::collection {
namespace {

constexpr std::uint32_t kEmpty = 0xFFFF'FFFF;  // above any row number: see kMaxRowsPerSegment
constexpr std::size_t kMinSlots = 16;

/// Return the slots needed so that `entries` fill at most three quarters.
std::size_t slots_for(std::size_t entries) {
    const std::size_t slots = std::bit_ceil(entries + entries / 3 + 1);
    return slots < kMinSlots ? kMinSlots : slots;
}

}  // namespace

std::size_t IdMap::home(Id id) const noexcept {
    return static_cast<std::size_t>(hash_id(id) >> (64 - std::countr_zero(slots_.size())));
}

std::size_t IdMap::locate(Id id) const noexcept {
    std::size_t slot = home(id);
    while (slots_[slot] != kEmpty && store_.id(slots_[slot]) != id)
        slot = next(slot);
    return slot;
}

std::optional<std::uint32_t> IdMap::find(Id id) const noexcept {
    if (count_ == 0) return std::nullopt;
    const std::uint32_t row = slots_[locate(id)];
    return row == kEmpty ? std::nullopt : std::optional(row);
}

void IdMap::reserve(std::size_t count) {
    if (count == 0) return;
    const std::size_t wanted = slots_for(count_ + count);
    if (wanted <= slots_.size()) return;
    std::vector<std::uint32_t> old(wanted, kEmpty);
    old.swap(own_);
    slots_ = own_;
    for (const std::uint32_t row : old) {
        if (row == kEmpty) continue;
        std::size_t slot = home(store_.id(row));
        while (slots_[slot] != kEmpty)
            slot = next(slot);
        own_[slot] = row;
    }
}

std::optional<std::uint32_t> IdMap::insert_or_replace(std::uint32_t row) noexcept {
    const std::size_t slot = locate(store_.id(row));
    const std::uint32_t before = std::exchange(own_[slot], row);
    if (before != kEmpty) return before;
    ++count_;
    return std::nullopt;
}

bool IdMap::adopt(std::span<const std::uint32_t> slots, std::size_t rows) {
    const auto used = static_cast<std::size_t>(
        std::count_if(slots.begin(), slots.end(), [](std::uint32_t row) { return row != kEmpty; }));
    const bool in_range = std::all_of(
        slots.begin(), slots.end(), [&](std::uint32_t row) { return row == kEmpty || row < rows; });
    // As many rows as there are, some slot empty: then every look-up ends, and when each row is
    // found by its id, each is there once and no two have the same id.
    if (!std::has_single_bit(slots.size()) || slots.size() <= rows || used != rows || !in_range)
        return false;
    IdMap found(store_);
    found.slots_ = slots;
    found.count_ = rows;
    for (std::size_t row = 0; row < rows; ++row) {
        if (found.find(store_.id(row)) != row) return false;
    }
    slots_ = slots;
    count_ = rows;
    return true;
}

}  // namespace vecdb::collection
