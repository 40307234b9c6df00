#pragma once

/// \file
/// Where a search under a filter changes its plan. All of it is by estimated cost from the exact
/// number of allowed rows, in one place so that it can be measured again: bench/selectivity.cpp
/// shows every cell of selectivity, place and index; bench/RESULTS.md has the table that these
/// numbers were last read from, bench/NOTES.md what else was tried.
///
/// | allowed           | flat             | hnsw                    | ivf                 |
/// |-------------------|------------------|-------------------------|---------------------|
/// | 25 % and more     | codes of all     | graph, ef / share       | lists, more of them |
/// | 10 %              | codes of allowed | graph, or as flat       | lists, or all codes |
/// | 1 % and less      | codes of allowed | as flat                 | allowed rows        |
/// | up to 64 rows     | allowed rows     | codes of allowed        | allowed rows        |
///
/// Codes of allowed rows are given up for the rows themselves where they rule out too few
/// (coded_scan.cpp), and lists where the nearest ones have too few allowed rows.

#include <cstddef>

namespace vecdb::index {

/// flat, and exact search by codes: codes of all rows are compared unless fewer than this part of
/// them are allowed; then those of the allowed rows.
inline constexpr std::size_t kListedShare = 4;
/// flat: so few rows are compared by their floats at once.
inline constexpr std::size_t kFewRows = 64;

/// hnsw: comparing a code in a walk costs about as much as this many in a scan of allowed rows. A
/// walk compares about ef / share times the width of a list of neighbours.
inline constexpr double kWalkCost = 1.5;

/// ivf: nprobe = 0 searches one list of so many, more under a filter: recall@10 of 10,000 words is
/// .95 then, whichever rows are allowed (collection/selectivity_test.cpp).
inline constexpr std::size_t kDefaultShare = 8;
/// ivf: when fewer than one row of so many is allowed, just those are compared, ...
inline constexpr std::size_t kFewAllowed = 10;
/// ... by blocks of codes when there is more than one of so many: most blocks have one then.
inline constexpr std::size_t kAllowedInBlocks = 32;
/// ivf: comparing a row in full that lies alone takes as long as so many codes of a list.
inline constexpr std::size_t kCodesPerRow = 8;
/// ivf: when the nearest lists have fewer allowed rows by so many times than lists have on average,
/// these lie where the query does not: distances to centroids say little about theirs, and codes
/// rule out few. All allowed rows are compared then.
inline constexpr double kElsewhere = 2;

}  // namespace vecdb::index
