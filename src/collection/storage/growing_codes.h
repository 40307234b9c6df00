#pragma once

/// \file
/// Short codes of rows that are still being added to, so that searching them exactly costs a
/// fraction of reading their floats.

#include "index/codes.h"

#include <vecdb/schema.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace vecdb::collection {

struct SegmentVersion;

/// Codes of rows [first, first + codes.rows()) of a growing segment, which lie in one block.
struct CodedPiece {
    std::size_t first = 0;  ///< A multiple of 64.
    index::CodeTable codes;
};

/// The coded vectors of one field: all but the last few of each block.
struct FieldCodes {
    std::size_t field = 0;
    index::CodeSpace space;
    std::vector<std::shared_ptr<const CodedPiece>> pieces;  ///< By ascending first row.
};

/// The coded rows of a state of a growing segment. Threads: immutable.
struct GrowingCodes {
    std::vector<FieldCodes> fields;  ///< Those that have codes at all.
    std::size_t coded_until = 0;     ///< Rows behind are not coded.
    std::size_t memory_bytes = 0;

    /// Return those of a vector field, or null.
    [[nodiscard]] const FieldCodes* of(std::size_t field) const noexcept {
        for (const FieldCodes& each : fields) {
            if (each.field == field) return &each;
        }
        return nullptr;
    }
};

/// Code the rows of a growing segment that are enough for a piece and have no codes yet, in those
/// of the vector fields that have codes at all. Called with each version before it is published.
/// Throws std::bad_alloc and then changes nothing.
void extend_codes(std::span<const VectorField> fields, SegmentVersion& growing);

}  // namespace vecdb::collection
