#pragma once

/// \file
/// Memory that a thread keeps from search to search.

#include <utility>
#include <vector>

namespace vecdb::collection {

/// An empty vector with the memory that the last one of its kind in this thread had. One made while
/// another is in use (a predicate may search too) has memory of its own.
/// Threads: single-threaded.
template <class T>
class Scratch {
  public:
    Scratch() noexcept : vector_(std::move(kept())) {}
    ~Scratch() {
        vector_.clear();
        if (vector_.capacity() > kept().capacity()) kept() = std::move(vector_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    [[nodiscard]] std::vector<T>& operator*() noexcept { return vector_; }
    [[nodiscard]] std::vector<T>* operator->() noexcept { return &vector_; }

  private:
    static std::vector<T>& kept() noexcept {
        thread_local std::vector<T> vector;
        return vector;
    }

    std::vector<T> vector_;
};

}  // namespace vecdb::collection
