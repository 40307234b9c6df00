#pragma once

/// \file
/// Texts of rows: each is kept once under a number.

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vecdb::collection {

/// Texts by number, from 0 on. They stay where they are.
/// Threads: one writer; numbers that were published may be looked up meanwhile.
class Texts {
  public:
    /// Hold none yet.
    Texts() = default;
    /// View texts that `owner` keeps: text i ends at ends[i] of `bytes` and begins where the one
    /// before ends. Nothing can be added.
    Texts(std::span<const std::uint64_t> ends,
          std::span<const std::byte> bytes,
          std::shared_ptr<const void> owner) noexcept
        : owner_(std::move(owner)),
          stored_ends_(ends),
          stored_bytes_(bytes),
          size_(static_cast<std::uint32_t>(ends.size())) {}

    [[nodiscard]] std::string_view operator[](std::uint32_t number) const noexcept {
        if (owner_ != nullptr) {
            const std::uint64_t begin = number == 0 ? 0 : stored_ends_[number - 1];
            return {reinterpret_cast<const char*>(stored_bytes_.data()) + begin,
                    static_cast<std::size_t>(stored_ends_[number] - begin)};
        }
        const Slot slot = slot_of(number);
        return chunks_[slot.chunk][slot.offset];
    }
    /// How many there are; for the writer.
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

    /// Add a text and return its number. Throws std::bad_alloc and then changes nothing.
    std::uint32_t add(std::string_view text);
    /// Return the number of a text, which is added when it is not there. Only texts added by this
    /// are found. Throws std::bad_alloc.
    std::uint32_t intern(std::string_view text);

    /// Return the bytes of memory held here. For everybody.
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return held_bytes_.load(std::memory_order_relaxed);
    }

  private:
    /// Chunk i has 2^(i + kFirstBits) texts, so that none has to move and a few cost little.
    static constexpr unsigned kFirstBits = 4;
    struct Slot {
        unsigned chunk;
        std::uint32_t offset;
    };
    [[nodiscard]] static Slot slot_of(std::uint32_t number) noexcept {
        const std::uint64_t shifted = std::uint64_t{number} + (1U << kFirstBits);
        const auto high = static_cast<unsigned>(std::bit_width(shifted)) - 1;
        return {high - kFirstBits,
                static_cast<std::uint32_t>(shifted - (std::uint64_t{1} << high))};
    }

    std::string_view keep(std::string_view text);

    std::shared_ptr<const void> owner_;  // null: the texts are held here
    std::span<const std::uint64_t> stored_ends_;
    std::span<const std::byte> stored_bytes_;
    std::array<std::unique_ptr<std::string_view[]>, 33 - kFirstBits> chunks_;
    std::vector<std::unique_ptr<char[]>> pieces_;  // the bytes of texts
    std::size_t piece_left_ = 0;                   // of the last piece
    std::atomic<std::size_t> held_bytes_ = 0;
    std::uint32_t size_ = 0;
    std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

}  // namespace vecdb::collection
