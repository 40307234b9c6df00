#include "collection/query/async_search.h"

#include "check.h"
#include "collection/query/page.h"
#include "collection/query/scratch.h"
#include "collection/query/search.h"
#include "collection/query/segment_targets.h"

#include <vecdb/merge_hits.h>

#include <algorithm>
#include <span>
#include <utility>

namespace vecdb::collection {

void deliver(const AsyncDone& done, Result<Hits> result) noexcept {
    try {
        done(std::move(result));
    } catch (...) {
        // Nobody is there who could be told.
    }
}

AsyncSearch::AsyncSearch(AsyncQuestion question, std::size_t tasks)
    : question_(std::move(question)),
      partitions_(question_->partitions.size()),
      gathered_(std::min(tasks, partitions_)),
      unfinished_(partitions_) {}

AsyncSearch::~AsyncSearch() {
    if (!done_) return;
    Status status = failure();
    // The message is short enough not to allocate.
    finish(status.ok() ? Status(StatusCode::kCancelled, "not executed") : std::move(status));
}

void AsyncSearch::start(std::shared_ptr<AsyncSearch> search,
                        Executor& executor,
                        AsyncDone done) noexcept {
    search->done_ = std::move(done);
    if (search->partitions_ == 0) return search->finish(Hits());
    bool posted = false;
    Status status = guard([&]() -> Status {
        for (Gathered& gathered : search->gathered_) {
            if (search->next_.load(std::memory_order_relaxed) >= search->partitions_) break;
            executor.post([search, &gathered] { search->work(gathered); });
            posted = true;
        }
        return {};
    });
    // Tasks that were posted before do all the work.
    if (!posted) search->fail(std::move(status));
}

void AsyncSearch::work(Gathered& gathered) noexcept {
    for (;;) {
        const std::size_t number = next_.fetch_add(1, std::memory_order_relaxed);
        if (number >= partitions_) return;
        if (!failed_.load(std::memory_order_relaxed)) {
            Status status = guard([&]() -> Status {
                search(*question_->partitions[number], gathered);
                return {};
            });
            if (!status.ok()) fail(std::move(status));
        }
        if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) finish(merged());
    }
}

void AsyncSearch::search(const PartitionVersion& partition, Gathered& gathered) const {
    const AsyncQuestion& asked = *question_;
    Scratch<SegmentTarget> segments;
    find_targets(partition, asked.number, asked.options, *segments);
    if (segments->empty()) return;
    const std::size_t k = asked.options.k;
    Scratch<Hit> slots;
    slots->resize(k);
    index::TopK best(*slots);
    search_one({asked.kernels, asked.field, asked.options, *segments}, asked.query.data(), best);
    if (!gathered.best) {
        gathered.slots.resize(k);
        gathered.best.emplace(gathered.slots);
    }
    gathered.best->merge(best);
}

Result<Hits> AsyncSearch::merged() {
    return guard([&]() -> Result<Hits> {
        VECDB_TRY(failure());
        const Metric metric = question_->field.metric;
        std::vector<std::span<const Hit>> lists;
        for (Gathered& gathered : gathered_) {
            if (!gathered.best) continue;
            const std::span<Hit> hits = gathered.best->sort();
            to_scores(metric, hits);
            lists.emplace_back(hits);
        }
        VECDB_ASSIGN(Hits hits, merge_hits(metric, lists, question_->options.k));
        hits.resize(keep_page(metric, question_->options, hits));
        return hits;
    });
}

void AsyncSearch::fail(Status status) noexcept {
    const Lock lock(mutex_);
    if (failure_.ok()) failure_ = std::move(status);
    failed_.store(true, std::memory_order_relaxed);
}

Status AsyncSearch::failure() {
    const Lock lock(mutex_);
    return std::move(failure_);
}

void AsyncSearch::finish(Result<Hits> result) noexcept {
    question_.reset();
    deliver(std::exchange(done_, nullptr), std::move(result));
}

}  // namespace vecdb::collection
