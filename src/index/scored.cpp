#include "index/scored.h"

#include "simd/aligned_buffer.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vecdb::index {
namespace {

/// So few are kept as a sorted array while all are looked at: most are not below its last element,
/// which can be predicted, unlike the comparisons of a partition.
constexpr std::size_t kFew = 64;
/// Rows may come the better the later; with this stride few of them are new bests all the same.
constexpr std::size_t kStride = 16;
/// Keys by which the array grows, and those before it: see InsertKeyKernel.
constexpr std::size_t kStep = 8;

/// Return the key of the count-th best.
std::uint64_t last_key(std::span<const Scored> scored, std::size_t count) {
    const simd::InsertKeyKernel insert = simd::table_in_use().walk.insert;
    alignas(simd::kCacheLine) std::uint64_t memory[kStep + kFew];
    std::uint64_t* const keys = memory + kStep;
    const std::size_t size = (count + kStep - 1) / kStep * kStep;
    std::fill_n(keys, size, std::numeric_limits<std::uint64_t>::max());
    for (std::size_t start = 0; start < kStride; ++start) {
        for (std::size_t i = start; i < scored.size(); i += kStride) {
            const std::uint64_t key = key_of(scored[i]);
            if (key < keys[size - 1]) insert(keys, size, key);
        }
    }
    return keys[count - 1];
}

}  // namespace

void bring_best_forward(std::span<Scored> scored, std::size_t count) {
    if (count == 0 || count >= scored.size()) return;
    if (count > kFew) {
        std::nth_element(scored.begin(),
                         scored.begin() + static_cast<std::ptrdiff_t>(count),
                         scored.end(),
                         [](const Scored& a, const Scored& b) { return key_of(a) < key_of(b); });
        return;
    }
    const std::uint64_t last = last_key(scored, count);
    std::size_t front = 0;
    for (Scored& each : scored) {
        if (key_of(each) <= last) std::swap(each, scored[front++]);
    }
}

}  // namespace vecdb::index
