#pragma once

/// \file
/// What a rival is to the comparison: a module that is loaded at run time and shows one symbol, a
/// table of C functions. So a rival's symbols, its OpenMP and its compiler flags never meet ours,
/// and its library need not be there to build the program.

#include <cstddef>
#include <cstdint>

namespace vecdb::bench {

inline constexpr int kRivalVersion = 1;
inline constexpr const char* kRivalSymbol = "vecdb_rival";

/// How a rival is to compare rows; lower is nearer for kL2, higher for kInnerProduct.
enum RivalMetric : int { kRivalL2 = 0, kRivalInnerProduct = 1 };

/// The functions of a rival. Those that return int return 0, or another number for a failure that
/// error() tells of; a function that a rival lacks is null.
/// Threads: one caller at a time.
struct Rival {
    int version;
    /// Tell `say` of library, version and build, in pairs of a title and a value.
    void (*about)(void* to, void (*say)(void* to, const char* title, const char* value));
    /// Tell of the last failure.
    const char* (*error)();

    /// Make an empty index from parameters of the form `key=value ...`; null for a failure.
    void* (*make)(const char* parameters, std::size_t dim, int metric);
    void (*destroy)(void* index);
    /// Append rows, numbered on. The first call may train on them.
    int (*add)(void* index, const float* rows, std::size_t count);
    /// Use this many threads from now on, the whole process' OpenMP included.
    int (*set_threads)(std::size_t threads);
    /// Set a parameter of searches.
    int (*set)(void* index, const char* key, double value);
    /// Return only rows whose bit is set in the `rows` bits at `words`; null: all rows.
    int (*set_filter)(void* index, const std::uint64_t* words, std::size_t rows);
    /// Write the k nearest rows of each query, -1 where there are fewer, and their scores.
    int (*search)(void* index,
                  const float* queries,
                  std::size_t count,
                  std::size_t k,
                  std::int64_t* ids,
                  float* scores);
    int (*save)(void* index, const char* path);
    /// Replace a made index by a saved one.
    int (*load)(void* index, const char* path);
    /// Return the bytes held.
    std::size_t (*memory)(void* index);
};

}  // namespace vecdb::bench
