#include "fuzz/calls/caller.h"
#include "support/small_database.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vecdb::test {
namespace {

/// Directories that are made in one input, at most.
constexpr std::size_t kMostCopies = 4;

}  // namespace

void Caller::on_files() {
    switch (choices_.below(10)) {
        case 0:
        case 1:
            return checkpoint();
        case 2:
            return close();
        case 3:
        case 4:
        case 5:
            return reopen();
        case 6:
            return snapshot();
        case 7:
            return restore();
        case 8:
            return choices_.one_in(2) ? verify() : open_wrongly();
        default:
            return read_beside();
    }
}

OpenOptions Caller::options(OpenMode mode) const {
    OpenOptions options = small_options(files_, mode);
    options.sync = sync_;
    options.run.executor = executor_;
    return options;
}

/// Return what another process would find.
const ExpectedNames& Caller::on_disk() const {
    return sync_ == SyncMode::kOff && !closed_ ? saved_ : names_;
}

void Caller::checkpoint() {
    if (ended_as("checkpoint", database_.checkpoint(), durable_ && !closed_))
        saved_ = names_.copy();
}

void Caller::close() {
    ended_as("close", database_.close(), true);
    closed_ = durable_;
}

/// Open the files, whose writer is gone, for writing.
void Caller::open(bool closed_well) {
    OpenOptions how = options(OpenMode::kOpenOrCreate);
    if (choices_.one_in(4)) how.verify = Verify::kLazy;
    auto opened = Database::open("d", how);
    require(opened.ok(), "open: " + opened.status().to_string());
    database_ = *std::move(opened);
    const OpenReport& report = database_.open_report();
    require(report.damage.empty() && report.dropped_collections.empty() && report.torn_bytes == 0,
            "the report tells of damage");
    require(!closed_well || report.clean, "the writer is said not to have closed it");
    closed_ = false;
    saved_ = names_.copy();
    audit(database_, names_);
}

/// Close the database, or let it go, or let its process end, and open it again.
void Caller::reopen() {
    const std::size_t how = choices_.below(4);
    const SyncMode next = choices_.one_of({SyncMode::kEach, SyncMode::kOs, SyncMode::kOff});
    if (!durable_) return;
    if (how < 2) close();
    const ExpectedNames left = on_disk().copy();
    if (how == 2) files_ = files_->copy();
    reader_.reset();
    held_.clear();
    pins_.clear();
    database_ = Database::in_memory({.threads = 1}).value();
    names_ = left.copy();
    if (how == 1) {
        const auto repaired = Database::repair("d", options(OpenMode::kOpen));
        require(repaired.ok(), "repair: " + repaired.status().to_string());
        require(repaired->set_aside.empty() && repaired->lost.empty(),
                "a sound database is repaired");
    }
    sync_ = next;
    open(how < 2);
}

void Caller::snapshot() {
    const std::size_t number = choices_.below(3);
    const std::string name = "s" + std::to_string(number);
    const bool good = durable_ && !closed_ && number >= snapshots_.size();
    if (good && ++copies_ > kMostCopies) return;
    // They are made in order, so that their numbers tell which there are.
    const std::string path = good ? "s" + std::to_string(snapshots_.size()) : name;
    if (!ended_as("snapshot", database_.snapshot_to(path), good)) return;
    saved_ = names_.copy();
    snapshots_.push_back(names_.copy());
    const auto opened = Database::open(path, options(OpenMode::kReadOnly));
    require(opened.ok(), "a snapshot: " + opened.status().to_string());
    audit(*opened, names_);
}

/// Restore a snapshot, or the database itself, and look at it.
void Caller::restore() {
    const std::size_t from = choices_.below(4);
    if (!durable_ || ++copies_ > kMostCopies) return;
    const std::string path = "r" + std::to_string(copies_);
    const bool itself = from == 3;
    const bool good = itself || from < snapshots_.size();
    const std::string source = itself ? "d" : "s" + std::to_string(from);
    const Status status = Database::restore(source, path, options(OpenMode::kOpen));
    if (!ended_as("restore", status, good)) return;
    const ExpectedNames& expected = itself ? on_disk() : snapshots_[from];
    const auto opened = Database::open(path, options(OpenMode::kOpen));
    require(opened.ok(), "what was restored: " + opened.status().to_string());
    audit(*opened, expected);
    ended_as("restore again", Database::restore(source, path, options(OpenMode::kOpen)), false);
}

