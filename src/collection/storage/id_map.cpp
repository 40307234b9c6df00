#include "collection/storage/id_map.h"

#include <bit>

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
    // Fibonacci hashing: the product's high bits depend on every bit of the id.
    auto hash = static_cast<std::uint64_t>(id);
    hash ^= hash >> 32U;
    hash *= 0x9E37'79B9'7F4A'7C15U;
    return static_cast<std::size_t>(hash >> (64 - std::countr_zero(slots_.size())));
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
    const std::size_t wanted = slots_for(count_ + count);
    if (wanted <= slots_.size()) return;
    std::vector<std::uint32_t> old(wanted, kEmpty);
    old.swap(slots_);
    for (const std::uint32_t row : old) {
        if (row == kEmpty) continue;
        std::size_t slot = home(store_.id(row));
        while (slots_[slot] != kEmpty)
            slot = next(slot);
        slots_[slot] = row;
    }
}

void IdMap::insert_or_replace(std::uint32_t row) noexcept {
    const std::size_t slot = locate(store_.id(row));
    if (slots_[slot] == kEmpty) ++count_;
    slots_[slot] = row;
}

void IdMap::erase(Id id) noexcept {
    std::size_t hole = locate(id);
    --count_;
    // Close the gap: move back every later entry of the run that may stand in the hole.
    for (std::size_t slot = next(hole); slots_[slot] != kEmpty; slot = next(slot)) {
        const std::size_t wanted = home(store_.id(slots_[slot]));
        const std::size_t mask = slots_.size() - 1;
        if (((slot - wanted) & mask) >= ((slot - hole) & mask)) {
            slots_[hole] = slots_[slot];
            hole = slot;
        }
    }
    slots_[hole] = kEmpty;
}

}  // namespace vecdb::collection
