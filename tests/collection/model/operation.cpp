#include "collection/model/operation.h"

#include "collection/model/values.h"
#include "support/exact_index.h"
#include "support/random_data.h"

#include <array>
#include <sstream>

namespace vecdb::test {
namespace {

/// How often a call is made, beside the others.
struct Share {
    Act act;
    const char* name;
    std::size_t weight;
};

constexpr std::array kShares = {
    Share{Act::kInsert, "insert", 12},
    Share{Act::kUpsert, "upsert", 24},
    Share{Act::kRemove, "remove", 14},
    Share{Act::kRemoveWhere, "remove_where", 2},
    Share{Act::kWriteBadly, "write_badly", 2},
    Share{Act::kGet, "get", 8},
    Share{Act::kCount, "count", 6},
    Share{Act::kSearch, "search", 24},
    Share{Act::kSearchBatch, "search_batch", 8},
    Share{Act::kSearchRadius, "search_radius", 8},
    Share{Act::kSearchGroups, "search_groups", 6},
    Share{Act::kReadPages, "read_pages", 4},
    Share{Act::kBuildIndex, "build_index", 3},
    Share{Act::kFlush, "flush", 2},
    Share{Act::kCreatePartition, "create_partition", 4},
    Share{Act::kDropPartition, "drop_partition", 2},
    Share{Act::kSetRetention, "set_retention", 1},
    Share{Act::kPin, "pin", 5},
    Share{Act::kReadPin, "read_pin", 10},
    Share{Act::kHold, "hold", 4},
    Share{Act::kCreateCollection, "create_collection", 2},
    Share{Act::kDropCollection, "drop_collection", 1},
    Share{Act::kCreateAlias, "create_alias", 2},
    Share{Act::kMoveAlias, "move_alias", 2},
    Share{Act::kDropAlias, "drop_alias", 1},
    Share{Act::kRebuild, "rebuild", 2},
    Share{Act::kCheckpoint, "checkpoint", 1},
    Share{Act::kReopen, "reopen", 2},
    Share{Act::kAudit, "audit", 2},
};

constexpr std::size_t all_weights() {
    std::size_t sum = 0;
    for (const Share& share : kShares)
        sum += share.weight;
    return sum;
}

Act act_at(std::size_t place) {
    for (const Share& share : kShares) {
        if (place < share.weight) return share.act;
        place -= share.weight;
    }
    return Act::kAudit;
}

}  // namespace

double Settings::recall() const {
    if (served == Served::kHnsw) return 0.98;
    return served == Served::kIvf ? 0.85 : 1.0;
}

Schema Settings::schema(bool ruled) const {
    Schema made = Schema::single(dim, metric);
    switch (served) {
        case Served::kScan:
            made.vectors[0].index = FlatOptions{.codes = Codes::kNone};
            break;
        case Served::kFlat:
            break;
        case Served::kTestExact:
            made = exact_schema(dim, metric);
            break;
        case Served::kHnsw:
            made.vectors[0].index = HnswOptions{.m = 6, .ef_construction = 24};
            break;
        case Served::kIvf:
            made.vectors[0].index = IvfOptions{.nlist = kLists};
            break;
    }
    VectorField mirror = made.vectors[0];
    mirror.name = kMirror;
    // Of two indexes with an order each is in the way of the other.
    if (served == Served::kIvf) mirror.index = HnswOptions{.m = 6, .ef_construction = 24};
    if (served == Served::kScan) mirror.index = FlatOptions();
    made.vectors.push_back(std::move(mirror));
    made.segments = {.seal_rows = background ? 64U : 0U, .merge_segments = 2};
    made.scalars = model_fields();
    if (ruled) made.rule = {Routing::kIdModulo, kRuledPartitions};
    return made;
}

Settings settings_of(std::uint64_t seed) {
    constexpr std::size_t kDims[] = {5, 1, 2, 16, 33, 4, 3};
    // The third has rows enough for several chunks of removed ones, and for few calls only.
    constexpr std::size_t kIds[] = {24, 120, 24, 300, 60, 120, 24, 60, 300, 24, 2'500};
    Settings settings;
    settings.seed = seed;
    settings.served = Served{static_cast<std::uint8_t>(seed % 5)};
    settings.metric = Metric{static_cast<std::uint8_t>(1 + seed / 2 % 3)};
    settings.dim = kDims[seed % std::size(kDims)];
    settings.ids = kIds[seed % std::size(kIds)];
    settings.step = seed % 2 == 0 ? 1 : 1'000'000'007;
    settings.background = seed % 3 == 0;
    settings.durable = seed / 2 % 3 != 0;
    // Fewer rows or dimensions than these and hardly any of the nearest could be missed.
    if (!settings.exact()) {
        settings.ids = 400;
        settings.dim = 16;
    }
    return settings;
}

std::vector<Operation> random_operations(std::uint64_t seed, std::size_t count) {
    Random random(seed);
    std::vector<Operation> operations(count);
    for (Operation& operation : operations)
        operation = {act_at(random() % all_weights()), random()};
    return operations;
}

std::string to_string(Act act) {
    for (const Share& share : kShares) {
        if (share.act == act) return share.name;
    }
    return "?";
}

std::string to_string(const Settings& settings) {
    constexpr const char* kServed[] = {"scan", "flat", "test-exact", "hnsw", "ivf"};
    std::ostringstream out;
    out << "seed " << settings.seed << ": " << kServed[static_cast<std::size_t>(settings.served)]
        << ", " << to_string(settings.metric) << ", dimension " << settings.dim << ", "
        << settings.ids << " ids " << settings.step << " apart, "
        << (settings.background ? "background" : "no background")
        << (settings.durable ? ", on disk" : "");
    return out.str();
}

}  // namespace vecdb::test
