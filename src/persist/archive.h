#pragma once

/// \file
/// Small structured data in bytes that were verified: numbers, texts and lists of them. Reading
/// believes no count that the bytes left could not fill.

#include "persist/little_endian.h"

#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vecdb::persist {

/// Appends to a list of bytes. Throws std::bad_alloc.
/// Threads: needs exclusive access.
class ArchiveWriter {
  public:
    template <class T>
    void number(T value) {
        static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
        const std::size_t at = bytes_.size();
        bytes_.resize(at + sizeof(T));
        store(bytes_, at, value);
    }
    /// Write u32 bytes of a text, and the bytes.
    void text(std::string_view text);
    void raw(std::span<const std::byte> bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    /// Write u32 items, and each by write(item).
    template <class List, class Write>
    void list(const List& items, Write&& write) {
        number(static_cast<std::uint32_t>(items.size()));
        for (const auto& item : items)
            write(item);
    }

    [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

  private:
    std::vector<std::byte> bytes_;
};

/// Reads what an ArchiveWriter wrote. The first failure stays: everything read after it is zero or
/// empty, and status() tells of it.
/// Threads: needs exclusive access.
class ArchiveReader {
  public:
    /// View `bytes`, which outlive this.
    explicit ArchiveReader(std::span<const std::byte> bytes) noexcept : left_(bytes) {}

    template <class T>
    [[nodiscard]] T number() {
        static_assert(std::is_arithmetic_v<T>);
        const auto bytes = take(sizeof(T));
        return bytes.empty() ? T{} : load<T>(bytes, 0);
    }
    /// Read a number that must be one of [0, end).
    template <class T>
    [[nodiscard]] T choice(std::uint8_t end) {
        static_assert(std::is_enum_v<T> || std::is_same_v<T, bool>);
        const auto found = number<std::uint8_t>();
        if (found >= end) fail("a choice of " + std::to_string(found));
        return static_cast<T>(found < end ? found : 0);
    }
    /// Read a text of at most `most` bytes. May throw std::bad_alloc.
    [[nodiscard]] std::string text(std::size_t most);
    /// View the next `count` bytes.
    [[nodiscard]] std::span<const std::byte> raw(std::uint64_t count) { return take(count); }
    /// Read a list: calls read() for each item, of which none takes less than `least` >= 1 bytes.
    template <class Read>
    void list(std::size_t least, Read&& read) {
        const auto items = number<std::uint32_t>();
        if (items > left_.size() / least) return fail(std::to_string(items) + " items");
        for (std::uint32_t i = 0; i < items && ok(); ++i)
            read();
    }

    /// Note that what was read cannot be.
    void fail(const std::string& what);

    [[nodiscard]] bool ok() const noexcept { return status_.ok(); }
    [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }
    [[nodiscard]] const Status& status() const noexcept { return status_; }
    /// Return status(), or kCorruption when bytes are left.
    [[nodiscard]] Status finish();

  private:
    std::span<const std::byte> take(std::uint64_t count);

    std::span<const std::byte> left_;
    Status status_;
};

}  // namespace vecdb::persist
