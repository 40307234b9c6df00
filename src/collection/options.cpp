#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/names.h"
#include "collection/number_text.h"
#include "collection/storage/columns.h"

#include <vecdb/build_options.h>
#include <vecdb/database_options.h>
#include <vecdb/index_options.h>
#include <vecdb/open_options.h>
#include <vecdb/query.h>
#include <vecdb/rebuild.h>
#include <vecdb/retention.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

namespace vecdb {

using collection::number_text;

namespace {

constexpr std::size_t kMaxM = 256;
constexpr std::size_t kMaxEf = 65'536;
constexpr std::size_t kMaxLists = std::size_t{1} << 24U;
constexpr std::size_t kMaxPqDims = 64;
constexpr std::size_t kMaxQueryRows = std::size_t{1} << 24U;
constexpr std::size_t kMaxRebuildQueries = std::size_t{1} << 24U;
constexpr std::size_t kMinSealRows = 64;
constexpr std::size_t kMaxMerge = 32;
constexpr std::size_t kMaxKeptWrites = std::size_t{1} << 24U;
constexpr std::chrono::milliseconds kMaxSyncInterval = std::chrono::hours(1);
constexpr std::chrono::seconds kMaxKeepReplaced = std::chrono::hours(24);
constexpr std::uint64_t kMinCheckpointBytes = std::uint64_t{64} << 10U;
constexpr std::chrono::milliseconds kMaxWindow = std::chrono::hours(24 * 365 * 100);

Status check_range(std::string_view name, std::size_t value, std::size_t low, std::size_t high) {
    if (value >= low && value <= high) return {};
    return {StatusCode::kInvalidArgument,
            std::string(name) + " is " + std::to_string(value) + "; allowed are " +
                std::to_string(low) + " to " + std::to_string(high)};
}

Status check_between(std::string_view name, float value, float low, float high) {
    if (value >= low && value <= high) return {};  // not so for NaN
    return {StatusCode::kInvalidArgument,
            std::string(name) + " is " + number_text(value) + "; allowed are " + number_text(low) +
                " to " + number_text(high)};
}

Status check_number(std::string_view name, std::optional<float> value) {
    if (!value || !std::isnan(*value)) return {};
    return {StatusCode::kInvalidArgument, std::string(name) + " is " + number_text(*value)};
}

Status check_codes(Codes codes, std::initializer_list<Codes> served, const char* index) {
    constexpr const char* kNames[] = {"default", "none", "sq4", "sq5", "sq7", "sq8", "pq4", "opq4"};
    if (std::find(served.begin(), served.end(), codes) != served.end()) return {};
    const auto number = static_cast<std::size_t>(codes);
    if (number >= std::size(kNames)) {
        return {StatusCode::kInvalidArgument,
                "codes " + std::to_string(number) + " is none of Codes'"};
    }
    std::string names;
    for (const Codes each : served) {
        names += names.empty() ? "" : ", ";
        names += kNames[static_cast<std::size_t>(each)];
    }
    return {StatusCode::kInvalidArgument,
            std::string("codes of ") + index + " is " + kNames[number] + "; allowed are " + names};
}

/// Check that the metric is one of the element type's.
Status check_pair(const VectorField& field) {
    const bool of_bits = field.metric == Metric::kHamming || field.metric == Metric::kJaccard;
    const std::string pair = "metric " + std::string(to_string(field.metric)) +
                             " with element type " + std::string(to_string(field.element_type));
    if (of_bits != (field.element_type == ElementType::kBit)) {
        return {StatusCode::kInvalidArgument,
                pair + "; hamming and jaccard are for bit, the other metrics for the other types"};
    }
    if (field.metric == Metric::kCosine && field.element_type == ElementType::kInt8) {
        return {StatusCode::kUnsupported, pair + ": int8 cannot hold vectors of length 1; use ip"};
    }
    return {};
}

Status validate_field(const VectorField& field) {
    VECDB_TRY(collection::validate_name("vector field name", field.name));
    VECDB_TRY(
        check_range("dimension of vector field '" + field.name + "'", field.dim, 1, kMaxDimension));
    if (to_string(field.metric) == "unknown") {
        return {
            StatusCode::kInvalidArgument,
            "metric " + std::to_string(static_cast<int>(field.metric)) + " is none of Metric's"};
    }
    if (to_string(field.element_type) == "unknown") {
        return {StatusCode::kInvalidArgument,
                "element type " + std::to_string(static_cast<int>(field.element_type)) +
                    " is none of ElementType's"};
    }
    VECDB_TRY(check_pair(field));
    if (field.zero_vector != ZeroVector::kReject && field.zero_vector != ZeroVector::kFar) {
        return {StatusCode::kInvalidArgument,
                "zero_vector " + std::to_string(static_cast<int>(field.zero_vector)) +
                    " is none of ZeroVector's"};
    }
    return validate(field.index);
}

Status validate_scalar(const ScalarField& field) {
    VECDB_TRY(collection::validate_name("scalar field name", field.name));
    if (field.type < ScalarType::kBool || field.type > ScalarType::kBytes) {
        return {StatusCode::kInvalidArgument,
                "type " + std::to_string(static_cast<int>(field.type)) + " of scalar field '" +
                    field.name + "' is none of ScalarType's"};
    }
    if (std::holds_alternative<std::monostate>(field.fallback)) return {};
    Status fits = collection::check_value(field, field.fallback);
    if (fits.ok()) return fits;
    return {fits.code(), "the fallback: " + fits.message()};
}

Status validate_names(const Schema& schema) {
    std::vector<std::string_view> names;
    for (const VectorField& field : schema.vectors)
        names.push_back(field.name);
    for (const ScalarField& field : schema.scalars)
        names.push_back(field.name);
    for (std::size_t i = 0; i < names.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (names[i] == names[j]) {
                return {StatusCode::kInvalidArgument,
                        "field name '" + std::string(names[i]) + "' stands twice in the schema"};
            }
        }
    }
    return {};
}

Status validate_fields(const Schema& schema) {
    VECDB_TRY(check_range("number of vector fields", schema.vectors.size(), 1, kMaxVectorFields));
    for (const VectorField& field : schema.vectors)
        VECDB_TRY(validate_field(field));
    VECDB_TRY(check_range("number of scalar fields", schema.scalars.size(), 0, kMaxScalarFields));
    for (const ScalarField& field : schema.scalars)
        VECDB_TRY(validate_scalar(field));
    return validate_names(schema);
}

Status validate_rule(const PartitionRule& rule) {
    switch (rule.routing) {
        case Routing::kNone:
            return check_range("partitions of a rule with routing none", rule.partitions, 0, 0);
        case Routing::kIdModulo:
            return check_range("partitions of a rule", rule.partitions, 1, kMaxPartitions);
    }
    return {StatusCode::kInvalidArgument,
            "routing " + std::to_string(static_cast<int>(rule.routing)) + " is none of Routing's"};
}

Status validate_guards(const RebuildGuards& guards) {
    for (const CountBounds* bounds : {&guards.source, &guards.built}) {
        const double part = bounds->part.value_or(0.0);
        if (part >= 0.0) continue;  // not so for NaN
        return {StatusCode::kInvalidArgument,
                "part of a guard is " + number_text(part) + "; it must be at least 0"};
    }
    if (!(guards.min_recall >= 0.0 && guards.min_recall <= 1.0)) {
        return {StatusCode::kInvalidArgument,
                "min_recall is " + number_text(guards.min_recall) + "; allowed are 0 to 1"};
    }
    VECDB_TRY(check_range("queries of a guard", guards.queries, 1, kMaxRebuildQueries));
    VECDB_TRY(check_range("k of a guard", guards.search.k, 1, kMaxK));
    return guards.search.validate();
}

/// Check which part of the ranking is wanted.
Status validate_page(const SearchOptions& options) {
    VECDB_TRY(check_range("k", options.k, 0, kMaxK));
    VECDB_TRY(check_range("offset", options.offset, 0, kMaxK));
    VECDB_TRY(check_range("offset + k", options.offset + options.k, 0, kMaxK));
    VECDB_TRY(check_number("score_threshold", options.score_threshold));
    return check_number("inner_radius", options.inner_radius);
}

Status validate_effort(const SearchOptions& options) {
    VECDB_TRY(check_range("threads", options.threads, 0, kMaxThreads));
    VECDB_TRY(check_range("ef", options.ef, 0, kMaxEf));
    VECDB_TRY(check_range("nprobe", options.nprobe, 0, kMaxLists));
    VECDB_TRY(check_range("rerank", options.rerank, 0, kMaxEf));
    return check_between("bound", options.bound, 0.0F, 1.0F);
}

/// Refuse what is right in itself and not served by the chosen index, which checks its parameters
/// against the field.
Status check_served(const Schema& schema) {
    for (const VectorField& field : schema.vectors) {
        if (!collection::is_scanned(field)) VECDB_TRY(collection::make_index(field).status());
    }
    return {};
}

/// Check that what is chosen among enumerators is one of them.
Status check_choices(const OpenOptions& options) {
    const auto check = [](const char* name, auto choice, auto last) {
        const auto number = static_cast<std::size_t>(choice);
        return check_range(name, number, 0, static_cast<std::size_t>(last));
    };
    VECDB_TRY(check("mode", options.mode, OpenMode::kReadOnly));
    VECDB_TRY(check("sync", options.sync, SyncMode::kOff));
    VECDB_TRY(check("verify", options.verify, Verify::kLazy));
    return check("locking", options.locking, Locking::kNone);
}

/// Check SegmentPolicy::max_growing_rows.
Status check_max_growing(const SegmentPolicy& policy) {
    const std::size_t rows = policy.max_growing_rows;
    if (rows == 0) return {};
    if (policy.seal_rows == 0) {
        return {StatusCode::kInvalidArgument,
                "max_growing_rows is " + std::to_string(rows) +
                    " where seal_rows is 0: writers would wait for ever"};
    }
    return check_range("max_growing_rows", rows, 2 * policy.seal_rows, kMaxRowsPerSegment);
}

}  // namespace

