#pragma once

/// \file
/// Notes of what a search does, for SearchOptions::report.

#include "collection/version.h"
#include "mutex.h"

#include <vecdb/index.h>
#include <vecdb/schema.h>
#include <vecdb/search_report.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace vecdb::collection {

/// Takes notes of one call, if they are wanted; otherwise every function returns at once.
/// Threads: add() is internally synchronised, the others are called by the thread of the call.
class SearchRecorder {
  public:
    using Clock = std::chrono::steady_clock;

    /// The parts of a call, one at a time.
    enum class Stage : std::uint8_t { kPrepare, kFilter, kIndex, kScan, kFinish };
    static constexpr std::size_t kStages = 5;

    /// Begin with Stage::kPrepare. \param report  where the notes go at the end; may be null
    explicit SearchRecorder(SearchReport* report);

    [[nodiscard]] bool on() const noexcept { return notes_ != nullptr; }

    /// End the stage under way and begin another one, perhaps again.
    void enter(Stage stage) noexcept;
    /// Note that rows are chosen, which is Stage::kFilter, to be searched once more.
    void begin_round() noexcept;
    /// Note a segment with live rows, of which so many are allowed. \param index  null: none is
    /// asked
    void found(const PartitionVersion& partition,
               const SegmentVersion& segment,
               const Index* index,
               std::size_t allowed);
    /// Note what was done in a segment that was found.
    void add(const SegmentVersion& segment, const SearchCounters& counters, Clock::duration took);

    /// What is known at the end.
    struct Outcome {
        std::size_t queries = 0;
        std::size_t k = 0;
        std::size_t hits = 0;
        std::size_t threads = 1;
    };
    /// Write the report of a call that succeeded.
    void finish(const VectorField& field, bool exact, const Outcome& outcome);

  private:
    struct Notes;
    struct Deleter {
        void operator()(Notes* notes) const noexcept;
    };

    std::unique_ptr<Notes, Deleter> notes_;
    SearchReport* report_;
};

/// Measures the search of one segment: give counters() to it.
class SegmentNote {
  public:
    SegmentNote(SearchRecorder* recorder, const SegmentVersion& segment) noexcept
        : recorder_(recorder != nullptr && recorder->on() ? recorder : nullptr), segment_(segment) {
        if (recorder_ != nullptr) begin_ = SearchRecorder::Clock::now();
    }
    ~SegmentNote() {
        if (recorder_ == nullptr) return;
        recorder_->add(segment_, counters_, SearchRecorder::Clock::now() - begin_);
    }
    SegmentNote(const SegmentNote&) = delete;
    SegmentNote& operator=(const SegmentNote&) = delete;

    /// Return where to count; null when nobody wants to know.
    [[nodiscard]] SearchCounters* counters() noexcept {
        return recorder_ != nullptr ? &counters_ : nullptr;
    }

  private:
    SearchRecorder* recorder_;
    const SegmentVersion& segment_;
    SearchRecorder::Clock::time_point begin_;
    SearchCounters counters_;
};

}  // namespace vecdb::collection
