#pragma once

/// \file
/// Makes calls on a database and compares with what it should hold.

#include "fuzz/calls/choices.h"
#include "fuzz/calls/expected.h"
#include "support/executors.h"
#include "support/memory_storage.h"

#include <vecdb/database.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vecdb::test {

/// End the program, saying why, unless `condition` holds.
void require(bool condition, const std::string& why);

/// A database and what it should hold. Threads: one; segments may be sealed in the background.
class Caller {
  public:
    explicit Caller(std::span<const std::uint8_t> input);

    /// Make one call. Returns whether the input has more.
    bool call();
    /// Look at everything.
    void finish();

  private:
    /// Handles that stay on what they resolved to.
    struct Held {
        Collection collection;
        std::shared_ptr<ExpectedCollection> expected;
        std::optional<Partition> partition = {};
        std::optional<std::size_t> number = {};  ///< Of the partition.

        WriteHandle& rows() {
            return partition ? static_cast<WriteHandle&>(*partition) : collection;
        }
        [[nodiscard]] ExpectedView view() const { return {expected, number}; }
    };
    struct KeptPin {
        Pin pin;
        ExpectedView view;
    };
    /// A search, what it may see, and whether it is known that it is answered.
    struct Question {
        SearchOptions options;
        ExpectedView view;
        Restriction restriction;
        bool refused = false;  ///< It must not be answered, whatever else the options are.
        bool past = false;     ///< It may be, with any rows.
    };

    /// Check that a call ended as calls may. Returns whether it succeeded.
    static bool ended(const char* what, const Status& status, bool throws = false);
    /// The same of a call that must succeed, or must not.
    static bool ended_as(const char* what, const Status& status, bool succeeds);

    void on_names();
    void on_rows();
    void on_reads();
    void on_files();
    [[nodiscard]] Held* target();
    [[nodiscard]] bool writable(const Held& target) const {
        return !closed_ || target.expected->dropped;
    }

    // Names.
    void create_collection();
    void drop_collection();
    void hold();
    void hold_partition();
    void create_alias();
    void move_alias();
    void drop_alias();
    void create_partition();
    void drop_partition();

    // Rows.
    void write(Held& target, bool insert);
    static bool good_batch(const Held& target, const Batch& batch, bool insert);
    static void enter(const Held& target, const Batch& batch);
    void remove(Held& target);
    void remove_where(Held& target);
    void build(Held& target, bool flush);

    // Reads.
    void read(const ReadHandle& handle, const ExpectedView& view, bool pinned);
    void get(const ReadHandle& handle, const ExpectedView& view);
    void count(const ReadHandle& handle, const ExpectedView& view);
    Question question(const ReadHandle& handle, const ExpectedView& view, bool pinned);
    void name_moment(const ReadHandle& handle, bool pinned, Question& asked);
    void search(const ReadHandle& handle, const Question& asked);
    void search_batch(const ReadHandle& handle, const Question& asked);
    void search_into(const ReadHandle& handle, const Question& asked);
    void search_radius(const ReadHandle& handle, const Question& asked);
    static bool exact(const Question& asked);
    static bool repeats(const Question& asked);
    /// Return all rows that may be found, the nearest first.
    static Hits truth(const ReadHandle& handle, const Question& asked, VectorView query);
    static void check_hits(const Question& asked,
                           std::span<const Hit> truth,
                           std::span<const Hit> hits);
    static bool answered(const char* what,
                         const Status& status,
                         const Question& asked,
                         const Batch& queries);

    // Files.
    void checkpoint();
    void close();
    void reopen();
    void snapshot();
    void restore();
    void verify() const;
    void read_beside();
    void open_wrongly();
    void open(bool closed_well);
    [[nodiscard]] OpenOptions options(OpenMode mode) const;
    [[nodiscard]] const ExpectedNames& on_disk() const;
    static void audit(const Database& database, const ExpectedNames& expected);
    static void audit(const Collection& collection, const ExpectedCollection& expected);

    Choices choices_;
    std::shared_ptr<MemoryStorage> files_ = std::make_shared<MemoryStorage>();
    std::shared_ptr<Inline> executor_ = std::make_shared<Inline>();
    bool durable_;
    bool closed_ = false;
    SyncMode sync_ = SyncMode::kEach;
    Database database_;
    ExpectedNames names_;
    ExpectedNames saved_;  ///< At the last checkpoint.
    std::vector<Held> held_;
    std::vector<KeptPin> pins_;
    std::vector<Restriction> restrictions_;
    std::vector<ExpectedNames> snapshots_;
    std::optional<Database> reader_;
    ExpectedNames read_;  ///< By the reader.
    std::size_t rows_written_ = 0;
    std::size_t copies_ = 0;
};

}  // namespace vecdb::test