void Caller::verify() const {
    if (!durable_) return;
    const auto report = Database::verify("d", options(OpenMode::kReadOnly));
    require(report.ok(), "verify: " + report.status().to_string());
    require(report->sound(), report->sound() ? "" : report->damage.front().message);
}

/// Open the files to read them beside the writer, or move on, and try to write.
void Caller::read_beside() {
    ended_as("refresh", database_.refresh().status(), false);
    if (!durable_) return;
    if (reader_ && choices_.one_in(4)) return audit(*reader_, read_);
    if (reader_) {
        const auto moved = reader_->refresh();
        require(moved.ok(), "refresh: " + moved.status().to_string());
    } else {
        auto opened = Database::open("d", options(OpenMode::kReadOnly));
        require(opened.ok(), "open to read: " + opened.status().to_string());
        reader_ = *std::move(opened);
    }
    read_ = on_disk().copy();
    audit(*reader_, read_);
    ended_as("checkpoint of a reader", reader_->checkpoint(), false);
    ended_as("snapshot of a reader", reader_->snapshot_to("x"), false);
    const std::vector<std::string> names = reader_->list_collections();
    if (names.empty()) return;
    Collection collection = reader_->collection(names.front()).value();
    ended_as("removal by a reader", collection.remove(Filter()).status(), false);
    ended_as("flush by a reader", collection.flush({.threads = 1}), false);
}

/// Open with wrong options, and beside another writer.
void Caller::open_wrongly() {
    OpenOptions wrong = options(OpenMode::kOpen);
    switch (choices_.below(6)) {
        case 0:
            wrong.mode = static_cast<OpenMode>(4 + choices_.below(8));
            break;
        case 1:
            wrong.sync = static_cast<SyncMode>(4 + choices_.below(8));
            break;
        case 2:
            wrong.sync_interval = std::chrono::milliseconds::min();
            break;
        case 3:
            wrong.keep_replaced = std::chrono::seconds::max();
            break;
        case 4:
            wrong.run.threads = kMaxThreads + 1;
            break;
        default:
            // There is one that is open for writing, or closed, or none.
            if (durable_ && closed_) return;
    }
    ended_as("a wrong open", Database::open("d", wrong).status(), false);
    ended_as("a wrong repair", Database::repair("d", wrong).status(), false);
}

// Looking at everything ---------------------------------------------------------------------------

void Caller::audit(const Database& database, const ExpectedNames& expected) {
    std::vector<std::string> names;
    for (const auto& [name, collection] : expected.collections)
        names.push_back(name);
    require(database.list_collections() == names, "other collections");
    std::vector<Alias> aliases;
    for (const auto& [alias, name] : expected.aliases)
        aliases.push_back({alias, name});
    require(database.list_aliases() == aliases, "other aliases");
    for (const auto& [name, collection] : expected.collections) {
        const auto found = database.collection(name);
        require(found.ok(), "collection: " + found.status().to_string());
        require(found->name() == name, "another name");
        audit(*found, *collection);
    }
}

void Caller::audit(const Collection& collection, const ExpectedCollection& expected) {
    const VectorField& field = collection.schema().vectors.front();
    require(field.dim == expected.field().dim && field.metric == expected.field().metric &&
                field.element_type == expected.field().element_type,
            "another schema");
    std::vector<std::string> names;
    std::vector<Id> ids;
    for (const auto& [name, number] : expected.partitions) {
        names.push_back(name);
        const auto partition = collection.partition(name);
        require(partition.ok(), "partition: " + partition.status().to_string());
        std::size_t rows = 0;
        for (const auto& [id, row] : expected.rows)
            rows += row.partition == number ? 1U : 0U;
        require(partition->count() == rows,
                "partition '" + name + "' has " + std::to_string(partition->count()) +
                    " rows, not " + std::to_string(rows));
    }
    require(collection.list_partitions() == names, "other partitions");
    require(collection.count() == expected.rows.size(), "another number of rows");
    for (const auto& [id, row] : expected.rows)
        ids.push_back(id);
    const auto fetched = collection.get(ids);
    require(fetched.ok(), "get: " + fetched.status().to_string());
    std::size_t at = 0;
    for (const auto& [id, row] : expected.rows) {
        const auto place = static_cast<std::ptrdiff_t>(at * row.bytes.size());
        require(fetched->found[at++], "a row is missing");
        if (field.metric == Metric::kCosine) continue;
        require(std::equal(row.bytes.begin(), row.bytes.end(), fetched->bytes.begin() + place),
                "a row has another vector");
    }
}

}  // namespace vecdb::test
