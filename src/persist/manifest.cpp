#include "persist/manifest.h"

#include "check.h"
#include "persist/checksum.h"
#include "persist/errors.h"
#include "persist/little_endian.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <random>
#include <utility>

namespace vecdb::persist {
namespace {

/// The type of the records of a manifest.
constexpr std::uint32_t kChangesRecord = 1;
/// A manifest begins anew when it has so many times the bytes that it began with, and so many more.
constexpr std::uint64_t kMostGrowth = 3;
constexpr std::uint64_t kFreeGrowth = std::uint64_t{1} << 16U;

constexpr std::string_view kCurrentName = "CURRENT";
constexpr std::string_view kNewCurrentName = "CURRENT.new";
constexpr std::size_t kDigits = 16;

struct KindName {
    FileKind kind;
    std::string_view prefix;
};
constexpr KindName kKindNames[] = {{FileKind::kManifest, "manifest-"},
                                   {FileKind::kLog, "log-"},
                                   {FileKind::kRows, "rows-"},
                                   {FileKind::kIndex, "index-"},
                                   {FileKind::kGrowing, "growing-"}};

// Of CURRENT, behind the header.
constexpr std::size_t kCurrentBytes = kHeaderBytes + 64;
constexpr std::size_t kFirstAt = kHeaderBytes;
constexpr std::size_t kClosedAt = kHeaderBytes + 8;
constexpr std::size_t kManifestEndAt = kHeaderBytes + 16;
constexpr std::size_t kLogEndAt = kHeaderBytes + 32;
constexpr std::size_t kTimeAt = kHeaderBytes + 48;
constexpr std::size_t kChecksumAt = kHeaderBytes + 56;

using CurrentBytes = std::array<std::byte, kCurrentBytes>;

CurrentBytes encode(const Current& current) {
    const FileHeader header{
        .kind = FileKind::kCurrent, .database = current.database, .number = current.manifest};
    CurrentBytes bytes{};
    store(bytes, 0, header.encode());
    store(bytes, kFirstAt, current.first);
    store(bytes, kTimeAt, current.time);
    if (current.manifest_end && current.log_end) {
        store(bytes, kClosedAt, std::uint64_t{1});
        store(bytes, kManifestEndAt, *current.manifest_end);
        store(bytes, kLogEndAt, *current.log_end);
    }
    store(bytes, kChecksumAt, checksum(std::span(bytes).first(kChecksumAt)));
    return bytes;
}

Result<Current> decode(const CurrentBytes& bytes) {
    VECDB_ASSIGN(const FileHeader header,
                 FileHeader::decode(std::span(bytes).first<kHeaderBytes>()));
    if (header.kind != FileKind::kCurrent)
        return Status(StatusCode::kCorruption, "is no file of that kind");
    const auto expected = load<std::uint64_t>(bytes, kChecksumAt);
    const auto found = checksum(std::span(bytes).first(kChecksumAt));
    if (found != expected) return wrong_checksum("it", expected, found);
    Current current{.database = header.database,
                    .manifest = header.number,
                    .first = load<std::uint64_t>(bytes, kFirstAt),
                    .time = load<std::uint64_t>(bytes, kTimeAt),
                    .manifest_end = std::nullopt,
                    .log_end = std::nullopt};
    if (current.first == 0) return Status(StatusCode::kCorruption, "names record 0");
    if (load<std::uint64_t>(bytes, kClosedAt) != 0) {
        current.manifest_end = load<JournalEnd>(bytes, kManifestEndAt);
        current.log_end = load<JournalEnd>(bytes, kLogEndAt);
    }
    return current;
}

FileHeader header_of(const Current& current) {
    return {.kind = FileKind::kManifest, .database = current.database, .number = current.manifest};
}

DatabaseId random_id() {
    std::random_device random;
    DatabaseId id{};
    for (std::size_t at = 0; at < id.size(); at += sizeof(std::uint32_t))
        store(id, at, static_cast<std::uint32_t>(random()));
    return id;
}

std::string in_directory(const std::string& directory, std::string_view name) {
    return directory + '/' + std::string(name);
}

}  // namespace

std::string path_of(const std::string& directory, FileKind kind, std::uint64_t number) {
    const auto* named = std::find_if(std::begin(kKindNames),
                                     std::end(kKindNames),
                                     [&](const KindName& each) { return each.kind == kind; });
    VECDB_ASSERT(named != std::end(kKindNames));
    std::array<char, kDigits> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
    const auto length = static_cast<std::size_t>(end - digits.data());
    std::string name(named->prefix);
    name.append(kDigits - length, '0').append(digits.data(), length);
    return in_directory(directory, name);
}

std::optional<FileName> parse_file_name(std::string_view name) {
    for (const KindName& each : kKindNames) {
        if (!name.starts_with(each.prefix)) continue;
        const std::string_view digits = name.substr(each.prefix.size());
        const bool hexadecimal = digits.find_first_not_of("0123456789abcdef") == digits.npos;
        if (digits.size() != kDigits || !hexadecimal) return std::nullopt;
        std::uint64_t number = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
        return FileName{each.kind, number};
    }
    return std::nullopt;
}

Result<Current> read_current(Storage& storage, const std::string& directory) {
    const std::string path = in_directory(directory, kCurrentName);
    VECDB_ASSIGN(const auto file, storage.open(path));
    CurrentBytes bytes{};
    if (file->size() != bytes.size()) {
        return in_file(path,
                       {StatusCode::kCorruption,
                        "has " + std::to_string(file->size()) + " bytes, expected " +
                            std::to_string(bytes.size())});
    }
    VECDB_TRY(in_file(path, file->read_at(0, bytes)));
    auto current = decode(bytes);
    if (!current.ok()) return in_file(path, current.status());
    return current;
}

Status write_current(Storage& storage, const std::string& directory, const Current& current) {
    const std::string path = in_directory(directory, kNewCurrentName);
    Status removed = storage.remove(path);
    if (!removed.ok() && removed.code() != StatusCode::kNotFound) return removed;
    {
        VECDB_ASSIGN(const auto file, storage.create(path));
        VECDB_TRY(in_file(path, file->append(encode(current))));
        VECDB_TRY(in_file(path, file->sync()));
    }
    VECDB_TRY(storage.rename(path, in_directory(directory, kCurrentName)));
    return storage.sync_directory(directory);
}

// The catalogue -----------------------------------------------------------------------------------

Status apply_record(const JournalRecord& record, Catalogue& to) {
    if (record.type != kChangesRecord)
        return {StatusCode::kCorruption, "has a record of type " + std::to_string(record.type)};
    ArchiveReader from(record.payload);
    VECDB_TRY(read_changes(from, [&](const Change& change) { return to.apply(change); }));
    return from.finish();
}

Result<ReadCatalogue> read_catalogue(Storage& storage, const std::string& directory) {
    ReadCatalogue read;
    VECDB_ASSIGN(read.current, read_current(storage, directory));
    const std::string path = path_of(directory, FileKind::kManifest, read.current.manifest);
    const auto show = [&](const JournalRecord& record) {
        return apply_record(record, read.catalogue);
    };
    std::optional<KnownEnd> known;
    if (read.current.manifest_end) known = KnownEnd{.end = *read.current.manifest_end};
    VECDB_ASSIGN(
        read.tail,
        read_journal(storage, path, header_of(read.current), read.current.first, known, show));
    // The record that everything begins with was synced before CURRENT named the file.
    if (read.tail.end.sequence < read.current.first)
        return in_file(path, {StatusCode::kCorruption, "has no record"});
    VECDB_TRY(in_file(path, read.catalogue.validate()));
    return read;
}

Manifest::Manifest(Storage& storage, std::string directory)
    : storage_(storage), directory_(std::move(directory)) {}

namespace {

/// Return the bytes of a manifest that makes a database, of which there is nothing else yet.
std::uint64_t first_manifest_bytes() {
    ArchiveWriter to;
    write_changes(to, Catalogue().all());
    return journal_bytes(to.bytes().size());
}

/// Find the highest number of a file of a database in a directory, and whether there are others
/// than manifests without names and rows, which writers may have left that got no further.
struct Found {
    std::uint64_t highest = 0;
    bool content = false;
};
Result<Found> look_around(Storage& storage, const std::string& directory) {
    VECDB_ASSIGN(const auto names, storage.list(directory));
    const std::uint64_t empty = first_manifest_bytes();
    Found found;
    for (const std::string& name : names) {
        const auto file = parse_file_name(name);
        if (!file) continue;
        found.highest = std::max(found.highest, file->number);
        found.content |= file->kind != FileKind::kManifest;
        if (found.content) continue;
        VECDB_ASSIGN(const auto manifest, storage.open(in_directory(directory, name)));
        found.content = manifest->size() > empty;
    }
    return found;
}

std::uint64_t now_in_seconds() noexcept {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

}  // namespace

Result<std::uint64_t> free_number(Storage& storage,
                                  const std::string& directory,
                                  const StoredPosition& position) {
    // Behind what a writer left that ended before it could commit it, too.
    VECDB_ASSIGN(const Found found, look_around(storage, directory));
    return std::max(position.next_file, found.highest + 1);
}

Result<std::unique_ptr<Manifest>> Manifest::create(Storage& storage, const std::string& directory) {
    const Status there = read_current(storage, directory).status();
    if (there.code() != StatusCode::kNotFound) {
        return Status(there.ok() ? StatusCode::kAlreadyExists : there.code(),
                      there.ok() ? '"' + directory + "\": a database is there" : there.message());
    }
    VECDB_ASSIGN(const Found found, look_around(storage, directory));
    if (found.content) {
        return Status(StatusCode::kCorruption,
                      '"' + directory + "\": has files of a database, and no file CURRENT");
    }
    std::unique_ptr<Manifest> made(new Manifest(storage, directory));
    made->current_.database = random_id();
    made->next_file_ = found.highest + 1;
    VECDB_TRY(made->begin());
    return made;
}

Result<std::unique_ptr<Manifest>> Manifest::create_copy(Storage& storage,
                                                        const std::string& directory,
                                                        const DatabaseId& database,
                                                        const Catalogue& catalogue) {
    return resume(storage,
                  directory,
                  {.current = {.database = database}, .catalogue = catalogue, .tail = {}});
}

Result<std::unique_ptr<Manifest>> Manifest::resume(Storage& storage,
                                                   const std::string& directory,
                                                   const ReadCatalogue& read) {
    std::unique_ptr<Manifest> resumed(new Manifest(storage, directory));
    resumed->current_ = read.current;
    resumed->catalogue_ = read.catalogue;
    VECDB_ASSIGN(resumed->next_file_, free_number(storage, directory, read.catalogue.position()));
    // A journal of its own: what follows a bad end never stands in the same file.
    VECDB_TRY(resumed->begin());
    return resumed;
}

/// Begin a journal with all of the catalogue, and let CURRENT name it.
Status Manifest::begin() {
    const JournalEnd before = journal_ != nullptr ? journal_->end() : JournalEnd{0, 0};
    Current next = current_;
    next.manifest = take_number();
    next.first = before.sequence + 1;
    next.time = now_in_seconds();
    next.manifest_end.reset();
    next.log_end.reset();
    StoredPosition position = catalogue_.position();
    position.next_file = next_file_;
    VECDB_TRY(catalogue_.apply(position));
    const std::string path = path_of(directory_, FileKind::kManifest, next.manifest);
    VECDB_ASSIGN(journal_, JournalWriter::create(storage_, path, header_of(next), next.first));
    VECDB_TRY(append(catalogue_.all()));
    base_bytes_ = journal_->end().bytes;
    VECDB_TRY(storage_.sync_directory(directory_));
    VECDB_TRY(write_current(storage_, directory_, next));
    if (current_.manifest != 0) dropped_.push_back({FileKind::kManifest, current_.manifest});
    current_ = next;
    return {};
}

/// Write and sync one record.
Status Manifest::append(std::span<const Change> changes) {
    ArchiveWriter bytes;
    write_changes(bytes, changes);
    VECDB_TRY(journal_->append(kChangesRecord, bytes.bytes()));
    return journal_->sync();
}

/// Remember a failure.
Status Manifest::note(Status status) {
    if (!status.ok()) failed_ = status;
    return status;
}

/// Apply changes, and then those that follow from them, which are added to the list.
Status Manifest::apply(std::vector<Change>& changes, const StoredPosition& position) {
    for (const Change& change : changes)
        VECDB_TRY(catalogue_.apply(change));
    for (const std::uint64_t number : catalogue_.unused()) {
        dropped_.push_back({catalogue_.files().at(number).kind, number});
        changes.emplace_back(DropFile{number});
        VECDB_TRY(catalogue_.apply(changes.back()));
    }
    for (const StoredLog& log : catalogue_.position().logs) {
        const bool kept = std::any_of(position.logs.begin(),
                                      position.logs.end(),
                                      [&](const StoredLog& each) { return each.file == log.file; });
        if (!kept) dropped_.push_back({FileKind::kLog, log.file});
    }
    StoredPosition next = position;
    next.next_file = next_file_;
    changes.emplace_back(std::move(next));
    return catalogue_.apply(changes.back());
}

Status Manifest::commit(std::vector<Change> changes, const StoredPosition& position) {
    VECDB_TRY(failed_);
    failed_ =
        Status(StatusCode::kInternal, "an earlier commit did not end");  // if this one does not
    const Status applied = apply(changes, position);  // first: what does not follow is not written
    if (!applied.ok()) return note({StatusCode::kInternal, applied.message()});
    VECDB_TRY(note(append(changes)));
    if (journal_->end().bytes >= kMostGrowth * base_bytes_ + kFreeGrowth) VECDB_TRY(note(begin()));
    failed_ = Status();
    return {};
}

Status Manifest::close(const JournalEnd& log_end) {
    VECDB_TRY(failed_);
    Current closed = current_;
    closed.time = now_in_seconds();
    closed.manifest_end = journal_->end();
    closed.log_end = log_end;
    VECDB_TRY(note(write_current(storage_, directory_, closed)));
    failed_ = Status(StatusCode::kFailedPrecondition, "the database is closed");
    return {};
}

}  // namespace vecdb::persist
