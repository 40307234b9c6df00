#include "collection/storage/partition_directory.h"

#include <algorithm>
#include <bit>

namespace vecdb::collection {
namespace {

constexpr std::size_t kMinSlots = 16;

}  // namespace

PartitionDirectory::PartitionDirectory(std::size_t ids)
    : slots_(std::max(kMinSlots, std::bit_ceil(ids + ids / 3 + 4)), kEmpty) {}

std::size_t PartitionDirectory::home(std::uint64_t hash) const noexcept {
    return static_cast<std::size_t>(hash >> (64 - std::countr_zero(slots_.size())));
}

void PartitionDirectory::enter(Id id, std::uint32_t partition) noexcept {
    const std::uint64_t hash = hash_id(id);
    const std::uint32_t entry = partition << kMarkBits | mark(hash);
    std::size_t slot = home(hash);
    while (slots_[slot] != kEmpty && slots_[slot] != entry)
        slot = next(slot);
    if (slots_[slot] == kEmpty) ++used_;
    slots_[slot] = entry;
}

}  // namespace vecdb::collection
