#include "collection/query/search_recorder.h"

#include <vecdb/simd.h>
#include <vecdb/types.h>

#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>

namespace vecdb::collection {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;

std::string count_text(double count) {
    return std::to_string(static_cast<std::uint64_t>(std::llround(count)));
}

/// Say why a segment was searched as it was.
std::string reason_for(const SegmentReport& segment, bool exact) {
    const SearchCounters& did = segment.counters;
    if (segment.allowed_rows == 0) return "no row is allowed";
    if (exact) return "SearchOptions::exact asks for every row";
    if (segment.index.empty()) return "the segment has no index";
    if (did.plan == SearchPlan::kNone) return "the index does not tell";
    if (did.index_cost == 0) return "the index has one way";
    const std::string costs = "estimated cost " + count_text(did.index_cost) + " against " +
                              count_text(did.scan_cost) + " for the allowed rows";
    if (did.plan == SearchPlan::kGraphRows) return costs + "; it brought too few";
    const bool scanned = did.plan == SearchPlan::kRows || did.plan == SearchPlan::kCodes;
    return (scanned ? "the index has an " : "") + costs;
}

}  // namespace

/// All that is noted.
struct SearchRecorder::Notes {
    Clock::time_point begin;
    Clock::time_point stage_begin;
    Stage stage = Stage::kPrepare;
    Clock::duration stages[kStages] = {};
    std::size_t rounds = 0;
    Mutex mutex;
    std::vector<SegmentReport> segments VECDB_GUARDED_BY(mutex);
    std::unordered_map<const SegmentVersion*, std::size_t> places VECDB_GUARDED_BY(mutex);
};

void SearchRecorder::Deleter::operator()(Notes* notes) const noexcept {
    delete notes;
}

SearchRecorder::SearchRecorder(SearchReport* report) : report_(report) {
    if (report == nullptr) return;
    notes_.reset(new Notes);
    notes_->begin = Clock::now();
    notes_->stage_begin = notes_->begin;
}

void SearchRecorder::enter(Stage stage) noexcept {
    if (!on()) return;
    const auto now = Clock::now();
    notes_->stages[static_cast<std::size_t>(notes_->stage)] += now - notes_->stage_begin;
    notes_->stage_begin = now;
    notes_->stage = stage;
}

void SearchRecorder::begin_round() noexcept {
    if (!on()) return;
    ++notes_->rounds;
    enter(Stage::kFilter);
}

void SearchRecorder::found(const PartitionVersion& partition,
                           const SegmentVersion& segment,
                           const Index* index,
                           std::size_t allowed) {
    if (!on() || notes_->rounds > 1) return;
    SegmentReport report;
    report.partition = partition.info->name;
    if (index != nullptr) report.index = index->capabilities().name;
    report.rows = segment.rows;
    report.live_rows = segment.live_rows;
    report.allowed_rows = allowed;
    const Lock lock(notes_->mutex);
    notes_->places.emplace(&segment, notes_->segments.size());
    notes_->segments.push_back(std::move(report));
}

void SearchRecorder::add(const SegmentVersion& segment,
                         const SearchCounters& counters,
                         Clock::duration took) {
    if (!on()) return;
    const Lock lock(notes_->mutex);
    SegmentReport& report = notes_->segments[notes_->places.at(&segment)];
    SearchCounters& sum = report.counters;
    sum.visited += counters.visited;
    sum.distances += counters.distances;
    sum.rescored += counters.rescored;
    sum.plan = counters.plan;
    sum.index_cost = counters.index_cost;
    sum.scan_cost = counters.scan_cost;
    report.microseconds += Microseconds(took).count();
}

void SearchRecorder::finish(const VectorField& field, bool exact, const Outcome& outcome) {
    if (!on()) return;
    enter(Stage::kFinish);
    SearchReport made;
    made.field = field.name;
    made.metric = to_string(field.metric);
    if (const auto level = active_simd_level(); level.ok()) made.simd_level = *level;
    made.queries = outcome.queries;
    made.k = outcome.k;
    made.hits = outcome.hits;
    made.threads = outcome.threads;
    made.rounds = notes_->rounds;
    {
        const Lock lock(notes_->mutex);
        made.segments = std::move(notes_->segments);
    }
    for (SegmentReport& segment : made.segments) {
        segment.plan = segment.counters.plan;
        segment.reason = reason_for(segment, exact);
        made.live_rows += segment.live_rows;
        made.allowed_rows += segment.allowed_rows;
    }
    enter(Stage::kFinish);
    const auto stage = [&](Stage which) {
        return Microseconds(notes_->stages[static_cast<std::size_t>(which)]).count();
    };
    made.prepare_us = stage(Stage::kPrepare);
    made.filter_us = stage(Stage::kFilter);
    made.index_us = stage(Stage::kIndex);
    made.scan_us = stage(Stage::kScan);
    made.finish_us = stage(Stage::kFinish);
    made.total_us = Microseconds(notes_->stage_begin - notes_->begin).count();
    *report_ = std::move(made);
}

}  // namespace vecdb::collection
