#include "persist/copy.h"

#include "check.h"
#include "persist/errors.h"
#include "persist/manifest.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace vecdb::persist {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;

/// Copy the first `bytes` bytes of a file and sync the copy.
Status copy_file(Storage& storage,
                 const std::string& from,
                 const std::string& to,
                 std::uint64_t bytes) {
    VECDB_ASSIGN(const auto source, storage.open(from));
    VECDB_ASSIGN(const auto target, storage.create(to));
    std::vector<std::byte> piece;
    for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, bytes - at)));
        VECDB_TRY(in_file(from, source->read_at(at, piece)));
        VECDB_TRY(in_file(to, target->append(piece)));
    }
    return in_file(to, target->sync());
}

}  // namespace

Status link_or_copy(Storage& storage, const std::string& from, const std::string& to) {
    Status linked = storage.link(from, to);
    if (linked.code() != StatusCode::kUnsupported) return linked;
    VECDB_ASSIGN(const auto file, storage.open(from));
    return copy_file(storage, from, to, file->size());
}

Status copy_database(Storage& storage,
                     const std::string& from,
                     const std::string& to,
                     const Copied& copied) {
    for (const auto& [number, file] : copied.catalogue.files()) {
        VECDB_TRY(link_or_copy(
            storage, path_of(from, file.kind, number), path_of(to, file.kind, number)));
    }
    for (const StoredLog& log : copied.catalogue.position().logs) {
        const std::uint64_t bytes = log.bytes != 0 ? log.bytes : copied.closed_log.bytes;
        VECDB_TRY(copy_file(storage,
                            path_of(from, FileKind::kLog, log.file),
                            path_of(to, FileKind::kLog, log.file),
                            bytes));
    }
    VECDB_TRY(storage.sync_directory(to));
    VECDB_ASSIGN(const auto manifest,
                 Manifest::create_copy(storage, to, copied.database, copied.catalogue));
    return manifest->close(copied.closed_log);
}

}  // namespace vecdb::persist
