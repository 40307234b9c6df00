#pragma once

/// \file
/// What a search is asked and what it answers.

#include <vecdb/columns.h>
#include <vecdb/export.h>
#include <vecdb/filter.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vecdb {

struct SearchReport;  // vecdb/search_report.h

/// A state of a collection: after that many writes (ReadHandle::sequence), or as it was at a time.
using Moment = std::variant<std::uint64_t, std::chrono::system_clock::time_point>;

/// How one search is to run.
struct SearchOptions {
    /// Rows wanted, 0 to 16,384. 0 gives an empty answer.
    std::size_t k = 10;
    /// Nearest rows passed over before those: page p of n hits has {.k = n, .offset = p * n}.
    /// offset + k is at most 16,384; ReadHandle::cursor goes on from there.
    std::size_t offset = 0;
    /// Leave out rows whose score is worse than this, in the metric's own terms: keep score <= it
    /// under l2, hamming and jaccard, score >= it under ip and cosine (elsewhere: min_score).
    std::optional<float> score_threshold = {};
    /// Only the nearest row of each value of this scalar field, a kBool, kInt64 or kString: the k
    /// nearest groups. Rows without a value are one group. Empty: all rows. search_async refuses
    /// it.
    std::string group_by = {};
    /// The vector field that the query is compared with; empty: the first of the schema.
    std::string field = {};
    /// Which rows may be returned; all by default. Keep and reuse a filter: see Filter.
    Filter filter = {};
    /// Threads used at most, 1 to 1,024; 0 means as many as DatabaseOptions::threads allows. 1 is
    /// the calling thread alone. The answer does not depend on it.
    std::size_t threads = 1;
    /// Compare every allowed row, whatever the index: the true nearest, to check an index against.
    /// Slower than an index of FlatOptions, which is exact too.
    bool exact = false;
    /// hnsw: candidates kept during the walk, up to 65,536; 0 means the larger of k and 64. More:
    /// better recall, slower.
    std::size_t ef = 0;
    /// ivf: lists searched, up to 2^24; 0 means an eighth of them, and under a filter more. More:
    /// better recall, slower.
    std::size_t nprobe = 0;
    /// hnsw, and ivf with codes kPq4 or kOpq4: candidates compared by their floats at the end, up
    /// to 65,536; 0 lets the index choose (ivf: 20 k, at least 200), less than k counts as k. More:
    /// better recall, slower.
    std::size_t rerank = 0;
    /// ivf with codes kSq4: how much of the proved error bound of a code to believe, 0 to 1; 1
    /// loses nothing within the lists searched, less is faster, 0 lets the index choose.
    float bound = 0.0F;
    /// Search these partitions only, by name, in any order; all when empty. A name of none fails
    /// with kNotFound; a Partition's search takes none.
    std::vector<std::string> partitions = {};
    /// Answer from the rows that are there when some of a partition are in files that are damaged;
    /// otherwise a search of it fails with kCorruption.
    bool allow_partial = false;
    /// Search the rows as they were then. Retention says how far back that may be; older moments
    /// fail with kNotFound, a sequence number not reached yet with kInvalidArgument, a later time
    /// is the present.
    std::optional<Moment> as_of = {};
    /// Of range_search only: leave out rows whose score is better than this.
    std::optional<float> inner_radius = {};
    /// Where to write what the search did, for explaining and tuning; null: nowhere, at no cost.
    /// Written when the search succeeds. search_async refuses it.
    SearchReport* report = nullptr;

    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// The answer to one query: nearest first, equal scores by ascending id. size() is the true
/// count: min(k, rows allowed, less those that the offset passes over or the threshold leaves out).
using Hits = std::vector<Hit>;

/// The answer to one query, and the values of the scalar fields asked for, in that order, hit by
/// hit.
struct FoundRows {
    Hits hits;
    std::vector<ScalarColumn> columns;
};

/// The answers to a matrix of queries.
/// Threads: a value; const methods may run concurrently.
class SearchResult {
  public:
    SearchResult() = default;
    /// Make room for `queries` answers of up to `k` hits.
    SearchResult(std::size_t queries, std::size_t k)
        : k_(k), hits_(queries * k), counts_(queries, 0) {}

    [[nodiscard]] std::size_t queries() const noexcept { return counts_.size(); }
    [[nodiscard]] std::size_t k() const noexcept { return k_; }

    /// Return the hits of one query, nearest first, true count; query < queries().
    [[nodiscard]] std::span<const Hit> operator[](std::size_t query) const noexcept {
        return {hits_.data() + query * k_, counts_[query]};
    }

    /// Return queries x k hits in row-major order; places past a query's count hold id kNoId and
    /// the worst score of the metric (infinity for l2, -infinity otherwise).
    [[nodiscard]] std::span<const Hit> padded() const noexcept { return hits_; }

    /// For those who fill an answer: the k places of one query and its count.
    [[nodiscard]] std::span<Hit> slots(std::size_t query) noexcept {
        return {hits_.data() + query * k_, k_};
    }
    void set_count(std::size_t query, std::size_t count) noexcept { counts_[query] = count; }

  private:
    std::size_t k_ = 0;
    std::vector<Hit> hits_;
    std::vector<std::size_t> counts_;
};

}  // namespace vecdb
