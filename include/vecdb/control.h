#pragma once

/// \file
/// How a long call reports and how it is ended early.

#include <vecdb/export.h>
#include <vecdb/status.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace vecdb {

/// Ask a running call to end. Copies share one state.
/// Threads: cancel() and cancelled() may be called from any thread.
class CancelToken {
  public:
    CancelToken() : cancelled_(std::make_shared<std::atomic<bool>>(false)) {}

    void cancel() noexcept { cancelled_->store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool cancelled() const noexcept {
        return cancelled_->load(std::memory_order_relaxed);
    }

  private:
    std::shared_ptr<std::atomic<bool>> cancelled_;
};

/// How the caller follows and ends a long call.
struct Control {
    /// Called now and then with the part done, 0 to 1, never falling; from one thread at a time,
    /// not always the calling one. Must not throw.
    std::function<void(double)> progress = {};
    /// Ends the call with kCancelled; nothing has changed then.
    std::optional<CancelToken> cancel = {};
    /// Ends the call with kDeadlineExceeded; nothing has changed then.
    std::optional<std::chrono::steady_clock::time_point> deadline = {};

    /// Return kCancelled or kDeadlineExceeded when the call should end now, success otherwise.
    [[nodiscard]] VECDB_EXPORT Status check() const;
    /// Call progress, if there is one.
    void report(double part) const {
        if (progress) progress(part);
    }
};

}  // namespace vecdb
