#pragma once

/// \file
/// Sets of small integers as packed bits. Bit i is bit i % 64 of 64-bit word i / 64, so on a
/// little-endian machine also bit i % 8 of byte i / 8. Bits past size() do not exist: test()
/// answers false for them, and the unused bits of the last word are kept zero.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vecdb {

/// View `size` bits that somebody else owns.
/// Threads: a value; const methods may run concurrently.
class BitsetView {
  public:
    constexpr BitsetView() noexcept = default;
    /// View `size` bits in (size + 63) / 64 words; unused bits of the last word must be zero.
    constexpr BitsetView(const std::uint64_t* words, std::size_t size) noexcept
        : words_(words), size_(size) {}

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr bool test(std::size_t i) const noexcept {
        return i < size_ && ((words_[i / 64] >> (i % 64)) & 1U) != 0;
    }
    /// Return the number of set bits. Cost: one pass over the words.
    [[nodiscard]] std::size_t count() const noexcept {
        std::size_t total = 0;
        for (const std::uint64_t word : words()) {
            total += static_cast<std::size_t>(std::popcount(word));
        }
        return total;
    }
    [[nodiscard]] constexpr std::span<const std::uint64_t> words() const noexcept {
        return {words_, (size_ + 63) / 64};
    }

  private:
    const std::uint64_t* words_ = nullptr;
    std::size_t size_ = 0;
};

/// Own a set of bits.
/// Threads: const methods may run concurrently; changes need exclusive access.
class Bitset {
  public:
    Bitset() = default;
    /// Make `size` bits, all `value`.
    explicit Bitset(std::size_t size, bool value = false)
        : words_((size + 63) / 64, value ? ~std::uint64_t{0} : 0), size_(size) {
        clear_unused();
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool test(std::size_t i) const noexcept { return view().test(i); }
    [[nodiscard]] std::size_t count() const noexcept { return view().count(); }

    /// Set bit i to `value`; i < size().
    void set(std::size_t i, bool value = true) noexcept {
        const std::uint64_t bit = std::uint64_t{1} << (i % 64);
        if (value) {
            words_[i / 64] |= bit;
        } else {
            words_[i / 64] &= ~bit;
        }
    }
    void reset(std::size_t i) noexcept { set(i, false); }

    /// Change the number of bits; new ones are `value`.
    void resize(std::size_t size, bool value = false) {
        const std::size_t old = size_;
        words_.resize((size + 63) / 64, value ? ~std::uint64_t{0} : 0);
        size_ = size;
        if (value && old < size && old % 64 != 0)
            words_[old / 64] |= ~std::uint64_t{0} << (old % 64);
        clear_unused();
    }

    /// Turn every bit over.
    void flip() noexcept {
        for (std::uint64_t& word : words_)
            word = ~word;
        clear_unused();
    }

    /// Keep the bits that `other` has too; bits past its size become zero.
    Bitset& operator&=(BitsetView other) noexcept {
        const auto theirs = other.words();
        for (std::size_t w = 0; w < words_.size(); ++w) {
            words_[w] &= w < theirs.size() ? theirs[w] : 0;
        }
        return *this;
    }
    /// Add the bits of `other` that lie within size().
    Bitset& operator|=(BitsetView other) noexcept {
        const auto theirs = other.words();
        const std::size_t common = std::min(words_.size(), theirs.size());
        for (std::size_t w = 0; w < common; ++w)
            words_[w] |= theirs[w];
        clear_unused();
        return *this;
    }

    /// Give direct access to the words; unused bits of the last must stay zero.
    [[nodiscard]] std::span<std::uint64_t> words() noexcept { return words_; }
    [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return words_; }
    [[nodiscard]] BitsetView view() const noexcept {
        return {words_.data(), words_.empty() ? 0 : size_};  // 0 also when moved from
    }
    operator BitsetView() const& noexcept { return view(); }  // NOLINT(google-explicit-constructor)
    operator BitsetView() const&& = delete;                   // the view would dangle

    friend bool operator==(const Bitset&, const Bitset&) = default;

  private:
    void clear_unused() noexcept {
        if (size_ % 64 != 0) words_.back() &= ~std::uint64_t{0} >> (64 - size_ % 64);
    }

    std::vector<std::uint64_t> words_;
    std::size_t size_ = 0;
};

}  // namespace vecdb
