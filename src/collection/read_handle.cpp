#include "check.h"
#include "collection/collection_state.h"
#include "collection/query/async_search.h"
#include "collection/query/cursor_state.h"
#include "collection/query/hybrid_search.h"
#include "collection/query/page.h"
#include "collection/query/prepared_queries.h"
#include "collection/query/query_rows.h"
#include "collection/query/query_search.h"
#include "collection/query/search.h"
#include "collection/query/source.h"

#include <vecdb/handles.h>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using collection::AsyncQuestion;
using collection::AsyncSearch;
using collection::PartitionInfo;
using collection::PartitionVersion;
using collection::QuerySearch;
using collection::SearchedRows;
using collection::Source;
using collection::Version;

using VersionPointer = CollectionState::VersionPointer;

/// Refuse what tasks that hold no collection cannot do.
Status check_async(const SearchOptions& options) {
    if (!options.group_by.empty()) {
        return {StatusCode::kUnsupported,
                "group_by is '" + options.group_by + "' in a search_async; search serves it"};
    }
    if (options.report == nullptr) return {};
    return {StatusCode::kUnsupported, "report is set in a search_async; search makes reports"};
}

/// Make a search of the rows as they are now, not started yet.
Result<std::shared_ptr<AsyncSearch>> make_async(const CollectionState& state,
                                                const VersionPointer& pinned,
                                                const PartitionInfo* partition,
                                                VectorView query,
                                                const SearchOptions& options) {
    VECDB_TRY(options.validate());
    VECDB_TRY(check_async(options));
    VECDB_ASSIGN(const std::size_t number, state.find_vector(options.field));
    AsyncQuestion asked{state.kernels(), state.field(number), number, options, {}, {}, {}};
    VECDB_TRY(collection::prepare_queries(state.kernels(), asked.field, query, asked.query));
    VECDB_ASSIGN(const Source source, source_of(state, pinned, partition, options));
    asked.version = source.version;
    const std::size_t wanted = collection::hits_wanted(options);
    std::size_t rows = 0;
    VECDB_TRY(for_each_searched(state, source, options, [&](const PartitionVersion& each) {
        if (each.live_rows > 0 && wanted > 0) asked.partitions.push_back(&each);
        rows += each.live_rows;
    }));
    asked.options.k = std::min(wanted, rows);
    const std::size_t most = state.services().most_threads();
    const std::size_t tasks = options.threads == 0 ? most : std::min(options.threads, most);
    return std::make_shared<AsyncSearch>(std::move(asked), tasks);
}

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

Result<FetchedRows> ReadHandle::get(std::span<const Id> ids,
                                    std::span<const std::string> fields) const {
    return guard([&] { return state_->get(partition_.get(), pinned_, ids, fields); });
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
        SearchedRows rows(*state_, options);
        VECDB_TRY(rows.find(pinned_, partition_.get()));
        return rows.count();
    });
}

Result<Hits> ReadHandle::search(VectorView query, const SearchOptions& options) const {
    return guard([&]() -> Result<Hits> {
        QuerySearch search(*state_, options);
        VECDB_TRY(search.begin(pinned_, partition_.get(), query));
        Hits hits(search.most_hits());
        VECDB_ASSIGN(const std::size_t found, search.search(hits));
        hits.resize(found);
        return hits;
    });
}

Result<Hits> ReadHandle::hybrid_search(std::span<const FieldQuery> parts,
                                       const FusionOptions& how) const {
    return guard(
        [&] { return collection::hybrid_search(*state_, pinned_, partition_.get(), parts, how); });
}

Result<FoundRows> ReadHandle::find(VectorView query,
                                   const SearchOptions& options,
                                   std::span<const std::string> fields) const {
    return guard([&]() -> Result<FoundRows> {
        VECDB_TRY(collection::find_fields(state_->schema().scalars, fields).status());
        QuerySearch search(*state_, options);
        VECDB_TRY(search.begin(pinned_, partition_.get(), query));
        FoundRows found;
        found.hits.resize(search.most_hits());
        VECDB_ASSIGN(const std::size_t count, search.search(found.hits));
        found.hits.resize(count);
        VECDB_ASSIGN(found.columns, search.values(found.hits, fields));
        return found;
    });
}

Result<QueriedRows> ReadHandle::query(const QueryOptions& options) const {
    return guard([&]() -> Result<QueriedRows> {
        VECDB_TRY(options.validate());
        VECDB_ASSIGN(const auto fields,
                     collection::find_fields(state_->schema().scalars, options.fields));
        const SearchOptions which{.filter = options.filter,
                                  .partitions = options.partitions,
                                  .allow_partial = options.allow_partial,
                                  .as_of = options.as_of};
        SearchedRows rows(*state_, which);
        VECDB_TRY(rows.find(pinned_, partition_.get()));
        return collection::query_rows(rows.target().segments, options, fields);
    });
}

std::future<Result<Hits>> ReadHandle::search_async(VectorView query,
                                                   const SearchOptions& options) const {
    const auto promise = std::make_shared<std::promise<Result<Hits>>>();
    auto answer = promise->get_future();
    search_async(
        query, options, [promise](Result<Hits> result) { promise->set_value(std::move(result)); });
    return answer;
}

void ReadHandle::search_async(VectorView query,
                              const SearchOptions& options,
                              std::function<void(Result<Hits>)> done) const noexcept {
    if (!done) return;
    const auto executor = state_->services().executor;  // the callback may let this handle go
    auto search =
        guard([&] { return make_async(*state_, pinned_, partition_.get(), query, options); });
    if (!search.ok()) return collection::deliver(done, std::move(search).status());
    AsyncSearch::start(*std::move(search), *executor, std::move(done));
}

Result<SearchResult> ReadHandle::search(MatrixView queries, const SearchOptions& options) const {
    return guard([&]() -> Result<SearchResult> {
        QuerySearch search(*state_, options);
        VECDB_TRY(search.begin(pinned_, partition_.get(), queries));
        SearchResult result(queries.rows(), options.k);
        VECDB_TRY(search.search(result));
        return result;
    });
}

Result<Hits> ReadHandle::range_search(VectorView query,
                                      float radius,
                                      const SearchOptions& options) const {
    return guard([&]() -> Result<Hits> {
        SearchOptions used = options;
        used.k = 0;
        used.offset = 0;
        QuerySearch search(*state_, used);
        VECDB_TRY(search.begin(pinned_, partition_.get(), query));
        return search.range_search(radius);
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
        QuerySearch search(*state_, options);
        VECDB_TRY(search.begin(pinned_, partition_.get(), query));
        VECDB_ASSIGN(const std::size_t found, search.search(hits.first(search.most_hits())));
        collection::pad(search.field().metric, hits.subspan(found));
        return found;
    });
}

Result<SearchCursor> ReadHandle::cursor(VectorView query, const SearchOptions& options) const {
    return guard([&]() -> Result<SearchCursor> {
        auto state = std::make_unique<collection::CursorState>(state_, partition_, options);
        VECDB_TRY(state->begin(pinned_, query));
        return SearchCursor(std::move(state));
    });
}

Status ReadHandle::prepare(const Filter& filter) const {
    return guard([&]() -> Status {
        const SearchOptions options{.filter = filter};
        for (std::size_t field = 0; field < state_->schema().vectors.size(); ++field) {
            SearchedRows rows(*state_, options);
            VECDB_TRY(rows.find(pinned_, partition_.get(), field));
        }
        return {};
    });
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
            stats.memory_bytes += segment.memory_bytes + segment.tombstones_bytes();
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
        return Pin(state_, partition_, std::move(source.version));
    });
}

}  // namespace vecdb
