#include "check.h"
#include "collection/collection_state.h"
#include "collection/query/prepared_queries.h"
#include "collection/query/range_search.h"
#include "collection/query/scratch.h"
#include "collection/query/search.h"
#include "collection/query/segment_targets.h"

#include <vecdb/handles.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using collection::CallThreads;
using collection::PartitionInfo;
using collection::PartitionVersion;
using collection::Scratch;
using collection::SearchTarget;
using collection::SegmentTarget;
using collection::Version;

using VersionPointer = CollectionState::VersionPointer;

/// Take the threads that a search is worth, of those that the options allow.
CallThreads threads_for(const CollectionState& state,
                        const SearchTarget& target,
                        std::size_t queries) {
    const std::size_t useful = collection::useful_threads(target, queries);
    const std::size_t allowed = target.options.threads;
    return {state.services(), allowed == 0 ? useful : std::min(allowed, useful)};
}

/// What a call reads: one version, and the partition that it stays in, if not null.
struct Source {
    VersionPointer version;
    const PartitionInfo* partition;

    /// Call visit(const PartitionVersion&) for every partition that is read; none when the only one
    /// does not exist.
    template <class Visit>
    void for_each(Visit&& visit) const {
        if (partition == nullptr) {
            version->partitions.for_each(visit);
        } else if (const PartitionVersion* only = version->find(*partition)) {
            visit(*only);
        }
    }
    [[nodiscard]] Status check() const { return collection::check_exists(*version, partition); }
};

/// Append what the options allow of all partitions that are read.
void find_targets(const Source& source,
                  const SearchOptions& options,
                  std::vector<SegmentTarget>& out) {
    source.for_each([&](const PartitionVersion& partition) {
        collection::find_targets(partition, options, out);
    });
}

/// Append what the options allow of the partitions that they name, by ascending number.
Status find_named_targets(const CollectionState& state,
                          const Source& source,
                          const SearchOptions& options,
                          std::vector<SegmentTarget>& out) {
    if (source.partition != nullptr) {
        return {StatusCode::kInvalidArgument,
                "partitions names '" + options.partitions.front() + "' in a search of partition '" +
                    source.partition->name + "'; it must be empty"};
    }
    Scratch<const PartitionVersion*> named;
    for (const std::string& name : options.partitions) {
        VECDB_ASSIGN(const PartitionVersion* partition, state.partition_at(*source.version, name));
        named->push_back(partition);
    }
    std::sort(named->begin(), named->end(), [](const auto* a, const auto* b) {
        return a->info->number < b->info->number;
    });
    named->erase(std::unique(named->begin(), named->end()), named->end());
    for (const PartitionVersion* partition : *named)
        collection::find_targets(*partition, options, out);
    return {};
}

Result<Source> source_of(const CollectionState& state,
                         const VersionPointer& pinned,
                         const PartitionInfo* partition,
                         const SearchOptions& options) {
    if (!options.as_of) return Source{pinned != nullptr ? pinned : state.version(), partition};
    if (pinned != nullptr) {
        return Status(StatusCode::kInvalidArgument, "as_of is set in a search of a pin");
    }
    VECDB_ASSIGN(VersionPointer version, state.version_at(*options.as_of));
    return Source{std::move(version), partition};
}

/// The rows of one search.
class Rows {
  public:
    Rows(const CollectionState& state, const SearchOptions& options)
        : state_(state), options_(options) {}

    /// Find the segments with rows to offer, in a version of their own or the one that is pinned.
    /// Returns the errors of SearchOptions::as_of and partitions.
    Status find(const VersionPointer& pinned, const PartitionInfo* partition) {
        VECDB_ASSIGN(source_, source_of(state_, pinned, partition, options_));
        VECDB_TRY(source_.check());
        if (!options_.partitions.empty()) {
            return find_named_targets(state_, source_, options_, *segments_);
        }
        find_targets(source_, options_, *segments_);
        return {};
    }

    /// Return how many rows may be returned.
    [[nodiscard]] std::size_t count() {
        std::size_t count = 0;
        for (const SegmentTarget& segment : *segments_)
            count += segment.live;
        return count;
    }
    [[nodiscard]] SearchTarget target() {
        return {state_.kernels(), state_.field(), options_, *segments_};
    }

  private:
    const CollectionState& state_;
    const SearchOptions& options_;
    Source source_{};  // outlives what the segments keep of it
    Scratch<SegmentTarget> segments_;
};

}  // namespace

ReadHandle::ReadHandle(std::shared_ptr<CollectionState> state,
                       std::shared_ptr<const PartitionInfo> partition,
                       std::shared_ptr<const Version> pinned) noexcept
    : state_(std::move(state)), partition_(std::move(partition)), pinned_(std::move(pinned)) {}
ReadHandle::~ReadHandle() = default;
ReadHandle::ReadHandle(const ReadHandle&) noexcept = default;
ReadHandle& ReadHandle::operator=(const ReadHandle&) noexcept = default;
ReadHandle::ReadHandle(ReadHandle&&) noexcept = default;
ReadHandle& ReadHandle::operator=(ReadHandle&&) noexcept = default;

const Schema& ReadHandle::schema() const noexcept {
    return state_->schema();
}

std::uint64_t ReadHandle::sequence() const noexcept {
    return (pinned_ != nullptr ? pinned_ : state_->version())->sequence;
}

Result<FetchedRows> ReadHandle::get(std::span<const Id> ids) const {
    return guard([&] { return state_->get(partition_.get(), pinned_, ids); });
}

