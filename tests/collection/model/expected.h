#pragma once

/// \file
/// What a database should hold: names, partitions, rows, and the rows of earlier moments.

#include "support/model.h"

#include <vecdb/status.h>
#include <vecdb/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

/// The rows of a collection at one moment and the partitions that they are in. A partition has a
/// number that no other one of the collection ever gets.
struct ExpectedRows {
    ExpectedRows(std::size_t dim, Metric metric) : model(dim, metric) {}

    void upsert(Id id, std::span<const float> vector, std::size_t partition) {
        model.upsert(id, vector);
        homes[id] = partition;
    }
    bool remove(Id id) {
        homes.erase(id);
        return model.remove(id);
    }

    Model model;
    std::map<Id, std::size_t> homes;
    std::map<std::string, std::size_t> partitions;
};

/// A test of a row by its id and its vector at that moment.
using RowTest = std::function<bool(const ExpectedRows&, Id)>;

inline RowTest every_row() {
    return [](const ExpectedRows&, Id) {
        return true;
    };
}

/// What a handle should see: the rows of a moment, perhaps those of one partition only.
struct ExpectedView {
    std::shared_ptr<const ExpectedRows> rows;
    std::optional<std::size_t> partition = {};

    /// Tell whether there is the partition that is meant.
    [[nodiscard]] bool exists() const {
        if (!partition) return true;
        return std::any_of(rows->partitions.begin(), rows->partitions.end(), [&](const auto& each) {
            return each.second == *partition;
        });
    }
    [[nodiscard]] bool contains(Id id) const {
        const auto home = rows->homes.find(id);
        return home != rows->homes.end() && (!partition || *partition == home->second);
    }
    [[nodiscard]] std::size_t count() const {
        return partition ? rows->model.count(within(every_row())) : rows->homes.size();
    }
    /// Narrow a test to the rows of this view.
    [[nodiscard]] Model::Allowed within(RowTest allowed) const {
        return [view = *this, allowed = std::move(allowed)](Id id) {
            return view.contains(id) && allowed(*view.rows, id);
        };
    }
};

/// A collection. Handles on it outlive its name.
class ExpectedCollection {
  public:
    ExpectedCollection(std::string name, bool ruled, ExpectedRows rows)
        : name_(std::move(name)),
          ruled_(ruled),
          now_(std::make_shared<ExpectedRows>(std::move(rows))) {}

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool ruled() const { return ruled_; }
    [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
    [[nodiscard]] const ExpectedRows& rows() const { return *now_; }
    [[nodiscard]] ExpectedView view(std::optional<std::size_t> partition = {}) const {
        return {now_, partition};
    }
    /// Return the rows to change them; views on them stay as they are. One call is one write.
    ExpectedRows& change() {
        if (keep_ > 0) past_.emplace_back(sequence_, now_);
        while (past_.size() > keep_)
            past_.pop_front();
        if (now_.use_count() > 1) now_ = std::make_shared<ExpectedRows>(*now_);
        ++sequence_;
        return *now_;
    }
    /// Return the rows after that many writes; null if they are not kept.
    [[nodiscard]] std::shared_ptr<const ExpectedRows> at(std::uint64_t sequence) const {
        if (sequence == sequence_) return now_;
        for (const auto& [number, rows] : past_) {
            if (number == sequence) return rows;
        }
        return nullptr;
    }
    [[nodiscard]] bool keeps_past() const { return keep_ > 0; }
    /// Keep the rows of so many writes back from now on.
    void keep(std::size_t writes) {
        keep_ = writes;
        while (past_.size() > keep_)
            past_.pop_front();
    }
    void set_sequence(std::uint64_t sequence) { sequence_ = sequence; }
    std::size_t next_partition() { return partitions_made_++; }

    /// Writes are refused, as another collection has taken its place.
    bool replaced = false;

  private:
    std::string name_;
    bool ruled_;
    std::shared_ptr<ExpectedRows> now_;
    std::uint64_t sequence_ = 0;
    std::size_t partitions_made_ = 1'000;
    std::size_t keep_ = 0;
    std::deque<std::pair<std::uint64_t, std::shared_ptr<const ExpectedRows>>> past_;
};

/// The names of a database.
struct ExpectedNames {
    using Pointer = std::shared_ptr<ExpectedCollection>;

    /// Return what a name stands for, or null.
    [[nodiscard]] Pointer find(const std::string& name) const {
        const auto collection = collections.find(name);
        if (collection != collections.end()) return collection->second;
        const auto alias = aliases.find(name);
        return alias != aliases.end() ? alias->second : nullptr;
    }
    [[nodiscard]] bool has_alias(const Pointer& collection) const {
        return std::any_of(aliases.begin(), aliases.end(), [&](const auto& each) {
            return each.second == collection;
        });
    }

    std::map<std::string, Pointer> collections;
    std::map<std::string, Pointer> aliases;
};

}  // namespace vecdb::test
