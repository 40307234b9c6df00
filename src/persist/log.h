#pragma once

/// \file
/// The log of a database: the writes since its rows were last saved, in one order. Bytes:
/// FORMAT.md.

#include "persist/catalogue.h"
#include "persist/journal.h"

#include <vecdb/status.h>
#include <vecdb/storage.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vecdb::persist {

/// The partition of rows that the rule of their collection spreads.
inline constexpr std::uint32_t kByRule = 0xFFFF'FFFF;

/// Rows that were inserted or replaced, as the caller gave them.
struct LoggedRows {
    std::uint64_t collection = 0;
    std::uint32_t partition = 0;  ///< Or kByRule.
    std::span<const Id> ids;
    std::span<const std::byte> values;   ///< Scalar values and further vectors, if any.
    std::span<const std::byte> vectors;  ///< As many, without gaps.
};
/// Rows that were removed, from whatever partition.
struct LoggedRemoval {
    std::uint64_t collection = 0;
    std::span<const Id> ids;
};
/// Changes of names.
using LoggedChanges = std::vector<Change>;

/// What a record says. Spans are valid as long as the bytes it was read from.
using LogEntry = std::variant<LoggedRows, LoggedRemoval, LoggedChanges>;

/// Rows of a batch on their way into the log.
struct RowsToLog {
    std::uint64_t collection;
    std::uint32_t partition;  ///< Or kByRule.
    std::span<const Id> ids;
    MatrixView vectors;
    std::span<const std::uint32_t> rows;  ///< Which of them.
    /// Scalar values and vectors of further fields of those rows; a multiple of 8 bytes.
    std::span<const std::byte> values;
};

/// Write rows of a batch. Returns kIoError. Throws std::bad_alloc.
[[nodiscard]] Status log_rows(JournalWriter& to, const RowsToLog& batch);
[[nodiscard]] Status log_removal(JournalWriter& to,
                                 std::uint64_t collection,
                                 std::span<const Id> ids);
[[nodiscard]] Status log_changes(JournalWriter& to, std::span<const Change> changes);

/// Say what a record says. Returns kCorruption. Throws std::bad_alloc.
[[nodiscard]] Result<LogEntry> read_entry(const JournalRecord& record);

/// Show the records of a log whose files are `logs`; `closed` is where the last ends, if the
/// database was closed. Returns what was found behind the last record; errors as of read_journal.
[[nodiscard]] Result<JournalTail> read_logs(
    Storage& storage,
    const std::string& directory,
    const DatabaseId& database,
    std::span<const StoredLog> logs,
    const std::optional<JournalEnd>& closed,
    const std::function<Status(const JournalRecord&)>& show);

}  // namespace vecdb::persist
