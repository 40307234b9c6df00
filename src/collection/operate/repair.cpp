#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/database_state.h"
#include "collection/operate/checkpoint.h"
#include "collection/operate/recovery.h"
#include "collection/operate/verify.h"
#include "persist/copy.h"
#include "persist/log.h"
#include "persist/manifest.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb::collection {

using persist::FileHeader;
using persist::FileKind;
using persist::JournalEnd;
using persist::JournalRecord;
using persist::ReadCatalogue;
using persist::StoredLog;

namespace {

constexpr std::string_view kFolder = "damaged";

/// Makes a database that is damaged one that can be opened.
class Repair {
  public:
    Repair(std::string directory, OpenOptions options)
        : directory_(std::move(directory)),
          options_(std::move(options)),
          storage_(*options_.storage) {}

    Result<RepairReport> run() {
        VECDB_ASSIGN(auto lock, take_lock());
        VECDB_ASSIGN(const VerifyReport found, look());
        if (found.sound()) return std::move(report_);
        VECDB_TRY(set_aside(found));
        VECDB_TRY(mend_names());
        lock.reset();  // the database takes it itself
        VECDB_TRY(mend_rows());
        return std::move(report_);
    }

  private:
    Result<std::unique_ptr<FileLock>> take_lock();
    Result<VerifyReport> look();
    Status set_aside(const VerifyReport& found);
    Status mend_names();
    Result<ReadCatalogue> find_catalogue();
    Result<ReadCatalogue> read_manifest(std::uint64_t number) const;
    Status mend_log(ReadCatalogue& read);
    Status mend_rows();

    const std::string directory_;
    const OpenOptions options_;
    Storage& storage_;
    RepairReport report_;
};

Result<std::unique_ptr<FileLock>> Repair::take_lock() {
    VECDB_TRY(storage_.list(directory_).status());
    if (options_.locking == Locking::kNone) return std::make_unique<FileLock>();
    return storage_.lock(directory_ + "/LOCK");
}

/// Look for damage. CURRENT itself may be what is missing.
Result<VerifyReport> Repair::look() {
    auto found = verify(directory_, options_);
    if (found.status().code() != StatusCode::kNotFound) return found;
    VECDB_ASSIGN(const auto names, storage_.list(directory_));
    const bool any = std::any_of(names.begin(), names.end(), [](const std::string& name) {
        const auto file = persist::parse_file_name(name);
        return file && file->kind == FileKind::kManifest;
    });
    if (!any) return found;
    VerifyReport report;
    report.damage.push_back({.file = directory_ + "/CURRENT", .message = found.status().message()});
    return report;
}

/// Give every damaged file a second name, under which nothing removes it.
Status Repair::set_aside(const VerifyReport& found) {
    const std::string folder = directory_ + '/' + std::string(kFolder);
    VECDB_TRY(storage_.make_directory(folder));
    std::vector<std::string> done;
    for (const Damage& damage : found.damage) {
        const bool known = std::find(done.begin(), done.end(), damage.file) != done.end();
        if (known || damage.file == directory_) continue;
        done.push_back(damage.file);
        const std::string name = damage.file.substr(directory_.size() + 1);
        std::string second = folder;
        second.append("/").append(name);
        const Status copied = persist::link_or_copy(storage_, damage.file, second);
        if (copied.code() == StatusCode::kNotFound) continue;  // it is missing
        if (copied.code() != StatusCode::kAlreadyExists) VECDB_TRY(copied);
        report_.set_aside.push_back(std::move(second));
    }
    VECDB_TRY(storage_.sync_directory(folder));
    return storage_.sync_directory(directory_);
}

// Names -------------------------------------------------------------------------------------------

/// Write catalogue and CURRENT anew, without what cannot be read of the log.
Status Repair::mend_names() {
    VECDB_ASSIGN(ReadCatalogue read, find_catalogue());
    VECDB_TRY(mend_log(read));
    VECDB_ASSIGN(const auto manifest, persist::Manifest::resume(storage_, directory_, read));
    return {};
}

/// Return the catalogue that CURRENT leads to or, if it does not, that of the last manifest of
/// which something can be read.
Result<ReadCatalogue> Repair::find_catalogue() {
    auto read = persist::read_catalogue(storage_, directory_);
    if (read.ok()) return read;
    VECDB_ASSIGN(const auto names, storage_.list(directory_));
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        const auto file = persist::parse_file_name(*name);
        if (!file || file->kind != FileKind::kManifest) continue;
        auto found = read_manifest(file->number);
        if (!found.ok()) continue;
        report_.lost.push_back(
            "the catalogue is that of " + *name + " up to its record " +
            std::to_string(found->tail.end.sequence) +
            "; what changed later is lost, if anything did: " + read.status().message());
        return found;
    }
    return read;
}

