#pragma once

/// \file
/// Writes of every kind, one after the other, each following from its seed and from what is there:
/// done on two databases they lead to the same.

#include "support/field_rows.h"
#include "support/random_data.h"

#include <vecdb/database.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

inline constexpr std::size_t kWorkDim = 3;

/// What write number `i` of a workload is.
enum class Work : std::uint8_t {
    kInsert,
    kUpsert,
    kRemove,
    kCreatePartition,
    kDropPartition,
    kCreateCollection,
    kDropCollection,
    kMoveAlias,
    kBuildIndex,
    kFlush,
    kRebuild,
    kCheckpoint,
    kEnd,
};

/// Return what is done for a seed: rows mostly.
inline Work work_of(std::uint64_t seed) {
    constexpr std::size_t kWeights[] = {20, 26, 20, 5, 3, 3, 3, 4, 4, 4, 2, 4};
    std::size_t place = seed / 7 % 98;
    std::size_t kind = 0;
    while (place >= kWeights[kind])
        place -= kWeights[kind++];
    return static_cast<Work>(kind);
}

/// The seeds of a workload's writes, one after the other.
class WorkSeeds {
  public:
    /// \param beginning  collections and their alias come first, so that there is something to
    ///                   write to
    explicit WorkSeeds(std::uint64_t seed, bool beginning = true)
        : random_(seed), made_(beginning ? 0 : kMakingAll) {}

    std::uint64_t next() {
        std::uint64_t seed = random_();
        const Work wanted = made_ < kMakingCollections ? Work::kCreateCollection : Work::kMoveAlias;
        while (made_ < kMakingAll && work_of(seed) != wanted)
            seed = random_();
        made_ += made_ < kMakingAll ? 1 : 0;
        return seed;
    }

  private:
    static constexpr std::size_t kMakingCollections = 5;
    static constexpr std::size_t kMakingAll = 7;

    Random random_;
    std::size_t made_;
};

/// How much is written, and what goes on beside it.
struct WorkOptions {
    /// Of the collections that are made. 0: no background, so that calls to the disk follow from
    /// the seeds alone; what is in the database always does.
    std::size_t seal_rows = 0;
    std::size_t batch = 8;   ///< Most rows of a write.
    std::uint64_t ids = 60;  ///< Of rows that are replaced and removed.
};

/// Return the schema of collections of a workload.
inline Schema work_schema(std::uint64_t seed, std::size_t seal_rows) {
    Schema schema = Schema::single(kWorkDim);
    schema.segments.seal_rows = seal_rows;
    if (seed % 3 == 0) schema.vectors[0].index = HnswOptions{.m = 4, .ef_construction = 8};
    if (seed % 7 < 4) schema.scalars = some_scalars();
    if (seed % 4 < 2) {
        for (VectorField& field : further_vectors(HnswOptions{.m = 4, .ef_construction = 8}))
            schema.vectors.push_back(std::move(field));
    }
    if (seed % 5 == 0) schema.rule = {Routing::kIdModulo, 2};
    return schema;
}

/// Does the writes of a workload on a database.
class Worker {
  public:
    explicit Worker(Database& database, const WorkOptions& options = {})
        : database_(database), options_(options) {}

    /// Do one write. A write that is refused for what is there (a name that is taken) is done too,
    /// and changes nothing.
    Status work(std::uint64_t seed) {
        Status status = dispatch(seed);
        const bool refused = status.code() == StatusCode::kNotFound ||
                             status.code() == StatusCode::kAlreadyExists ||
                             status.code() == StatusCode::kInvalidArgument ||
                             status.code() == StatusCode::kFailedPrecondition;
        return refused ? Status() : status;
    }

  private:
    Status dispatch(std::uint64_t seed) {
        Random random(seed);
        const std::string name = std::string(1, static_cast<char>('a' + random() % 3));
        const std::string part = "p" + std::to_string(random() % 3);
        switch (work_of(seed)) {
            case Work::kCreateCollection:
                return database_.create_collection(name, work_schema(random(), options_.seal_rows))
                    .status();
            case Work::kDropCollection:
                return database_.drop_collection(name);
            case Work::kMoveAlias: {
                const Status made = database_.create_alias("live", name);
                return made.code() == StatusCode::kAlreadyExists
                           ? database_.move_alias("live", name)
                           : made;
            }
            case Work::kCheckpoint: {
                const Status saved = database_.checkpoint();
                // Of the database in memory beside the one that is tested.
                return saved.code() == StatusCode::kFailedPrecondition ? Status() : saved;
            }
            case Work::kRebuild:
                return rebuild(random);
            default:
                break;
        }
        auto found = database_.collection(name);
        if (!found.ok()) return found.status();
        Collection collection = *std::move(found);
        if (work_of(seed) == Work::kCreatePartition)
            return collection.create_partition(part).status();
        if (work_of(seed) == Work::kDropPartition) return collection.drop_partition(part);
        auto partition = collection.partition(part);
        WriteHandle& rows = partition.ok() ? static_cast<WriteHandle&>(*partition) : collection;
        return work_on_rows(work_of(seed), random, rows);
    }

