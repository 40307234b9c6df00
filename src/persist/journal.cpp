#include "persist/journal.h"

#include "check.h"
#include "persist/checksum.h"
#include "persist/errors.h"
#include "persist/little_endian.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace vecdb::persist {
namespace {

constexpr std::uint64_t kRecordBytes = 48;  // without payload
constexpr std::uint64_t kRecordAlignment = 8;
/// Bytes of a record for which a writer keeps the memory.
constexpr std::size_t kKeptBuffer = std::size_t{16} << 20U;

// In a record.
constexpr std::size_t kLengthAt = 0;
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kSyncedAt = 16;
constexpr std::size_t kTypeAt = 24;
constexpr std::size_t kPayloadChecksumAt = 32;
constexpr std::size_t kChecksumAt = 40;

using Head = std::array<std::byte, kRecordBytes>;

/// What stands before a payload.
struct RecordHead {
    std::uint64_t length;
    std::uint64_t sequence;
    std::uint64_t synced;
    std::uint32_t type;
    std::uint64_t payload_checksum;

    [[nodiscard]] std::uint64_t padded_length() const noexcept {
        return padded(length, kRecordAlignment);
    }
};

Head encode(const RecordHead& head, std::uint64_t seed) {
    Head bytes{};
    store(bytes, kLengthAt, head.length);
    store(bytes, kSequenceAt, head.sequence);
    store(bytes, kSyncedAt, head.synced);
    store(bytes, kTypeAt, head.type);
    store(bytes, kPayloadChecksumAt, head.payload_checksum);
    store(bytes, kChecksumAt, checksum(std::span(bytes).first(kChecksumAt), seed));
    return bytes;
}

/// Return what `bytes` say, or nothing when they are not what was written.
std::optional<RecordHead> decode(std::span<const std::byte> bytes, std::uint64_t seed) {
    if (checksum(bytes.first(kChecksumAt), seed) != load<std::uint64_t>(bytes, kChecksumAt))
        return std::nullopt;
    return RecordHead{.length = load<std::uint64_t>(bytes, kLengthAt),
                      .sequence = load<std::uint64_t>(bytes, kSequenceAt),
                      .synced = load<std::uint64_t>(bytes, kSyncedAt),
                      .type = load<std::uint32_t>(bytes, kTypeAt),
                      .payload_checksum = load<std::uint64_t>(bytes, kPayloadChecksumAt)};
}

/// Goes through a journal.
class Scan {
  public:
    /// \param size  bytes of the file to look at
    Scan(const ReadableFile& file, std::uint64_t size, std::uint64_t seed, std::uint64_t first)
        : file_(file),
          size_(size),
          seed_(seed),
          tail_{.end = {.bytes = kHeaderBytes, .sequence = first - 1}} {}

    Status run(const std::function<Status(const JournalRecord&)>& show);
    Status check_end(const JournalEnd& known) const;
    Status look_behind();

    [[nodiscard]] const JournalTail& tail() const noexcept { return tail_; }

  private:
    [[nodiscard]] std::uint64_t left() const noexcept { return size_ - tail_.end.bytes; }
    Result<bool> read_next();