std::size_t ReadHandle::count() const noexcept {
    const VersionPointer version = pinned_ != nullptr ? pinned_ : state_->version();
    if (partition_ == nullptr) return version->live_rows;
    const PartitionVersion* partition = version->find(*partition_);
    return partition != nullptr ? partition->live_rows : 0;
}

Result<std::size_t> ReadHandle::count(const Filter& filter) const {
    return guard([&]() -> Result<std::size_t> {
        const SearchOptions options{.filter = filter};
        Rows rows(*state_, options);
        VECDB_TRY(rows.find(pinned_, partition_.get()));
        return rows.count();
    });
}

Result<Hits> ReadHandle::search(VectorView query, const SearchOptions& options) const {
    return guard([&]() -> Result<Hits> {
        VECDB_TRY(options.validate());
        Scratch<std::byte> prepared;
        VECDB_TRY(
            collection::prepare_queries(state_->kernels(), state_->field(), query, *prepared));
        Rows rows(*state_, options);
        VECDB_TRY(rows.find(pinned_, partition_.get()));
        Hits hits(std::min(options.k, rows.count()));
        if (hits.empty()) return hits;
        const SearchTarget target = rows.target();
        const CallThreads threads = threads_for(*state_, target, 1);
        hits.resize(collection::search_one(target, prepared->data(), threads.count(), hits));
        return hits;
    });
}

Result<SearchResult> ReadHandle::search(MatrixView queries, const SearchOptions& options) const {
    return guard([&]() -> Result<SearchResult> {
        VECDB_TRY(options.validate());
        std::vector<std::byte> prepared;
        VECDB_TRY(
            collection::prepare_queries(state_->kernels(), state_->field(), queries, prepared));
        Rows rows(*state_, options);
        VECDB_TRY(rows.find(pinned_, partition_.get()));
        SearchResult result(queries.rows(), options.k);
        if (options.k == 0 || queries.rows() == 0) return result;
        const SearchTarget target = rows.target();
        const CallThreads threads = threads_for(*state_, target, queries.rows());
        collection::search_many(target, prepared.data(), threads.count(), result);
        return result;
    });
}

Result<Hits> ReadHandle::range_search(VectorView query,
                                      float radius,
                                      const SearchOptions& options) const {
    return guard([&]() -> Result<Hits> {
        SearchOptions used = options;
        used.k = 0;
        VECDB_TRY(used.validate());
        VECDB_TRY(collection::check_radius(state_->field().metric, radius));
        Scratch<std::byte> prepared;
        VECDB_TRY(
            collection::prepare_queries(state_->kernels(), state_->field(), query, *prepared));
        Rows rows(*state_, used);
        VECDB_TRY(rows.find(pinned_, partition_.get()));
        const SearchTarget target = rows.target();
        const CallThreads threads = threads_for(*state_, target, 1);
        return collection::range_search(target, prepared->data(), radius, threads.count());
    });
}

Result<std::size_t> ReadHandle::search_into(VectorView query,
                                            const SearchOptions& options,
                                            std::span<Hit> hits) const {
    return guard([&]() -> Result<std::size_t> {
        VECDB_TRY(options.validate());
        if (hits.size() < options.k) {
            return Status(StatusCode::kInvalidArgument,
                          "room for " + std::to_string(hits.size()) + " hits, k is " +
                              std::to_string(options.k));
        }
        Scratch<std::byte> prepared;
        VECDB_TRY(
            collection::prepare_queries(state_->kernels(), state_->field(), query, *prepared));
        Rows rows(*state_, options);
        VECDB_TRY(rows.find(pinned_, partition_.get()));
        std::size_t found = 0;
        if (options.k > 0) {
            const SearchTarget target = rows.target();
            const CallThreads threads = threads_for(*state_, target, 1);
            found = collection::search_one(
                target, prepared->data(), threads.count(), hits.first(options.k));
        }
        collection::pad(state_->field().metric, hits.subspan(found));
        return found;
    });
}

Status ReadHandle::prepare(const Filter& filter) const {
    return guard([&] { return count(filter).status(); });
}

CollectionStats ReadHandle::stats() const noexcept {
    const Source source{pinned_ != nullptr ? pinned_ : state_->version(), partition_.get()};
    CollectionStats stats;
    stats.index = state_->index_name();
    source.for_each([&](const PartitionVersion& partition) {
        ++stats.partitions;
        stats.live_rows += partition.live_rows;
        for (std::size_t s = 0; s < partition.segment_count(); ++s) {
            const collection::SegmentVersion& segment = partition.segment(s);
            stats.dead_rows += segment.rows - segment.live_rows;
            stats.memory_bytes += segment.memory_bytes + segment.tombstones->memory_bytes();
            if (segment.sealed == nullptr) continue;
            ++stats.sealed_segments;
            stats.sealed_rows += segment.live_rows;
            stats.index_bytes += segment.sealed->index_bytes();
        }
    });
    return stats;
}

Pin ReadHandle::pin() const noexcept {
    return {state_, partition_, pinned_ != nullptr ? pinned_ : state_->version()};
}

Result<Pin> ReadHandle::pin(const Moment& moment) const {
    return guard([&]() -> Result<Pin> {
        VECDB_ASSIGN(Source source,
                     source_of(*state_, pinned_, partition_.get(), {.as_of = moment}));
        VECDB_TRY(source.check());
        return Pin(state_, partition_, std::move(source.version));
    });
}

}  // namespace vecdb
