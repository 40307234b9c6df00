#pragma once

/// \file
/// Ids, metrics, element types and the library's limits. Enumerator values are written to disk and
/// never change.

#include <vecdb/export.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vecdb {

/// Identify a row, unique within its collection. Non-negative; the caller chooses it.
using Id = std::int64_t;

/// Stand in for "no row" in results of fixed shape. Never the id of a row.
inline constexpr Id kNoId = -1;

/// How the closeness of two vectors is measured, and which score a search reports.
///
/// | metric        | score reported                              | nearest means  |
/// |---------------|---------------------------------------------|----------------|
/// | kL2           | squared Euclidean distance, >= 0            | smallest score |
/// | kInnerProduct | inner product                               | largest score  |
/// | kCosine       | cosine of the angle, in [-1, 1] to rounding | largest score  |
/// | kHamming      | number of bits that differ                  | smallest score |
/// | kJaccard      | 1 - common bits / bits in either; 0 if none | smallest score |
///
/// kHamming and kJaccard are for bits, the others for all other element types; kCosine is not for
/// int8, which cannot hold vectors of length 1.
enum class Metric : std::uint8_t {
    kL2 = 1,
    kInnerProduct = 2,
    kCosine = 3,
    kHamming = 4,
    kJaccard = 5,
};

/// Tell the direction of a metric's score: true when a larger score is nearer.
[[nodiscard]] constexpr bool larger_is_nearer(Metric metric) noexcept {
    return metric == Metric::kInnerProduct || metric == Metric::kCosine;
}

/// Name a metric: "l2", "ip", "cosine", "hamming", "jaccard"; "unknown" for a value that is no
/// enumerator.
[[nodiscard]] VECDB_EXPORT std::string_view to_string(Metric metric) noexcept;

/// The type of one vector element as stored and as passed in.
enum class ElementType : std::uint8_t {
    kFloat32 = 1,
    kFloat16 = 2,   ///< IEEE 754 binary16, see Float16.
    kBFloat16 = 3,  ///< The upper half of a binary32, see BFloat16.
    kInt8 = 4,
    kBit = 5,  ///< Eight dimensions a byte, dimension i in bit i % 8 of byte i / 8.
};

/// Name an element type: "float32", "float16", "bfloat16", "int8", "bit"; "unknown" otherwise.
[[nodiscard]] VECDB_EXPORT std::string_view to_string(ElementType type) noexcept;

/// Return the bytes that a vector of `dim` elements takes, without padding.
[[nodiscard]] constexpr std::size_t vector_bytes(ElementType type, std::size_t dim) noexcept {
    switch (type) {
        case ElementType::kFloat32:
            return dim * 4;
        case ElementType::kFloat16:
        case ElementType::kBFloat16:
            return dim * 2;
        case ElementType::kInt8:
            return dim;
        case ElementType::kBit:
            return (dim + 7) / 8;
    }
    return 0;
}

/// Hold the bits of an IEEE 754 binary16 number; a type of our own, as C++20 has none.
struct Float16 {
    std::uint16_t bits = 0;
};

/// Hold the upper 16 bits of an IEEE 754 binary32 number.
struct BFloat16 {
    std::uint16_t bits = 0;
};

/// One result of a search: a row and its score in the metric's own terms (see Metric).
struct Hit {
    Id id = kNoId;
    float score = 0.0F;

    friend bool operator==(const Hit&, const Hit&) = default;
};

/// Limits of the library. Each is accepted at its value and refused one past it.
inline constexpr std::size_t kMaxDimension = 32'768;
inline constexpr std::size_t kMaxK = 16'384;
inline constexpr std::size_t kMaxRowsPerSegment = (std::size_t{1} << 31U) - 1;
inline constexpr std::size_t kMaxBatchRows = std::size_t{1} << 24U;
inline constexpr std::size_t kMaxCollections = 65'536;
inline constexpr std::size_t kMaxPartitions = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxNameBytes = 255;
inline constexpr std::size_t kMaxVectorFields = 16;
inline constexpr std::size_t kMaxScalarFields = 256;
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxThreads = 1'024;

}  // namespace vecdb
