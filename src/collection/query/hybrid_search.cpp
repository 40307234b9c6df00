#include "collection/query/hybrid_search.h"

#include "check.h"
#include "collection/query/query_search.h"
#include "collection/query/source.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vecdb::collection {
namespace {

Status check_parts(std::span<const FieldQuery> parts) {
    if (parts.empty() || parts.size() > kMaxFieldQueries) {
        return {StatusCode::kInvalidArgument,
                "there are " + std::to_string(parts.size()) + " parts; allowed are 1 to " +
                    std::to_string(kMaxFieldQueries)};
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
        if (parts[i].options.as_of == parts[0].options.as_of) continue;
        return {StatusCode::kInvalidArgument,
                "as_of of part " + std::to_string(i) +
                    " is not that of part 0; all parts search the rows of one moment"};
    }
    return {};
}

/// Say in which part a failure was found.
Status in_part(std::size_t number, const Status& status) {
    if (status.ok()) return status;
    return {status.code(), "part " + std::to_string(number) + ": " + status.message()};
}

/// The searches of all parts in one version.
class Parts {
  public:
    explicit Parts(const CollectionState& state) : state_(state) {}

    /// Check all options and queries.
    Status begin(const CollectionState::VersionPointer& pinned,
                 const PartitionInfo* partition,
                 std::span<const FieldQuery> parts) {
        VECDB_TRY(check_parts(parts));
        VECDB_TRY(parts.front().options.validate());
        VECDB_ASSIGN(const Source source,
                     source_of(state_, pinned, partition, parts.front().options));
        options_.reserve(parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i) {
            options_.push_back(parts[i].options);
            options_.back().as_of.reset();
            searches_.push_back(std::make_unique<QuerySearch>(state_, options_.back()));
            VECDB_TRY(
                in_part(i, searches_.back()->begin(source.version, partition, parts[i].query)));
        }
        return {};
    }

    /// Search all parts.
    Status search() {
        for (std::size_t i = 0; i < searches_.size(); ++i) {
            Hits hits(searches_[i]->most_hits());
            const Result<std::size_t> found = searches_[i]->search(hits);
            VECDB_TRY(in_part(i, found.status()));
            hits.resize(*found);
            hits_.push_back(std::move(hits));
        }
        return {};
    }

    /// Give every part the scores of the rows that only others found.
    Status complete() {
        std::unordered_set<Id> all;
        for (const Hits& hits : hits_) {
            for (const Hit& hit : hits)
                all.insert(hit.id);
        }
        for (std::size_t i = 0; i < hits_.size(); ++i) {
            std::unordered_set<Id> missing = all;
            for (const Hit& hit : hits_[i])
                missing.erase(hit.id);
            const std::vector<Id> ids(missing.begin(), missing.end());
            VECDB_ASSIGN(const Hits others, searches_[i]->score(ids));
            hits_[i].insert(hits_[i].end(), others.begin(), others.end());
        }
        return {};
    }

    [[nodiscard]] std::vector<std::span<const Hit>> lists() const {
        return {hits_.begin(), hits_.end()};
    }
    [[nodiscard]] std::vector<ScoreKind> kinds() const {
        std::vector<ScoreKind> kinds;
        for (const auto& search : searches_)
            kinds.push_back(score_kind(search->field().metric));
        return kinds;
    }

  private:
    const CollectionState& state_;
    std::vector<SearchOptions> options_;  // never more than reserved: searches view them
    std::vector<std::unique_ptr<QuerySearch>> searches_;
    std::vector<Hits> hits_;
};

Result<Hits> fuse(Parts& parts, const RankFusionOptions& how) {
    VECDB_TRY(how.validate(parts.kinds().size()));
    VECDB_TRY(parts.search());
    return fuse_reciprocal_rank(parts.lists(), how);
}

Result<Hits> fuse(Parts& parts, WeightedFusionOptions how) {
    if (!how.kinds.empty()) {
        return Status(StatusCode::kInvalidArgument,
                      "kinds has " + std::to_string(how.kinds.size()) +
                          " entries; it must be empty: the fields say what their scores are");
    }
    how.kinds = parts.kinds();
    VECDB_TRY(how.validate(how.kinds.size()));
    VECDB_TRY(parts.search());
    VECDB_TRY(parts.complete());
    return fuse_weighted(parts.lists(), how);
}

}  // namespace

Result<Hits> hybrid_search(const CollectionState& state,
                           const CollectionState::VersionPointer& pinned,
                           const PartitionInfo* partition,
                           std::span<const FieldQuery> parts,
                           const FusionOptions& how) {
    Parts searches(state);
    VECDB_TRY(searches.begin(pinned, partition, parts));
    return std::visit([&](const auto& options) { return fuse(searches, options); }, how);
}

}  // namespace vecdb::collection
