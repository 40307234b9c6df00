#include "collection/query/query_search.h"

#include "check.h"
#include "collection/query/grouping.h"
#include "collection/query/page.h"
#include "collection/query/prepared_queries.h"
#include "collection/query/range_search.h"
#include "collection/query/search.h"
#include "index/top_k.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace vecdb::collection {
namespace {

using Stage = SearchRecorder::Stage;

/// Rows looked for in the first round of a search for groups, for each group wanted, and at least.
constexpr std::size_t kRowsPerGroup = 4;
constexpr std::size_t kLeastGroupRows = 64;

}  // namespace

Status SearchedRows::find(const CollectionState::VersionPointer& pinned,
                          const PartitionInfo* partition,
                          std::size_t field) {
    field_ = field;
    VECDB_ASSIGN(source_, source_of(state_, pinned, partition, options_));
    return find_again(options_);
}

Status SearchedRows::find_again(const SearchOptions& options) {
    if (recorder_ != nullptr) recorder_->begin_round();
    segments_->clear();
    VECDB_TRY(for_each_searched(state_, source_, options, [&](const PartitionVersion& each) {
        find_targets(each, field_, options, *segments_, recorder_);
    }));
    if (recorder_ != nullptr) recorder_->enter(Stage::kFinish);
    return {};
}

std::size_t SearchedRows::count() {
    std::size_t count = 0;
    for (const SegmentTarget& segment : *segments_)
        count += segment.live;
    return count;
}

CallThreads threads_for(const CollectionState& state,
                        const SearchTarget& target,
                        std::size_t queries) {
    const std::size_t useful = useful_threads(target, queries);
    const std::size_t allowed = target.options.threads;
    return {state.services(), allowed == 0 ? useful : std::min(allowed, useful)};
}

Status QuerySearch::begin(const CollectionState::VersionPointer& pinned,
                          const PartitionInfo* partition,
                          MatrixView queries) {
    VECDB_TRY(options_.validate());
    if (!options_.group_by.empty())
        VECDB_TRY(check_group_field(state_.schema().scalars, options_.group_by));
    VECDB_ASSIGN(field_, state_.find_vector(options_.field));
    VECDB_TRY(prepare_queries(state_.kernels(), field(), queries, *prepared_));
    queries_ = queries.rows();
    return rows_.find(pinned, partition, field_);
}

const std::byte* QuerySearch::query(std::size_t number) noexcept {
    return prepared_->data() + number * vector_bytes(field().element_type, field().dim);
}

std::size_t QuerySearch::search_nearest(const std::byte* query, std::span<Hit> hits) {
    const SearchTarget target = rows_.target();
    const CallThreads threads = threads_for(state_, target, 1);
    threads_ = threads.count();
    return collection::search_one(target, query, threads.count(), hits);
}

void QuerySearch::search_nearest(SearchResult& result) {
    const SearchTarget target = rows_.target();
    const CallThreads threads = threads_for(state_, target, queries_);
    threads_ = threads.count();
    search_many(target, prepared_->data(), threads.count(), result);
}

Result<std::vector<Scalar>> QuerySearch::group_values(std::span<const Hit> hits) const {
    VECDB_ASSIGN(std::vector<ScalarColumn> columns, values(hits, {&options_.group_by, 1}));
    return std::move(columns.front().values);
}

Result<std::vector<ScalarColumn>> QuerySearch::values(std::span<const Hit> hits,
                                                      std::span<const std::string> fields) const {
    std::vector<Id> ids;
    ids.reserve(hits.size());
    for (const Hit& hit : hits)
        ids.push_back(hit.id);
    VECDB_ASSIGN(const auto found, state_.places(source().partition, source().version, ids));
    return state_.values(found, fields);
}

Result<Hits> QuerySearch::search_groups(const std::byte* query) {
    Groups groups(options_.group_by);
    const std::size_t wanted = hits_wanted(options_);
    const Metric metric = field().metric;
    std::size_t room = std::max(wanted * kRowsPerGroup, kLeastGroupRows);
    SearchOptions others = options_;
    Hits hits;
    for (;;) {
        const std::size_t rows = rows_.count();
        hits.resize(std::min({room, rows, kMaxK}));
        if (hits.empty()) break;
        hits.resize(search_nearest(query, hits));
        VECDB_ASSIGN(const std::vector<Scalar> values, group_values(hits));
        groups.take(hits, values);
        const bool past = options_.score_threshold &&
                          count_within(metric, *options_.score_threshold, hits) < hits.size();
        if (groups.size() >= wanted || hits.size() == rows || past) break;
        others.filter = options_.filter && groups.others();
        VECDB_TRY(rows_.find_again(others));
        room *= 2;
    }
    // An index that is not exact may have found a nearer one in a later round.
    sort_by_score(metric, groups.hits());
    return std::move(groups.hits());
}

