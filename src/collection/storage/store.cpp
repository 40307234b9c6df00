#include "collection/storage/store.h"

#include "check.h"
#include "persist/errors.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

namespace vecdb::collection {

using persist::Catalogue;
using persist::Change;
using persist::FileHeader;
using persist::FileKind;
using persist::FileName;
using persist::JournalEnd;
using persist::JournalRecord;
using persist::JournalWriter;
using persist::Manifest;
using persist::StoredLog;
using persist::StoredPartition;
using persist::StoredPosition;

namespace {

constexpr std::string_view kLockName = "LOCK";
/// How often a reader begins again when files go while it opens them.
constexpr int kReaderAttempts = 10;

std::uint64_t seconds_since_1970() noexcept {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

/// Return the bytes of the files that changes add.
std::uint64_t added_bytes(const std::vector<Change>& changes) {
    std::uint64_t bytes = 0;
    for (const Change& change : changes) {
        if (const auto* added = std::get_if<persist::AddFile>(&change))
            bytes += added->file.stamp.bytes;
    }
    return bytes;
}

}  // namespace

// Opening -----------------------------------------------------------------------------------------

Store::Store(std::string directory, OpenOptions options)
    : directory_(std::move(directory)),
      options_(std::move(options)),
      storage_(options_.storage),
      found_(std::make_unique<Found>()) {}

Result<std::shared_ptr<Store>> Store::open(std::string directory, const OpenOptions& options) {
    VECDB_TRY(persist::check_path(directory));  // "" with a name behind it is one of the root's
    OpenOptions kept = options;
    kept.run = {};  // others hold the executor
    std::shared_ptr<Store> store(new Store(std::move(directory), std::move(kept)));
    if (store->reads_only()) {
        VECDB_TRY(store->look_beside_writer());
        const Lock lock(store->mutex_);
        store->failed_ = Status(StatusCode::kFailedPrecondition,
                                '"' + store->directory_ + "\" was opened to be read only");
        return store;
    }
    VECDB_TRY(store->lock_or_make());
    const Status looked = store->look();
    if (looked.code() == StatusCode::kNotFound) {
        return Status(StatusCode::kCorruption, looked.message());  // the catalogue names it
    }
    VECDB_TRY(looked);
    return store;
}

/// Lock the directory, and make a database there if there is none and one may be made.
Status Store::lock_or_make() {
    const bool may_make = options_.mode != OpenMode::kOpen;
    if (may_make) VECDB_TRY(storage_->make_directory(directory_));
    const auto look = [&]() -> Result<bool> {
        const Status there = persist::read_current(*storage_, directory_).status();
        if (!there.ok() && (there.code() != StatusCode::kNotFound || !may_make)) return there;
        if (!there.ok() || options_.mode != OpenMode::kCreate) return there.ok();
        return Status(StatusCode::kAlreadyExists, '"' + directory_ + "\": a database is there");
    };
    VECDB_TRY(look().status());  // before a file is made where none belongs
    const Lock lock(mutex_);
    if (options_.locking == Locking::kSystem) {
        VECDB_ASSIGN(lock_, storage_->lock(directory_ + '/' + std::string(kLockName)));
    }
    VECDB_ASSIGN(const bool there, look());
    if (there) return {};
    VECDB_ASSIGN(manifest_, Manifest::create(*storage_, directory_));
    database_ = manifest_->database();
    found_->created = true;
    return {};
}

/// Read catalogue and log while somebody may write, and open all files. What was there a moment ago
/// may be gone; then another look finds what came instead.
Status Store::look_beside_writer() {
    Status missing;
    std::optional<FoundAt> before;
    for (int attempt = 0; attempt < kReaderAttempts; ++attempt) {
        // There is a database.
        VECDB_ASSIGN(const auto current, persist::read_current(*storage_, directory_));
        found_ = std::make_unique<Found>();
        Status looked = look();
        if (looked.ok()) looked = found_->files->hold_all();
        if (looked.code() != StatusCode::kNotFound) return looked;
        FoundAt at = found_->at();
        at.current = current;
        // Nobody wrote since the last look: the file is lost.
        const bool lost = before == at;
        before = at;
        if (lost && found_->files != nullptr) return {};
        if (lost) return {StatusCode::kCorruption, looked.message()};
        missing = std::move(looked);
    }
    return {StatusCode::kStale,
            "files were replaced " + std::to_string(kReaderAttempts) +
                " times while they were opened: " + missing.message()};
}

/// Read catalogue and log.
Status Store::look() {
    if (found_->created) {
        found_->files =
            std::make_shared<persist::FileSet>(storage_,
                                               directory_,
                                               database_,
                                               persist::Access::kRead,
                                               std::map<std::uint64_t, persist::StoredFile>());
        return {};
    }
    VECDB_TRY(read_committed());
    database_ = found_->committed.current.database;
    found_->closed = found_->committed.current.log_end.has_value();
    found_->catalogue = found_->committed.catalogue;
    return read_names();
}

/// Read the catalogue.
Status Store::read_committed() {
    const auto read = [&] {
        return persist::read_catalogue(*storage_, directory_);
    };
    VECDB_ASSIGN(found_->committed, read());
    for (;;) {
        const persist::ReadCatalogue& committed = found_->committed;
        if (committed.current.manifest_end) return {};
        VECDB_ASSIGN(const auto log, find_later_log(committed.catalogue.position().next_file));
        if (!log) return {};
        // A writer may have gone on since.
        VECDB_ASSIGN(auto again, read());
        if (again.current == committed.current && again.tail.end == committed.tail.end) {
            return {StatusCode::kCorruption,
                    '"' + path_of({FileKind::kManifest, committed.current.manifest}) +
                        "\": its end, at byte " + std::to_string(again.tail.end.bytes) +
                        ", is not what was written: \"" + path_of(*log) + "\" came after it"};
        }
        found_->committed = std::move(again);
    }
}

/// Return a log that has records and a number from `next` on. What names a log is durable before
/// its first record is written.
Result<std::optional<FileName>> Store::find_later_log(std::uint64_t next) const {
    VECDB_ASSIGN(const auto names, storage_->list(directory_));
    for (const std::string& name : names) {
        const auto file = persist::parse_file_name(name);
        if (!file || file->kind != FileKind::kLog || file->number < next) continue;
        const auto log = storage_->open(path_of(*file));
        if (log.status().code() == StatusCode::kIoError) return log.status();
        if (log.ok() && (*log)->size() > persist::kHeaderBytes) return file;
    }
    return std::optional<FileName>();
}

/// Note what a record of the log says, and take over changes of names that are not in the
/// catalogue.
Status Store::note_found(const JournalRecord& record, StoredPosition& position) {
    VECDB_ASSIGN(const persist::LogEntry entry, persist::read_entry(record));
    if (const auto* rows = std::get_if<persist::LoggedRows>(&entry))
        found_->written.insert(rows->collection);
    if (const auto* removal = std::get_if<persist::LoggedRemoval>(&entry))
        found_->written.insert(removal->collection);
    const auto* changes = std::get_if<persist::LoggedChanges>(&entry);
    if (changes == nullptr || record.sequence <= position.covered) return {};
    for (const Change& change : *changes) {
        VECDB_TRY(found_->catalogue.apply(change));
        found_->names.push_back(change);
        if (const auto* made = std::get_if<persist::SetCollection>(&change))
            position.next_collection = std::max(position.next_collection, made->id + 1);
    }
    return {};
}

/// Go through the log for its end and for changes of names.
Status Store::read_names() {
    Catalogue& catalogue = found_->catalogue;
    StoredPosition position = catalogue.position();
    const auto show = [&](const JournalRecord& record) {
        return note_found(record, position);
    };
    found_->log.end.sequence = position.covered;
    if (!position.logs.empty()) {
        VECDB_ASSIGN(found_->log,
                     persist::read_logs(*storage_,
                                        directory_,
                                        database_,
                                        position.logs,
                                        found_->committed.current.log_end,
                                        show));
    }
    VECDB_TRY(catalogue.apply(position));
    VECDB_TRY(catalogue.check_covered(found_->log.end.sequence));
    VECDB_TRY(catalogue.validate());
    const auto access = options_.map ? persist::Access::kMapped : persist::Access::kRead;
    found_->files = std::make_shared<persist::FileSet>(
        storage_, directory_, database_, access, catalogue.files());
    return {};
}

Status Store::replay(
    const std::function<Status(std::uint64_t, const persist::LogEntry&)>& show) const {
    return persist::read_logs(*storage_,
                              directory_,
                              database_,
                              found_->catalogue.position().logs,
                              found_->committed.current.log_end,
                              [&](const JournalRecord& record) -> Status {
                                  // A writer may have gone on since.
                                  if (record.sequence > found_->log.end.sequence) return {};
                                  VECDB_ASSIGN(const auto entry, persist::read_entry(record));
                                  return show(record.sequence, entry);
                              })
        .status();
}

Status Store::finish_opening() {
    const std::unique_ptr<Found> found = std::move(found_);
    if (reads_only()) return {};
    {
        const Lock lock(mutex_);
        if (!found->created) {
            VECDB_ASSIGN(manifest_, Manifest::resume(*storage_, directory_, found->committed));
            names_ = found->names;
            last_ = std::max(found->log.end.sequence, manifest_->catalogue().position().covered);
        }
        next_collection_ = found->catalogue.position().next_collection;
        if (options_.sync != SyncMode::kOff) VECDB_TRY(resume_log(*found));
        VECDB_TRY(retire_orphans(found->committed.current.time));
        full_bytes_ = options_.checkpoint_bytes;
        opened_ = true;
    }
    if (options_.sync == SyncMode::kInterval)
        syncing_ = std::thread([this] { sync_at_intervals(); });
    return {};
}

/// Go on with the log where it ends, or behind what is no record in a new file.
Status Store::resume_log(const Found& found) {
    std::vector<StoredLog> logs = manifest_->catalogue().position().logs;
    if (logs.empty()) return begin_log({});
    if (found.log.torn_bytes != 0) {
        logs.back().bytes = found.log.end.bytes;
        return begin_log(std::move(logs));
    }
    const FileName file{FileKind::kLog, logs.back().file};
    const FileHeader header{.kind = file.kind, .database = database_, .number = file.number};
    VECDB_ASSIGN(log_, JournalWriter::resume(*storage_, path_of(file), header, found.log.end));
    return {};
}

/// Begin a file of the log, behind `before`.
Status Store::begin_log(std::vector<StoredLog> before) {
    const FileName file{FileKind::kLog, manifest_->take_number()};
    const FileHeader header{.kind = file.kind, .database = database_, .number = file.number};
    before.push_back({.file = file.number, .first = last_ + 1});
    VECDB_ASSIGN(auto log, JournalWriter::create(*storage_, path_of(file), header, last_ + 1));
    const std::uint64_t covered = manifest_->catalogue().position().covered;
    VECDB_TRY(commit_with(0, {}, covered, std::move(before)));
    log_ = std::move(log);
    return {};
}

/// See to the removal of files that nothing names, which a writer left behind.
Status Store::retire_orphans(std::uint64_t last_time) {
    VECDB_ASSIGN(const auto names, storage_->list(directory_));
    VECDB_ASSIGN(const auto current, persist::read_current(*storage_, directory_));
    const Catalogue& catalogue = manifest_->catalogue();
    const auto& logs = catalogue.position().logs;
    const auto is_needed = [&](const FileName& file) {
        if (file.kind == FileKind::kManifest) return file.number == current.manifest;
        if (file.kind != FileKind::kLog) return catalogue.files().contains(file.number);
        return std::any_of(logs.begin(), logs.end(), [&](const StoredLog& log) {
            return log.file == file.number;
        });
    };
    // They were dropped before somebody last wrote CURRENT, at the latest.
    const std::uint64_t now = seconds_since_1970();
    const std::chrono::seconds ago(now > last_time ? now - last_time : 0);
    const Clock::time_point from = Clock::now() - std::min(ago, options_.keep_replaced);
    for (const std::string& name : names) {
        const auto file = persist::parse_file_name(name);
        if (file && !is_needed(*file)) retired_.push_back({*file, from});
    }
    (void)manifest_->take_dropped();  // they are among these
    return {};
}

// Writing -----------------------------------------------------------------------------------------

Status Store::check_writable() const {
    if (!durable()) return {};
    const Lock lock(mutex_);
    return failed_;
}

/// Remember the first failure.
Status Store::note(Status status) {
    if (!status.ok() && failed_.ok()) failed_ = status;
    return status;
}

Status Store::log_changes(std::vector<Change> changes) {
    VECDB_TRY(failed_);
    for (Change& change : changes) {
        if (auto* made = std::get_if<persist::SetPartition>(&change))
            made->partition.covered = last_ + 1;
    }
    names_.reserve(names_.size() + changes.size());
    if (log_ != nullptr) {
        VECDB_TRY(note(persist::log_changes(*log_, changes)));
        VECDB_TRY(note(log_->sync()));
    }
    ++last_;
    std::move(changes.begin(), changes.end(), std::back_inserter(names_));
    return {};
}

std::uint64_t Store::last_write() const {
    const Lock lock(mutex_);
    return last_;
}

std::uint64_t Store::take_collection_id() {
    const Lock lock(mutex_);
    return next_collection_++;
}

void Store::sync_at_intervals() {
    const Lock lock(mutex_);
    while (!closed_) {
        stopped_.wait_for(mutex_, options_.sync_interval);
        if (!closed_ && failed_.ok()) (void)note(log_->sync());
    }
}

void Store::set_on_full(std::function<void()> full) {
    const Lock lock(mutex_);
    on_full_.swap(full);
}

void Store::ask_for_checkpoint() noexcept {
    if (log_ == nullptr || full_bytes_ == 0 || log_->end().bytes < full_bytes_ || !on_full_) return;
    full_bytes_ = 0;  // until a checkpoint begins
    on_full_();
}

// Saving ------------------------------------------------------------------------------------------

std::string Store::path_of(const FileName& file) const {
    return persist::path_of(directory_, file.kind, file.number);
}

Result<Store::NewFile> Store::create_file(FileKind kind) {
    NewFile file;
    {
        const Lock lock(mutex_);
        VECDB_TRY(failed_);
        file.number = manifest_->take_number();
    }
    const FileHeader header{.kind = kind, .database = database_, .number = file.number};
    auto writer =
        persist::SectionFileWriter::create(*storage_, path_of({kind, file.number}), header);
    if (!writer.ok()) {
        discard_file(kind, file.number);
        return std::move(writer).status();
    }
    file.writer = *std::move(writer);
    return file;
}

Result<std::shared_ptr<persist::SectionFile>> Store::open_file(
    std::uint64_t number, const persist::StoredFile& file) const {
    const FileHeader header{.kind = file.kind, .database = database_, .number = number};
    return persist::SectionFile::open(
        *storage_, path_of({file.kind, number}), header, &file.stamp, persist::Access::kMapped);
}

void Store::discard_file(FileKind kind, std::uint64_t number) noexcept {
    (void)guard([&] { return storage_->remove(path_of({kind, number})); });
}

Result<std::uint64_t> Store::cut(const std::function<void()>& look) {
    const Lock lock(mutex_);
    VECDB_TRY(failed_);
    full_bytes_ = options_.checkpoint_bytes;
    if (log_ != nullptr && log_->end().bytes > persist::kHeaderBytes) {
        VECDB_TRY(note(log_->sync()));
        std::vector<StoredLog> logs = manifest_->catalogue().position().logs;
        logs.back().bytes = log_->end().bytes;
        VECDB_TRY(note(begin_log(std::move(logs))));
    }
    look();
    names_before_cut_ = names_.size();
    cut_ = last_;
    return cut_;
}

Status Store::commit_cut(std::vector<Change> changes) {
    const Lock lock(mutex_);
    VECDB_TRY(failed_);
    std::vector<StoredLog> logs;
    if (log_ != nullptr) logs.push_back(manifest_->catalogue().position().logs.back());
    if (keep_log_) logs = manifest_->catalogue().position().logs;
    if (full_bytes_ != 0) full_bytes_ = std::max(options_.checkpoint_bytes, added_bytes(changes));
    return commit_with(names_before_cut_, std::move(changes), cut_, std::move(logs));
}

/// Tell whether a collection that was there is there no more.
bool Store::is_dropped(std::uint64_t collection) const {
    const bool going = std::any_of(names_.begin(), names_.end(), [&](const Change& change) {
        const auto* dropped = std::get_if<persist::DropCollection>(&change);
        return dropped != nullptr && dropped->id == collection;
    });
    if (going || manifest_->catalogue().collections().contains(collection)) return going;
    return std::none_of(names_.begin(), names_.end(), [&](const Change& change) {
        const auto* made = std::get_if<persist::SetCollection>(&change);
        return made != nullptr && made->id == collection;
    });
}

Status Store::commit(std::uint64_t collection, std::vector<Change> changes) {
    const Lock lock(mutex_);
    VECDB_TRY(failed_);
    if (is_dropped(collection)) return {};
    if (log_ != nullptr) VECDB_TRY(note(log_->sync()));
    return commit_with(
        names_.size(), std::move(changes), last_, manifest_->catalogue().position().logs);
}

/// Commit the first `names` changes of names, then `changes`.
Status Store::commit_with(std::size_t names,
                          std::vector<Change> changes,
                          std::uint64_t covered,
                          std::vector<StoredLog> logs) {
    std::vector<Change> all(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(names));
    std::move(changes.begin(), changes.end(), std::back_inserter(all));
    VECDB_TRY(note(storage_->sync_directory(directory_)));
    const StoredPosition position{
        .next_collection = next_collection_, .covered = covered, .logs = std::move(logs)};
    VECDB_TRY(note(manifest_->commit(std::move(all), position)));
    names_.erase(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(names));
    retire_dropped();  // it is done, whatever comes of this
    return {};
}

/// Note the files that the last commit dropped. Those that cannot be noted for want of memory are
/// found when the database is opened again.
void Store::retire_dropped() noexcept {
    try {
        remove_retired();
        for (const FileName& file : manifest_->take_dropped())
            retired_.push_back({file, Clock::now()});
    } catch (...) {
    }
}

/// Remove files that readers have had long enough. What cannot be removed stays.
void Store::remove_retired() {
    const Clock::time_point until = Clock::now() - options_.keep_replaced;
    while (!retired_.empty() && retired_.front().from <= until) {
        (void)storage_->remove(path_of(retired_.front().file));
        retired_.pop_front();
    }
}

const Catalogue& Store::committed() const noexcept {
    const Lock lock(mutex_);
    return manifest_->catalogue();
}

std::optional<StoredPartition> Store::stored(std::uint64_t collection, std::uint32_t number) const {
    const Lock lock(mutex_);
    for (auto change = names_.rbegin(); change != names_.rend(); ++change) {
        if (const auto* made = std::get_if<persist::SetPartition>(&*change)) {
            if (made->collection == collection && made->partition.number == number)
                return made->partition;
        }
        if (const auto* dropped = std::get_if<persist::DropPartition>(&*change)) {
            if (dropped->collection == collection && dropped->number == number) return std::nullopt;
        }
    }
    const StoredPartition* partition = manifest_->catalogue().find(collection, number);
    return partition != nullptr ? std::optional(*partition) : std::nullopt;
}

// Closing -----------------------------------------------------------------------------------------

Store::~Store() {
    (void)guard([&] { return close(); });
}

Status Store::close() {
    if (!durable()) return {};
    Status done;
    {
        const Lock committing(committing_);
        const Lock lock(mutex_);
        if (closed_) return {};
        closed_ = true;
        done = close_files();
        failed_ = Status(StatusCode::kFailedPrecondition,
                         '"' + directory_ + "\": the database is closed");
        lock_.reset();
    }
    stopped_.notify_all();
    if (syncing_.joinable()) syncing_.join();
    return done;
}

Status Store::close_files() {
    if (!opened_) return {};  // nothing was written
    VECDB_TRY(failed_);
    // A log that is there and is not written, by SyncMode or because the opening failed, has an end
    // that is not known here: it is left as one that nobody closed.
    if (log_ == nullptr && !manifest_->catalogue().position().logs.empty()) return {};
    JournalEnd end{.bytes = 0, .sequence = last_};
    if (log_ != nullptr) {
        VECDB_TRY(log_->sync());
        end = log_->end();
    }
    VECDB_TRY(manifest_->close(end));
    remove_retired();
    return {};
}

}  // namespace vecdb::collection
