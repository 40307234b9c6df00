#pragma once

/// \file
/// The two loops that say what this machine can do at most: reading memory and multiplying.
/// They share nothing with the kernels they judge.

#include <cstddef>

namespace vecdb::bench {

/// Loops of one instruction set.
struct MachineLoops {
    /// "avx512", "avx2", "sse2" or "generic".
    const char* name;
    /// Read `bytes` (a multiple of 256) in ascending order, prefetching `ahead` bytes ahead (0: not
    /// at all). Returns a value that keeps the reads
    /// alive. `data` is aligned to 64 bytes; prefetches
    /// reach past its end, reads do not.
    float (*read)(const std::byte* data, std::size_t bytes, std::size_t ahead);
    /// Run `rounds` of independent multiply-adds in registers.
    float (*multiply)(std::size_t rounds);
    /// Floating-point operations of one round of `multiply`; a fused multiply-add counts as two.
    std::size_t flops_per_round;
};

/// Return the loops of the widest instruction set that this machine runs.
[[nodiscard]] const MachineLoops& machine_loops() noexcept;

}  // namespace vecdb::bench
