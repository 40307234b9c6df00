#pragma once

/// \file
/// An index that counts the threads in which it is searched.

#include <vecdb/index.h>
#include <vecdb/schema.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

namespace vecdb::test {

/// Compares every row, slowly, and remembers for all of its kind how many threads were searching at
/// once and with how many the last one was built.
class Crowd final : public Index {
  public:
    /// Forget what was counted. From now on a search waits, a second at most, until `expected`
    /// threads have been searching at once.
    static void forget(std::size_t expected = 1) {
        most_ = 0;
        expected_ = expected;
    }
    /// Return the most threads that were searching at once since.
    [[nodiscard]] static std::size_t most() { return most_; }
    [[nodiscard]] static std::size_t build_threads() { return build_threads_; }
    /// Let searches throw, or not.
    static void fail_searches(bool fail) { fail_ = fail; }

    [[nodiscard]] IndexCapabilities capabilities() const noexcept override {
        return {.name = "test-crowd", .exact = true, .growable = false};
    }
    [[nodiscard]] Result<std::vector<std::uint32_t>> build(const IndexRows& /*rows*/,
                                                           const IndexBuild& how) override {
        build_threads_ = how.threads;
        if (how.control != nullptr) how.control->report(0.5);
        return std::vector<std::uint32_t>();
    }
    void search(const IndexRows& rows,
                std::span<const void* const> queries,
                const IndexSearch& how,
                std::span<TopK> best) const override {
        const Presence presence;
        if (fail_) throw std::runtime_error("thrown by the test");
        wait();
        for (std::size_t q = 0; q < queries.size(); ++q) {
            for (std::uint32_t row = 0; row < rows.count; ++row) {
                if (!how.filter.test(row)) continue;
                float distance = 0;
                rows.distances(queries[q], {&row, 1}, {&distance, 1});
                best[q].offer(distance, rows.ids[row]);
            }
        }
    }
    [[nodiscard]] Status validate(const IndexRows& /*rows*/) const override { return {}; }
    [[nodiscard]] Status save(SectionWriter& /*to*/) const override { return {}; }
    [[nodiscard]] Status load(SectionReader& /*from*/, const IndexRows& /*rows*/) override {
        return {};
    }
    [[nodiscard]] std::size_t memory_bytes() const noexcept override { return 0; }

  private:
    /// A thread that is searching.
    class Presence {
      public:
        Presence() {
            const std::size_t now = ++present_;
            std::size_t most = most_;
            while (now > most && !most_.compare_exchange_weak(most, now)) {
            }
        }
        ~Presence() { --present_; }
        Presence(const Presence&) = delete;
        Presence& operator=(const Presence&) = delete;
    };

    static void wait() {
        constexpr int kMostWaits = 1'000;
        for (int waits = 0; waits == 0 || (most_ < expected_ && waits < kMostWaits); ++waits)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }

    static inline std::atomic<std::size_t> present_{0};
    static inline std::atomic<std::size_t> expected_{1};
    static inline std::atomic<std::size_t> most_{0};
    static inline std::atomic<std::size_t> build_threads_{0};
    static inline std::atomic<bool> fail_{false};
};

/// Return a schema whose index is a Crowd, which is registered if it was not. Nothing is done in
/// the background.
inline Schema crowd_schema(std::size_t dim) {
    static const bool kRegistered =
        register_index("test-crowd", [](const VectorField&) {
            return Result<std::unique_ptr<Index>>(std::make_unique<Crowd>());
        }).ok();
    if (!kRegistered) throw std::logic_error("the test's index is registered by others");
    Schema schema = Schema::single(dim, Metric::kL2);
    schema.segments.seal_rows = 0;
    schema.vectors[0].index = CustomOptions{.name = "test-crowd", .parameters = {}};
    return schema;
}

}  // namespace vecdb::test
