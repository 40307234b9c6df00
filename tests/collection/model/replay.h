#pragma once

/// \file
/// Runs calls on a database and on what it should hold, and compares.

#include "collection/model/expected.h"
#include "collection/model/operation.h"
#include "support/memory_storage.h"
#include "support/random_data.h"

#include <vecdb/database.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace vecdb::test {

/// What a call did that it should not have done; empty: nothing.
using Fault = std::string;
/// The errors of which a call must return one; empty: it must succeed.
using Errors = std::vector<StatusCode>;

/// A sequence that went wrong.
struct Failure {
    std::size_t position = 0;  ///< Of the call in the sequence.
    Fault fault;
    std::vector<std::string> trace;  ///< What each call up to it did, if that was asked for.
};

/// A database and its model. Threads: one; the library may work in the background.
class Replay {
  public:
    /// \param trace  say of every call what it does, for people
    explicit Replay(const Settings& settings, bool trace = false);

    /// Make one call.
    Fault apply(const Operation& operation);
    /// Look at everything, and at what all searches found.
    Fault finish();

    [[nodiscard]] std::vector<std::string> take_trace() { return std::move(trace_); }

  private:
    struct Restriction {
        Filter filter;
        RowTest allowed;
    };
    struct Batch {
        std::vector<Id> ids;
        Matrix rows;
    };
    /// Handles that stay on what they resolved to.
    struct Held {
        Collection collection;
        std::shared_ptr<ExpectedCollection> expected;
        std::optional<Partition> partition = {};
        std::optional<std::size_t> number = {};  ///< Of the partition.

        WriteHandle& rows() {
            return partition ? static_cast<WriteHandle&>(*partition) : collection;
        }
        [[nodiscard]] ExpectedView view() const { return expected->view(number); }
    };
    struct KeptPin {
        Pin pin;
        ExpectedView view;
    };
    /// A search and what it may answer.
    struct Question {
        SearchOptions options;
        ExpectedView view;
        RowTest allowed;
        Errors errors = {};
    };

    Fault dispatch(const Operation& operation, Random& random);
    Fault dispatch_names(Act act, Random& random);
    Fault on_rows(Act act, Random& random, Held& target);

    // Choices. All follow from `random` and, where nothing else is possible, from what there is.
    static std::size_t below(Random& random, std::size_t limit) { return random() % limit; }
    static bool one_in(Random& random, std::size_t many) { return random() % many == 0; }
    static std::string some_name(Random& random);
    std::string some_alias(Random& random) const;
    std::optional<Held> some_target(Random& random, Fault& fault);
    std::optional<Held> resolve(const std::string& name, Fault& fault);
    Fault enter_partition(const std::string& name, Held& target, bool& found);
    std::vector<Id> some_ids(Random& random) const;
    Matrix some_rows(Random& random, std::size_t count) const;
    Batch some_batch(Random& random) const;
    const Restriction& some_restriction(Random& random) const;
    void add_restriction(Id divisor);
    void add_condition(const std::string& text);

    // Writes.
    Fault insert(Random& random, Held& target);
    Fault upsert(Random& random, Held& target);
    Fault remove(Random& random, Held& target);
    Fault remove_where(Random& random, Held& target);
    Fault write_badly(Random& random, Held& target);
    static Errors refusals(const Held& target);
    static bool strays(const Held& target, const Batch& batch);
    static void enter(const Held& target, const Batch& batch);
    static std::size_t take_out(Held& target, std::span<const Id> ids);

    // Reads.
    Fault get(Random& random, const ReadHandle& rows, const ExpectedView& view);
    Fault count(Random& random, const ReadHandle& rows, const ExpectedView& view);
    Fault search(Random& random, const ReadHandle& rows, const Question& question);
    Fault search_batch(Random& random, const ReadHandle& rows, const Question& question);
    Fault search_radius(Random& random, const ReadHandle& rows, const Question& question);
    Fault search_groups(Random& random, const ReadHandle& rows, Question question);
    Fault read_pages(Random& random, const ReadHandle& rows, Question question);
    Question some_question(Random& random, const ExpectedView& view);
    Matrix asked(const Matrix& queries, const Question& question);
    Question question_to(Random& random, const Held& target);
    void name_moment(Random& random, const Held& target, Question& question);
    void name_partitions(Random& random, Question& question);
    void count_found(std::span<const Hit> truth, std::span<const Hit> hits);
    Fault check(std::span<const float> query, const Question& question, std::span<const Hit> hits);

    // Segments, partitions, the past.
    Fault build_index(Random& random, Held& target);
    Fault flush(Random& random, Held& target);
    [[nodiscard]] bool too_few_rows(const ExpectedView& view) const;
    Fault create_partition(Random& random, Held& target);
    Fault drop_partition(Random& random, Held& target);
    Fault set_retention(Random& random, Held& target);
    Fault pin(Random& random, Held& target);
    Fault read_pin(Random& random);
    Fault hold(Random& random, const Held& target);

    // Names.
    Fault create_collection(Random& random);
    Fault drop_collection(Random& random);
    Fault create_alias(Random& random);
    Fault move_alias(Random& random);
    Fault move_alias(const std::string& alias, const std::string& name);
    Fault drop_alias(Random& random);
    Fault audit();
    Fault audit(const Database& database);
    Fault audit(const Collection& collection, const ExpectedCollection& expected);
    [[nodiscard]] Errors target_errors(const std::string& name) const;
    void add_expected(const std::string& name, bool ruled);

    // Files.
    [[nodiscard]] OpenOptions open_options() const;
    Fault checkpoint();
    Fault reopen(Random& random);
    Fault audit_reader();
    Fault find_again();

    // Rebuilds.
    struct Rebuilding;
    Fault rebuild(Random& random);
    Fault rebuild(Random& random, Rebuilding& plan);
    void plan_source(Random& random, Rebuilding& plan) const;
    void plan_options(Random& random, Rebuilding& plan) const;
    Fault interfere(Random& random, Rebuilding& plan);
    [[nodiscard]] Errors rebuild_errors(const Rebuilding& plan) const;
    Fault adopt(Rebuilding& plan, const RebuildReport& report);
    static void carry_over(Rebuilding& plan, ExpectedCollection& made);

    /// Compare how a call ended with how it should have.
    Fault judge(const char* what, const Status& status, const Errors& errors);
    /// Say what the present call does.
    template <class... Parts>
    void note(const Parts&... parts) {
        if (!tracing_) return;
        std::ostringstream out;
        ((out << parts), ...);
        trace_.back() += out.str();
    }
    static std::string text_of(const Held& target);
    static std::string text_of(std::span<const Id> ids);

    const Settings settings_;
    const bool tracing_;
    std::vector<std::string> trace_;
    std::vector<Id> ids_;
    std::vector<Restriction> restrictions_;
    std::shared_ptr<MemoryStorage> files_ = std::make_shared<MemoryStorage>();
    SyncMode sync_ = SyncMode::kEach;
    bool sequences_differ_ = false;  // of the database that is looked at
    Database database_;
    ExpectedNames names_;
    std::vector<Held> held_;
    std::vector<KeptPin> pins_;
    std::size_t found_ = 0, wanted_ = 0;  // by searches that need not be exact
};

/// Run a sequence on a new database. Returns what went wrong first, if anything.
std::optional<Failure> replay(const Settings& settings,
                              std::span<const Operation> operations,
                              bool trace = false);

}  // namespace vecdb::test
