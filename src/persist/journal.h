#pragma once

/// \file
/// Files that grow record by record, and end anywhere when the program or the power ends. Bytes:
/// FORMAT.md.

#include "persist/file_header.h"

#include <vecdb/status.h>
#include <vecdb/storage.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vecdb::persist {

/// One record. The payload is valid during the call that shows it.
struct JournalRecord {
    std::uint64_t sequence = 0;  ///< One more than that of the record before.
    std::uint32_t type = 0;
    std::span<const std::byte> payload;
};

/// How far a journal reaches.
struct JournalEnd {
    std::uint64_t bytes = 0;     ///< Up to the end of the last whole record.
    std::uint64_t sequence = 0;  ///< Of that record; that before the first if there is none.

    friend bool operator==(const JournalEnd&, const JournalEnd&) = default;
};

/// What is known from elsewhere of where a journal ends.
struct KnownEnd {
    JournalEnd end;
    bool cut = false;  ///< Bytes may follow that are none of it, and are not looked at.
};

/// What was found behind the last whole record.
struct JournalTail {
    JournalEnd end;
    /// Bytes behind it: a record that was not finished when the program or the power ended.
    std::uint64_t torn_bytes = 0;
    /// Records that begin there after the one that is missing; it was never synced.
    std::uint64_t stray_records = 0;
};

/// Return the bytes of a journal with one record, of a payload of so many bytes.
[[nodiscard]] std::uint64_t journal_bytes(std::uint64_t payload) noexcept;

/// Writes records. After a failure it refuses everything: nothing is known of the last bytes.
/// Threads: needs exclusive access.
class JournalWriter {
  public:
    /// Begin a journal whose first record has the number `first`, from 1, and sync it. Returns what
    /// Storage::create returns.
    [[nodiscard]] static Result<std::unique_ptr<JournalWriter>> create(Storage& storage,
                                                                       const std::string& path,
                                                                       const FileHeader& header,
                                                                       std::uint64_t first);
    /// Go on after `end`; what stands behind it is cut. All before counts as synced. Returns what
    /// Storage::resume returns.
    [[nodiscard]] static Result<std::unique_ptr<JournalWriter>> resume(Storage& storage,
                                                                       const std::string& path,
                                                                       const FileHeader& header,
                                                                       const JournalEnd& end);

    /// Make room for the payload of the next record, to be filled before append() writes it; valid
    /// until then. Throws std::bad_alloc.
    [[nodiscard]] std::span<std::byte> prepare(std::uint64_t bytes);
    /// Add the record that was prepared. Returns kIoError.
    [[nodiscard]] Status append(std::uint32_t type);
    /// Add a record with this payload. Returns kIoError. Throws std::bad_alloc.
    [[nodiscard]] Status append(std::uint32_t type, std::span<const std::byte> payload);
    /// Return when all records will be there after a loss of power. Returns kIoError.
    [[nodiscard]] Status sync();

    [[nodiscard]] const JournalEnd& end() const noexcept { return end_; }
    [[nodiscard]] std::uint64_t synced() const noexcept { return synced_; }

  private:
    JournalWriter(std::string path,
                  std::unique_ptr<WritableFile> file,
                  const FileHeader& header,
                  const JournalEnd& end);
    Status note(const Status& status);

    std::string path_;
    std::unique_ptr<WritableFile> file_;
    std::uint64_t seed_;
    JournalEnd end_;
    std::uint64_t synced_;  // number of the last record that is
    Status failed_;
    std::vector<std::byte> buffer_;  // of the record being made, and as large as one has been
    std::uint64_t length_ = 0;       // of its payload
};

/// Show the records of a journal, from the first, whose number is `first`, to the last whole one.
/// With a known end it ends there and nowhere else; without one, a bad record ends it unless it had
/// been synced.
///
/// Returns kCorruption (naming the offset), kUnsupported (a newer version wrote it), what `show`
/// returns, what Storage::open returns. Takes the memory of one record, and no more than the file
/// has bytes. Throws std::bad_alloc.
[[nodiscard]] Result<JournalTail> read_journal(
    Storage& storage,
    const std::string& path,
    const FileHeader& header,
    std::uint64_t first,
    const std::optional<KnownEnd>& known,
    const std::function<Status(const JournalRecord&)>& show);

/// Show the records of a journal that may be damaged, up to the first that is not whole. Errors as
/// of read_journal, but for the damage behind that.
[[nodiscard]] Result<JournalEnd> rescue_journal(
    Storage& storage,
    const std::string& path,
    const FileHeader& header,
    std::uint64_t first,
    const std::function<Status(const JournalRecord&)>& show);

/// Return the number of the first record of a journal. Returns kCorruption, what Storage::open
/// returns.
[[nodiscard]] Result<std::uint64_t> first_record(Storage& storage,
                                                 const std::string& path,
                                                 const FileHeader& header);

}  // namespace vecdb::persist
