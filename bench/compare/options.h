#pragma once

/// \file
/// What the command line asks for.

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vecdb::bench {

/// For the sections that compare approximate indexes.
struct ApproximateOptions {
    std::vector<std::string> sets = {"words"};  ///< "words", "mnist"; without `base` only.
    std::filesystem::path base;                 ///< With `queries`: the only set.
    std::filesystem::path queries;
    std::filesystem::path truth;  ///< Of `base`; empty: computed.
    std::string metric = "l2";    ///< Of `base`.
    std::size_t query_count = 2'000;
    std::size_t k = 10;
    std::vector<std::string> indexes = {"hnsw"};
    std::vector<std::string> sweeps;
    std::vector<std::string> rivals = {"hnswlib", "faiss"};
    std::vector<std::string> rival_options;
    std::vector<std::string> rival_sweeps;
    std::size_t build_threads = 1;
    double seconds = 0.1;            ///< A turn searches this long at least.
    std::optional<std::size_t> cpu;  ///< Where the rounds run.
    std::filesystem::path cache;     ///< Rivals' indexes; empty: none are kept.
    std::filesystem::path csv;
    std::filesystem::path plot;
};

struct CompareOptions {
    std::filesystem::path data = "examples/data";
    std::vector<std::string> only = {"sweep"};  ///< Keys of sections.
    std::size_t rounds = 5;
    std::size_t turn_queries = 50;  ///< One-at-a-time queries of an exact engine's turn.
    std::vector<std::size_t> threads = {1};
    std::uint64_t seed = 1;
    std::filesystem::path json;
    ApproximateOptions approximate;
};

}  // namespace vecdb::bench
