#pragma once

/// \file
/// Sealed segments in files: the rows in one, the indexes, which can be made again, in another.
/// Bytes: persist/FORMAT.md.

#include "collection/storage/sealed_segment.h"
#include "persist/section_file.h"

#include <vecdb/schema.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <memory>
#include <span>

namespace vecdb::collection {

/// Tell whether `bytes`, elements of a type, hold neither infinity nor NaN.
[[nodiscard]] bool all_finite(ElementType type, std::span<const std::byte> bytes) noexcept;
/// Tell whether `bytes` are norms as rows under a metric have: not negative. Lengths are finite;
/// their squares may overflow where no element does.
[[nodiscard]] bool all_norms(Metric metric, std::span<const std::byte> bytes) noexcept;

/// Write the rows of a segment of `fields`, their ids and the map from these. Returns what the
/// writer returns. Throws std::bad_alloc.
[[nodiscard]] Status save_rows(const SealedSegment& segment,
                               const RowFields& fields,
                               persist::SectionFileWriter& to);

/// Make a segment of the rows in `file`, which it uses where they are, without index. Everything is
/// checked but that the rows of a field under cosine have length 1. Returns kCorruption, kIoError.
/// Throws std::bad_alloc.
[[nodiscard]] Result<std::shared_ptr<SealedSegment>> load_rows(
    const std::shared_ptr<persist::SectionFile>& file, const RowFields& fields);

/// Make a segment in memory of the rows that can be read, with all their values, of a file that is
/// damaged, without those that `removed` names in ascending order. Null when there are none.
/// Returns kCorruption (nothing of it can be understood), kIoError. Throws std::bad_alloc.
[[nodiscard]] Result<std::shared_ptr<SealedSegment>> rescue_rows(
    persist::SectionFile& file, const RowFields& fields, std::span<const std::uint32_t> removed);

/// Write the indexes of a segment, which has some. Returns what they and the writer return; one
/// that returns kUnsupported is left out, unless it is the only one.
[[nodiscard]] Status save_indexes(const SealedSegment& segment, persist::SectionFileWriter& to);

/// Give a segment of `fields` the indexes in `file`. Returns the first failure: kCorruption,
/// kIoError, what making an index returns; fields whose index failed have none then. Throws
/// std::bad_alloc.
[[nodiscard]] Status load_indexes(persist::SectionFile& file,
                                  std::span<const VectorField> fields,
                                  SealedSegment& segment);

}  // namespace vecdb::collection
