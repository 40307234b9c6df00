#include "persist/log.h"

#include "check.h"
#include "persist/little_endian.h"
#include "persist/manifest.h"

#include <cstring>
#include <utility>

namespace vecdb::persist {
namespace {

// Types of records.
constexpr std::uint32_t kRows = 1;
constexpr std::uint32_t kRemoval = 2;
constexpr std::uint32_t kChanges = 3;
constexpr std::uint32_t kValueRows = 4;

// In a record of rows or of a removal.
constexpr std::size_t kCollectionAt = 0;
constexpr std::size_t kCountAt = 8;
constexpr std::size_t kPartitionAt = 16;  // of rows only
constexpr std::size_t kRowsIdsAt = 24;
constexpr std::size_t kValueBytesAt = 24;  // of rows with values only
constexpr std::size_t kValueRowsIdsAt = 32;
constexpr std::size_t kRemovalIdsAt = 16;

Status misfit(std::string what) {
    return {StatusCode::kCorruption, "has a record " + std::move(what)};
}

/// View the ids behind the fixed part of a record; nothing when they are not all there.
std::optional<std::span<const Id>> read_ids(std::span<const std::byte> payload, std::size_t at) {
    if (payload.size() < at) return std::nullopt;
    const auto count = load<std::uint64_t>(payload, kCountAt);
    if (count > (payload.size() - at) / sizeof(Id)) return std::nullopt;
    return std::span(reinterpret_cast<const Id*>(payload.data() + at),
                     static_cast<std::size_t>(count));
}

Result<LogEntry> read_rows(std::span<const std::byte> payload, bool values) {
    const std::size_t ids_at = values ? kValueRowsIdsAt : kRowsIdsAt;
    const auto ids = read_ids(payload, ids_at);
    if (!ids || ids->empty()) return misfit("of rows without ids");
    LoggedRows rows{.collection = load<std::uint64_t>(payload, kCollectionAt),
                    .partition = load<std::uint32_t>(payload, kPartitionAt),
                    .ids = *ids,
                    .values = {},
                    .vectors = payload.subspan(ids_at + ids->size_bytes())};
    if (values) {
        const auto bytes = load<std::uint64_t>(payload, kValueBytesAt);
        if (bytes == 0 || bytes % 8 != 0 || bytes > rows.vectors.size()) {
            return misfit("of rows with " + std::to_string(bytes) + " bytes of values of " +
                          std::to_string(rows.vectors.size()));
        }
        rows.values = rows.vectors.first(static_cast<std::size_t>(bytes));
        rows.vectors = rows.vectors.subspan(rows.values.size());
    }
    if (rows.vectors.empty() || rows.vectors.size() % ids->size() != 0) {
        return misfit("of rows whose vectors have " + std::to_string(rows.vectors.size()) +
                      " bytes for " + std::to_string(ids->size()) + " ids");
    }
    return LogEntry(rows);
}

Result<LogEntry> read_removal(std::span<const std::byte> payload) {
    const auto ids = read_ids(payload, kRemovalIdsAt);
    if (!ids || kRemovalIdsAt + ids->size_bytes() != payload.size())
        return misfit("of a removal without its ids");
    return LogEntry(LoggedRemoval{load<std::uint64_t>(payload, kCollectionAt), *ids});
}

Result<LogEntry> read_changes_of(std::span<const std::byte> payload) {
    LoggedChanges changes;
    ArchiveReader from(payload);
    VECDB_TRY(read_changes(from, [&](const Change& change) {
        changes.push_back(change);
        return Status();
    }));
    VECDB_TRY(from.finish());
    return LogEntry(std::move(changes));
}

}  // namespace

Status log_rows(JournalWriter& to, const RowsToLog& batch) {
    const bool values = !batch.values.empty();
    const std::size_t ids_at = values ? kValueRowsIdsAt : kRowsIdsAt;
    const std::size_t vector_bytes = vecdb::vector_bytes(batch.vectors.type(), batch.vectors.dim());
    const auto payload =
        to.prepare(ids_at + batch.values.size() + batch.rows.size() * (sizeof(Id) + vector_bytes));
    store(payload, kCollectionAt, batch.collection);
    store(payload, kCountAt, static_cast<std::uint64_t>(batch.rows.size()));
    store(payload, kPartitionAt, batch.partition);
    store(payload, kPartitionAt + sizeof(batch.partition), std::uint32_t{0});
    if (values) store(payload, kValueBytesAt, static_cast<std::uint64_t>(batch.values.size()));
    std::byte* id = payload.data() + ids_at;
    std::byte* vector = id + batch.rows.size() * sizeof(Id);
    if (values) std::memcpy(vector, batch.values.data(), batch.values.size());
    vector += batch.values.size();
    for (const std::uint32_t row : batch.rows) {
        std::memcpy(id, &batch.ids[row], sizeof(Id));
        std::memcpy(vector, batch.vectors.slice(row, 1).data(), vector_bytes);
        id += sizeof(Id);
        vector += vector_bytes;
    }
    return to.append(values ? kValueRows : kRows);
}

Status log_removal(JournalWriter& to, std::uint64_t collection, std::span<const Id> ids) {
    const auto payload = to.prepare(kRemovalIdsAt + ids.size_bytes());
    store(payload, kCollectionAt, collection);
    store(payload, kCountAt, static_cast<std::uint64_t>(ids.size()));
    if (!ids.empty()) std::memcpy(payload.data() + kRemovalIdsAt, ids.data(), ids.size_bytes());
    return to.append(kRemoval);
}

Status log_changes(JournalWriter& to, std::span<const Change> changes) {
    ArchiveWriter bytes;
    write_changes(bytes, changes);
    return to.append(kChanges, bytes.bytes());
}

Result<LogEntry> read_entry(const JournalRecord& record) {
    switch (record.type) {
        case kRows:
        case kValueRows:
            return read_rows(record.payload, record.type == kValueRows);
        case kRemoval:
            return read_removal(record.payload);
        case kChanges:
            return read_changes_of(record.payload);
        default:
            return misfit("of type " + std::to_string(record.type));
    }
}

Result<JournalTail> read_logs(Storage& storage,
                              const std::string& directory,
                              const DatabaseId& database,
                              std::span<const StoredLog> logs,
                              const std::optional<JournalEnd>& closed,
                              const std::function<Status(const JournalRecord&)>& show) {
    JournalTail tail;
    for (std::size_t i = 0; i < logs.size(); ++i) {
        const StoredLog& log = logs[i];
        std::optional<KnownEnd> known;
        if (i + 1 < logs.size()) {
            known = KnownEnd{.end = {log.bytes, logs[i + 1].first - 1}, .cut = true};
        } else if (closed) {
            known = KnownEnd{.end = *closed};
        }
        const FileHeader header{.kind = FileKind::kLog, .database = database, .number = log.file};
        const std::string path = path_of(directory, FileKind::kLog, log.file);
        VECDB_ASSIGN(tail, read_journal(storage, path, header, log.first, known, show));
    }
    return tail;
}

}  // namespace vecdb::persist