    const ReadableFile& file_;
    const std::uint64_t size_;
    const std::uint64_t seed_;
    JournalTail tail_;
    RecordHead head_{};
    std::vector<std::byte> payload_;
};

/// Read the record at the end of those read so far. Returns false when there is no good one.
Result<bool> Scan::read_next() {
    if (left() < kRecordBytes) return false;
    Head bytes{};
    VECDB_TRY(file_.read_at(tail_.end.bytes, bytes));
    const auto head = decode(bytes, seed_);
    if (!head || head->sequence != tail_.end.sequence + 1) return false;
    const std::uint64_t room = left() - kRecordBytes;
    if (head->length > room || head->padded_length() > room) return false;
    head_ = *head;
    payload_.resize(head->padded_length());
    VECDB_TRY(file_.read_at(tail_.end.bytes + kRecordBytes, payload_));
    return checksum(payload_, seed_) == head->payload_checksum;
}

Status Scan::run(const std::function<Status(const JournalRecord&)>& show) {
    for (;;) {
        VECDB_ASSIGN(const bool good, read_next());
        if (!good) break;
        VECDB_TRY(show({.sequence = head_.sequence,
                        .type = head_.type,
                        .payload = std::span(payload_).first(head_.length)}));
        tail_.end.bytes += kRecordBytes + payload_.size();
        tail_.end.sequence = head_.sequence;
    }
    tail_.torn_bytes = left();
    return {};
}

/// Check that a journal whose end is known is whole.
Status Scan::check_end(const JournalEnd& known) const {
    if (tail_.end == known && tail_.torn_bytes == 0) return {};
    return {StatusCode::kCorruption,
            "record " + std::to_string(tail_.end.sequence + 1) + ", at byte " +
                std::to_string(tail_.end.bytes) + " of " + std::to_string(file_.size()) +
                ", is not what was written; the file was closed with " +
                std::to_string(known.bytes) + " bytes, the last record being " +
                std::to_string(known.sequence)};
}

/// See whether records follow the first bad one that say that it had been synced: then it was
/// damaged. Otherwise they were on their way to the disk together with it.
Status Scan::look_behind() {
    constexpr std::size_t kPiece = std::size_t{1} << 20U;
    std::vector<std::byte> piece;
    std::uint64_t last = tail_.end.sequence + 1;
    // Heads may stand at any multiple of eight.
    for (std::uint64_t at = tail_.end.bytes; size_ - at >= kRecordBytes;) {
        piece.resize(std::min<std::uint64_t>(kPiece, size_ - at));
        VECDB_TRY(file_.read_at(at, piece));
        std::size_t i = 0;
        for (; i + kRecordBytes <= piece.size(); i += kRecordAlignment) {
            const auto head = decode(std::span(piece).subspan(i, kRecordBytes), seed_);
            if (!head || head->sequence <= last) continue;
            last = head->sequence;
            ++tail_.stray_records;
            if (head->synced <= tail_.end.sequence) continue;
            return {StatusCode::kCorruption,
                    "record " + std::to_string(tail_.end.sequence + 1) + ", at byte " +
                        std::to_string(tail_.end.bytes) +
                        ", is not what was written, and was synced before record " +
                        std::to_string(head->sequence) + ", at byte " + std::to_string(at + i)};
        }
        at += i;
    }
    return {};
}

}  // namespace

std::uint64_t journal_bytes(std::uint64_t payload) noexcept {
    return kHeaderBytes + kRecordBytes + padded(payload, kRecordAlignment);
}

// Writing -----------------------------------------------------------------------------------------

JournalWriter::JournalWriter(std::string path,
                             std::unique_ptr<WritableFile> file,
                             const FileHeader& header,
                             const JournalEnd& end)
    : path_(std::move(path)),
      file_(std::move(file)),
      seed_(header.seed()),
      end_(end),
      synced_(end.sequence) {}

Result<std::unique_ptr<JournalWriter>> JournalWriter::create(Storage& storage,
                                                             const std::string& path,
                                                             const FileHeader& header,
                                                             std::uint64_t first) {
    VECDB_ASSERT(first > 0);
    VECDB_ASSIGN(auto file, storage.create(path));
    VECDB_TRY(in_file(path, file->append(header.encode())));
    VECDB_TRY(in_file(path, file->sync()));
    return std::unique_ptr<JournalWriter>(
        new JournalWriter(path, std::move(file), header, {kHeaderBytes, first - 1}));
}

Result<std::unique_ptr<JournalWriter>> JournalWriter::resume(Storage& storage,
                                                             const std::string& path,
                                                             const FileHeader& header,
                                                             const JournalEnd& end) {
    VECDB_ASSIGN(auto file, storage.resume(path, end.bytes));
    // What was read may only be on its way to the disk.
    VECDB_TRY(in_file(path, file->sync()));
    return std::unique_ptr<JournalWriter>(new JournalWriter(path, std::move(file), header, end));
}

