#include "collection/collection_state.h"

#include "check.h"
#include "collection/storage/live_rows.h"
#include "collection/vectors.h"
#include "index/registry.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

namespace vecdb {

using collection::SealedList;
using collection::SegmentVersion;
using collection::Tombstones;
using collection::Version;

namespace {

/// Dead rows are squeezed out when they are more than this and than half the live rows.
constexpr std::size_t kMinDeadRows = 1'024;

bool strictly_ascending(std::span<const Id> ids) {
    return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end();
}

/// Return `segment` with `gone` removed.
SegmentVersion without(const SegmentVersion& segment, std::span<const std::uint32_t> gone) {
    SegmentVersion next = segment;
    next.tombstones = segment.tombstones->with(gone, segment.chunk_rows());
    next.live_rows -= gone.size();
    return next;
}

}  // namespace

CollectionState::CollectionState(std::string name, Schema schema, const simd::KernelTable& kernels)
    : name_(std::move(name)),
      schema_(std::move(schema)),
      index_name_(index::index_name(field().index)),
      kernels_(kernels),
      growing_(std::make_shared<collection::GrowingSegment>(
          collection::VectorFormat{field().dim, field().element_type})) {
    auto empty = std::make_shared<Version>();
    empty->sealed = std::make_shared<SealedList>();
    empty->growing.numbering = std::make_shared<char>();
    empty->growing.blocks = growing_->store.blocks();
    empty->growing.tombstones = std::make_shared<Tombstones>();
    empty->growing.format = growing_->store.format();
    empty->growing.rows_per_block = growing_->store.rows_per_block();
    version_ = std::move(empty);
}

Status CollectionState::write(std::span<const Id> ids, MatrixView vectors, Mode mode) {
    VECDB_TRY(check_batch(ids, vectors));
    if (ids.empty()) return {};
    const std::lock_guard writer(writer_);
    VECDB_ASSIGN(const Rows chosen, rows_to_write(ids, mode));
    VECDB_ASSIGN(Places replaced, rows_to_replace(ids, chosen, mode));

    const std::size_t first = version()->growing.rows;
    const std::size_t rows = first + chosen.size();
    if (rows > kMaxRowsPerSegment) {
        return {StatusCode::kFailedPrecondition,
                "the collection would have " + std::to_string(rows) +
                    " rows without an index; at most " + std::to_string(kMaxRowsPerSegment)};
    }
    {
        const std::lock_guard lock(map_);  // get() looks ids up in the store
        growing_->store.reserve(rows, first);
    }
    VECDB_TRY(fill(ids, vectors, chosen));
    auto next = next_version(rows, std::move(replaced));
    {
        const std::lock_guard lock(map_);
        growing_->map.reserve(chosen.size());
        for (std::size_t row = first; row < rows; ++row) {
            growing_->map.insert_or_replace(static_cast<std::uint32_t>(row));
        }
        next->growing.memory_bytes += growing_->map.memory_bytes();
        publish(std::move(next));
    }
    compact_if_hollow();
    return {};
}

Status CollectionState::check_batch(std::span<const Id> ids, MatrixView vectors) const {
    if (ids.size() != vectors.rows()) {
        return {
            StatusCode::kInvalidArgument,
            std::to_string(ids.size()) + " ids for " + std::to_string(vectors.rows()) + " vectors"};
    }
    if (ids.size() > kMaxBatchRows) {
        return {StatusCode::kInvalidArgument,
                "the batch has " + std::to_string(ids.size()) + " rows; at most " +
                    std::to_string(kMaxBatchRows)};
    }
    if (ids.empty()) return {};
    VECDB_TRY(collection::check_shape(field(), vectors));
    const auto negative = std::find_if(ids.begin(), ids.end(), [](Id id) { return id < 0; });
    if (negative != ids.end()) {
        return {StatusCode::kInvalidArgument,
                collection::row_name(static_cast<std::size_t>(negative - ids.begin())) +
                    " has id " + std::to_string(*negative) + "; ids are not negative"};
    }
    return {};
}

/// Choose the rows of the batch to store, in their order: all, or under upsert the last of each id.
Result<CollectionState::Rows> CollectionState::rows_to_write(std::span<const Id> ids,
                                                             Mode mode) const {
    Rows rows(ids.size());
    std::iota(rows.begin(), rows.end(), 0U);
    if (strictly_ascending(ids)) return rows;
    std::sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
        return ids[a] != ids[b] ? ids[a] < ids[b] : a < b;
    });
    Rows last;
    last.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool repeated = i + 1 < rows.size() && ids[rows[i]] == ids[rows[i + 1]];
        if (!repeated) {
            last.push_back(rows[i]);
        } else if (mode == Mode::kInsert) {
            return Status(StatusCode::kAlreadyExists,
                          "id " + std::to_string(ids[rows[i]]) + " stands in " +
                              collection::row_name(rows[i]) + " and in " +
                              collection::row_name(rows[i + 1]) + " of the batch");
        }
    }
    std::sort(last.begin(), last.end());
    return last;
}

