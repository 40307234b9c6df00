#include "collection/operate/rebuild.h"

#include "check.h"
#include "collection/number_text.h"
#include "collection/operate/carry_over.h"
#include "collection/progress.h"
#include "collection/vectors.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::collection {
namespace {

using Clock = std::chrono::steady_clock;

/// Parts of the whole work at which its steps end.
constexpr double kWritten = 0.2;
constexpr double kBuilt = 0.9;

/// Passes over the writes that came meanwhile before writers have to wait for the last one.
constexpr int kCarryPasses = 3;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Check a number of rows against that of the live collection.
Status check_bounds(const char* what,
                    std::size_t rows,
                    std::size_t live,
                    const CountBounds& bounds) {
    const std::size_t difference = rows > live ? rows - live : live - rows;
    const auto failed = [&](const std::string& limit) {
        return Status(StatusCode::kFailedPrecondition,
                      std::string(what) + " has " + std::to_string(rows) +
                          " rows, the live collection " + std::to_string(live) +
                          ": a difference of " + std::to_string(difference) + ", at most " + limit);
    };
    if (bounds.rows && difference > *bounds.rows) {
        return failed(std::to_string(*bounds.rows) + " allowed");
    }
    if (bounds.part && static_cast<double>(difference) > *bounds.part * static_cast<double>(live)) {
        return failed(number_text(*bounds.part) + " of the live rows allowed");
    }
    return {};
}

/// The alias is this rebuild's alone while it lives.
class Reservation {
  public:
    Reservation(DatabaseState& state, std::string_view alias) : state_(state), alias_(alias) {}
    ~Reservation() {
        if (!held_) return;
        const WriteLock lock(state_.mutex);
        state_.rebuilding.erase(alias_);
    }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

    /// Take it and return what the alias stands for.
    Result<std::shared_ptr<CollectionState>> take() {
        const WriteLock lock(state_.mutex);
        VECDB_ASSIGN(auto found, state_.find_alias(alias_));
        held_ = state_.rebuilding.insert(alias_).second;
        if (held_) return found;
        return Status(StatusCode::kFailedPrecondition,
                      "alias '" + alias_ + "' is being rebuilt; 1 rebuild at a time");
    }

  private:
    DatabaseState& state_;
    const std::string alias_;
    bool held_ = false;
};

/// Check that vectors of a field can be written to another one.
Status check_alike(const VectorField& from, const VectorField& to) {
    if (from.dim == to.dim && from.element_type == to.element_type) return {};
    const auto name = [](const VectorField& field) {
        return std::to_string(field.dim) + " x " + std::string(to_string(field.element_type));
    };
    return {StatusCode::kInvalidArgument,
            "carry_over from vectors of " + name(from) + " to vectors of " + name(to) +
                "; they must be alike"};
}

class Rebuild {
  public:
    Rebuild(DatabaseState& state,
            const MakeHandle& handle_of,
            std::string_view alias,
            std::shared_ptr<CollectionState> live,
            const RebuildSource& source,
            const RebuildOptions& options)
        : state_(state),
          handle_of_(handle_of),
          alias_(alias),
          live_(std::move(live)),
          begin_(live_->version()),
          source_(source),
          options_(options) {}
    ~Rebuild() {
        if (made_state_ == nullptr || switched_) return;
        // Somebody may have dropped it and given its name to another one.
        (void)guard([&] {
            return state_.take_collection(made_state_->name(), made_state_.get()).status();
        });
    }
    Rebuild(const Rebuild&) = delete;
    Rebuild& operator=(const Rebuild&) = delete;

    Result<RebuildReport> run() {
        report_.previous = live_->name();
        report_.previous_rows = begin_->live_rows;
        options_.control.report(0.0);
        VECDB_TRY(
            check_bounds("the source", source_.rows, begin_->live_rows, options_.guards.source));
        VECDB_TRY(check_fields());
        VECDB_TRY(create());
        VECDB_TRY(timed(report_.write_seconds, [&] { return write_all(); }));
        VECDB_TRY(timed(report_.build_seconds, [&] { return build(); }));
        VECDB_TRY(check_count());
        VECDB_TRY(timed(report_.check_seconds, [&] { return check_and_warm_up(); }));
        VECDB_TRY(finish());
        options_.control.report(1.0);
        return std::move(report_);
    }

  private:
    template <class Step>
    static Status timed(double& seconds, Step step) {
        const auto begin = Clock::now();
        Status status = step();
        seconds = seconds_since(begin);
        return status;
    }

