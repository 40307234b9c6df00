#include "collection/operate/carry_over.h"

#include "check.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace vecdb::collection {
namespace {

constexpr std::size_t kBatchRows = 4'096;

/// Call batch(ids), some at a time, with the ids of the live rows of a partition, but for those
/// that are the same rows in `other`, another state of it or null.
template <class Batch>
Status for_each_batch(const PartitionVersion& partition,
                      const PartitionVersion* other,
                      Batch&& batch) {
    if (&partition == other) return {};
    std::vector<Id> ids;
    Status result;
    const auto hand_over = [&] {
        if (result.ok() && !ids.empty()) result = batch(std::span<const Id>(ids));
        ids.clear();
    };
    for (std::size_t s = 0; s < partition.segment_count(); ++s) {
        const SegmentVersion& segment = partition.segment(s);
        const SegmentVersion* same = other != nullptr ? other->find(segment.numbering) : nullptr;
        segment.for_each_row(nullptr, [&](std::size_t row) {
            if (same != nullptr && row < same->rows && !same->removed(row)) return;
            ids.push_back(segment.id(row));
            if (ids.size() == kBatchRows) hand_over();
        });
    }
    hand_over();
    return result;
}

/// Return the names of fields that both lists have, from the first `passed` on.
template <class Fields>
std::vector<std::string> common_names(const Fields& from, const Fields& to, std::size_t passed) {
    std::vector<std::string> names;
    for (std::size_t i = passed; i < from.size(); ++i) {
        const bool both = std::any_of(
            to.begin(), to.end(), [&](const auto& other) { return other.name == from[i].name; });
        if (both) names.push_back(from[i].name);
    }
    return names;
}

/// Return the names of the fields but the first vector field that both schemas have.
std::vector<std::string> common_fields(const Schema& from, const Schema& to) {
    std::vector<std::string> names = common_names(from.scalars, to.scalars, 0);
    const std::vector<std::string> vectors = common_names(from.vectors, to.vectors, 1);
    names.insert(names.end(), vectors.begin(), vectors.end());
    return names;
}

/// Tell whether the i-th of two lists of rows have the same vector.
bool same_vector(const FetchedVectors& a, const FetchedVectors& b, std::size_t i) {
    const std::size_t bytes = vector_bytes(a.type, a.dim);
    return std::memcmp(a.bytes.data() + i * bytes, b.bytes.data() + i * bytes, bytes) == 0;
}

/// Tell whether the i-th of two lists of rows with the same fields, which both have, are the same.
bool same_row(const FetchedRows& a, const FetchedRows& b, std::size_t i) {
    const auto same_value = [i](const ScalarColumn& mine, const ScalarColumn& theirs) {
        return mine.values[i] == theirs.values[i];
    };
    const auto same_field = [i](const FetchedVectors& mine, const FetchedVectors& theirs) {
        return same_vector(mine, theirs, i);
    };
    return same_vector(a, b, i) &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), same_value) &&
           std::equal(a.vectors.begin(), a.vectors.end(), b.vectors.begin(), same_field);
}

/// Return some of the vectors.
FetchedVectors select(const FetchedVectors& from, std::span<const std::size_t> rows) {
    FetchedVectors selected{.field = from.field, .dim = from.dim, .type = from.type, .bytes = {}};
    const std::size_t bytes = vector_bytes(from.type, from.dim);
    selected.bytes.reserve(rows.size() * bytes);
    for (const std::size_t row : rows) {
        const std::byte* first = from.bytes.data() + row * bytes;
        selected.bytes.insert(selected.bytes.end(), first, first + bytes);
    }
    return selected;
}

/// Return some of the values.
ScalarColumn select(const ScalarColumn& from, std::span<const std::size_t> rows) {
    ScalarColumn selected{from.field, {}};
    for (const std::size_t row : rows)
        selected.values.push_back(from.values[row]);
    return selected;
}

