#include "collection/version.h"

#include <utility>

namespace vecdb::collection {

std::shared_ptr<SegmentVersion> SegmentVersion::of(std::shared_ptr<const SealedSegment> segment) {
    auto version = std::make_shared<SegmentVersion>();
    version->numbering = segment;
    version->blocks = segment->store.blocks();
    version->tombstones = std::make_shared<Tombstones>();
    version->format = segment->store.format().vector;
    version->rows_per_block = segment->store.rows_per_block();
    version->rows = segment->rows;
    version->live_rows = segment->rows;
    version->memory_bytes = segment->memory_bytes();
    version->sealed = std::move(segment);
    return version;
}

SegmentVersion SegmentVersion::of(std::shared_ptr<const GrowingSegment> segment, std::size_t rows) {
    const RowStore& store = segment->store();
    SegmentVersion version;
    version.numbering = segment;
    version.blocks = store.blocks();
    version.tombstones = std::make_shared<Tombstones>();
    version.format = store.format().vector;
    version.rows_per_block = store.rows_per_block();
    version.rows = rows;
    version.live_rows = rows;
    version.memory_bytes = segment->memory_bytes(rows);
    version.growing = std::move(segment);
    return version;
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

IndexRows index_rows(const VectorField& field, const SealedSegment& segment) noexcept {
    const RowStore& store = segment.store;
    return index_rows(
        field,
        {.rows = {store.vector(0), store.format().vector.bytes(), store.format().vector.dim},
         .ids = &store.id(0),
         .norms = &store.norm(0),
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