Status FlatOptions::validate() const {
    return guard([&] {
        return check_codes(codes, {Codes::kDefault, Codes::kNone, Codes::kSq4}, "flat");
    });
}

Status HnswOptions::validate() const {
    return guard([&]() -> Status {
        VECDB_TRY(check_range("m", m, 2, kMaxM));
        VECDB_TRY(check_range("ef_construction", ef_construction, m, kMaxEf));
        VECDB_TRY(check_between("alpha", alpha, 1.0F, 2.0F));
        return check_codes(
            codes,
            {Codes::kDefault, Codes::kNone, Codes::kSq4, Codes::kSq5, Codes::kSq7, Codes::kSq8},
            "hnsw");
    });
}

Status IvfOptions::validate() const {
    return guard([&]() -> Status {
        VECDB_TRY(check_range("nlist", nlist, 0, kMaxLists));
        VECDB_TRY(check_range("pq_dims", pq_dims, 1, kMaxPqDims));
        return check_codes(
            codes, {Codes::kDefault, Codes::kNone, Codes::kSq4, Codes::kPq4, Codes::kOpq4}, "ivf");
    });
}

Status CustomOptions::validate() const {
    return guard([&] { return collection::validate_name("custom index name", name); });
}

Status validate(const IndexOptions& options) {
    return guard(
        [&] { return std::visit([](const auto& chosen) { return chosen.validate(); }, options); });
}

