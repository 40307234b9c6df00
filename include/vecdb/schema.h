#pragma once

/// \file
/// What a row of a collection consists of.

#include <vecdb/export.h>
#include <vecdb/index_options.h>
#include <vecdb/scalar.h>
#include <vecdb/segments.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb {

/// What to do with a vector of length zero under Metric::kCosine, which has no direction.
enum class ZeroVector : std::uint8_t {
    kReject = 1,  ///< Fail the call with kInvalidArgument.
    kFar = 2,     ///< Accept it; its cosine with anything is 0.
};

/// Describe a vector that every row has.
struct VectorField {
    /// Field name, 1 to 255 bytes of UTF-8 without control characters, unique in the schema.
    std::string name = "vector";
    /// Elements per vector, 1 to 32,768.
    std::size_t dim = 0;
    Metric metric = Metric::kL2;
    /// Element type as stored, inserted and searched. kBit goes with kHamming and kJaccard, every
    /// other with kL2, kInnerProduct and, except kInt8, with kCosine.
    ElementType element_type = ElementType::kFloat32;
    /// What Collection::build_index builds; until then rows are searched exactly. Checked when the
    /// collection is made: see Schema::validate.
    IndexOptions index = FlatOptions{};
    /// Only read under Metric::kCosine.
    ZeroVector zero_vector = ZeroVector::kReject;
};

/// The type of a scalar field.
enum class ScalarType : std::uint8_t {
    kBool = 1,
    kInt64 = 2,
    kDouble = 3,  ///< Any number but NaN.
    kString = 4,  ///< Up to 1 MiB of UTF-8; texts that are alike are kept once.
    kBytes = 5,   ///< Up to 1 MiB of whatever the caller wants back; filters cannot ask for it.
};

/// Describe one scalar value per row.
struct ScalarField {
    /// Field name, 1 to 255 bytes of UTF-8 without control characters, unique in the schema.
    std::string name;
    ScalarType type = ScalarType::kInt64;
    /// A row may be without a value.
    bool nullable = false;
    /// What a row gets that is written without a value; none: null, if the field is nullable,
    /// otherwise the write fails.
    Scalar fallback = {};
};

/// How Collection::insert and upsert choose the partition of a row.
enum class Routing : std::uint8_t {
    kNone = 0,      ///< Partition "default", unless the row is written through a Partition.
    kIdModulo = 1,  ///< The one named by the id modulo the number of partitions.
};

/// A rule that makes the partitions of a collection, named "0", "1" and so on, and routes rows.
struct PartitionRule {
    Routing routing = Routing::kNone;
    /// Number of partitions: 1 to 2^20; 0 without a rule.
    std::size_t partitions = 0;
};

/// Describe the rows of a collection. The one-vector case is one line:
/// `Schema::single(100, Metric::kCosine)`.
struct Schema {
    /// 1 to 16. Every row has a vector of each. The first is the one that is meant where no field
    /// is named; rows lie in the order of its index, so take the one that is searched most.
    std::vector<VectorField> vectors;
    /// Up to 256.
    std::vector<ScalarField> scalars;
    /// How rows are spread over partitions.
    PartitionRule rule = {};
    /// When rows are indexed without being asked for.
    SegmentPolicy segments = {};

    /// Make a schema of one vector field with default settings.
    [[nodiscard]] VECDB_EXPORT static Schema single(std::size_t dim,
                                                    Metric metric = Metric::kL2,
                                                    ElementType type = ElementType::kFloat32);

    /// Check the schema as a whole.
    /// Returns kInvalidArgument for what is wrong in itself (a dimension of 0, a repeated name, the
    /// name of a custom index that is not registered), kUnsupported for what is right and not
    /// served yet or not served by the index, and what the factory of a custom index returns.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

}  // namespace vecdb
