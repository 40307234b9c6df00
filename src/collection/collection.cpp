#include "check.h"
#include "collection/collection_state.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <initializer_list>
#include <span>
#include <utility>

namespace vecdb {

using Mode = CollectionState::Mode;

namespace {

/// The values and vectors of one row as columns of one each.
class OneRow {
  public:
    OneRow(std::initializer_list<FieldValue> values) {
        columns_.reserve(values.size());
        for (const FieldValue& each : values) {
            if (each.vector) {
                columns_.emplace_back(each.field, MatrixView(*each.vector));
            } else {
                columns_.emplace_back(each.field, std::span(&each.value, 1));
            }
        }
    }
    [[nodiscard]] std::span<const ColumnView> columns() const noexcept { return columns_; }

  private:
    std::vector<ColumnView> columns_;
};

}  // namespace

Status WriteHandle::insert(std::span<const Id> ids,
                           MatrixView vectors,
                           std::span<const ColumnView> columns) {
    return guard([&] {
        state_->give_way(partition_.get(), ids);
        return state_->write(partition_.get(), {ids, vectors, columns}, Mode::kInsert);
    });
}

Status WriteHandle::insert(Id id, VectorView vector, std::initializer_list<FieldValue> values) {
    return guard([&] { return insert({&id, 1}, MatrixView(vector), OneRow(values).columns()); });
}

Status WriteHandle::upsert(std::span<const Id> ids,
                           MatrixView vectors,
                           std::span<const ColumnView> columns) {
    return guard([&] {
        state_->give_way(partition_.get(), ids);
        return state_->write(partition_.get(), {ids, vectors, columns}, Mode::kUpsert);
    });
}

Status WriteHandle::upsert(Id id, VectorView vector, std::initializer_list<FieldValue> values) {
    return guard([&] { return upsert({&id, 1}, MatrixView(vector), OneRow(values).columns()); });
}

Result<std::size_t> WriteHandle::remove(std::span<const Id> ids) {
    return guard([&] { return state_->remove(partition_.get(), ids); });
}

Result<std::size_t> WriteHandle::remove(const Filter& filter) {
    return guard([&] { return state_->remove(partition_.get(), filter); });
}

Status WriteHandle::build_index(const BuildOptions& options) {
    return guard([&] { return state_->build_index(partition_.get(), options); });
}

Status WriteHandle::flush(const BuildOptions& options) {
    return guard([&] { return state_->flush(partition_.get(), options); });
}

const std::string& Partition::name() const noexcept {
    return partition_->name;
}

Collection::Collection(std::shared_ptr<CollectionState> state) noexcept
    : WriteHandle(std::move(state), nullptr, nullptr) {}

const std::string& Collection::name() const noexcept {
    return state_->name();
}

Result<Partition> Collection::create_partition(std::string_view name) {
    return guard([&]() -> Result<Partition> {
        VECDB_ASSIGN(auto made, state_->create_partition(name));
        return Partition(state_, std::move(made), nullptr);
    });
}

Result<Partition> Collection::partition(std::string_view name) const {
    return guard([&]() -> Result<Partition> {
        VECDB_ASSIGN(auto found, state_->partition(name));
        return Partition(state_, std::move(found), nullptr);
    });
}

Status Collection::drop_partition(std::string_view name) {
    return guard([&] { return state_->drop_partition(name); });
}

std::vector<std::string> Collection::list_partitions() const {
    std::vector<std::string> names;
    state_->version()->partitions.for_each([&](const collection::PartitionVersion& partition) {
        names.push_back(partition.info->name);
    });
    std::sort(names.begin(), names.end());
    return names;
}

Result<Health> Collection::health() const {
    return guard([&]() -> Result<Health> { return state_->health(); });
}

Status Collection::set_retention(const Retention& retention) {
    return guard([&]() -> Status {
        VECDB_TRY(retention.validate());
        state_->set_retention(retention);
        return {};
    });
}

}  // namespace vecdb
