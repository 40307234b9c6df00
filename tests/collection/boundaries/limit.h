#pragma once

/// \file
/// A limit as two values, the last that is served and the first that is not, and what they are
/// tried on.

#include "support/random_data.h"
#include "support/small_database.h"

#include <vecdb/vecdb.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

inline constexpr std::size_t kWorldDim = 4;
inline constexpr std::size_t kWorldRows = 5;

/// A database with a few rows behind every index, an alias and a partition.
class World {
  public:
    World() {
        add("flat", FlatOptions{});
        add("graph", HnswOptions{.m = 2, .ef_construction = 8});
        add("lists", IvfOptions{.nlist = 1, .codes = Codes::kPq4});
        database.create_alias("live", "flat").check();
        flat().create_partition("part").status().check();
    }

    [[nodiscard]] const Matrix& rows() const { return rows_; }
    [[nodiscard]] VectorView query() const { return VectorView(rows_.row(0)); }
    [[nodiscard]] Collection flat() const { return database.collection("flat").value(); }

    /// Search the rows behind every index.
    [[nodiscard]] Status search(const SearchOptions& options) const {
        for (const std::string& name : database.list_collections()) {
            Status status = database.collection(name)->search(query(), options).status();
            if (!status.ok()) return status;
        }
        return {};
    }
    /// Make a collection, a row in it and its index.
    Status make(const Schema& schema) {
        auto made = database.create_collection("made", schema);
        if (!made.ok()) return made.status();
        const Matrix row = normal_rows(1, schema.vectors.front().dim, 3);
        Status written = made->insert(Id{1}, VectorView(row.row(0)));
        if (!written.ok()) return written;
        Status built = made->build_index();
        // One row is too few for many lists.
        return built.code() == StatusCode::kFailedPrecondition ? Status() : built;
    }
    Status rebuild(const RebuildOptions& options) {
        const std::vector<Id> ids = sequential_ids(kWorldRows);
        bool given = false;
        const auto next = [&]() -> Result<RowBatch> {
            if (std::exchange(given, true)) return RowBatch();
            return RowBatch{ids, rows_.view()};
        };
        return database.rebuild("live", {kWorldRows, next}, options).status();
    }

    /// Return all that a refused call must leave as it is.
    [[nodiscard]] std::string text() const {
        std::string text = describe(database);
        for (const std::string& name : database.list_collections()) {
            const Collection collection = database.collection(name).value();
            text += name + ' ' + std::to_string(collection.count()) + " rows after " +
                    std::to_string(collection.sequence()) + " writes\n";
        }
        return text;
    }

    Database database = Database::in_memory({.threads = 2}).value();

  private:
    void add(const char* name, const IndexOptions& index) {
        Schema schema = Schema::single(kWorldDim);
        schema.vectors[0].index = index;
        schema.segments.seal_rows = 0;
        Collection made = database.create_collection(name, schema).value();
        made.insert(sequential_ids(kWorldRows), rows_.view()).check();
        made.build_index().check();
    }

    Matrix rows_ = normal_rows(kWorldRows, kWorldDim, 1);
};

/// A row of the table of limits.
struct Limit {
    using Call = std::function<Status(World&)>;

    std::string name;
    Call at;                        ///< The last that is served.
    std::vector<Call> beyond;       ///< What is not.
    std::vector<std::string> said;  ///< Parts of the first refusal: the value and the limit.
};
using Limits = std::vector<Limit>;

/// Try `call` with two values.
template <class Value, class Tried>
Limit limit(std::string name, Value at, Value beyond, std::vector<std::string> said, Tried call) {
    const auto with = [call](const Value& value) {
        return Limit::Call([call, value](World& world) { return Status(call(world, value)); });
    };
    return {std::move(name), with(at), {with(beyond)}, std::move(said)};
}

/// The same of whole numbers, also with the one that is farthest beyond.
template <std::integral Value, class Tried>
Limit limit(std::string name, Value at, Value beyond, Tried call) {
    using Numbers = std::numeric_limits<Value>;
    const Value farthest = beyond > at ? Numbers::max() : Numbers::min();
    Limit made =
        limit(std::move(name), at, beyond, {std::to_string(beyond), std::to_string(at)}, call);
    made.beyond.emplace_back([call, farthest](World& world) { return call(world, farthest); });
    return made;
}

/// Return options of which one is set.
template <class Options, class Value>
Options with(Value Options::*option, Value value, Options options = {}) {
    options.*option = value;
    return options;
}

}  // namespace vecdb::test
