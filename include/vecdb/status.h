#pragma once

/// \file
/// How calls fail: Status, and Result<T> for calls that return a value.
///
/// No public call throws, except Status::check() and Result::value(), which exist for programs
/// that prefer exceptions and are absent under -fno-exceptions.

#include <vecdb/export.h>

#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#if defined(__cpp_exceptions)
#    include <stdexcept>
#endif

namespace vecdb {

/// Why a call failed. Messages are for people; programs test the code.
enum class StatusCode : std::uint8_t {
    kOk = 0,
    kInvalidArgument = 1,     ///< The input is wrong whatever the state: dimension, NaN, name, k.
    kNotFound = 2,            ///< No collection, row or file of that name or id.
    kAlreadyExists = 3,       ///< The name or id is taken.
    kFailedPrecondition = 4,  ///< The state does not allow the call now.
    kUnsupported = 5,         ///< Known, and not served by this version, build or machine.
    kCorruption = 6,          ///< Bytes of a file are not what was written.
    kIoError = 7,             ///< The operating system refused to read or write.
    kOutOfMemory = 8,         ///< An allocation failed; nothing changed.
    kCancelled = 9,           ///< The caller's cancel token or executor ended the call.
    kDeadlineExceeded = 10,   ///< The caller's deadline ended the call.
    kStale = 11,              ///< A reader's files were replaced; refresh and repeat.
    kInternal = 12,           ///< A defect of the library, or an exception from a callback.
};

/// Name a code, for example "invalid argument".
[[nodiscard]] VECDB_EXPORT std::string_view to_string(StatusCode code) noexcept;

/// Hold success, or a code and a message that names the offending value and the limit.
/// Threads: a value; const methods may run concurrently.
class [[nodiscard]] Status {
  public:
    /// Make success.
    Status() noexcept = default;

    /// Make a failure. `code` must not be kOk.
    Status(StatusCode code, std::string message) noexcept
        : code_(code), message_(std::move(message)) {}

    [[nodiscard]] bool ok() const noexcept { return code_ == StatusCode::kOk; }
    [[nodiscard]] StatusCode code() const noexcept { return code_; }
    /// Return the message without the code; empty on success.
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    /// Return "ok", or "code: message".
    [[nodiscard]] VECDB_EXPORT std::string to_string() const;

#if defined(__cpp_exceptions)
    /// Throw Error on failure; do nothing on success.
    void check() const;
#endif

  private:
    StatusCode code_ = StatusCode::kOk;
    std::string message_;
};

#if defined(__cpp_exceptions)
/// The only exception this library throws, and only from Status::check() and Result::value().
class Error : public std::runtime_error {
  public:
    explicit Error(Status status)
        : std::runtime_error(status.to_string()), status_(std::move(status)) {}

    [[nodiscard]] const Status& status() const noexcept { return status_; }

  private:
    Status status_;
};

inline void Status::check() const {
    if (!ok()) throw Error(*this);
}
#endif

/// Hold a T, or the Status that says why there is none.
///
/// Test with ok() or `if (result)`, read with `*result` and `result->`. Reading the value of a
/// failed Result is undefined; value() throws Error instead.
template <class T>
class [[nodiscard]] Result {
  public:
    static_assert(!std::is_same_v<T, Status>, "use Status itself");

    // Implicit on purpose: `return value;` and `return status;` both read naturally.
    Result(T value) : value_(std::move(value)) {}  // NOLINT
    // A failure; success without a value becomes kInternal.
    Result(Status status) noexcept : status_(std::move(status)) {  // NOLINT
        if (status_.ok()) status_ = Status(StatusCode::kInternal, "no value");
    }

    [[nodiscard]] bool ok() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }
    /// Return the failure, or success when a value is held.
    [[nodiscard]] const Status& status() const& noexcept { return status_; }
    [[nodiscard]] Status status() && noexcept { return std::move(status_); }

    [[nodiscard]] T& operator*() & noexcept { return *value_; }
    [[nodiscard]] const T& operator*() const& noexcept { return *value_; }
    [[nodiscard]] T&& operator*() && noexcept { return *std::move(value_); }
    [[nodiscard]] T* operator->() noexcept { return &*value_; }
    [[nodiscard]] const T* operator->() const noexcept { return &*value_; }

    /// Return the value, or `other` on failure.
    [[nodiscard]] T value_or(T other) && { return ok() ? *std::move(value_) : std::move(other); }

#if defined(__cpp_exceptions)
    /// Return the value, or throw Error.
    [[nodiscard]] T& value() & {
        status_.check();
        return *value_;
    }
    [[nodiscard]] const T& value() const& {
        status_.check();
        return *value_;
    }
    [[nodiscard]] T value() && {
        status_.check();
        return *std::move(value_);
    }
#endif

  private:
    Status status_;
    std::optional<T> value_;
};

}  // namespace vecdb
