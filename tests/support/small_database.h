#pragma once

/// \file
/// A database of a few kilobytes that has every kind of file, and all that can be asked of it.

#include "support/field_rows.h"
#include "support/memory_storage.h"
#include "support/random_data.h"

#include <vecdb/database.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb::test {

inline constexpr std::size_t kSmallDim = 8;

inline OpenOptions small_options(std::shared_ptr<Storage> files, OpenMode mode) {
    OpenOptions options;
    options.mode = mode;
    options.checkpoint_bytes = 0;
    options.keep_replaced = std::chrono::seconds(0);
    options.storage = std::move(files);
    options.run.threads = 1;
    return options;
}

/// Return what can be read of a collection, its hits in the order of a search with `options`.
inline std::string describe(const Collection& collection, SearchOptions options) {
    std::string text = collection.name() + ": ";
    for (const std::string& name : collection.list_partitions()) {
        const auto partition = collection.partition(name);
        text += name + ' ' + std::to_string(partition.ok() ? partition->count() : 0) + ' ';
    }
    const std::size_t dim = collection.schema().vectors.front().dim;
    const Matrix query = normal_rows(1, std::min<std::size_t>(dim, 64), 99);
    std::vector<float> values(dim);
    std::copy(query.values.begin(), query.values.end(), values.begin());
    const auto hits = collection.search(values, options);
    if (!hits.ok()) return text + hits.status().to_string();
    std::vector<Id> ids;
    for (const Hit& hit : *hits) {
        ids.push_back(hit.id);
        text += std::to_string(hit.id) + '=' + std::to_string(hit.score) + ' ';
    }
    const auto rows = collection.get(ids, field_names(collection.schema()));
    if (!rows.ok()) return text + rows.status().to_string();
    text.append(reinterpret_cast<const char*>(rows->bytes.data()), rows->bytes.size());
    for (const FetchedVectors& field : rows->vectors) {
        if (field.rows() == 0) continue;
        options.field = field.field;
        const auto others = collection.search(field.view().slice(0, 1), options);
        if (!others.ok()) return text + others.status().to_string();
        for (const Hit& hit : (*others)[0])
            text += ' ' + std::to_string(hit.id);
    }
    return text + '\n' + to_text(*rows);
}

/// Return what can be read of a database by exact search.
inline std::string describe(const Database& database) {
    std::string text;
    for (const Alias& alias : database.list_aliases())
        text += alias.name + " is " + alias.collection + '\n';
    for (const std::string& name : database.list_collections())
        text += describe(database.collection(name).value(), {.k = 100, .exact = true});
    return text;
}

/// Writes a database in `files` and tells what it is after each write.
class SmallDatabase {
  public:
    std::shared_ptr<MemoryStorage> files = std::make_shared<MemoryStorage>();
    /// What describe() said before the writes that are in the log, and after each.
    std::vector<std::string> states;

    /// \param seed    of the rows
    /// \param closed  or the process ended
    SmallDatabase(std::uint64_t seed, bool closed) {
        {
            Database database = open(OpenMode::kCreate);
            make(database, seed);
            database.checkpoint().check();
            database.close().check();
        }
        Database database = open(OpenMode::kOpen);  // begins a manifest with all that there is
        write(database, seed);
        if (closed) database.close().check();
        files = files->copy();
        remove_unneeded();
    }

    /// Write on, so that every file that is written anew has a successor.
    static void go_on(const std::shared_ptr<MemoryStorage>& files) {
        Database database = Database::open("d", small_options(files, OpenMode::kOpen)).value();
        for (const std::string& name : database.list_collections()) {
            Collection collection = database.collection(name).value();
            insert(collection, 3, 900, 5);
            collection.build_index().check();
            insert(collection, 3, 950, 6);
        }
        database.checkpoint().check();
        Collection first = database.collection("flat").value();
        insert(first, 2, 990, 7);
        database.close().check();
    }

  private:
    [[nodiscard]] Database open(OpenMode mode) const {
        return Database::open("d", small_options(files, mode)).value();
    }

    /// Remove the files that the writer would have removed soon.
    void remove_unneeded() const {
        for (const std::string& path : files->names()) {
            const auto without = files->copy();
            without->remove(path).check();
            const auto opened = Database::open("d", small_options(without, OpenMode::kReadOnly));
            if (opened.ok() && opened->open_report().damage.empty()) files->remove(path).check();
        }
    }

    static void insert(WriteHandle& into, std::size_t count, Id first, std::uint64_t seed) {
        const auto ids = sequential_ids(count, first);
        const FieldRows fields(into.schema(), ids, seed);
        into.insert(ids, normal_rows(count, kSmallDim, seed).view(), fields.columns()).check();
    }

    static Schema schema_of(IndexOptions index) {
        Schema schema = Schema::single(kSmallDim);
        schema.vectors[0].index = std::move(index);
        schema.segments.seal_rows = 0;
        return schema;
    }

    static void make(Database& database, std::uint64_t seed) {
        const std::pair<const char*, IndexOptions> kCollections[] = {
            {"flat", FlatOptions{}},
            {"graph", HnswOptions{.m = 2, .ef_construction = 8, .codes = Codes::kSq8}},
            {"lists", IvfOptions{.nlist = 2}},
            {"product", IvfOptions{.nlist = 2, .codes = Codes::kPq4}},
        };
        for (const auto& [name, index] : kCollections) {
            Schema schema = schema_of(index);
            if (std::string_view(name) == "flat") schema.scalars = some_scalars();
            if (std::string_view(name) == "graph") {
                for (VectorField& field : further_vectors(index))
                    schema.vectors.push_back(std::move(field));
            }
            Collection collection = database.create_collection(name, schema).value();
            insert(collection, 10, 0, seed);
            collection.build_index().check();
            insert(collection, 2, 100, seed + 1);
            collection.remove(Id{3}).status().check();
        }
        database.create_alias("live", "flat").check();
    }

    void write(Database& database, std::uint64_t seed) {
        Collection flat = database.collection("flat").value();
        const auto note = [&] {
            states.push_back(describe(database));
        };
        note();
        insert(flat, 2, 200, seed + 2);
        note();
        flat.remove(Id{5}).status().check();
        note();
        Partition part = flat.create_partition("part").value();
        note();
        insert(part, 1, 300, seed + 3);
        note();
        database.create_alias("other", "graph").check();
        note();
        Collection graph = database.collection("graph").value();
        insert(graph, 2, 400, seed + 5);
        note();
        const std::vector<Id> replaced = {1, 200};
        flat.upsert(replaced, normal_rows(2, kSmallDim, seed + 4).view()).check();
        note();
    }
};

}  // namespace vecdb::test
