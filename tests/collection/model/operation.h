#pragma once

/// \file
/// Random calls as data, so that they can be repeated with some of them left out.

#include <vecdb/schema.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb::test {

/// What is called.
enum class Act : std::uint8_t {
    kInsert,
    kUpsert,
    kRemove,
    kRemoveWhere,
    kWriteBadly,
    kGet,
    kCount,
    kSearch,
    kSearchBatch,
    kSearchRadius,
    kSearchGroups,
    kReadPages,
    kBuildIndex,
    kFlush,
    kCreatePartition,
    kDropPartition,
    kSetRetention,
    kPin,
    kReadPin,
    kHold,
    kCreateCollection,
    kDropCollection,
    kCreateAlias,
    kMoveAlias,
    kDropAlias,
    kRebuild,
    kCheckpoint,
    kReopen,
    kAudit,
};

/// One call. All that is random about it follows from its own seed, not from what came before, so
/// that it stays what it is when others are cut out.
struct Operation {
    Act act = Act::kAudit;
    std::uint64_t seed = 0;
};

/// Which index the collections of a run have.
enum class Served : std::uint8_t { kScan, kFlat, kTestExact, kHnsw, kIvf };

/// What holds for a whole run.
struct Settings {
    std::uint64_t seed = 0;
    Served served = Served::kScan;
    Metric metric = Metric::kL2;
    std::size_t dim = 1;
    /// Ids are 0, step, 2 step and so on.
    std::size_t ids = 1;
    Id step = 1;
    /// Segments are sealed and merged in the background.
    bool background = false;
    /// The database is on disk, and is closed, or ends without that, and opened again.
    bool durable = false;

    /// Answers are the true nearest.
    [[nodiscard]] bool exact() const { return served < Served::kHnsw; }
    /// Least part of the nearest that searches must find over the whole run.
    [[nodiscard]] double recall() const;
    [[nodiscard]] Schema schema(bool ruled) const;
};

/// Partitions of collections with a rule.
inline constexpr std::size_t kRuledPartitions = 3;
/// Lists of an ivf index; with fewer rows none is built.
inline constexpr std::size_t kLists = 8;

/// Choose the settings of a run: consecutive seeds differ in all of them.
Settings settings_of(std::uint64_t seed);

/// Draw a sequence of calls.
std::vector<Operation> random_operations(std::uint64_t seed, std::size_t count);

std::string to_string(Act act);
std::string to_string(const Settings& settings);

}  // namespace vecdb::test