/// Find the live row of `id`. The caller holds writer_ or map_, and `version` is the last one.
std::optional<CollectionState::Place> CollectionState::find(const Version& version, Id id) const {
    const std::size_t sealed = version.sealed->size();
    if (const auto row = growing_->map.find(id)) {
        return Place{static_cast<std::uint32_t>(sealed), *row};
    }
    for (std::size_t s = 0; s < sealed; ++s) {
        const SegmentVersion& segment = *(*version.sealed)[s];
        const auto row = segment.sealed->map.find(id);
        if (row && !segment.removed(*row)) return Place{static_cast<std::uint32_t>(s), *row};
    }
    return std::nullopt;
}

/// Find the stored rows whose ids the batch has: refused by insert, replaced by upsert.
Result<CollectionState::Places> CollectionState::rows_to_replace(std::span<const Id> ids,
                                                                 const Rows& chosen,
                                                                 Mode mode) const {
    const auto current = version();
    Places replaced;
    for (const std::uint32_t i : chosen) {
        const auto place = find(*current, ids[i]);
        if (!place) continue;
        if (mode == Mode::kInsert) {
            return Status(StatusCode::kAlreadyExists,
                          "id " + std::to_string(ids[i]) + " of " + collection::row_name(i) +
                              " exists in the collection");
        }
        replaced.push_back(*place);
    }
    return replaced;
}

/// Write the chosen rows of the batch behind the published ones, where no reader looks.
Status CollectionState::fill(std::span<const Id> ids, MatrixView vectors, const Rows& chosen) {
    const collection::RowStore& store = growing_->store;
    const std::size_t bytes = store.format().bytes();
    std::size_t row = version()->growing.rows;
    for (std::size_t done = 0; done < chosen.size();) {
        const std::size_t count = std::min(store.run(row), chosen.size() - done);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t from = chosen[done + i];
            std::memcpy(store.vector(row + i), vectors.slice(from, 1).data(), bytes);
            store.id(row + i) = ids[from];
        }
        VECDB_TRY(collection::finish_rows(kernels_,
                                          field(),
                                          {store.vector(row), count, &store.norm(row)},
                                          std::span(chosen).subspan(done, count)));
        row += count;
        done += count;
    }
    return {};
}

/// Make the version with `rows` rows in the growing segment in which `removed` are gone. The memory
/// of the growing segment's map is still missing.
std::shared_ptr<Version> CollectionState::next_version(std::size_t rows, Places removed) const {
    const auto current = version();
    auto next = std::make_shared<Version>(*current);
    SegmentVersion& growing = next->growing;
    growing.blocks = growing_->store.blocks();
    growing.live_rows += rows - growing.rows;
    growing.rows = rows;
    growing.memory_bytes = growing_->store.memory_bytes(rows);

    std::sort(removed.begin(), removed.end());
    const std::size_t sealed_count = current->sealed->size();
    const bool sealed_changes = !removed.empty() && removed.front().segment < sealed_count;
    SealedList sealed = sealed_changes ? *current->sealed : SealedList();
    for (auto begin = removed.begin(); begin != removed.end();) {
        const std::size_t s = begin->segment;
        Rows gone;
        for (; begin != removed.end() && begin->segment == s; ++begin)
            gone.push_back(begin->row);
        if (s < sealed_count) {
            sealed[s] = std::make_shared<SegmentVersion>(without(*sealed[s], gone));
        } else {
            growing = without(growing, gone);
        }
    }
    if (sealed_changes) {
        std::erase_if(sealed, [](const auto& segment) { return segment->live_rows == 0; });
        next->sealed = std::make_shared<SealedList>(std::move(sealed));
    }
    next->count_live_rows();
    return next;
}

void CollectionState::publish(std::shared_ptr<const Version> version) noexcept {
    const std::lock_guard lock(publishing_);
    version_.swap(version);  // the old one is let go after the lock
}

