#include "collection/storage/texts.h"

#include <algorithm>
#include <cstring>

namespace vecdb::collection {
namespace {

constexpr std::size_t kFirstPiece = 256;
constexpr std::size_t kMostPiece = std::size_t{1} << 20U;

}  // namespace

/// Copy the bytes of a text to where they stay.
std::string_view Texts::keep(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > piece_left_) {
        const std::size_t grown = std::clamp(memory_bytes(), kFirstPiece, kMostPiece);
        const std::size_t bytes = std::max(grown, text.size());
        pieces_.reserve(pieces_.size() + 1);
        // The last piece is the one that is filled, from its end.
        pieces_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
        piece_left_ = bytes;
        held_bytes_ += bytes;
    }
    piece_left_ -= text.size();
    char* to = pieces_.back().get() + piece_left_;
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
}

std::uint32_t Texts::add(std::string_view text) {
    const Slot slot = slot_of(size_);
    if (chunks_[slot.chunk] == nullptr) {
        const std::size_t texts = std::size_t{1} << (slot.chunk + kFirstBits);
        chunks_[slot.chunk] = std::make_unique<std::string_view[]>(texts);
        held_bytes_ += texts * sizeof(std::string_view);
    }
    chunks_[slot.chunk][slot.offset] = keep(text);
    return size_++;
}

std::uint32_t Texts::intern(std::string_view text) {
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return found->second;
    const std::uint32_t number = add(text);
    try {
        numbers_.emplace((*this)[number], number);
    } catch (...) {
        --size_;
        throw;
    }
    return number;
}

}  // namespace vecdb::collection
