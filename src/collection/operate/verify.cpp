#include "collection/operate/verify.h"

#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/storage/stored_partition.h"
#include "persist/file_set.h"
#include "persist/log.h"
#include "persist/manifest.h"

#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace vecdb::collection {

using persist::FileKind;
using persist::StoredPartition;

namespace {

/// Goes through all files of a database.
class Verification {
  public:
    Verification(std::string directory, std::shared_ptr<Storage> storage)
        : directory_(std::move(directory)), storage_(std::move(storage)) {}

    Result<VerifyReport> run() {
        VECDB_TRY(look());
        return std::move(report_);
    }

  private:
    Status look();
    Status check_rows(const persist::ReadCatalogue& read, const std::string& manifest);
    Status check_log(const persist::ReadCatalogue& read);
    Status check_file(std::uint64_t number);
    Status check_partition(const StoredPartition& partition, const RowFields& fields);
    [[nodiscard]] bool has_damaged_file(const StoredPartition& partition) const;
    Result<bool> note(const std::string& path, const Status& status);
    Status count(const std::string& path);

    const std::string directory_;
    const std::shared_ptr<Storage> storage_;
    VerifyReport report_;
    std::unique_ptr<persist::FileSet> files_;
    std::set<std::uint64_t> damaged_;  // numbers of files
};

/// Put damage into the report and return whether there was none; other failures are returned.
Result<bool> Verification::note(const std::string& path, const Status& status) {
    if (status.ok()) return true;
    if (status.code() != StatusCode::kCorruption && status.code() != StatusCode::kNotFound &&
        status.code() != StatusCode::kInvalidArgument)
        return status;
    report_.damage.push_back({.file = path, .message = status.message()});
    return false;
}

/// Count a file that is read.
Status Verification::count(const std::string& path) {
    const auto file = storage_->open(path);
    if (!file.ok()) return note(path, file.status()).status();
    ++report_.files;
    report_.bytes += (*file)->size();
    return {};
}

Status Verification::look() {
    const std::string current = directory_ + "/CURRENT";
    const auto named = persist::read_current(*storage_, directory_);
    if (named.status().code() == StatusCode::kNotFound) return named.status();
    VECDB_TRY(count(current));
    VECDB_ASSIGN(const bool has_current, note(current, named.status()));
    if (!has_current) return {};
    const std::string manifest = persist::path_of(directory_, FileKind::kManifest, named->manifest);
    const auto read = persist::read_catalogue(*storage_, directory_);
    VECDB_ASSIGN(const bool has_catalogue, note(manifest, read.status()));
    if (!has_catalogue) return {};
    VECDB_TRY(count(manifest));
    VECDB_TRY(check_log(*read));
    return check_rows(*read, manifest);
}

/// Check the files that the catalogue names.
Status Verification::check_rows(const persist::ReadCatalogue& read, const std::string& manifest) {
    files_ = std::make_unique<persist::FileSet>(storage_,
                                                directory_,
                                                read.current.database,
                                                persist::Access::kMapped,
                                                read.catalogue.files());
    for (const auto& [number, file] : files_->files())
        VECDB_TRY(check_file(number));
    for (const auto& [id, collection] : read.catalogue.collections()) {
        VECDB_ASSIGN(const bool valid, note(manifest, collection.schema.validate()));
        if (!valid) continue;
        const RowFields fields{collection.schema.vectors, share_scalars(collection.schema)};
        for (const auto& [number, partition] : collection.partitions)
            VECDB_TRY(check_partition(partition, fields));
    }
    return {};
}

/// Read the log. What follows damage is not looked at: it cannot be used.
Status Verification::check_log(const persist::ReadCatalogue& read) {
    const auto& logs = read.catalogue.position().logs;
    for (const persist::StoredLog& log : logs)
        VECDB_TRY(count(persist::path_of(directory_, FileKind::kLog, log.file)));
    std::string path;
    const Status status = persist::read_logs(*storage_,
                                             directory_,
                                             read.current.database,
                                             logs,
                                             read.current.log_end,
                                             [&](const persist::JournalRecord& record) {
                                                 return persist::read_entry(record).status();
                                             })
                              .status();
    for (const persist::StoredLog& log : logs) {
        const std::string each = persist::path_of(directory_, FileKind::kLog, log.file);
        if (path.empty() || status.message().find(each) != std::string::npos) path = each;
    }
    return note(path, status).status();
}

Status Verification::check_file(std::uint64_t number) {
    const std::string path = files_->path(number);
    const auto file = files_->open(number);
    VECDB_ASSIGN(const bool opened, note(path, file.status()));
    if (!opened) {
        damaged_.insert(number);
        return {};
    }
    ++report_.files;
    report_.bytes += (*file)->stamp().bytes;
    VECDB_ASSIGN(const auto damage, (*file)->find_damage());
    for (const persist::SectionFile::Damaged& each : damage) {
        report_.damage.push_back({path, each.section, each.offset, each.status.message()});
        damaged_.insert(number);
    }
    return {};
}

bool Verification::has_damaged_file(const StoredPartition& partition) const {
    if (damaged_.contains(partition.growing.file)) return true;
    for (const persist::StoredSegment& segment : partition.segments) {
        if (damaged_.contains(segment.rows_file) || damaged_.contains(segment.index_file) ||
            damaged_.contains(segment.removed.file))
            return true;
    }
    return false;
}

/// Check what the bytes of a partition mean, where they are those that were written.
Status Verification::check_partition(const StoredPartition& partition, const RowFields& fields) {
    if (has_damaged_file(partition)) return {};
    VECDB_ASSIGN(const LoadedPartition loaded,
                 load_partition(*files_, {}, partition, fields, Damaged::kLeaveOut));
    for (const auto* messages : {&loaded.lost, &loaded.without}) {
        for (const std::string& message : *messages)
            report_.damage.push_back({.file = directory_, .message = message});
    }
    return {};
}

}  // namespace

Result<VerifyReport> verify(const std::string& directory, const OpenOptions& options) {
    register_builtin();
    return Verification(directory, options.storage).run();
}

}  // namespace vecdb::collection
