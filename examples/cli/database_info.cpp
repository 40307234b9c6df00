#include "database_info.h"

#include "database_access.h"
#include "exit_code.h"
#include "index_spec.h"
#include "scalar_text.h"
#include "vector_text.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>
#include <vecdb/health.h>

#include <algorithm>
#include <vector>

namespace vecdb::cli {
namespace {

/// So many partitions are told one by one in the text; the JSON has all.
constexpr std::size_t kPartitionsShown = 20;

struct PartitionInfo {
    std::string name;
    std::size_t rows = 0;
};

struct CollectionInfo {
    std::string name;
    std::vector<VectorField> vectors;
    std::vector<ScalarField> scalars;
    Health health;
    std::vector<PartitionInfo> partitions = {};

    [[nodiscard]] std::size_t memory_bytes() const {
        return health.row_bytes + health.id_bytes + health.index_bytes + health.removed_bytes;
    }
};

CollectionInfo inspect(const Database& db, const std::string& name) {
    const Collection collection = value_of(db.collection(name), ExitCode::kInput);
    CollectionInfo info{.name = name,
                        .vectors = collection.schema().vectors,
                        .scalars = collection.schema().scalars,
                        .health = value_of(collection.health(), ExitCode::kInput)};
    for (const std::string& partition : collection.list_partitions()) {
        info.partitions.push_back(
            {partition, value_of(collection.partition(partition), ExitCode::kInput).count()});
    }
    return info;
}

void print_opened(const Output& output, const OpenReport& report) {
    output.line("closed",
                report.clean ? "yes" : "no: a writer is at work, or ended without closing it");
    output.line("log",
                counted(report.replayed_records, "record") + " since the last checkpoint, " +
                    counted(report.replayed_rows, "row") + ", " +
                    counted(report.torn_bytes, "byte") + " not used");
    for (const std::string& dropped : report.dropped_collections)
        output.line("dropped", dropped + ", of a rebuild that had not ended");
    for (const std::string& damage : report.damage)
        output.line("damage", damage);
}

/// Write all fields; those of vectors are named where there are several.
void print_fields(const Output& output, const CollectionInfo& info) {
    const auto named = [&](const VectorField& field, const std::string& text) {
        return info.vectors.size() == 1 ? text : shown(field.name) + ", " + text;
    };
    const std::string rows = counted(info.health.live_rows, "row") + " x ";
    for (const VectorField& field : info.vectors)
        output.line("  vectors", named(field, rows + vector_text(field)));
    if (!info.scalars.empty()) output.line("  fields", fields_text(info.scalars));
    for (const VectorField& field : info.vectors)
        output.line("  index", named(field, index_text(field.index)));
}

void print_collection(const Output& output, const CollectionInfo& info) {
    const Health& health = info.health;
    output.text("\ncollection " + info.name + '\n');
    print_fields(output, info);
    std::string segments = grouped(health.sealed_segments) + " sealed, " +
                           counted(health.growing_rows, "row") + " in none, " +
                           counted(health.removed_rows, "removed row");
    if (health.damaged_segments != 0)
        segments += ", " + grouped(health.damaged_segments) + " damaged";
    output.line("  segments", segments);
    output.line("  memory",
                counted(info.memory_bytes(), "byte") + ", " + grouped(health.mapped_bytes) +
                    " of them in files, " + grouped(health.index_bytes) + " of indexes");
    const std::size_t shown = std::min(info.partitions.size(), kPartitionsShown);
    for (std::size_t i = 0; i < shown; ++i) {
        const PartitionInfo& partition = info.partitions[i];
        output.line("  partition", partition.name + ", " + counted(partition.rows, "row"));
    }
    const std::size_t more = info.partitions.size() - shown;
    if (more != 0) output.line("  partition", "and " + grouped(more) + " more");
}

Json to_json(const CollectionInfo& info) {
    Json partitions = Json::array();
    for (const PartitionInfo& partition : info.partitions)
        partitions.push_back({{"name", partition.name}, {"rows", partition.rows}});
    const Health& health = info.health;
    const VectorField& first = info.vectors[0];
    return {{"name", info.name},
            {"rows", health.live_rows},
            {"dim", first.dim},
            {"metric", to_string(first.metric)},
            {"element_type", to_string(first.element_type)},
            {"vectors", vectors_json(info.vectors)},
            {"fields", fields_json(info.scalars)},
            {"index", index_text(first.index)},
            {"sealed_segments", health.sealed_segments},
            {"damaged_segments", health.damaged_segments},
            {"growing_rows", health.growing_rows},
            {"removed_rows", health.removed_rows},
            {"memory_bytes", info.memory_bytes()},
            {"index_bytes", health.index_bytes},
            {"mapped_bytes", health.mapped_bytes},
            {"partitions", partitions}};
}

}  // namespace

void show_database(const Output& output, const std::string& directory) {
    const Database db = open_to_read(directory);
    const OpenReport& report = db.open_report();
    const DirectorySize size = size_of(directory);
    output.line("database", directory);
    output.line("files", grouped(size.files) + ", " + counted(size.bytes, "byte"));
    print_opened(output, report);

    Json collections = Json::array();
    for (const std::string& name : db.list_collections()) {
        const CollectionInfo info = inspect(db, name);
        print_collection(output, info);
        collections.push_back(to_json(info));
    }
    Json aliases = Json::array();
    for (const Alias& alias : db.list_aliases()) {
        output.text((aliases.empty() ? "\nalias " : "alias ") + alias.name + " of " +
                    alias.collection + '\n');
        aliases.push_back({{"name", alias.name}, {"collection", alias.collection}});
    }
    output.finish({{"database", directory},
                   {"files", size.files},
                   {"bytes", size.bytes},
                   {"clean", report.clean},
                   {"replayed_records", report.replayed_records},
                   {"replayed_rows", report.replayed_rows},
                   {"torn_bytes", report.torn_bytes},
                   {"dropped_collections", report.dropped_collections},
                   {"damage", report.damage},
                   {"collections", collections},
                   {"aliases", aliases}});
}

}  // namespace vecdb::cli
