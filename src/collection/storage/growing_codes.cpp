#include "collection/storage/growing_codes.h"

#include "collection/builtin_indexes.h"
#include "collection/version.h"

#include <algorithm>
#include <utility>

namespace vecdb::collection {
namespace {

/// Rows of a piece, and of the smaller pieces that come before it is full: so no row is coded more
/// than twice, few queries have to be prepared and few rows are without codes.
constexpr std::size_t kPiece = 4'096;
constexpr std::size_t kSmallPiece = 512;

struct Range {
    std::size_t first;
    std::size_t count;
};

/// Append the pieces of a block's rows [0, rows), whose numbers begin at `first`.
void append_ranges(std::size_t first,
                   std::size_t rows,
                   std::size_t rows_per_block,
                   std::vector<Range>& ranges) {
    const bool full = rows == rows_per_block;
    std::size_t done = 0;
    while (rows - done >= kPiece || (full && done < rows)) {
        const std::size_t count = std::min(kPiece, rows - done);
        ranges.push_back({first + done, count});
        done += count;
    }
    for (; rows - done >= kSmallPiece; done += kSmallPiece)
        ranges.push_back({first + done, kSmallPiece});
}

std::vector<Range> ranges_of(const SegmentVersion& growing) {
    std::vector<Range> ranges;
    for (std::size_t first = 0; first < growing.rows; first += growing.rows_per_block) {
        append_ranges(first,
                      std::min(growing.rows_per_block, growing.rows - first),
                      growing.rows_per_block,
                      ranges);
    }
    return ranges;
}

std::shared_ptr<const CodedPiece> code(const VectorField& field,
                                       std::size_t number,
                                       const SegmentVersion& growing,
                                       const index::CodeSpace& space,
                                       const Range& range) {
    const std::size_t b = range.first / growing.rows_per_block;
    const index::FlatBlock block = growing.block(b, nullptr, number);
    const IndexRows rows =
        index_rows(field, block.slice(range.first % growing.rows_per_block, range.count));
    auto piece = std::make_shared<CodedPiece>();
    piece->first = range.first;
    auto codes = index::CodeTable::build(rows, space, index::CodeLayout::kBlock4, {});
    piece->codes = std::move(codes.value());  // nothing cancels it
    return piece;
}

/// Return the codes of one field for all ranges, those of `old`, if not null, where it has them.
FieldCodes extend(const VectorField& field,
                  std::size_t number,
                  const SegmentVersion& growing,
                  std::span<const Range> ranges,
                  const FieldCodes* old) {
    FieldCodes codes{.field = number, .space = index::CodeSpace(field.dim), .pieces = {}};
    std::size_t at = 0;
    for (const Range& range : ranges) {
        while (old != nullptr && at < old->pieces.size() && old->pieces[at]->first < range.first)
            ++at;
        const bool known = old != nullptr && at < old->pieces.size() &&
                           old->pieces[at]->first == range.first &&
                           old->pieces[at]->codes.rows() == range.count;
        codes.pieces.push_back(known ? old->pieces[at]
                                     : code(field, number, growing, codes.space, range));
    }
    return codes;
}

bool has_codes(const VectorField& field) {
    return field.element_type == ElementType::kFloat32 && !is_scanned(field);
}

}  // namespace

void extend_codes(std::span<const VectorField> fields, SegmentVersion& growing) {
    const GrowingCodes* const old = growing.codes.get();
    const std::size_t coded = old != nullptr ? old->coded_until : 0;
    if (growing.rows - coded < kSmallPiece) return;
    if (std::none_of(fields.begin(), fields.end(), has_codes)) return;
    const std::vector<Range> ranges = ranges_of(growing);
    if (ranges.empty()) return;
    auto next = std::make_shared<GrowingCodes>();
    next->coded_until = ranges.back().first + ranges.back().count;
    for (std::size_t number = 0; number < fields.size(); ++number) {
        if (!has_codes(fields[number])) continue;
        next->fields.push_back(extend(
            fields[number], number, growing, ranges, old != nullptr ? old->of(number) : nullptr));
        for (const auto& piece : next->fields.back().pieces)
            next->memory_bytes += piece->codes.memory_bytes();
    }
    growing.memory_bytes += next->memory_bytes - (old != nullptr ? old->memory_bytes : 0);
    growing.codes = std::move(next);
}

}  // namespace vecdb::collection