Result<std::size_t> CollectionState::remove(std::span<const Id> ids) {
    const std::lock_guard writer(writer_);
    const auto current = version();
    Places places;
    for (const Id id : ids) {
        if (const auto place = find(*current, id)) places.push_back(*place);
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    if (places.empty()) return std::size_t{0};

    auto next = next_version(current->growing.rows, places);
    {
        const std::lock_guard lock(map_);
        for (const Place& place : places) {
            if (place.segment < current->sealed->size()) continue;
            growing_->map.erase(growing_->store.id(place.row));
        }
        next->growing.memory_bytes += growing_->map.memory_bytes();
        publish(std::move(next));
    }
    compact_if_hollow();
    return places.size();
}

void CollectionState::compact_if_hollow() {
    const auto current = version();
    const std::size_t live = current->growing.live_rows;
    const std::size_t dead = current->growing.rows - live;
    if (building_ || dead <= kMinDeadRows || dead <= live / 2) return;
    try {
        replace_growing(0, std::make_shared<Version>(*current));
    } catch (const std::bad_alloc&) {
        // The write itself succeeded; space returns when memory allows.
    }
}

/// Copy the live rows from row `first` on into a growing segment of their own and publish `next`
/// with it.
void CollectionState::replace_growing(std::size_t first, std::shared_ptr<Version> next) {
    const SegmentVersion& old = next->growing;
    auto growing = std::make_shared<collection::GrowingSegment>(old.format);
    std::size_t live = 0;
    for (std::size_t b = first / old.rows_per_block; b < old.block_count(); ++b) {
        const index::FlatBlock block = old.block(b, nullptr);
        const std::size_t begin = std::max(first, b * old.rows_per_block) % old.rows_per_block;
        growing->store.reserve(std::min(live + block.count - begin, old.live_rows), live);
        live = collection::append_live(block, begin, growing->store, live);
    }
    growing->map.reserve(live);
    for (std::size_t row = 0; row < live; ++row)
        growing->map.insert_or_replace(static_cast<std::uint32_t>(row));

    next->growing.numbering = std::make_shared<char>();
    next->growing.blocks = growing->store.blocks();
    next->growing.tombstones = std::make_shared<Tombstones>();
    next->growing.rows = live;
    next->growing.live_rows = live;
    next->growing.memory_bytes = growing->store.memory_bytes(live) + growing->map.memory_bytes();
    next->count_live_rows();

    const std::lock_guard lock(map_);
    growing_ = std::move(growing);
    publish(std::move(next));
}

Result<FetchedRows> CollectionState::get(std::span<const Id> ids) const {
    FetchedRows fetched;
    fetched.dim = field().dim;
    fetched.type = field().element_type;
    const std::size_t bytes = vector_bytes(fetched.type, fetched.dim);
    fetched.bytes.resize(ids.size() * bytes);
    fetched.found.resize(ids.size());
    std::vector<Place> places(ids.size());
    std::shared_ptr<const Version> version;
    {
        const std::shared_lock lock(map_);
        version = this->version();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto place = find(*version, ids[i]);
            fetched.found[i] = place.has_value();
            places[i] = place.value_or(Place{});
        }
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!fetched.found[i]) continue;
        const SegmentVersion& segment = version->segment(places[i].segment);
        const collection::RowBlock& block =
            *(*segment.blocks)[places[i].row / segment.rows_per_block];
        const std::size_t offset = places[i].row % segment.rows_per_block;
        collection::restore_row(kernels_,
                                field(),
                                block.vectors.data() + offset * bytes,
                                block.norms[offset],
                                fetched.bytes.data() + i * bytes);
    }
    return fetched;
}

CollectionStats CollectionState::stats() const noexcept {
    const auto version = this->version();
    CollectionStats stats;
    stats.live_rows = version->live_rows;
    stats.index = index_name_;
    for (std::size_t s = 0; s < version->segment_count(); ++s) {
        const SegmentVersion& segment = version->segment(s);
        stats.dead_rows += segment.rows - segment.live_rows;
        stats.memory_bytes += segment.memory_bytes + segment.tombstones->memory_bytes();
        if (segment.sealed == nullptr) continue;
        ++stats.sealed_segments;
        stats.sealed_rows += segment.live_rows;
        stats.index_bytes += segment.sealed->index_bytes();
    }
    return stats;
}

}  // namespace vecdb
