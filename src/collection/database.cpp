#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/collection_state.h"
#include "collection/names.h"
#include "simd/dispatch.h"

#include <vecdb/database.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace vecdb {
namespace {

struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
        return std::hash<std::string_view>()(name);
    }
};

Status no_such_collection(std::string_view name) {
    return {StatusCode::kNotFound, "no collection is named '" + std::string(name) + "'"};
}

}  // namespace

/// The collections by name.
/// Threads: internally synchronised by `mutex`.
class DatabaseState {
  public:
    explicit DatabaseState(const simd::KernelTable& table) noexcept : kernels(table) {}

    const simd::KernelTable& kernels;
    mutable std::shared_mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<CollectionState>, NameHash, std::equal_to<>>
        collections;  // guarded by mutex
};

Database::Database(std::unique_ptr<DatabaseState> state) noexcept : state_(std::move(state)) {}
Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

Result<Database> Database::in_memory() {
    return guard([]() -> Result<Database> {
        collection::register_builtin();
        VECDB_ASSIGN(const simd::KernelTable* kernels, simd::active_table());
        return Database(std::make_unique<DatabaseState>(*kernels));
    });
}

Result<Collection> Database::create_collection(std::string_view name, const Schema& schema) {
    return guard([&]() -> Result<Collection> {
        VECDB_TRY(collection::validate_name("collection name", name));
        VECDB_TRY(schema.validate());
        auto made = std::make_shared<CollectionState>(std::string(name), schema, state_->kernels);
        const std::lock_guard lock(state_->mutex);
        if (state_->collections.contains(name)) {
            return Status(StatusCode::kAlreadyExists,
                          "a collection named '" + std::string(name) + "' exists");
        }
        if (state_->collections.size() >= kMaxCollections) {
            return Status(StatusCode::kFailedPrecondition,
                          "the database has " + std::to_string(kMaxCollections) +
                              " collections, which is the limit");
        }
        state_->collections.emplace(name, made);
        return Collection(std::move(made));
    });
}

Result<Collection> Database::collection(std::string_view name) const {
    return guard([&]() -> Result<Collection> {
        const std::shared_lock lock(state_->mutex);
        const auto found = state_->collections.find(name);
        if (found == state_->collections.end()) return no_such_collection(name);
        return Collection(found->second);
    });
}

Status Database::drop_collection(std::string_view name) {
    return guard([&]() -> Status {
        std::shared_ptr<CollectionState> dropped;  // its rows are freed after the lock
        const std::lock_guard lock(state_->mutex);
        const auto found = state_->collections.find(name);
        if (found == state_->collections.end()) return no_such_collection(name);
        dropped = std::move(found->second);
        state_->collections.erase(found);
        return {};
    });
}

std::vector<std::string> Database::list_collections() const {
    std::vector<std::string> names;
    const std::shared_lock lock(state_->mutex);
    for (const auto& [name, state] : state_->collections)
        names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace vecdb
