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

/// Builds the indexes of a segment, one after the other, and puts rows and vectors in their orders.
class IndexBuilder {
  public:
    /// \param base  the segment that the first rows come from, all that are live in it; null:
    ///              indexes are built on nothing
    IndexBuilder(SealedSegment& segment,
                 std::span<const VectorField> fields,
                 const SegmentVersion* base,
                 TooFew too_few,
                 const BuildOptions& options)
        : segment_(segment),
          fields_(fields),
          // Where it has the most of them.
          base_(base != nullptr && base->live_rows >= segment.rows - base->live_rows ? base
                                                                                     : nullptr),
          too_few_(too_few),
          options_(options) {}

    /// Returns which of the rows, as they stood, each row is; nothing when they stand as they did.
    Result<std::vector<std::uint32_t>> run() {
        VECDB_TRY(build(0));
        VECDB_TRY(options_.control.check());
        for (std::size_t number = 1; number < fields_.size(); ++number)
            permute_vectors(segment_.store, number, order_);
        permute_rows(segment_.store, order_);
        for (std::size_t number = 1; number < fields_.size(); ++number) {
            VECDB_TRY(build(number));
            VECDB_TRY(options_.control.check());
        }
        return std::move(order_);
    }

  private:
    Status build(std::size_t number);
    Result<std::vector<std::uint32_t>> build_index(std::size_t number, const IndexBuild& how);
    std::vector<std::uint32_t> arrange(std::size_t number);
    void reorder(std::size_t number, std::span<const std::uint32_t> order);

    [[nodiscard]] Index& index(std::size_t number) const { return *segment_.indexes[number]; }

    SealedSegment& segment_;
    const std::span<const VectorField> fields_;
    const SegmentVersion* const base_;
    const TooFew too_few_;
    const BuildOptions& options_;
    std::vector<std::uint32_t> order_;  // what run() returns
};

/// Build the index of a field, if it has one, and put its vectors in the order that this wants. Ids
/// and scalar values do not move.
Status IndexBuilder::build(std::size_t number) {
    const VectorField& field = fields_[number];
    if (is_scanned(field)) return {};
    VECDB_ASSIGN(segment_.indexes[number], make_index(field));
    const double part = (kIndexEnds - kIndexBegins) / static_cast<double>(fields_.size());
    const double begin = kIndexBegins + part * static_cast<double>(number);
    const Control control = part_of(options_.control, begin, begin + part);
    auto order = build_index(number, {.threads = options_.threads, .seed = 0, .control = &control});
    if (order.status().code() == StatusCode::kFailedPrecondition && too_few_ == TooFew::kNoIndex) {
        segment_.indexes[number].reset();
        return {};
    }
    VECDB_TRY(order.status());
    if (order->empty()) return {};
    if (!is_permutation(*order, segment_.rows)) {
        return {StatusCode::kInternal,
                "index '" + std::string(index(number).capabilities().name) + "' ordered " +
                    std::to_string(segment_.rows) + " rows by " + std::to_string(order->size()) +
                    " numbers that are no permutation"};
    }
    if (number == 0) {
        permute_vectors(segment_.store, number, *order);
        order_ = *std::move(order);
    } else {
        reorder(number, *order);
    }
    return {};
}

/// Build an index and return the order that it proposes.
Result<std::vector<std::uint32_t>> IndexBuilder::build_index(std::size_t number,
                                                             const IndexBuild& how) {
    const Index* known = base_ != nullptr ? base_->index(number) : nullptr;
    if (known != nullptr) {
        const std::vector<std::uint32_t> kept = arrange(number);
        const IndexRows rows = index_rows(fields_[number], segment_, number);
        auto order = index(number).build_on(rows, *known, kept, how);
        if (order.status().code() != StatusCode::kUnsupported) return order;
    }
    return index(number).build(index_rows(fields_[number], segment_, number), how);
}

/// See that the vectors that come from the base are the first, in the order that they have there.
/// Returns their positions in the base.
std::vector<std::uint32_t> IndexBuilder::arrange(std::size_t number) {
    std::vector<std::uint32_t> kept;
    kept.reserve(base_->live_rows);
    const auto keep = [&](std::size_t position) {
        kept.push_back(static_cast<std::uint32_t>(position));
    };
    if (number == 0) {
        base_->for_each_row(nullptr, keep);
        return kept;
    }
    std::vector<std::uint32_t> row_of(segment_.rows);  // by where rows stood at first
    for (std::size_t row = 0; row < row_of.size(); ++row)
        row_of[order_.empty() ? row : order_[row]] = static_cast<std::uint32_t>(row);
    constexpr std::uint32_t kNone = 0xFFFF'FFFF;
    std::vector<std::uint32_t> row_at(base_->rows, kNone);
    std::size_t at = 0;
    base_->for_each_row(
        nullptr, [&](std::size_t row) { row_at[base_->position(row, number)] = row_of[at++]; });
    std::vector<std::uint32_t> order;
    order.reserve(segment_.rows);
    for (std::size_t position = 0; position < row_at.size(); ++position) {
        if (row_at[position] == kNone) continue;
        keep(position);
        order.push_back(row_at[position]);
    }
    order.insert(order.end(), row_of.begin() + static_cast<std::ptrdiff_t>(at), row_of.end());
    reorder(number, order);
    return kept;
}

/// Put the vectors of a further field in an order, perhaps once more.
void IndexBuilder::reorder(std::size_t number, std::span<const std::uint32_t> order) {
    const FieldOrder& before = segment_.orders[number];
    std::vector<std::uint32_t> rows(segment_.rows);  // by position
    for (std::size_t row = 0; row < rows.size(); ++row)
        rows[before.position(row)] = static_cast<std::uint32_t>(row);
    permute_vectors(segment_.store, number, order);
    FieldOrder next(segment_.rows);
    for (std::size_t position = 0; position < order.size(); ++position) {
        const std::uint32_t row = rows[order[position]];
        next.positions[row] = static_cast<std::uint32_t>(position);
        next.ids[position] = segment_.store.id(row);
    }
    segment_.orders[number] = std::move(next);
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
    VECDB_ASSIGN(auto order, IndexBuilder(*segment, fields.vectors, first, too_few, options).run());
    segment->finish_columns();
    segment->map.reserve(segment->rows);
    for (std::size_t row = 0; row < segment->rows; ++row)
        segment->map.insert_or_replace(static_cast<std::uint32_t>(row));
    options.control.report(kIndexEnds);
    VECDB_TRY(options.control.check());
    return Seal{std::move(segment), std::move(order)};
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