    [[nodiscard]] Status work_on_rows(Work work, Random& random, WriteHandle& rows) const {
        std::vector<Id> ids(1 + random() % options_.batch);
        for (Id& id : ids)
            id = static_cast<Id>(random() % options_.ids);
        if (work == Work::kInsert) {
            // Otherwise hardly any would be new.
            for (Id& id : ids)
                id += static_cast<Id>(options_.ids * (random() % 50));
            std::sort(ids.begin(), ids.end());
            ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        }
        const Matrix vectors = normal_rows(ids.size(), kWorkDim, random());
        const FieldRows fields(rows.schema(), ids, random());
        switch (work) {
            case Work::kInsert:
                return rows.insert(ids, vectors.view(), fields.columns());
            case Work::kUpsert:
                return rows.upsert(ids, vectors.view(), fields.columns());
            case Work::kRemove:
                return rows.remove(ids).status();
            case Work::kBuildIndex:
                return rows.build_index();
            default:
                return rows.flush();
        }
    }

    Status rebuild(Random& random) {
        const std::vector<Id> ids = sequential_ids(5, static_cast<Id>(random() % options_.ids));
        const Matrix vectors = normal_rows(ids.size(), kWorkDim, random());
        const auto live = database_.collection("live");
        const FieldRows fields(live.ok() ? live->schema() : Schema(), ids, random());
        bool given = false;
        RebuildSource source;
        source.rows = ids.size();
        source.next = [&]() -> Result<RowBatch> {
            if (std::exchange(given, true)) return RowBatch();
            return RowBatch{ids, vectors.view(), {}, fields.columns()};
        };
        // The names that are free are those of other collections too.
        return database_
            .rebuild("live",
                     source,
                     {.name = std::string(1, static_cast<char>('a' + random() % 3)),
                      .warm_up_queries = 0,
                      .threads = 1})
            .status();
    }

    Database& database_;
    const WorkOptions options_;
};

/// Return the ids that an exact search of a further vector field finds, nearest first, for one of
/// its vectors.
inline std::string answers_of(const ReadHandle& rows, const FetchedVectors& field) {
    if (field.rows() == 0) return field.field;
    std::string text = field.field + " is answered by";
    const SearchOptions options{.k = field.rows(), .field = field.field, .exact = true};
    const SearchResult found = rows.search(field.view().slice(0, 1), options).value();
    for (const Hit& hit : found[0])
        text += ' ' + std::to_string(hit.id);
    return text;
}

/// Return all that can be read of a database, as bytes.
inline std::string fingerprint(const Database& database) {
    std::string text;
    for (const Alias& alias : database.list_aliases())
        text += alias.name + " is " + alias.collection + "\n";
    for (const std::string& name : database.list_collections()) {
        const Collection collection = database.collection(name).value();
        text += name + " of dimension " + std::to_string(collection.schema().vectors.front().dim) +
                "\n";
        for (const std::string& part : collection.list_partitions()) {
            const Partition partition = collection.partition(part).value();
            text += " " + part + ", " + std::to_string(partition.count()) + " rows\n";
            const std::vector<float> origin(kWorkDim);
            SearchOptions options{.k = partition.count()};
            options.exact = true;
            std::vector<Id> ids;
            for (const Hit& hit : partition.search(origin, options).value())
                ids.push_back(hit.id);
            std::sort(ids.begin(), ids.end());
            const FetchedRows rows = partition.get(ids, field_names(partition.schema())).value();
            text.append(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(Id));
            text.append(reinterpret_cast<const char*>(rows.bytes.data()), rows.bytes.size());
            text += "\n" + to_text(rows);
            for (const FetchedVectors& field : rows.vectors)
                text += answers_of(partition, field) + "\n";
        }
    }
    return text;
}

}  // namespace vecdb::test
