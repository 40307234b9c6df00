#include "check.h"
#include "simd/dispatch.h"

#include <vecdb/control.h>
#include <vecdb/simd.h>
#include <vecdb/status.h>
#include <vecdb/types.h>
#include <vecdb/version.h>

#include <string>

#define VECDB_QUOTE(x) #x
#define VECDB_TEXT(x) VECDB_QUOTE(x)

namespace vecdb {
namespace {

std::vector<std::string_view> names(std::span<const simd::KernelTable* const> tables) {
    std::vector<std::string_view> result;
    for (const simd::KernelTable* table : tables)
        result.emplace_back(table->name);
    return result;
}

}  // namespace

std::string_view version() noexcept {
    return VECDB_TEXT(VECDB_VERSION_MAJOR) "." VECDB_TEXT(VECDB_VERSION_MINOR) "." VECDB_TEXT(
        VECDB_VERSION_PATCH);
}

std::string_view to_string(Metric metric) noexcept {
    switch (metric) {
        case Metric::kL2:
            return "l2";
        case Metric::kInnerProduct:
            return "ip";
        case Metric::kCosine:
            return "cosine";
        case Metric::kHamming:
            return "hamming";
        case Metric::kJaccard:
            return "jaccard";
    }
    return "unknown";
}

std::string_view to_string(ElementType type) noexcept {
    switch (type) {
        case ElementType::kFloat32:
            return "float32";
        case ElementType::kFloat16:
            return "float16";
        case ElementType::kBFloat16:
            return "bfloat16";
        case ElementType::kInt8:
            return "int8";
        case ElementType::kBit:
            return "bit";
    }
    return "unknown";
}

Status Control::check() const {
    if (cancel && cancel->cancelled()) return {StatusCode::kCancelled, "cancelled by the caller"};
    if (deadline && std::chrono::steady_clock::now() >= *deadline) {
        return {StatusCode::kDeadlineExceeded, "the caller's deadline has passed"};
    }
    return {};
}

std::string_view to_string(StatusCode code) noexcept {
    switch (code) {
        case StatusCode::kOk:
            return "ok";
        case StatusCode::kInvalidArgument:
            return "invalid argument";
        case StatusCode::kNotFound:
            return "not found";
        case StatusCode::kAlreadyExists:
            return "already exists";
        case StatusCode::kFailedPrecondition:
            return "failed precondition";
        case StatusCode::kUnsupported:
            return "unsupported";
        case StatusCode::kCorruption:
            return "corruption";
        case StatusCode::kIoError:
            return "I/O error";
        case StatusCode::kOutOfMemory:
            return "out of memory";
        case StatusCode::kCancelled:
            return "cancelled";
        case StatusCode::kDeadlineExceeded:
            return "deadline exceeded";
        case StatusCode::kStale:
            return "stale";
        case StatusCode::kInternal:
            return "internal error";
    }
    return "unknown";
}

std::string Status::to_string() const {
    std::string text(vecdb::to_string(code_));
    if (!message_.empty()) text += ": " + message_;
    return text;
}

Result<std::string_view> active_simd_level() {
    return guard([]() -> Result<std::string_view> {
        VECDB_ASSIGN(const simd::KernelTable* table, simd::active_table());
        return std::string_view(table->name);
    });
}

std::vector<std::string_view> available_simd_levels() {
    return names(simd::available_tables());
}

std::vector<std::string_view> compiled_simd_levels() {
    return names(simd::compiled_tables());
}

}  // namespace vecdb