    Status check_fields() const;
    Status create();
    Status write_all();
    Status write(const RowBatch& batch);
    Status build();
    Status check_count() const;
    Result<FetchedVectors> sample() const;
    Status check_and_warm_up();
    Status measure_recall(const FetchedVectors& queries);
    Status carry(const CollectionState::VersionPointer& now);
    Status finish();

    DatabaseState& state_;
    const MakeHandle& handle_of_;
    const std::string alias_;
    const std::shared_ptr<CollectionState> live_;
    CollectionState::VersionPointer begin_;  // of live_: what came later is to be carried over
    const RebuildSource& source_;
    const RebuildOptions& options_;
    std::optional<Collection> made_;
    std::shared_ptr<CollectionState> made_state_;
    bool switched_ = false;
    RebuildReport report_;
};

/// Check that the guards search a field of the new collection, and that rows of the live one could
/// be written to it.
Status Rebuild::check_fields() const {
    const Schema& schema = options_.schema ? *options_.schema : live_->schema();
    VECDB_TRY(find_vector_field(schema.vectors, options_.guards.search.field).status());
    if (!options_.carry_over || !options_.schema) return {};
    VECDB_TRY(check_alike(live_->field(), schema.vectors.front()));
    for (std::size_t number = 1; number < schema.vectors.size(); ++number) {
        const VectorField& to = schema.vectors[number];
        const auto from = live_->find_vector(to.name);
        if (!from.ok() || *from == 0) {
            return {StatusCode::kInvalidArgument,
                    "carry_over to vectors of field '" + to.name +
                        "', which the live collection does not have"};
        }
        VECDB_TRY(check_alike(live_->field(*from), to));
    }
    return {};
}

Status Rebuild::create() {
    const Schema& schema = options_.schema ? *options_.schema : live_->schema();
    for (std::size_t number = 1; !made_; ++number) {
        const bool named = !options_.name.empty();
        const std::string name = named ? options_.name : alias_ + "." + std::to_string(number);
        auto made = state_.create_collection(name, schema, true);
        const bool taken = made.status().code() == StatusCode::kAlreadyExists;
        if (!made.ok() && (named || !taken)) return std::move(made).status();
        if (!made.ok()) continue;
        made_state_ = *std::move(made);
        made_ = handle_of_(made_state_);
    }
    report_.collection = made_->name();
    return {};
}

Status Rebuild::write_all() {
    while (true) {
        VECDB_TRY(options_.control.check());
        VECDB_ASSIGN(const RowBatch batch, source_.next());
        if (batch.ids.empty()) return {};
        VECDB_TRY(write(batch));
        const auto rows = static_cast<double>(std::max(source_.rows, made_->count()));
        options_.control.report(kWritten * static_cast<double>(made_->count()) / rows);
    }
}

Status Rebuild::write(const RowBatch& batch) {
    if (batch.partition.empty()) return made_->insert(batch.ids, batch.vectors, batch.columns);
    auto partition = made_->partition(batch.partition);
    if (!partition.ok()) partition = made_->create_partition(batch.partition);
    VECDB_ASSIGN(Partition into, std::move(partition));
    return into.insert(batch.ids, batch.vectors, batch.columns);
}

Status Rebuild::build() {
    return made_->build_index(
        {.threads = options_.threads, .control = part_of(options_.control, kWritten, kBuilt)});
}

Status Rebuild::check_count() const {
    const std::size_t rows = made_->count();
    if (rows != source_.rows) {
        return {StatusCode::kFailedPrecondition,
                "the source gave " + std::to_string(rows) + " rows; it had announced " +
                    std::to_string(source_.rows)};
    }
    return check_bounds("the new collection", rows, report_.previous_rows, options_.guards.built);
}

/// Fetch evenly chosen vectors of the new collection, of the field that the guards search.
Result<FetchedVectors> Rebuild::sample() const {
    VECDB_ASSIGN(const std::size_t field, made_state_->find_vector(options_.guards.search.field));
    const auto version = made_state_->version();
    const std::size_t count = std::min(options_.guards.queries, version->live_rows);
    std::vector<Id> ids;
    std::size_t row = 0;
    version->partitions.for_each([&](const PartitionVersion& partition) {
        for (std::size_t s = 0; s < partition.segment_count(); ++s) {
            partition.segment(s).for_each_live([&](Id id) {
                if (ids.size() < count && row++ >= ids.size() * version->live_rows / count)
                    ids.push_back(id);
            });
        }
    });
    VECDB_ASSIGN(const auto found, made_state_->places(nullptr, version, ids));
    return made_state_->vectors(found, field);
}

Status Rebuild::check_and_warm_up() {
    VECDB_ASSIGN(const FetchedVectors queries, sample());
    if (queries.rows() == 0) return {};
    if (options_.guards.min_recall > 0.0) VECDB_TRY(measure_recall(queries));
    for (std::size_t i = 0; i < options_.warm_up_queries; ++i) {
        VECDB_TRY(options_.control.check());
        const auto query = queries.view().slice(i % queries.rows(), 1);
        VECDB_TRY(made_->search(query, options_.guards.search).status());
    }
    return {};
}

Status Rebuild::measure_recall(const FetchedVectors& queries) {
    SearchOptions exact = options_.guards.search;
    exact.exact = true;
    VECDB_ASSIGN(const std::size_t field, made_state_->find_vector(exact.field));
    const bool larger = larger_is_nearer(made_state_->field(field).metric);
    std::size_t found = 0, wanted = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        VECDB_TRY(options_.control.check());
        const MatrixView query = queries.view().slice(q, 1);
        VECDB_ASSIGN(const SearchResult truth, made_->search(query, exact));
        VECDB_ASSIGN(const SearchResult answer, made_->search(query, options_.guards.search));
        if (truth[0].empty()) continue;
        const float last = truth[0].back().score;
        found += static_cast<std::size_t>(
            std::count_if(answer[0].begin(), answer[0].end(), [&](const Hit& hit) {
                return larger ? hit.score >= last : hit.score <= last;
            }));
        wanted += truth[0].size();
    }
    if (wanted == 0) {
        return {StatusCode::kFailedPrecondition,
                "recall of the new collection cannot be measured: the guard's searches allow none "
                "of its rows"};
    }
    report_.recall = static_cast<double>(found) / static_cast<double>(wanted);
    if (*report_.recall >= options_.guards.min_recall) return {};
    return {StatusCode::kFailedPrecondition,
            "recall of the new collection is " + number_text(*report_.recall) + " over " +
                std::to_string(queries.rows()) + " queries; at least " +
                number_text(options_.guards.min_recall) + " is wanted"};
}

