#include "collection/storage/seal.h"

#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/progress.h"
#include "collection/storage/live_rows.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace vecdb::collection {
namespace {

/// Parts of the whole work at which the index begins and ends.
constexpr double kIndexBegins = 0.05;
constexpr double kIndexEnds = 0.95;

std::size_t count_live(const SealSources& sources) {
    std::size_t rows = 0;
    for (const SegmentVersion* segment : sources)
        rows += segment->live_rows;
    return rows;
}

Status copy_live(const SealSources& sources, const RowStore& store, const Control& control) {
    std::size_t row = 0;
    for (const SegmentVersion* segment : sources) {
        for (std::size_t b = 0; b < segment->block_count(); ++b) {
            VECDB_TRY(control.check());
            row = append_live(*segment, b, 0, store, row);
        }
    }
    VECDB_ASSERT(row == count_live(sources));
    return {};
}

/// Build the index of a segment; on `base` where its rows are the most of it.
Result<std::vector<std::uint32_t>> build_index(SealedSegment& segment,
                                               const VectorField& field,
                                               const SegmentVersion* base,
                                               const IndexBuild& how) {
    const IndexRows rows = index_rows(field, segment);
    const Index* known = base != nullptr ? base->index() : nullptr;
    if (known != nullptr && base->live_rows >= segment.rows - base->live_rows) {
        std::vector<std::uint32_t> kept;
        kept.reserve(base->live_rows);
        base->for_each_row(
            nullptr, [&](std::size_t row) { kept.push_back(static_cast<std::uint32_t>(row)); });
        auto order = segment.index->build_on(rows, *known, kept, how);
        if (order.status().code() != StatusCode::kUnsupported) return order;
    }
    return segment.index->build(rows, how);
}

/// Build the index of `field`, if it has one, over the rows as they stand and return the order in
/// which it wants them.
Result<std::vector<std::uint32_t>> build(SealedSegment& segment,
                                         const VectorField& field,
                                         const SegmentVersion* base,
                                         const BuildOptions& options) {
    if (is_scanned(field)) return std::vector<std::uint32_t>();
    VECDB_ASSIGN(segment.index, make_index(field));
    const Control control = part_of(options.control, kIndexBegins, kIndexEnds);
    VECDB_ASSIGN(
        auto order,
        build_index(
            segment, field, base, {.threads = options.threads, .seed = 0, .control = &control}));
    if (!order.empty() && !is_permutation(order, segment.rows)) {
        return Status(StatusCode::kInternal,
                      "index '" + std::string(segment.index->capabilities().name) + "' ordered " +
                          std::to_string(segment.rows) + " rows by " +
                          std::to_string(order.size()) + " numbers that are no permutation");
    }
    return order;
}

}  // namespace

Result<Seal> seal(const SealSources& sources,
                  const RowFields& fields,
                  BuiltOn base,
                  TooFew too_few,
                  const BuildOptions& options) {
    VECDB_TRY(options.control.check());
    options.control.report(0.0);
    const std::size_t rows = count_live(sources);
    if (rows == 0) return Seal();
    if (rows > kMaxRowsPerSegment) {
        return Status(StatusCode::kFailedPrecondition,
                      "the partition has " + std::to_string(rows) +
                          " rows; an index takes at most " + std::to_string(kMaxRowsPerSegment));
    }
    auto segment = std::make_shared<SealedSegment>(fields.format(), rows);
    VECDB_TRY(copy_live(sources, segment->store, options.control));
    options.control.report(kIndexBegins);
    const SegmentVersion* first = base == BuiltOn::kFirstSource ? sources.front() : nullptr;
    auto built = build(*segment, fields.vector, first, options);
    if (built.status().code() == StatusCode::kFailedPrecondition && too_few == TooFew::kNoIndex) {
        segment->index.reset();
        built = std::vector<std::uint32_t>();
    }
    VECDB_ASSIGN(const auto order, std::move(built));
    VECDB_TRY(options.control.check());
    permute(segment->store, order);
    segment->finish_columns();
    segment->map.reserve(segment->rows);
    for (std::size_t row = 0; row < segment->rows; ++row)
        segment->map.insert_or_replace(static_cast<std::uint32_t>(row));
    options.control.report(kIndexEnds);
    VECDB_TRY(options.control.check());
    return Seal{std::move(segment), order};
}

namespace {

/// Append the places, counted from `begin` on, of the rows live in `then` and not in `now`, which
/// is null when all of them are gone. Returns the place behind the last.
std::size_t append_removed(const SegmentVersion& then,
                           const SegmentVersion* now,
                           std::size_t begin,
                           std::vector<std::uint32_t>& places) {
    if (now != nullptr && now->tombstones == then.tombstones) return begin + then.live_rows;
    for (std::size_t b = 0; b < then.block_count(); ++b) {
        const index::FlatBlock block = then.block(b, nullptr);
        const RowFilter still = now != nullptr ? now->block(b, nullptr).filter : RowFilter();
        for (std::size_t w = 0; w * 64 < block.count; ++w) {
            const std::uint64_t live = block.allowed_word(w);
            std::uint64_t gone = now != nullptr ? live & ~still.word(w) : live;
            for (; gone != 0; gone &= gone - 1) {
                const std::uint64_t before = live & ((gone & -gone) - 1);
                places.push_back(static_cast<std::uint32_t>(begin) +
                                 static_cast<std::uint32_t>(std::popcount(before)));
            }
            begin += static_cast<std::size_t>(std::popcount(live));
        }
    }
    return begin;
}

}  // namespace

std::vector<std::uint32_t> removed_since(const SealSources& sources,
                                         const PartitionVersion& current,
                                         const Seal& seal) {
    std::vector<std::uint32_t> places;
    std::size_t begin = 0;
    for (const SegmentVersion* then : sources)
        begin = append_removed(*then, current.find(then->numbering), begin, places);
    if (places.empty() || seal.order.empty()) return places;
    std::vector<std::uint32_t> rows(seal.order.size());
    for (std::size_t row = 0; row < rows.size(); ++row)
        rows[seal.order[row]] = static_cast<std::uint32_t>(row);
    for (std::uint32_t& place : places)
        place = rows[place];
    return places;
}

}  // namespace vecdb::collection