Result<ReadCatalogue> Repair::read_manifest(std::uint64_t number) const {
    const std::string path = persist::path_of(directory_, FileKind::kManifest, number);
    std::array<std::byte, persist::kHeaderBytes> bytes{};
    VECDB_ASSIGN(const auto file, storage_.open(path));
    VECDB_TRY(file->read_at(0, bytes));
    VECDB_ASSIGN(const FileHeader header, FileHeader::decode(bytes));
    ReadCatalogue read;
    read.current = {.database = header.database, .manifest = number};
    VECDB_ASSIGN(read.current.first, persist::first_record(storage_, path, header));
    VECDB_ASSIGN(read.tail.end,
                 persist::rescue_journal(
                     storage_, path, header, read.current.first, [&](const JournalRecord& record) {
                         return persist::apply_record(record, read.catalogue);
                     }));
    if (read.tail.end.sequence < read.current.first)
        return Status(StatusCode::kCorruption, '"' + path + "\": has no record");
    VECDB_TRY(read.catalogue.validate());
    return read;
}

/// Let the log end before the first record that cannot be read: what comes later cannot be done
/// without it.
Status Repair::mend_log(ReadCatalogue& read) {
    persist::StoredPosition position = read.catalogue.position();
    const auto show = [](const JournalRecord& record) {
        return persist::read_entry(record).status();
    };
    const Status whole =
        persist::read_logs(
            storage_, directory_, read.current.database, position.logs, read.current.log_end, show)
            .status();
    if (whole.ok()) return {};
    std::vector<StoredLog> kept;
    std::uint64_t last = position.covered;
    for (const StoredLog& log : position.logs) {
        const FileHeader header{
            .kind = FileKind::kLog, .database = read.current.database, .number = log.file};
        const auto end =
            persist::rescue_journal(storage_,
                                    persist::path_of(directory_, FileKind::kLog, log.file),
                                    header,
                                    log.first,
                                    [](const JournalRecord&) { return Status(); });
        if (!end.ok()) break;
        kept.push_back({log.file, log.first, end->bytes});
        last = end->sequence;
        if (*end != JournalEnd{log.bytes, end->sequence} || log.bytes == 0) break;
    }
    report_.lost.push_back("the log ends after write " + std::to_string(last) +
                           "; later writes are lost: " + whole.message());
    // Some partitions may have later writes already; numbers do not go back.
    if (!read.catalogue.check_covered(last).ok()) kept.clear();
    if (!kept.empty()) {
        // What is behind the end of the last one is not looked at when another one follows.
        VECDB_ASSIGN(const std::uint64_t number,
                     persist::free_number(storage_, directory_, position));
        const FileHeader header{
            .kind = FileKind::kLog, .database = read.current.database, .number = number};
        VECDB_TRY(
            persist::JournalWriter::create(
                storage_, persist::path_of(directory_, FileKind::kLog, number), header, last + 1)
                .status());
        kept.push_back({.file = number, .first = last + 1});
        position.next_file = number + 1;
    }
    position.logs = std::move(kept);
    read.current.log_end.reset();
    return read.catalogue.apply(position);
}

// Rows --------------------------------------------------------------------------------------------

/// Open the database with what can be read of its rows, save that, and build missing indexes.
Status Repair::mend_rows() {
    OpenOptions options = options_;
    options.mode = OpenMode::kOpen;
    options.sync = SyncMode::kEach;
    VECDB_ASSIGN(const auto store, Store::open(directory_, options));
    VECDB_ASSIGN(const simd::KernelTable* kernels, simd::active_table());
    DatabaseState state(*kernels, options.run, store);
    VECDB_ASSIGN(auto opened, recover(state, *store, Verify::kFull, {}, Damaged::kRescue));
    (void)state.replace_names(std::move(opened));
    for (const auto& collection : state.collections_now()) {
        for (const std::string& message : collection->rescued())
            report_.lost.push_back("rows of collection '" + collection->name() + "': " + message);
        report_.saved_rows += collection->rescued_rows();
        VECDB_ASSIGN(const std::size_t built, collection->build_missing({}));
        report_.rebuilt_indexes += built;
    }
    VECDB_TRY(checkpoint(state));
    return store->close();
}

}  // namespace

Result<RepairReport> repair(const std::string& directory, const OpenOptions& options) {
    register_builtin();
    return Repair(directory, options).run();
}

}  // namespace vecdb::collection
