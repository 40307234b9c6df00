#include "database_access.h"

#include "output.h"

#include <filesystem>
#include <system_error>

namespace vecdb::cli {
namespace {

std::vector<std::string> all_names(const Database& db) {
    std::vector<std::string> names = db.list_collections();
    for (const Alias& alias : db.list_aliases())
        names.push_back(alias.name + " (alias of " + alias.collection + ')');
    return names;
}

}  // namespace

Database open_to_read(const std::string& directory) {
    return value_of(Database::open(directory, {.mode = OpenMode::kReadOnly}), ExitCode::kInput);
}

Database open_to_write(const std::string& directory) {
    return value_of(Database::open(directory, {.mode = OpenMode::kOpen}), ExitCode::kInput);
}

void check_write(const Status& status, ExitCode invalid) {
    if (status.code() == StatusCode::kIoError) {
        throw CommandError(ExitCode::kOther, status.message());
    }
    check(status, invalid);
}

Collection choose_collection(const Database& db,
                             const std::string& directory,
                             const std::string& name) {
    if (!name.empty()) {
        Result<Collection> found = db.collection(name);
        if (found.status().code() == StatusCode::kNotFound) {
            throw CommandError(ExitCode::kInput,
                               directory + ": " + found.status().message() +
                                   "; there are: " + joined(all_names(db)));
        }
        return value_of(std::move(found), ExitCode::kInput);
    }
    const std::vector<std::string> names = db.list_collections();
    if (names.empty()) throw CommandError(ExitCode::kInput, directory + ": has no collections");
    if (names.size() > 1) {
        throw CommandError(
            ExitCode::kUsage,
            "--collection: " + directory + " has several, name one of: " + joined(all_names(db)));
    }
    return value_of(db.collection(names[0]), ExitCode::kInput);
}

DirectorySize size_of(const std::string& directory) {
    DirectorySize size;
    std::error_code error;
    std::filesystem::directory_iterator entry(directory, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        std::error_code gone;
        if (!entry->is_regular_file(gone)) continue;
        const std::uint64_t bytes = entry->file_size(gone);
        if (gone) continue;
        ++size.files;
        size.bytes += bytes;
    }
    return size;
}

std::string counted(std::uint64_t count, const std::string& one) {
    return grouped(count) + ' ' + one + (count == 1 ? "" : "s");
}

}  // namespace vecdb::cli
