#pragma once

/// \file
/// Messages about files. Inner functions say what is wrong; the public ones add the path, once.

#include <vecdb/status.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace vecdb::persist {

/// Return kIoError saying what failed and the system's text of `error`, an errno.
[[nodiscard]] inline Status io_error(std::string_view what, int error) {
    return {StatusCode::kIoError,
            std::string(what) + ": " + std::error_code(error, std::system_category()).message()};
}

/// Put the path before the message of a failure.
[[nodiscard]] inline Status in_file(const std::filesystem::path& path, const Status& status) {
    if (status.ok()) return status;
    return {status.code(), "\"" + path.string() + "\": " + status.message()};
}

/// Refuse a path that the system would cut short at a zero byte.
[[nodiscard]] inline Status check_path(const std::filesystem::path& path) {
    if (path.empty()) return {StatusCode::kInvalidArgument, "the path is empty"};
    if (path.native().find('\0') == std::string::npos) return {};
    return {StatusCode::kInvalidArgument, "the path contains a zero byte"};
}

}  // namespace vecdb::persist