Result<std::size_t> QuerySearch::search_one(const std::byte* query, std::span<Hit> hits) {
    const Metric metric = field().metric;
    if (hits.empty()) return 0;
    if (options_.group_by.empty() && options_.offset == 0) {
        const std::size_t found = search_nearest(query, hits);
        return keep_page(metric, options_, hits.first(found));
    }
    Scratch<Hit> nearest;
    if (options_.group_by.empty()) {
        nearest->resize(std::min(hits_wanted(options_), rows_.count()));
        nearest->resize(search_nearest(query, *nearest));
    } else {
        VECDB_ASSIGN(*nearest, search_groups(query));
    }
    const std::size_t kept = keep_page(metric, options_, *nearest);
    const std::size_t count = std::min(kept, hits.size());
    std::copy_n(nearest->begin(), count, hits.begin());
    return count;
}

Result<std::size_t> QuerySearch::search(std::span<Hit> hits) {
    VECDB_ASSIGN(const std::size_t count, search_one(query(0), hits));
    finish(count);
    return count;
}

Status QuerySearch::search(SearchResult& result) {
    const Metric metric = field().metric;
    std::size_t found = 0;
    if (result.k() == 0 || queries_ == 0) {
        finish(found);
        return {};
    }
    const auto set = [&](std::size_t q, std::size_t count) {
        result.set_count(q, count);
        pad(metric, result.slots(q).subspan(count));
        found += count;
    };
    if (!options_.group_by.empty()) {
        for (std::size_t q = 0; q < queries_; ++q) {
            if (q > 0) VECDB_TRY(rows_.find_again(options_));
            VECDB_ASSIGN(const std::size_t count, search_one(query(q), result.slots(q)));
            set(q, count);
        }
    } else if (options_.offset > 0) {
        SearchResult all(queries_, hits_wanted(options_));
        search_nearest(all);
        for (std::size_t q = 0; q < queries_; ++q) {
            const std::span<Hit> hits = all.slots(q).first(all[q].size());
            const std::size_t count = keep_page(metric, options_, hits);
            std::copy_n(hits.begin(), count, result.slots(q).begin());
            set(q, count);
        }
    } else {
        search_nearest(result);
        for (std::size_t q = 0; q < queries_; ++q)
            set(q, keep_page(metric, options_, result.slots(q).first(result[q].size())));
    }
    finish(found);
    return {};
}

Result<Hits> QuerySearch::score(std::span<const Id> ids) {
    VECDB_ASSIGN(const auto found, state_.places(source().partition, source().version, ids));
    Hits hits;
    hits.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!found.rows[i]) continue;
        const SegmentVersion& segment = found.segment(i);
        const std::size_t position = segment.position(found.rows[i]->row, field_);
        const index::FlatBlock block =
            segment.block(position / segment.rows_per_block, nullptr, field_);
        const auto row = static_cast<std::uint32_t>(position % segment.rows_per_block);
        Hit hit{ids[i], 0.0F};
        index_rows(field(), block).distances(query(0), {&row, 1}, {&hit.score, 1});
        hits.push_back(hit);
    }
    to_scores(field().metric, hits);
    return hits;
}

Result<Hits> QuerySearch::range_search(float radius) {
    const Metric metric = field().metric;
    VECDB_TRY(check_radius(metric, radius));
    VECDB_TRY(check_ring(metric, options_.inner_radius, radius));
    const SearchTarget target = rows_.target();
    const CallThreads threads = threads_for(state_, target, 1);
    threads_ = threads.count();
    Hits hits = collection::range_search(target, query(0), radius, threads.count());
    if (options_.inner_radius) {
        const auto ring = std::find_if(hits.begin(), hits.end(), [&](const Hit& hit) {
            return !is_better(metric, hit.score, *options_.inner_radius);
        });
        hits.erase(hits.begin(), ring);
    }
    if (!options_.group_by.empty()) {
        VECDB_ASSIGN(const std::vector<Scalar> values, group_values(hits));
        Groups groups(options_.group_by);
        groups.take(hits, values);
        hits = std::move(groups.hits());
    }
    finish(hits.size());
    return hits;
}

void QuerySearch::finish(std::size_t hits) {
    recorder_.finish(field(), options_.exact, {queries_, hits_wanted(options_), hits, threads_});
}

}  // namespace vecdb::collection
