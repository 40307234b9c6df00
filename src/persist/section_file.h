#pragma once

/// \file
/// Files that are written once: named sections under checksums. Bytes: FORMAT.md.

#include "persist/file_header.h"

#include <vecdb/index.h>
#include <vecdb/status.h>
#include <vecdb/storage.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb::persist {

/// Every section begins at a multiple of this, so that any element type may be read in place.
inline constexpr std::uint64_t kSectionAlignment = 64;
/// Bytes under one checksum, but for the last of a section.
inline constexpr std::uint64_t kBlockBytes = std::uint64_t{1} << 20U;
/// Longest name of a section.
inline constexpr std::size_t kSectionNameBytes = 40;
/// Most sections of a file.
inline constexpr std::size_t kMaxSections = 4'096;

/// What a finished file is known by: whoever holds this notices any other content.
struct FileStamp {
    std::uint64_t bytes = 0;     ///< Length.
    std::uint64_t checksum = 0;  ///< Of all checksums and names in it.

    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Where a section lies.
struct Section {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_block = 0;  ///< Its first among all blocks of the file.

    [[nodiscard]] std::uint64_t padded_bytes() const noexcept;
    [[nodiscard]] std::uint64_t blocks() const noexcept;
};

/// Writes a file from its beginning to its end. Sections come one after the other, each in one
/// piece or in several. Failures name the path; after one the file is of no use.
/// Threads: needs exclusive access.
class SectionFileWriter final : public SectionWriter {
  public:
    /// Begin a file. Returns what Storage::create returns.
    [[nodiscard]] static Result<std::unique_ptr<SectionFileWriter>> create(
        Storage& storage, const std::string& path, const FileHeader& header);

    /// Write a section. Returns kInvalidArgument for a name that is empty, longer than
    /// kSectionNameBytes or there already and for more than kMaxSections, kIoError.
    Status write(std::string_view name, std::span<const std::byte> bytes) override;

    /// Begin a section; what append() gets until the next write(), begin() or finish() is its.
    [[nodiscard]] Status begin(std::string_view name);
    [[nodiscard]] Status append(std::span<const std::byte> bytes);

    /// Write what follows the sections and sync the file.
    [[nodiscard]] Result<FileStamp> finish();

  private:
    SectionFileWriter(std::string path, std::unique_ptr<WritableFile> file, FileHeader header);
    Status end();
    Status put(std::span<const std::byte> bytes);
    Status put_block();

    std::string path_;
    std::unique_ptr<WritableFile> file_;
    FileHeader header_;
    std::vector<std::byte> block_;  // what is not written yet
    std::vector<std::uint64_t> checksums_;
    std::vector<Section> sections_;
    std::uint64_t written_ = 0;
};

/// How bytes of a file come to be seen.
enum class Access : std::uint8_t {
    kMapped,  ///< As memory that the system fills; kRead where that is not possible.
    kRead,    ///< Copied to memory when they are first asked for.
};

/// Reads a file that SectionFileWriter finished. Opening checks everything but the content of
/// sections, which is checked when it is first asked for.
/// Threads: all methods may run concurrently.
class SectionFile final : public SectionReader {
  public:
    /// Open a file whose header is `header`; with a stamp, exactly that file. Returns kCorruption,
    /// kUnsupported (a newer version wrote it), and what Storage::open returns.
    [[nodiscard]] static Result<std::shared_ptr<SectionFile>> open(Storage& storage,
                                                                   const std::string& path,
                                                                   const FileHeader& header,
                                                                   const FileStamp* stamp,
                                                                   Access access);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const FileStamp& stamp() const noexcept { return stamp_; }
    [[nodiscard]] const std::vector<Section>& sections() const noexcept { return sections_; }
    /// Return the section of a name, or null.
    [[nodiscard]] const Section* find(std::string_view name) const noexcept;

    /// View the bytes of a section, checked, aligned to kSectionAlignment, for as long as this
    /// object lives. Returns kCorruption (also when there is no such section), kIoError. Throws
    /// std::bad_alloc.
    Result<std::span<const std::byte>> read(std::string_view name) override;

    /// Where a section is not what was written.
    struct Damaged {
        std::string section;
        std::uint64_t offset;  ///< In the file, of the first block that is damaged.
        Status status;         ///< kCorruption, naming the path.
    };
    /// Check every byte of all sections. Returns kIoError.
    [[nodiscard]] Result<std::vector<Damaged>> find_damage() const;
    /// The same, ending at the first: returns it.
    [[nodiscard]] Status verify() const;

    /// What can be had of a section, and which of its blocks are what was written.
    struct Rescued {
        std::vector<std::byte> bytes;
        std::vector<bool> good;  ///< One for each block.

        /// Tell whether bytes [at, at + count) are good.
        [[nodiscard]] bool is_good(std::uint64_t at, std::uint64_t count) const noexcept;
    };
    /// Read a section that may be damaged. Returns kCorruption (there is no such section),
    /// kIoError.
    [[nodiscard]] Result<Rescued> rescue(std::string_view name) const;

  private:
    struct Content;

    SectionFile(std::string path, std::unique_ptr<ReadableFile> file, Access access);
    struct Counts {
        std::uint64_t sections;
        std::uint64_t blocks;
    };
    Result<Counts> read_ends(const FileHeader& header, const FileStamp* stamp);
    Status read_tables(const FileHeader& header, const FileStamp* stamp);
    Status read_sections(std::span<const std::byte> table, std::uint64_t end);
    template <class Visit>
    Status for_each_block(const Section& section, Visit&& visit) const;
    Status check_block(const Section& section,
                       std::uint64_t block,
                       std::span<const std::byte> bytes) const;
    Result<std::span<const std::byte>> fetch(const Section& section, Content& content) const;

    std::string path_;
    std::unique_ptr<ReadableFile> file_;
    Access access_;
    FileStamp stamp_;
    std::vector<std::uint64_t> checksums_;
    std::vector<Section> sections_;
    std::vector<std::unique_ptr<Content>> contents_;  // one per section
};

}  // namespace vecdb::persist
