#pragma once

/// \file
/// What a database should hold after some calls: names, partitions, ids and the bytes of rows.

#include <vecdb/schema.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vecdb::test {

/// A row and the number of its partition.
struct ExpectedRow {
    std::vector<std::byte> bytes;
    std::size_t partition = 0;
};

/// A collection. A partition has a number that no other one of it ever gets.
struct ExpectedCollection {
    explicit ExpectedCollection(Schema described) : schema(std::move(described)) {
        if (!ruled()) partitions["default"] = next_partition++;
        for (std::size_t i = 0; ruled() && i < schema.rule.partitions; ++i)
            partitions[std::to_string(i)] = next_partition++;
    }

    [[nodiscard]] const VectorField& field() const { return schema.vectors.front(); }
    [[nodiscard]] bool ruled() const { return schema.rule.routing != Routing::kNone; }
    /// Return the partition that a row goes to unless it is written through another one.
    [[nodiscard]] std::size_t home(Id id) const {
        if (!ruled()) return partitions.at("default");
        return partitions.at(
            std::to_string(static_cast<std::uint64_t>(id) % schema.rule.partitions));
    }
    [[nodiscard]] bool has_partition(std::size_t number) const {
        for (const auto& [name, each] : partitions)
            if (each == number) return true;
        return false;
    }

    Schema schema;
    std::map<std::string, std::size_t> partitions;
    std::map<Id, ExpectedRow> rows;
    std::size_t next_partition = 0;
    bool dropped = false;
};

/// What a handle should see: all rows or those of a partition.
struct ExpectedView {
    std::shared_ptr<const ExpectedCollection> collection;
    std::optional<std::size_t> partition = {};

    [[nodiscard]] bool exists() const {
        return !partition || collection->has_partition(*partition);
    }
    [[nodiscard]] bool contains(Id id) const {
        const auto row = collection->rows.find(id);
        return row != collection->rows.end() && (!partition || row->second.partition == *partition);
    }
    /// Count the rows that a function allows.
    template <class Allows>
    [[nodiscard]] std::size_t count(const Allows& allows) const {
        std::size_t total = 0;
        for (const auto& [id, row] : collection->rows)
            total += contains(id) && allows(id) ? 1U : 0U;
        return total;
    }
};

/// The names of a database.
struct ExpectedNames {
    std::map<std::string, std::shared_ptr<ExpectedCollection>> collections;
    std::map<std::string, std::string> aliases;

    [[nodiscard]] std::shared_ptr<ExpectedCollection> find(const std::string& name) const {
        const auto alias = aliases.find(name);
        const auto found = collections.find(alias != aliases.end() ? alias->second : name);
        return found != collections.end() ? found->second : nullptr;
    }
    [[nodiscard]] bool has_alias(const std::string& collection) const {
        for (const auto& [alias, target] : aliases)
            if (target == collection) return true;
        return false;
    }
    /// Return them as they are now, rows and all.
    [[nodiscard]] ExpectedNames copy() const {
        ExpectedNames made{{}, aliases};
        for (const auto& [name, collection] : collections)
            made.collections[name] = std::make_shared<ExpectedCollection>(*collection);
        return made;
    }
};

}  // namespace vecdb::test
