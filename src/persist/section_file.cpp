#include "persist/section_file.h"

#include "check.h"
#include "mutex.h"
#include "persist/checksum.h"
#include "persist/errors.h"
#include "persist/little_endian.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

namespace vecdb::persist {
namespace {

constexpr std::uint64_t kFooterBytes = 64;
constexpr std::uint64_t kEntryBytes = 64;
constexpr std::array<char, 8> kFooterMagic = {'V', 'E', 'C', 'D', 'B', 'E', 'N', 'D'};

// In the footer.
constexpr std::size_t kSectionsAt = 8;
constexpr std::size_t kBlocksAt = 16;
constexpr std::size_t kLengthAt = 24;
constexpr std::size_t kTablesChecksumAt = 32;
constexpr std::size_t kFooterChecksumAt = 56;

// In an entry of the section table.
constexpr std::size_t kOffsetAt = kSectionNameBytes;
constexpr std::size_t kBytesAt = kSectionNameBytes + 8;
constexpr std::size_t kFirstBlockAt = kSectionNameBytes + 16;

Status corrupt(const std::string& what) {
    return {StatusCode::kCorruption, what};
}

std::uint64_t blocks_of(std::uint64_t padded) {
    return (padded + kBlockBytes - 1) / kBlockBytes;
}

using Bytes64 = std::array<std::byte, 64>;

Bytes64 encode(const Section& section) {
    Bytes64 entry{};
    std::memcpy(entry.data(), section.name.data(), section.name.size());
    store(entry, kOffsetAt, section.offset);
    store(entry, kBytesAt, section.bytes);
    store(entry, kFirstBlockAt, section.first_block);
    return entry;
}

/// Return the name in an entry, or nothing when it is none.
std::optional<std::string> name_of(std::span<const std::byte> entry) {
    const auto* text = reinterpret_cast<const char*>(entry.data());
    const char* end = std::find(text, text + kSectionNameBytes, '\0');
    const bool filled = std::all_of(end, text + kSectionNameBytes, [](char c) { return c == 0; });
    if (end == text || !filled) return std::nullopt;
    return std::string(text, end);
}

Status check_footer(std::span<const std::byte> footer) {
    if (load<std::array<char, 8>>(footer, 0) != kFooterMagic)
        return corrupt("does not end as a finished file does");
    const auto expected = load<std::uint64_t>(footer, kFooterChecksumAt);
    const auto found = checksum(footer.first(kFooterChecksumAt));
    return found == expected ? Status() : wrong_checksum("the footer", expected, found);
}

}  // namespace

std::uint64_t Section::padded_bytes() const noexcept {
    return padded(bytes, kSectionAlignment);
}

std::uint64_t Section::blocks() const noexcept {
    return blocks_of(padded_bytes());
}

// Writing -----------------------------------------------------------------------------------------

SectionFileWriter::SectionFileWriter(std::string path,
                                     std::unique_ptr<WritableFile> file,
                                     FileHeader header)
    : path_(std::move(path)), file_(std::move(file)), header_(header) {}

Result<std::unique_ptr<SectionFileWriter>> SectionFileWriter::create(Storage& storage,
                                                                     const std::string& path,
                                                                     const FileHeader& header) {
    VECDB_ASSIGN(auto file, storage.create(path));
    std::unique_ptr<SectionFileWriter> writer(new SectionFileWriter(path, std::move(file), header));
    writer->block_.reserve(kBlockBytes);
    VECDB_TRY(writer->put(header.encode()));
    return writer;
}

Status SectionFileWriter::put(std::span<const std::byte> bytes) {
    VECDB_TRY(in_file(path_, file_->append(bytes)));
    written_ += bytes.size();
    return {};
}

Status SectionFileWriter::write(std::string_view name, std::span<const std::byte> bytes) {
    VECDB_TRY(begin(name));
    return append(bytes);
}

Status SectionFileWriter::begin(std::string_view name) {
    VECDB_TRY(end());
    const bool fits = !name.empty() && name.size() <= kSectionNameBytes &&
                      name.find('\0') == std::string_view::npos;
    const bool known = std::any_of(
        sections_.begin(), sections_.end(), [&](const Section& each) { return each.name == name; });
    if (!fits || known) {
        return {StatusCode::kInvalidArgument,
                "a section cannot be named '" + std::string(name) +
                    "': " + (known ? "there is one" : "1 to 40 bytes, none of them 0")};
    }
    if (sections_.size() == kMaxSections) {
        return {StatusCode::kInvalidArgument,
                "a file has at most " + std::to_string(kMaxSections) + " sections"};
    }
    sections_.push_back({.name = std::string(name),
                         .offset = written_,
                         .bytes = 0,
                         .first_block = checksums_.size()});
    return {};
}

Status SectionFileWriter::append(std::span<const std::byte> bytes) {
    VECDB_ASSERT(!sections_.empty());
    sections_.back().bytes += bytes.size();
    while (!bytes.empty()) {
        const auto part =
            bytes.first(std::min<std::size_t>(bytes.size(), kBlockBytes - block_.size()));
        block_.insert(block_.end(), part.begin(), part.end());
        bytes = bytes.subspan(part.size());
        if (block_.size() == kBlockBytes) VECDB_TRY(put_block());
    }
    return {};
}

Status SectionFileWriter::put_block() {
    checksums_.push_back(checksum(block_));
    VECDB_TRY(put(block_));
    block_.clear();
    return {};
}

/// End the section that was begun, if any.
Status SectionFileWriter::end() {
    if (block_.empty()) return {};
    block_.resize(padded(block_.size(), std::size_t{kSectionAlignment}));
    return put_block();
}

Result<FileStamp> SectionFileWriter::finish() {
    VECDB_TRY(end());
    const std::size_t checksum_bytes = checksums_.size() * sizeof(std::uint64_t);
    std::vector<std::byte> tables(padded(checksum_bytes, std::size_t{kSectionAlignment}));
    if (checksum_bytes != 0) std::memcpy(tables.data(), checksums_.data(), checksum_bytes);
    for (const Section& section : sections_) {
        const Bytes64 entry = encode(section);
        tables.insert(tables.end(), entry.begin(), entry.end());
    }
    const FileStamp stamp{.bytes = written_ + tables.size() + kFooterBytes,
                          .checksum = checksum(tables, header_.seed())};
    Bytes64 footer{};
    store(footer, 0, kFooterMagic);
    store(footer, kSectionsAt, std::uint64_t{sections_.size()});
    store(footer, kBlocksAt, std::uint64_t{checksums_.size()});
    store(footer, kLengthAt, stamp.bytes);
    store(footer, kTablesChecksumAt, stamp.checksum);
    store(footer, kFooterChecksumAt, checksum(std::span(footer).first(kFooterChecksumAt)));
    tables.insert(tables.end(), footer.begin(), footer.end());
    VECDB_TRY(put(tables));
    VECDB_TRY(in_file(path_, file_->sync()));
    return stamp;
}

// Reading -----------------------------------------------------------------------------------------

/// What is known of a section's bytes.
struct SectionFile::Content {
    struct Free {
        void operator()(std::byte* memory) const noexcept {
            ::operator delete[](memory, std::align_val_t{kSectionAlignment});
        }
    };