class CarryOver {
  public:
    CarryOver(const CollectionState& from,
              const CollectionState::VersionPointer& before,
              const CollectionState::VersionPointer& after,
              CollectionState& to)
        : from_(from),
          before_(before),
          after_(after),
          to_(to),
          common_(common_fields(from.schema(), to.schema())) {}

    Result<std::size_t> run() {
        VECDB_TRY(for_each_partition(*before_, [&](const PartitionVersion& partition) {
            return for_each_batch(partition, after_->find(*partition.info), [&](auto ids) {
                return remove_gone(ids);
            });
        }));
        VECDB_TRY(for_each_partition(*after_, [&](const PartitionVersion& partition) {
            VECDB_ASSIGN(const auto into, partition_for(*partition.info));
            return for_each_batch(partition, before_->find(*partition.info), [&](auto ids) {
                return write_changed(partition.info.get(), into.get(), ids);
            });
        }));
        return carried_;
    }

  private:
    template <class Visit>
    static Status for_each_partition(const Version& version, Visit&& visit) {
        Status result;
        version.partitions.for_each([&](const PartitionVersion& partition) {
            if (result.ok()) result = visit(partition);
        });
        return result;
    }

    /// Return the partition of `to_` that stands for one of `from_`; null: the rule's choice.
    Result<CollectionState::PartitionPointer> partition_for(const PartitionInfo& info) {
        if (to_.schema().rule.routing != Routing::kNone) return CollectionState::PartitionPointer();
        auto found = to_.partition(info.name);
        return found.ok() ? std::move(found) : to_.create_partition(info.name);
    }

    Status remove_gone(std::span<const Id> ids) {
        VECDB_ASSIGN(const FetchedRows now, from_.get(nullptr, after_, ids));
        std::vector<Id> gone;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (!now.found[i]) gone.push_back(ids[i]);
        }
        if (gone.empty()) return {};
        VECDB_ASSIGN(const std::size_t removed, to_.remove(nullptr, gone));
        carried_ += removed;
        return {};
    }

    Status write_changed(const PartitionInfo* partition,
                         const PartitionInfo* into,
                         std::span<const Id> ids) {
        VECDB_ASSIGN(const FetchedRows now, from_.get(partition, after_, ids, common_));
        FetchedRows then;
        if (before_->find(*partition) != nullptr) {
            VECDB_ASSIGN(then, from_.get(partition, before_, ids, common_));
        } else {
            then.found.resize(ids.size());
        }
        std::vector<std::size_t> changed;
        std::vector<Id> changed_ids;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (then.found[i] && same_row(now, then, i)) continue;
            changed.push_back(i);
            changed_ids.push_back(ids[i]);
        }
        if (changed.empty()) return {};
        const FetchedVectors first = select(now, changed);
        std::vector<ScalarColumn> scalars;
        std::vector<FetchedVectors> further;
        for (const ScalarColumn& each : now.columns)
            scalars.push_back(select(each, changed));
        for (const FetchedVectors& each : now.vectors)
            further.push_back(select(each, changed));
        std::vector<ColumnView> columns;
        columns.reserve(scalars.size() + further.size());
        for (const ScalarColumn& each : scalars)
            columns.emplace_back(each.field, std::span<const Scalar>(each.values));
        for (const FetchedVectors& each : further)
            columns.emplace_back(each.field, each.view());
        VECDB_TRY(
            to_.write(into, {changed_ids, first.view(), columns}, CollectionState::Mode::kUpsert));
        carried_ += changed_ids.size();
        return {};
    }

    const CollectionState& from_;
    const CollectionState::VersionPointer& before_;
    const CollectionState::VersionPointer& after_;
    CollectionState& to_;
    const std::vector<std::string> common_;  // fields of both, but the first vector field
    std::size_t carried_ = 0;
};

}  // namespace

Result<std::size_t> carry_over(const CollectionState& from,
                               const CollectionState::VersionPointer& before,
                               const CollectionState::VersionPointer& after,
                               CollectionState& to) {
    return CarryOver(from, before, after, to).run();
}

}  // namespace vecdb::collection
