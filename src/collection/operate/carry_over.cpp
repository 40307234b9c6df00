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

/// Return the names of scalar fields that both schemas have.
std::vector<std::string> common_fields(const Schema& from, const Schema& to) {
    std::vector<std::string> names;
    for (const ScalarField& field : from.scalars) {
        const bool both = std::any_of(to.scalars.begin(), to.scalars.end(), [&](const auto& other) {
            return other.name == field.name;
        });
        if (both) names.push_back(field.name);
    }
    return names;
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
        const std::size_t bytes = vector_bytes(now.type, now.dim);
        FetchedRows then;
        if (before_->find(*partition) != nullptr) {
            VECDB_ASSIGN(then, from_.get(partition, before_, ids, common_));
        } else {
            then.found.resize(ids.size());
        }
        FetchedRows changed;
        changed.dim = now.dim;
        changed.type = now.type;
        for (const std::string& name : common_)
            changed.columns.push_back({name, {}});
        std::vector<Id> changed_ids;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const std::byte* row = now.bytes.data() + i * bytes;
            const bool same = then.found[i] &&
                              std::memcmp(row, then.bytes.data() + i * bytes, bytes) == 0 &&
                              std::equal(now.columns.begin(),
                                         now.columns.end(),
                                         then.columns.begin(),
                                         [&](const ScalarColumn& a, const ScalarColumn& b) {
                                             return a.values[i] == b.values[i];
                                         });
            if (same) continue;
            changed_ids.push_back(ids[i]);
            changed.bytes.insert(changed.bytes.end(), row, row + bytes);
            changed.found.push_back(true);
            for (std::size_t field = 0; field < common_.size(); ++field)
                changed.columns[field].values.push_back(now.columns[field].values[i]);
        }
        if (changed_ids.empty()) return {};
        std::vector<ColumnView> columns;
        for (const ScalarColumn& each : changed.columns)
            columns.emplace_back(each.field, std::span<const Scalar>(each.values));
        VECDB_TRY(to_.write(
            into, {changed_ids, changed.view(), columns}, CollectionState::Mode::kUpsert));
        carried_ += changed_ids.size();
        return {};
    }

    const CollectionState& from_;
    const CollectionState::VersionPointer& before_;
    const CollectionState::VersionPointer& after_;
    CollectionState& to_;
    const std::vector<std::string> common_;  // scalar fields of both
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