    Mutex mutex;
    std::optional<std::span<const std::byte>> checked VECDB_GUARDED_BY(mutex);
    std::unique_ptr<std::byte, Free> copy;
};

SectionFile::SectionFile(std::string path, std::unique_ptr<ReadableFile> file, Access access)
    : path_(std::move(path)), file_(std::move(file)), access_(access) {}

Result<std::shared_ptr<SectionFile>> SectionFile::open(Storage& storage,
                                                       const std::string& path,
                                                       const FileHeader& header,
                                                       const FileStamp* stamp,
                                                       Access access) {
    VECDB_ASSIGN(auto file, storage.open(path));
    std::shared_ptr<SectionFile> opened(new SectionFile(path, std::move(file), access));
    VECDB_TRY(in_file(path, opened->read_tables(header, stamp)));
    for (std::size_t i = 0; i < opened->sections_.size(); ++i)
        opened->contents_.push_back(std::make_unique<Content>());
    return opened;
}

/// Check the first and the last bytes. Returns how many entries and blocks there are.
Result<SectionFile::Counts> SectionFile::read_ends(const FileHeader& header,
                                                   const FileStamp* stamp) {
    VECDB_TRY(check_header(*file_, header));
    const std::uint64_t size = file_->size();
    if (size < kHeaderBytes + kFooterBytes || size % kSectionAlignment != 0) {
        return corrupt("has " + std::to_string(size) +
                       " bytes, expected a multiple of 64, 128 or more");
    }
    Bytes64 footer{};
    VECDB_TRY(file_->read_at(size - kFooterBytes, footer));
    VECDB_TRY(check_footer(footer));
    stamp_ = {.bytes = load<std::uint64_t>(footer, kLengthAt),
              .checksum = load<std::uint64_t>(footer, kTablesChecksumAt)};
    if (stamp_.bytes != size) {
        return corrupt("has " + std::to_string(size) + " bytes, expected " +
                       std::to_string(stamp_.bytes));
    }
    if (stamp != nullptr && stamp_ != *stamp) return corrupt("is not the file that was written");
    return Counts{load<std::uint64_t>(footer, kSectionsAt), load<std::uint64_t>(footer, kBlocksAt)};
}

Status SectionFile::read_tables(const FileHeader& header, const FileStamp* stamp) {
    VECDB_ASSIGN(const Counts counts, read_ends(header, stamp));
    const std::uint64_t room = stamp_.bytes - kHeaderBytes - kFooterBytes;
    const std::uint64_t checksum_bytes = sizeof(std::uint64_t);
    const bool fit = counts.sections <= kMaxSections && counts.blocks <= room / checksum_bytes;
    const std::uint64_t sums = fit ? padded(counts.blocks * checksum_bytes, kSectionAlignment) : 0;
    const std::uint64_t tables = sums + (fit ? counts.sections * kEntryBytes : 0);
    if (!fit || tables > room) {
        return corrupt(std::to_string(counts.sections) + " sections of " +
                       std::to_string(counts.blocks) + " blocks do not fit its " +
                       std::to_string(stamp_.bytes) + " bytes");
    }
    std::vector<std::byte> bytes(tables);
    const std::uint64_t end = stamp_.bytes - kFooterBytes - tables;
    VECDB_TRY(file_->read_at(end, bytes));
    const std::uint64_t found = checksum(bytes, header.seed());
    if (found != stamp_.checksum) return wrong_checksum("its tables", stamp_.checksum, found);
    checksums_.resize(counts.blocks);
    if (counts.blocks != 0)
        std::memcpy(checksums_.data(), bytes.data(), counts.blocks * checksum_bytes);
    return read_sections(std::span(bytes).subspan(sums), end);
}

/// Read the entries of `table`. Sections follow each other, without a gap, up to `end`.
Status SectionFile::read_sections(std::span<const std::byte> table, std::uint64_t end) {
    std::uint64_t offset = kHeaderBytes;
    std::uint64_t block = 0;
    for (; !table.empty(); table = table.subspan(kEntryBytes)) {
        const auto entry = table.first(kEntryBytes);
        const auto name = name_of(entry);
        Section section{.name = name.value_or(""),
                        .offset = load<std::uint64_t>(entry, kOffsetAt),
                        .bytes = load<std::uint64_t>(entry, kBytesAt),
                        .first_block = load<std::uint64_t>(entry, kFirstBlockAt)};
        const bool follows = section.offset == offset && section.bytes <= end - offset &&
                             section.padded_bytes() <= end - offset && section.first_block == block;
        if (!name || find(*name) != nullptr || !follows)
            return corrupt("section " + std::to_string(sections_.size()) + " is none");
        offset += section.padded_bytes();
        block += section.blocks();
        sections_.push_back(std::move(section));
    }
    if (offset == end && block == checksums_.size()) return {};
    return corrupt("its sections end at byte " + std::to_string(offset) + ", expected " +
                   std::to_string(end));
}

const Section* SectionFile::find(std::string_view name) const noexcept {
    const auto found = std::find_if(
        sections_.begin(), sections_.end(), [&](const Section& each) { return each.name == name; });
    return found != sections_.end() ? &*found : nullptr;
}

Status SectionFile::check_block(const Section& section,
                                std::uint64_t block,
                                std::span<const std::byte> bytes) const {
    const std::uint64_t expected = checksums_[section.first_block + block];
    const std::uint64_t found = checksum(bytes);
    if (found == expected) return {};
    const Status wrong =
        wrong_checksum("section '" + section.name + "', bytes " +
                           std::to_string(section.offset + block * kBlockBytes) + " on,",
                       expected,
                       found);
    return in_file(path_, wrong);
}

Result<std::span<const std::byte>> SectionFile::read(std::string_view name) {
    const Section* section = find(name);
    if (section == nullptr)
        return in_file(path_, corrupt("has no section '" + std::string(name) + "'"));
    Content& content = *contents_[static_cast<std::size_t>(section - sections_.data())];
    const Lock lock(content.mutex);
    if (!content.checked) {
        VECDB_ASSIGN(const auto bytes, fetch(*section, content));
        for (std::uint64_t block = 0; block < section->blocks(); ++block) {
            const std::uint64_t at = block * kBlockBytes;
            VECDB_TRY(check_block(
                *section, block, bytes.subspan(at, std::min(kBlockBytes, bytes.size() - at))));
        }
        content.checked = bytes.first(section->bytes);
    }
    return *content.checked;
}

/// Return a section with its padding, not checked.
Result<std::span<const std::byte>> SectionFile::fetch(const Section& section,
                                                      Content& content) const {
    if (access_ == Access::kMapped) {
        const auto all = file_->map();
        if (all.ok()) return all->subspan(section.offset, section.padded_bytes());
    }
    const std::size_t bytes = section.padded_bytes();
    content.copy.reset(
        static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{kSectionAlignment})));
    const std::span copy(content.copy.get(), bytes);
    VECDB_TRY(in_file(path_, file_->read_at(section.offset, copy)));
    return std::span<const std::byte>(copy);
}

Status SectionFile::verify() const {
    std::vector<std::byte> buffer;
    for (const Section& section : sections_) {
        for (std::uint64_t block = 0; block < section.blocks(); ++block) {
            const std::uint64_t at = block * kBlockBytes;
            buffer.resize(std::min(kBlockBytes, section.padded_bytes() - at));
            VECDB_TRY(in_file(path_, file_->read_at(section.offset + at, buffer)));
            VECDB_TRY(check_block(section, block, buffer));
        }
    }
    return {};
}

}  // namespace vecdb::persist
