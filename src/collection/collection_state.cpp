#include "collection/collection_state.h"

#include "check.h"
#include "collection/vectors.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

namespace vecdb {

using collection::Tombstones;
using collection::Version;

namespace {

/// Dead rows are squeezed out when they are more than this and than half the live rows.
constexpr std::size_t kMinDeadRows = 1'024;

bool strictly_ascending(std::span<const Id> ids) {
    return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end();
}

}  // namespace

CollectionState::CollectionState(std::string name, Schema schema, const simd::KernelTable& kernels)
    : name_(std::move(name)),
      schema_(std::move(schema)),
      kernels_(kernels),
      segment_(std::make_shared<Segment>(schema_.vectors.front().dim)) {
    auto empty = std::make_shared<Version>();
    empty->numbering = std::make_shared<char>();
    empty->blocks = segment_->store.blocks();
    empty->tombstones = std::make_shared<Tombstones>();
    empty->dim = field().dim;
    empty->rows_per_block = segment_->store.rows_per_block();
    version_ = std::move(empty);
}

Status CollectionState::write(std::span<const Id> ids, MatrixView vectors, Mode mode) {
    VECDB_TRY(check_batch(ids, vectors));
    if (ids.empty()) return {};
    const std::lock_guard writer(writer_);
    VECDB_ASSIGN(const Rows chosen, rows_to_write(ids, mode));
    VECDB_ASSIGN(const Rows replaced, rows_to_replace(ids, chosen, mode));

    const std::size_t first = version()->rows;
    const std::size_t rows = first + chosen.size();
    if (rows > kMaxRowsPerSegment) {
        return {StatusCode::kFailedPrecondition,
                "the collection would have " + std::to_string(rows) + " rows; at most " +
                    std::to_string(kMaxRowsPerSegment)};
    }
    {
        const std::lock_guard lock(map_);  // get() looks ids up in the store
        segment_->store.reserve(rows, first);
    }
    VECDB_TRY(fill(ids, vectors, chosen));
    auto next = next_version(rows, replaced);
    {
        const std::lock_guard lock(map_);
        segment_->map.reserve(chosen.size());
        for (std::size_t row = first; row < rows; ++row) {
            segment_->map.insert_or_replace(static_cast<std::uint32_t>(row));
        }
        next->memory_bytes += segment_->map.memory_bytes();
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

/// Find the stored rows whose ids the batch has: refused by insert, replaced by upsert.
Result<CollectionState::Rows> CollectionState::rows_to_replace(std::span<const Id> ids,
                                                               const Rows& chosen,
                                                               Mode mode) const {
    Rows replaced;
    for (const std::uint32_t i : chosen) {
        const auto row = segment_->map.find(ids[i]);
        if (!row) continue;
        if (mode == Mode::kInsert) {
            return Status(StatusCode::kAlreadyExists,
                          "id " + std::to_string(ids[i]) + " of " + collection::row_name(i) +
                              " exists in the collection");
        }
        replaced.push_back(*row);
    }
    return replaced;
}

/// Write the chosen rows of the batch behind the published ones, where no reader looks.
Status CollectionState::fill(std::span<const Id> ids, MatrixView vectors, const Rows& chosen) {
    const collection::RowStore& store = segment_->store;
    const std::size_t dim = field().dim;
    std::size_t row = version()->rows;
    for (std::size_t done = 0; done < chosen.size();) {
        const std::size_t count = std::min(store.run(row), chosen.size() - done);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t from = chosen[done + i];
            std::memcpy(store.vector(row + i), vectors.row<float>(from), dim * sizeof(float));
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

/// Make the version with `rows` rows in which `removed` are gone. The map's memory is still
/// missing.
std::shared_ptr<Version> CollectionState::next_version(std::size_t rows,
                                                       const Rows& removed) const {
    const auto current = version();
    auto next = std::make_shared<Version>(*current);
    next->blocks = segment_->store.blocks();
    if (!removed.empty()) {
        next->tombstones = current->tombstones->with(removed, current->rows_per_block);
    }
    next->live_rows = current->live_rows + (rows - current->rows) - removed.size();
    next->rows = rows;
    next->memory_bytes = segment_->store.memory_bytes(rows) + next->tombstones->memory_bytes();
    return next;
}

void CollectionState::publish(std::shared_ptr<const Version> version) noexcept {
    const std::lock_guard lock(publishing_);
    version_.swap(version);  // the old one is let go after the lock
}

Result<std::size_t> CollectionState::remove(std::span<const Id> ids) {
    const std::lock_guard writer(writer_);
    Rows rows;
    for (const Id id : ids) {
        if (const auto row = segment_->map.find(id)) rows.push_back(*row);
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    if (rows.empty()) return std::size_t{0};

    auto next = next_version(version()->rows, rows);
    {
        const std::lock_guard lock(map_);
        for (const std::uint32_t row : rows)
            segment_->map.erase(segment_->store.id(row));
        next->memory_bytes += segment_->map.memory_bytes();
        publish(std::move(next));
    }
    const std::size_t removed = rows.size();
    compact_if_hollow();
    return removed;
}

void CollectionState::compact_if_hollow() {
    const auto current = version();
    const std::size_t dead = current->rows - current->live_rows;
    if (dead <= kMinDeadRows || dead <= current->live_rows / 2) return;
    try {
        compact();
    } catch (const std::bad_alloc&) {
        // The write itself succeeded; space returns when memory allows.
    }
}

/// Copy the live rows into a segment of their own.
void CollectionState::compact() {
    const auto current = version();
    auto segment = std::make_shared<Segment>(current->dim);
    segment->store.reserve(current->live_rows, 0);
    segment->map.reserve(current->live_rows);
    std::size_t row = 0;
    for (std::size_t b = 0; b < current->block_count(); ++b) {
        const index::FlatBlock block = current->block(b, nullptr);
        for (std::size_t i = 0; i < block.count; ++i) {
            if ((block.filter.word(i / 64) >> (i % 64) & 1U) == 0) continue;
            std::memcpy(
                segment->store.vector(row), block.rows.row(i), current->dim * sizeof(float));
            segment->store.id(row) = block.ids[i];
            segment->store.norm(row) = block.norms[i];
            segment->map.insert_or_replace(static_cast<std::uint32_t>(row));
            ++row;
        }
    }
    auto next = std::make_shared<Version>(*current);
    next->numbering = std::make_shared<char>();
    next->blocks = segment->store.blocks();
    next->tombstones = std::make_shared<Tombstones>();
    next->rows = row;
    next->memory_bytes = segment->store.memory_bytes(row) + segment->map.memory_bytes();

    const std::lock_guard lock(map_);
    segment_ = std::move(segment);
    publish(std::move(next));
}

Result<FetchedRows> CollectionState::get(std::span<const Id> ids) const {
    FetchedRows fetched;
    fetched.dim = field().dim;
    fetched.vectors.resize(ids.size() * fetched.dim);
    fetched.found.resize(ids.size());
    std::vector<std::size_t> rows(ids.size());
    std::shared_ptr<const Version> version;
    {
        const std::shared_lock lock(map_);
        version = this->version();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto row = segment_->map.find(ids[i]);
            fetched.found[i] = row.has_value();
            rows[i] = row.value_or(0);
        }
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!fetched.found[i]) continue;
        const collection::RowBlock& block = *(*version->blocks)[rows[i] / version->rows_per_block];
        const std::size_t offset = rows[i] % version->rows_per_block;
        const float* stored = block.vectors.data() + offset * fetched.dim;
        const float length = field().metric == Metric::kCosine ? block.norms[offset] : 1.0F;
        kernels_.scale(stored, fetched.dim, length, fetched.vectors.data() + i * fetched.dim);
    }
    return fetched;
}

}  // namespace vecdb
