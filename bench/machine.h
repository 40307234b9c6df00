#pragma once

/// \file
/// What this machine can do at most: the scale against which searches are read.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb::bench {

/// A rate that was measured several times.
struct Rate {
    double median = 0;
    double best = 0;
};

/// Measure how fast memory is read. The pattern (with or without software prefetch, how far
/// ahead) that was the fastest when the probe was made is used from then on, so a measurement is
/// one pass and can be repeated between the searches that it judges.
/// Threads: one caller at a time.
class ReadProbe {
  public:
    /// Fill a buffer of `bytes`, which should be many times the last-level cache, and choose the
    /// pattern for each number of threads when it is first asked for.
    explicit ReadProbe(std::size_t bytes = std::size_t{512} << 20U);
    ~ReadProbe();
    ReadProbe(ReadProbe&&) noexcept;
    ReadProbe& operator=(ReadProbe&&) noexcept;

    /// Read the buffer once, each thread its part. Returns GB/s (10^9 bytes).
    [[nodiscard]] double pass(std::size_t threads);
    /// Make `passes` passes.
    [[nodiscard]] Rate measure(std::size_t threads, std::size_t passes);
    /// Name the pattern in use for `threads`, for example "prefetch 4096 B ahead".
    [[nodiscard]] std::string pattern(std::size_t threads);

  private:
    struct Buffer;
    [[nodiscard]] std::size_t ahead_for(std::size_t threads);

    std::unique_ptr<Buffer> buffer_;
};

/// Multiply-add in registers for about 20 ms on each thread. Returns GFLOP/s of f32, all threads
/// together; a fused multiply-add counts as two operations.
[[nodiscard]] double multiply_pass(std::size_t threads);
/// Make `passes` passes.
[[nodiscard]] Rate measure_multiply(std::size_t threads, std::size_t passes);

/// Runs the calling thread on one CPU, until the end of the scope.
/// Threads: for one thread; those it starts meanwhile stay there.
class Pinned {
  public:
    /// Without a CPU nothing changes. Throws std::runtime_error when the system refuses it.
    explicit Pinned(std::optional<std::size_t> cpu);
    ~Pinned();
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

  private:
    std::vector<std::size_t> before_;  // CPUs
};

/// Return the bytes of memory that the process occupies, after giving back what it does not use;
/// 0 where the system does not say.
[[nodiscard]] double resident_bytes();

/// Name the vectors that both measurements use: "avx512", "avx2", ...
[[nodiscard]] std::string_view probe_vectors();
/// Name the processor as the system does.
[[nodiscard]] std::string cpu_name();
/// Return how many CPUs this process may use (its affinity, not the machine's number).
[[nodiscard]] std::size_t usable_cpus();

}  // namespace vecdb::bench
