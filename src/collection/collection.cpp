#include "check.h"
#include "collection/collection_state.h"
#include "collection/query/prepared_queries.h"
#include "collection/query/range_search.h"
#include "collection/query/scratch.h"
#include "collection/query/search.h"
#include "collection/query/segment_targets.h"
#include "index/parallel.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using collection::Scratch;
using collection::SearchTarget;
using collection::SegmentTarget;
using collection::Version;

/// Return how many threads to use of those that the options allow.
std::size_t worker_count(const SearchTarget& target, std::size_t queries) {
    const std::size_t allowed = target.options.threads;
    const std::size_t wanted = allowed == 0 ? index::machine_threads() : allowed;
    return std::min(wanted, collection::useful_threads(target, queries));
}

/// Search one version with k = hits.size(), which may be 0.
Result<std::size_t> search_version(const CollectionState& state,
                                   const Version& version,
                                   VectorView query,
                                   const SearchOptions& options,
                                   std::span<Hit> hits) {
    Scratch<std::byte> prepared;
    Scratch<SegmentTarget> segments;
    VECDB_TRY(collection::prepare_queries(state.kernels(), state.field(), query, *prepared));
    collection::find_targets(version, options.filter, *segments);
    if (hits.empty()) return std::size_t{0};
    const SearchTarget target{state.kernels(), state.field(), options, *segments};
    return collection::search_one(target, prepared->data(), worker_count(target, 1), hits);
}

}  // namespace

Collection::Collection(std::shared_ptr<CollectionState> state) noexcept
    : state_(std::move(state)) {}
Collection::~Collection() = default;
Collection::Collection(const Collection&) noexcept = default;
Collection& Collection::operator=(const Collection&) noexcept = default;
Collection::Collection(Collection&&) noexcept = default;
Collection& Collection::operator=(Collection&&) noexcept = default;

const std::string& Collection::name() const noexcept {
    return state_->name();
}
const Schema& Collection::schema() const noexcept {
    return state_->schema();
}

Status Collection::insert(std::span<const Id> ids, MatrixView vectors) {
    return guard([&] { return state_->write(ids, vectors, CollectionState::Mode::kInsert); });
}

Status Collection::upsert(std::span<const Id> ids, MatrixView vectors) {
    return guard([&] { return state_->write(ids, vectors, CollectionState::Mode::kUpsert); });
}

Result<std::size_t> Collection::remove(std::span<const Id> ids) {
    return guard([&] { return state_->remove(ids); });
}

Result<FetchedRows> Collection::get(std::span<const Id> ids) const {
    return guard([&] { return state_->get(ids); });
}

std::size_t Collection::count() const noexcept {
    return state_->version()->live_rows;
}

Result<std::size_t> Collection::count(const Filter& filter) const {
    return guard([&]() -> Result<std::size_t> {
        const auto version = state_->version();
        if (filter.allows_all()) return version->live_rows;
        Scratch<SegmentTarget> segments;
        collection::find_targets(*version, filter, *segments);
        std::size_t count = 0;
        for (const SegmentTarget& segment : *segments)
            count += segment.live;
        return count;
    });
}

Result<Hits> Collection::search(VectorView query, const SearchOptions& options) const {
    return guard([&]() -> Result<Hits> {
        VECDB_TRY(options.validate());
        const auto version = state_->version();
        Hits hits(std::min(options.k, version->live_rows));
        VECDB_ASSIGN(const std::size_t found,
                     search_version(*state_, *version, query, options, hits));
        hits.resize(found);
        return hits;
    });
}

Result<SearchResult> Collection::search(MatrixView queries, const SearchOptions& options) const {
    return guard([&]() -> Result<SearchResult> {
        VECDB_TRY(options.validate());
        std::vector<std::byte> prepared;
        VECDB_TRY(
            collection::prepare_queries(state_->kernels(), state_->field(), queries, prepared));
        SearchResult result(queries.rows(), options.k);
        if (options.k == 0 || queries.rows() == 0) return result;
        const auto version = state_->version();
        Scratch<SegmentTarget> segments;
        collection::find_targets(*version, options.filter, *segments);
        const SearchTarget target{state_->kernels(), state_->field(), options, *segments};
        collection::search_many(
            target, prepared.data(), worker_count(target, queries.rows()), result);
        return result;
    });
}

Result<Hits> Collection::range_search(VectorView query,
                                      float radius,
                                      const SearchOptions& options) const {
    return guard([&]() -> Result<Hits> {
        SearchOptions used = options;
        used.k = 0;
        VECDB_TRY(used.validate());
        VECDB_TRY(collection::check_radius(state_->field().metric, radius));
        const auto version = state_->version();
        Scratch<std::byte> prepared;
        Scratch<SegmentTarget> segments;
        VECDB_TRY(
            collection::prepare_queries(state_->kernels(), state_->field(), query, *prepared));
        collection::find_targets(*version, used.filter, *segments);
        const SearchTarget target{state_->kernels(), state_->field(), used, *segments};
        return collection::range_search(target, prepared->data(), radius, worker_count(target, 1));
    });
}

Result<std::size_t> Collection::search_into(VectorView query,
                                            const SearchOptions& options,
                                            std::span<Hit> hits) const {
    return guard([&]() -> Result<std::size_t> {
        VECDB_TRY(options.validate());
        if (hits.size() < options.k) {
            return Status(StatusCode::kInvalidArgument,
                          "room for " + std::to_string(hits.size()) + " hits, k is " +
                              std::to_string(options.k));
        }
        const auto version = state_->version();  // outlives what the search keeps of it
        VECDB_ASSIGN(const std::size_t found,
                     search_version(*state_, *version, query, options, hits.first(options.k)));
        collection::pad(state_->field().metric, hits.subspan(found));
        return found;
    });
}

Status Collection::prepare(const Filter& filter) const {
    return guard([&]() -> Status {
        const auto version = state_->version();
        Scratch<SegmentTarget> segments;
        collection::find_targets(*version, filter, *segments);
        return {};
    });
}

Status Collection::build_index(const BuildOptions& options) {
    return guard([&] { return state_->build_index(options); });
}

CollectionStats Collection::stats() const noexcept {
    return state_->stats();
}

}  // namespace vecdb