Schema Schema::single(std::size_t dim, Metric metric, ElementType type) {
    Schema schema;
    schema.vectors.push_back({.dim = dim, .metric = metric, .element_type = type});
    return schema;
}

Status Schema::validate() const {
    return guard([&]() -> Status {
        if (vectors.empty()) {
            return {StatusCode::kInvalidArgument, "the schema has no vector field; one is needed"};
        }
        VECDB_TRY(validate_fields(*this));
        VECDB_TRY(validate_rule(rule));
        VECDB_TRY(segments.validate());
        return check_served(*this);
    });
}

Status DatabaseOptions::validate() const {
    return guard([&] { return check_range("threads", threads, 0, kMaxThreads); });
}

Status OpenOptions::validate() const {
    return guard([&]() -> Status {
        VECDB_TRY(check_choices(*this));
        if (sync_interval.count() < 1 || sync_interval > kMaxSyncInterval) {
            return {StatusCode::kInvalidArgument,
                    "sync_interval is " + std::to_string(sync_interval.count()) +
                        " ms; allowed are 1 to " + std::to_string(kMaxSyncInterval.count())};
        }
        if (checkpoint_bytes != 0 && checkpoint_bytes < kMinCheckpointBytes) {
            return {StatusCode::kInvalidArgument,
                    "checkpoint_bytes is " + std::to_string(checkpoint_bytes) +
                        "; allowed are 0 and " + std::to_string(kMinCheckpointBytes) + " or more"};
        }
        if (keep_replaced.count() < 0 || keep_replaced > kMaxKeepReplaced) {
            return {StatusCode::kInvalidArgument,
                    "keep_replaced is " + std::to_string(keep_replaced.count()) +
                        " s; allowed are 0 to " + std::to_string(kMaxKeepReplaced.count())};
        }
        return run.validate();
    });
}

Status BuildOptions::validate() const {
    return guard([&] { return check_range("threads", threads, 0, kMaxThreads); });
}

Status SegmentPolicy::validate() const {
    return guard([&]() -> Status {
        if (seal_rows != 0) {
            VECDB_TRY(check_range("seal_rows", seal_rows, kMinSealRows, kMaxRowsPerSegment));
        }
        VECDB_TRY(check_range("merge_segments", merge_segments, 2, kMaxMerge));
        VECDB_TRY(check_max_growing(*this));
        return check_between("max_removed", max_removed, 0.01F, 1.0F);
    });
}

Status RebuildOptions::validate() const {
    return guard([&]() -> Status {
        if (!name.empty()) VECDB_TRY(collection::validate_name("collection name", name));
        VECDB_TRY(validate_guards(guards));
        VECDB_TRY(check_range("warm_up_queries", warm_up_queries, 0, kMaxRebuildQueries));
        VECDB_TRY(check_range("threads", threads, 0, kMaxThreads));
        return schema ? schema->validate() : Status();
    });
}

Status Retention::validate() const {
    return guard([&]() -> Status {
        if (window.count() < 0 || window > kMaxWindow) {
            return {StatusCode::kInvalidArgument,
                    "window is " + std::to_string(window.count()) + " ms; allowed are 0 to " +
                        std::to_string(kMaxWindow.count())};
        }
        return check_range("max_writes", max_writes, 1, kMaxKeptWrites);
    });
}

Status QueryOptions::validate() const {
    return check_range("limit", limit, 0, kMaxQueryRows);
}

Status SearchOptions::validate() const {
    return guard([&]() -> Status {
        VECDB_TRY(validate_page(*this));
        return validate_effort(*this);
    });
}

}  // namespace vecdb
