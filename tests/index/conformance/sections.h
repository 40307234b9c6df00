#pragma once

/// \file
/// The saved bytes of an index in memory, to be given back whole or damaged.

#include <vecdb/index.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vecdb::test {

using Sections = std::map<std::string, std::vector<std::byte>>;

/// Collects sections; a name may be written once.
class SectionCollector : public SectionWriter {
  public:
    Status write(std::string_view name, std::span<const std::byte> bytes) override {
        std::vector<std::byte> copy(bytes.begin(), bytes.end());
        if (!sections.emplace(std::string(name), std::move(copy)).second) {
            return {StatusCode::kInternal, "section " + std::string(name) + " stands twice"};
        }
        return {};
    }
    Sections sections;
};

/// Gives sections back from memory of their exact size, which is overwritten and freed with this.
class SectionSource : public SectionReader {
  public:
    explicit SectionSource(const Sections& sections) {
        for (const auto& [name, bytes] : sections) {
            // Aligned for any type, as sections of a mapped file are.
            Piece piece{std::make_unique<std::byte[]>(bytes.size()), bytes.size()};
            std::copy(bytes.begin(), bytes.end(), piece.bytes.get());
            pieces_.emplace(name, std::move(piece));
        }
    }
    SectionSource(const SectionSource&) = delete;
    SectionSource& operator=(const SectionSource&) = delete;
    ~SectionSource() override {
        for (auto& [name, piece] : pieces_)
            std::fill_n(piece.bytes.get(), piece.size, std::byte{0xA5});
    }

    Result<std::span<const std::byte>> read(std::string_view name) override {
        const auto found = pieces_.find(std::string(name));
        if (found == pieces_.end()) {
            return Status(StatusCode::kCorruption, "no section " + std::string(name));
        }
        return std::span<const std::byte>(found->second.bytes.get(), found->second.size);
    }

  private:
    struct Piece {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size;
    };
    std::map<std::string, Piece> pieces_;
};

}  // namespace vecdb::test
