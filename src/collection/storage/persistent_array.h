#pragma once

/// \file
/// A large table of which a write copies a small part.

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace vecdb::collection {

/// An immutable array of pointers, null or not. with() makes another one that shares all but one
/// path of the tree: it copies kFan pointers for each level, log_8 of the size.
///
/// Few pointers to a node: each one copied is a count to be changed somewhere in memory.
/// Threads: immutable; assign to one object from one thread only.
template <class T>
class PersistentArray {
  public:
    /// Return one more than the largest place ever filled.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Return what stands at place i, or null.
    [[nodiscard]] const T* get(std::size_t i) const noexcept {
        const void* node = i < size_ ? root_.get() : nullptr;
        for (unsigned level = levels_; level > 0 && node != nullptr; --level)
            node = static_cast<const Node*>(node)->slots[slot(i, level)].get();
        return static_cast<const T*>(node);
    }

    /// Return these with `value`, which may be null, at place i. Throws std::bad_alloc.
    [[nodiscard]] PersistentArray with(std::size_t i, std::shared_ptr<const T> value) const {
        PersistentArray next = *this;
        if (i >= next.size_) next.size_ = i + 1;
        for (; i >> (kBits * next.levels_) != 0; ++next.levels_) {
            auto root = std::make_shared<Node>();
            root->slots[0] = std::move(next.root_);
            next.root_ = std::move(root);
        }
        next.root_ = replaced(next.root_, next.levels_, i, std::move(value));
        return next;
    }

    /// Call visit(const T&) for everything that is not null, by ascending place.
    template <class Visit>
    void for_each(Visit&& visit) const {
        walk(root_.get(), levels_, visit);
    }

  private:
    static constexpr unsigned kBits = 3;
    static constexpr std::size_t kFan = std::size_t{1} << kBits;

    using Pointer = std::shared_ptr<const void>;  // a Node, or a T at level 0

    struct Node {
        std::array<Pointer, kFan> slots;
    };

    static std::size_t slot(std::size_t i, unsigned level) noexcept {
        return i >> (kBits * (level - 1)) & (kFan - 1);
    }

    static Pointer replaced(const Pointer& old,
                            unsigned level,
                            std::size_t i,
                            std::shared_ptr<const T> value) {
        if (level == 0) return value;
        const auto* node = static_cast<const Node*>(old.get());
        auto copy = node != nullptr ? std::make_shared<Node>(*node) : std::make_shared<Node>();
        Pointer& changed = copy->slots[slot(i, level)];
        changed = replaced(changed, level - 1, i, std::move(value));
        return copy;
    }

    template <class Visit>
    static void walk(const void* node, unsigned level, Visit& visit) {
        if (node == nullptr) return;
        if (level == 0) {
            visit(*static_cast<const T*>(node));
            return;
        }
        for (const Pointer& each : static_cast<const Node*>(node)->slots)
            walk(each.get(), level - 1, visit);
    }

    Pointer root_;
    std::size_t size_ = 0;
    unsigned levels_ = 0;
};

}  // namespace vecdb::collection
