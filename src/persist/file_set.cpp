#include "persist/file_set.h"

#include "check.h"
#include "persist/manifest.h"

#include <utility>

namespace vecdb::persist {

std::string FileSet::path(std::uint64_t number) const {
    return path_of(directory_, files_.at(number).kind, number);
}

Result<std::shared_ptr<SectionFile>> FileSet::open_now(std::uint64_t number) const {
    const StoredFile& file = files_.at(number);
    const FileHeader header{.kind = file.kind, .database = database_, .number = number};
    return SectionFile::open(*storage_, path(number), header, &file.stamp, access_);
}

Result<std::shared_ptr<SectionFile>> FileSet::open(std::uint64_t number) {
    const auto known = files_.find(number);
    if (known == files_.end()) {
        return Status(StatusCode::kCorruption,
                      "the catalogue has no file " + std::to_string(number));
    }
    const Lock lock(mutex_);
    const bool shared = known->second.kind == FileKind::kGrowing;
    const auto held = held_.find(number);
    if (held != held_.end()) {
        auto file = held->second;
        if (!shared) held_.erase(held);
        return file;
    }
    VECDB_ASSIGN(auto file, open_now(number));
    if (shared) held_.emplace(number, file);
    return file;
}

Status FileSet::hold_all() {
    const Lock lock(mutex_);
    for (const auto& [number, about] : files_) {
        auto file = open_now(number);
        if (file.status().code() == StatusCode::kNotFound) return std::move(file).status();
        if (file.ok()) held_[number] = *std::move(file);
    }
    return {};
}

}  // namespace vecdb::persist
