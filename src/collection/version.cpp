#include "collection/version.h"

#include <algorithm>
#include <utility>

namespace vecdb::collection {

std::shared_ptr<SegmentVersion> SegmentVersion::of(std::shared_ptr<const SealedSegment> segment) {
    auto version = std::make_shared<SegmentVersion>();
    version->numbering = segment;
    version->blocks = segment->store.blocks();
    version->tombstones = std::make_shared<Tombstones>();
    version->first_format = segment->store.format().first;
    version->rows_per_block = segment->store.rows_per_block();
    version->rows = segment->rows;
    version->live_rows = segment->rows;
    version->memory_bytes = segment->memory_bytes();
    for (std::size_t field = 1; field < segment->orders.size(); ++field) {
        version->field_tombstones.push_back(segment->orders[field].is_rows() ? nullptr
                                                                             : version->tombstones);
    }
    version->sealed = std::move(segment);
    return version;
}

SegmentVersion SegmentVersion::of(std::shared_ptr<const GrowingSegment> segment, std::size_t rows) {
    const RowStore& store = segment->store();
    SegmentVersion version;
    version.numbering = segment;
    version.blocks = store.blocks();
    version.tombstones = std::make_shared<Tombstones>();
    version.first_format = store.format().first;
    version.rows_per_block = store.rows_per_block();
    version.rows = rows;
    version.live_rows = rows;
    version.memory_bytes = segment->memory_bytes(rows);
    version.growing = std::move(segment);
    return version;
}

void SegmentVersion::remove(std::span<const std::uint32_t> gone) {
    if (gone.empty()) return;
    std::vector<std::shared_ptr<const Tombstones>> in_order = field_tombstones;
    std::vector<std::uint32_t> positions(gone.size());
    for (std::size_t field = 1; field <= in_order.size(); ++field) {
        if (order(field) == nullptr) continue;
        std::transform(gone.begin(), gone.end(), positions.begin(), [&](std::uint32_t row) {
            return static_cast<std::uint32_t>(position(row, field));
        });
        in_order[field - 1] = in_order[field - 1]->with(positions, chunk_rows());
    }
    tombstones = tombstones->with(gone, chunk_rows());
    field_tombstones = std::move(in_order);
    live_rows -= gone.size();
}

std::size_t SegmentVersion::tombstones_bytes() const noexcept {
    std::size_t bytes = tombstones->memory_bytes();
    for (const auto& each : field_tombstones)
        bytes += each != nullptr ? each->memory_bytes() : 0;
    return bytes;
}

std::optional<std::uint32_t> SegmentVersion::find(Id id) const noexcept {
    const auto row = sealed != nullptr ? sealed->map.find(id) : growing->last_before(id, rows);
    return row && !removed(*row) ? row : std::nullopt;
}

IndexRows index_rows(const VectorField& field, const index::FlatBlock& block) noexcept {
    return {.base = block.rows.base,
            .stride = block.rows.stride,
            .dim = block.rows.dim,
            .count = block.count,
            .ids = block.ids,
            // Under cosine the column holds the lengths that rows had before they became unit rows,
            // of bits nothing.
            .norms = field.metric == Metric::kCosine || field.element_type == ElementType::kBit
                         ? nullptr
                         : block.norms,
            .metric = field.metric,
            .element_type = field.element_type};
}

IndexRows index_rows(const VectorField& field,
                     const SealedSegment& segment,
                     std::size_t number) noexcept {
    const RowStore& store = segment.store;
    const VectorFormat& format = store.format().vector(number);
    return index_rows(field,
                      {.rows = {store.vector(0, number), format.bytes(), format.dim},
                       .ids = segment.ids(number),
                       .norms = &store.norm(0, number),
                       .count = segment.rows,
                       .filter = {}});
}

void PartitionVersion::count_live_rows() noexcept {
    live_rows = growing.live_rows;
    for (const auto& segment : *sealed)
        live_rows += segment->live_rows;
}

Status check_whole(const PartitionVersion& partition) {
    if (partition.lost == nullptr) return {};
    return {
        StatusCode::kCorruption,
        "rows of partition '" + partition.info->name + "' are missing: " + partition.lost->front()};
}

Status check_exists(const Version& version, const PartitionInfo* partition) {
    if (partition == nullptr || version.find(*partition) != nullptr) return {};
    return {StatusCode::kNotFound, "partition '" + partition->name + "' was dropped"};
}

}  // namespace vecdb::collection
