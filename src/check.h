#pragma once

/// \file
/// How errors travel inside the library.

#include <vecdb/status.h>

#include <cassert>
#include <exception>
#include <new>
#include <string>
#include <utility>

/// Check an invariant of our own. Never reachable by input; gone in release builds.
#define VECDB_ASSERT(condition) assert(condition)

#define VECDB_CONCAT_TOKENS(a, b) a##b
#define VECDB_CONCAT(a, b) VECDB_CONCAT_TOKENS(a, b)

/// Return from the calling function if the Status is a failure.
#define VECDB_TRY(expression)                          \
    do {                                               \
        ::vecdb::Status vecdb_status_ = (expression);  \
        if (!vecdb_status_.ok()) return vecdb_status_; \
    } while (false)

// NOLINTBEGIN(bugprone-macro-parentheses): the target is a declaration
/// Declare `target` with the value of a Result, or return its failure.
#define VECDB_ASSIGN(target, expression) \
    VECDB_ASSIGN_TO(VECDB_CONCAT(vecdb_result_, __LINE__), target, expression)
#define VECDB_ASSIGN_TO(result, target, expression)      \
    auto result = (expression);                          \
    if (!result.ok()) return std::move(result).status(); \
    target = *std::move(result)

// NOLINTEND(bugprone-macro-parentheses)

namespace vecdb {

/// Run one public entry point: exceptions become a Status and go no farther.
/// `body` returns Status or Result<T>.
template <class Body>
auto guard(Body&& body) noexcept -> decltype(body()) {
    try {
        return std::forward<Body>(body)();
    } catch (const std::bad_alloc&) {
        return Status(StatusCode::kOutOfMemory, "out of memory");  // short enough not to allocate
    } catch (const std::exception& error) {
        try {
            return Status(StatusCode::kInternal, error.what());
        } catch (...) {
            return Status(StatusCode::kInternal, "exception");
        }
    } catch (...) {
        return Status(StatusCode::kInternal, "exception");
    }
}

}  // namespace vecdb
