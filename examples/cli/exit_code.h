#pragma once

/// \file
/// How a command ends.

#include <vecdb/status.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace vecdb::cli {

/// What the process returns. Part of the tool's interface; `vecdb --help` lists them.
enum class ExitCode : int {
    kOk = 0,
    /// The command ran, and the answer is no: what it measured breaks a promise of the library, a
    /// database is damaged, not all of it could be repaired.
    kNotSound = 1,
    kUsage = 2,  ///< The command line is wrong.
    kInput = 3,  ///< An input file or a database is missing, malformed, or does not fit the others.
    kUnsupported = 4,  ///< This version, build or machine cannot do it, VECDB_SIMD included.
    /// Output cannot be written, another writer has the database open, memory is short, or a
    /// defect.
    kOther = 5,
};

/// End the command with a code and one line on standard error.
class CommandError : public std::runtime_error {
  public:
    CommandError(ExitCode code, const std::string& message)
        : std::runtime_error(message), code_(code) {}

    [[nodiscard]] ExitCode code() const noexcept { return code_; }

  private:
    ExitCode code_;
};

/// Tell how a command ends on `status`. What the library refuses as invalid is blamed on
/// `invalid`: the command line or an input file.
[[nodiscard]] inline ExitCode exit_code_of(const Status& status, ExitCode invalid) noexcept {
    switch (status.code()) {
        case StatusCode::kOk:
            return ExitCode::kOk;
        case StatusCode::kInvalidArgument:
            return invalid;
        case StatusCode::kNotFound:
        case StatusCode::kCorruption:
        case StatusCode::kIoError:
            return ExitCode::kInput;
        case StatusCode::kUnsupported:
            return ExitCode::kUnsupported;
        default:
            return ExitCode::kOther;
    }
}

/// Throw CommandError unless `status` is ok.
inline void check(const Status& status, ExitCode invalid) {
    if (!status.ok()) throw CommandError(exit_code_of(status, invalid), status.message());
}

/// Return the value, or throw CommandError.
template <class T>
[[nodiscard]] T value_of(Result<T> result, ExitCode invalid) {
    check(result.status(), invalid);
    return *std::move(result);
}

}  // namespace vecdb::cli
