#pragma once

/// \file
/// The parts of a comparison. Each loads its data, runs the engines in turns, checks that
/// they agree, and adds one section to the report.

#include "compare/agreement.h"
#include "compare/engine.h"
#include "compare/options.h"
#include "compare/report.h"
#include "machine.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb::bench {

/// What all sections use.
struct Bench {
    const CompareOptions& options;
    Report& report;
    ReadProbe& read_probe;
};

/// A section: what --only takes, and what runs.
struct Section {
    const char* key;
    const char* help;
    void (*run)(Bench& bench);
};

/// List all sections in the order in which they run. A new one is a file section_*.cpp and a row
/// here.
[[nodiscard]] const std::vector<Section>& sections();

void run_machine(Bench& bench);
void run_insert(Bench& bench);
void run_single(Bench& bench);
void run_batch(Bench& bench);
void run_filter(Bench& bench);
void run_sweep(Bench& bench);
void run_masks(Bench& bench);
void run_exact(Bench& bench);
void run_steady(Bench& bench);
void run_natural(Bench& bench);
void run_rounds(Bench& bench);
void run_partitions(Bench& bench);

/// Let each row be allowed with probability `share`.
[[nodiscard]] Bitset random_rows(std::size_t rows, double share, std::uint64_t seed);

/// Neighbours asked for in every search.
inline constexpr std::size_t kNeighbours = 10;

/// Answer the first `queries` queries of `set`, `batch` to a call.
/// Returns seconds a query.
double search_all(
    Engine& engine, const Dataset& set, std::size_t queries, std::size_t batch, Answers& out);

/// Check `ours` against `theirs`; a difference fails the run. Returns a cell for the rival's row.
[[nodiscard]] Cell checked(Bench& bench,
                           const Dataset& set,
                           const Answers& ours,
                           const Answers& theirs);

/// Describe a set for a table: "words 340479 x 100 cosine".
[[nodiscard]] std::string describe(const Dataset& set);

/// How long to wait between turns so that the last one's threads no longer spin: only a question
/// where there is more than one.
[[nodiscard]] std::chrono::milliseconds pause_for(std::size_t threads);

}  // namespace vecdb::bench