/// Carry over what was written to the live collection between begin_ and `now`, which becomes the
/// next begin_.
Status Rebuild::carry(const CollectionState::VersionPointer& now) {
    if (now->sequence == begin_->sequence) return {};
    if (!options_.carry_over) {
        return {StatusCode::kFailedPrecondition,
                "collection '" + live_->name() + "' had " +
                    std::to_string(now->sequence - begin_->sequence) +
                    " writes since the rebuild began; without carry_over 0 are allowed"};
    }
    VECDB_ASSIGN(const std::size_t rows, carry_over(*live_, begin_, now, *made_state_));
    report_.carried_rows += rows;
    begin_ = now;
    return {};
}

Status Rebuild::finish() {
    for (int pass = 0; pass < kCarryPasses; ++pass) {
        VECDB_TRY(options_.control.check());
        VECDB_TRY(carry(live_->version()));
    }
    DatabaseState::Switched old;  // let go without locks
    const auto begin = Clock::now();
    Status switched =
        live_->hold_writers([&](const CollectionState::VersionPointer& now) -> Result<std::string> {
            VECDB_TRY(carry(now));
            report_.rows = made_->count();
            VECDB_ASSIGN(old, state_.switch_alias(alias_, live_, made_state_, options_.keep_old));
            switched_ = true;  // nothing can fail any more but the memory for this
            return old.dropped != nullptr ? made_state_->name() : std::string();
        });
    report_.switch_seconds = seconds_since(begin);
    return switched;
}

Result<RebuildReport> run(DatabaseState& state,
                          const MakeHandle& handle_of,
                          std::string_view alias,
                          const RebuildSource& source,
                          const RebuildOptions& options) {
    VECDB_TRY(options.validate());
    if (!source.next) {
        return Status(StatusCode::kInvalidArgument, "the source has no function that gives rows");
    }
    Reservation reservation(state, alias);
    VECDB_ASSIGN(auto live, reservation.take());
    VECDB_TRY(live->load());
    return Rebuild(state, handle_of, alias, std::move(live), source, options).run();
}

}  // namespace

Result<RebuildReport> rebuild(DatabaseState& state,
                              const MakeHandle& handle_of,
                              std::string_view alias,
                              const RebuildSource& source,
                              const RebuildOptions& options) {
    auto report = guard([&] { return run(state, handle_of, alias, source, options); });
    if (!report.ok() && options.alert) options.alert(report.status());
    return report;
}

}  // namespace vecdb::collection