/// Remember a failure.
Status JournalWriter::note(const Status& status) {
    if (!status.ok()) failed_ = in_file(path_, status);
    return failed_;
}

std::span<std::byte> JournalWriter::prepare(std::uint64_t bytes) {
    const std::uint64_t padded_length = padded(bytes, kRecordAlignment);
    const auto size = static_cast<std::size_t>(kRecordBytes + padded_length);
    if (size > buffer_.size() || buffer_.size() > kKeptBuffer) {
        buffer_.clear();
        if (buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
        buffer_.resize(size);
    }
    length_ = bytes;
    const auto record = std::span(buffer_).first(size);
    std::fill(record.end() - static_cast<std::ptrdiff_t>(padded_length - bytes),
              record.end(),
              std::byte{0});
    return record.subspan(kRecordBytes, static_cast<std::size_t>(bytes));
}

Status JournalWriter::append(std::uint32_t type) {
    VECDB_TRY(failed_);
    const auto record = std::span(buffer_).first(
        static_cast<std::size_t>(kRecordBytes + padded(length_, kRecordAlignment)));
    const Head head = encode({.length = length_,
                              .sequence = end_.sequence + 1,
                              .synced = synced_,
                              .type = type,
                              .payload_checksum = checksum(record.subspan(kRecordBytes), seed_)},
                             seed_);
    std::memcpy(record.data(), head.data(), head.size());
    VECDB_TRY(note(file_->append(record)));
    end_.bytes += record.size();
    ++end_.sequence;
    return {};
}

Status JournalWriter::append(std::uint32_t type, std::span<const std::byte> payload) {
    const auto room = prepare(payload.size());
    std::copy(payload.begin(), payload.end(), room.begin());
    return append(type);
}

Status JournalWriter::sync() {
    VECDB_TRY(failed_);
    if (synced_ == end_.sequence) return {};
    VECDB_TRY(note(file_->sync()));
    synced_ = end_.sequence;
    return {};
}

// Reading -----------------------------------------------------------------------------------------

Result<JournalTail> read_journal(Storage& storage,
                                 const std::string& path,
                                 const FileHeader& header,
                                 std::uint64_t first,
                                 const std::optional<KnownEnd>& known,
                                 const std::function<Status(const JournalRecord&)>& show) {
    VECDB_ASSERT(first > 0);
    VECDB_ASSIGN(const auto file, storage.open(path));
    VECDB_TRY(in_file(path, check_header(*file, header)));
    const bool cut = known && known->cut;
    const std::uint64_t size = cut ? std::min(known->end.bytes, file->size()) : file->size();
    if (size < kHeaderBytes) {
        return in_file(path,
                       {StatusCode::kCorruption,
                        "is to end at byte " + std::to_string(size) + ", in its header"});
    }
    Scan scan(*file, size, header.seed(), first);
    VECDB_TRY(in_file(path, scan.run(show)));
    VECDB_TRY(in_file(path, known ? scan.check_end(known->end) : scan.look_behind()));
    return scan.tail();
}

Result<JournalEnd> rescue_journal(Storage& storage,
                                  const std::string& path,
                                  const FileHeader& header,
                                  std::uint64_t first,
                                  const std::function<Status(const JournalRecord&)>& show) {
    VECDB_ASSIGN(const auto file, storage.open(path));
    VECDB_TRY(in_file(path, check_header(*file, header)));
    Scan scan(*file, file->size(), header.seed(), first);
    VECDB_TRY(in_file(path, scan.run(show)));
    return scan.tail().end;
}

Result<std::uint64_t> first_record(Storage& storage,
                                   const std::string& path,
                                   const FileHeader& header) {
    VECDB_ASSIGN(const auto file, storage.open(path));
    VECDB_TRY(in_file(path, check_header(*file, header)));
    Head bytes{};
    VECDB_TRY(in_file(path, file->read_at(kHeaderBytes, bytes)));
    const auto head = decode(bytes, header.seed());
    if (head && head->sequence > 0) return head->sequence;
    return in_file(path, {StatusCode::kCorruption, "does not begin with a record"});
}

}  // namespace vecdb::persist
