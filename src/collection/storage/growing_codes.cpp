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
                                       const SegmentVersion& growing,
                                       const index::CodeSpace& space,
                                       const Range& range) {
    const index::FlatBlock block = growing.block(range.first / growing.rows_per_block, nullptr);
    const IndexRows rows =
        index_rows(field, block.slice(range.first % growing.rows_per_block, range.count));
    auto piece = std::make_shared<CodedPiece>();
    piece->first = range.first;
    auto codes = index::CodeTable::build(rows, space, index::CodeLayout::kBlock4, {});
    piece->codes = std::move(codes.value());  // nothing cancels it
    return piece;
}

}  // namespace

void extend_codes(const VectorField& field, SegmentVersion& growing) {
    if (field.element_type != ElementType::kFloat32 || is_scanned(field)) return;
    const std::size_t coded = growing.codes != nullptr ? growing.codes->coded_until : 0;
    if (growing.rows - coded < kSmallPiece) return;
    auto next = std::make_shared<GrowingCodes>();
    next->space = index::CodeSpace(field.dim);
    const auto* old = growing.codes.get();
    std::size_t at = 0;
    for (const Range& range : ranges_of(growing)) {
        while (old != nullptr && at < old->pieces.size() && old->pieces[at]->first < range.first)
            ++at;
        const bool known = old != nullptr && at < old->pieces.size() &&
                           old->pieces[at]->first == range.first &&
                           old->pieces[at]->codes.rows() == range.count;
        next->pieces.push_back(known ? old->pieces[at] : code(field, growing, next->space, range));
        next->coded_until = range.first + range.count;
        next->memory_bytes += next->pieces.back()->codes.memory_bytes();
    }
    growing.memory_bytes += next->memory_bytes - (old != nullptr ? old->memory_bytes : 0);
    growing.codes = std::move(next);
}

}  // namespace vecdb::collection
