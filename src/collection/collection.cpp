#include "check.h"
#include "collection/collection_state.h"
#include "collection/query/filter_state.h"
#include "collection/query/prepared_queries.h"
#include "collection/query/search.h"
#include "collection/vectors.h"
#include "index/parallel.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using collection::Version;

/// Return the rows that `filter` allows, or null for all.
std::shared_ptr<const FilterRows> allowed_rows(const Filter& filter, const Version& version) {
    return filter.allows_all() ? nullptr : filter.state()->rows(version);
}

/// Return how many threads to use of those that the options allow.
std::size_t worker_count(const SearchOptions& options,
                         const Version& version,
                         std::size_t queries) {
    const std::size_t wanted = options.threads == 0 ? index::machine_threads() : options.threads;
    return std::min(wanted, collection::useful_threads(version, queries));
}

std::size_t count_allowed(const Version& version, const FilterRows& rows) {
    std::size_t count = 0;
    for (std::size_t b = 0; b < version.block_count(); ++b) {
        const index::FlatBlock block = version.block(b, rows.allowed.words().data());
        for (std::size_t w = 0; w * 64 < block.count; ++w) {
            count += static_cast<std::size_t>(std::popcount(block.allowed_word(w)));
        }
    }
    return count;
}

/// Search one version with k = hits.size(), which may be 0.
Result<std::size_t> search_version(const CollectionState& state,
                                   const Version& version,
                                   VectorView query,
                                   const SearchOptions& options,
                                   std::span<Hit> hits) {
    VECDB_TRY(collection::check_shape(state.field(), query));
    // A predicate may search too, on this thread: the buffer is filled when it has been asked.
    const auto allowed = allowed_rows(options.filter, version);
    thread_local std::vector<float> prepared;  // keeps its memory from search to search
    VECDB_TRY(collection::prepare_queries(state.kernels(), state.field(), query, prepared));
    if (hits.empty()) return std::size_t{0};
    return collection::search_one({state.kernels(), state.field(), version, allowed.get()},
                                  prepared.data(),
                                  worker_count(options, version, 1),
                                  hits);
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
        return count_allowed(*version, *allowed_rows(filter, *version));
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
        std::vector<float> prepared;
        VECDB_TRY(
            collection::prepare_queries(state_->kernels(), state_->field(), queries, prepared));
        SearchResult result(queries.rows(), options.k);
        if (options.k == 0 || queries.rows() == 0) return result;
        const auto version = state_->version();
        const auto allowed = allowed_rows(options.filter, *version);
        collection::search_many({state_->kernels(), state_->field(), *version, allowed.get()},
                                prepared.data(),
                                worker_count(options, *version, queries.rows()),
                                result);
        return result;
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
        VECDB_ASSIGN(
            const std::size_t found,
            search_version(*state_, *state_->version(), query, options, hits.first(options.k)));
        collection::pad(state_->field().metric, hits.subspan(found));
        return found;
    });
}

Status Collection::prepare(const Filter& filter) const {
    return guard([&]() -> Status {
        (void)allowed_rows(filter, *state_->version());
        return {};
    });
}

CollectionStats Collection::stats() const noexcept {
    const auto version = state_->version();
    return {.live_rows = version->live_rows,
            .dead_rows = version->rows - version->live_rows,
            .memory_bytes = version->memory_bytes};
}

}  // namespace vecdb
