#include "index/registry.h"

#include "check.h"

#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace vecdb {
namespace {

/// Threads: internally synchronised.
class Registry {
  public:
    static Registry& instance() {
        static Registry registry;
        return registry;
    }

    Status add(std::string_view name, IndexFactory factory) {
        const std::lock_guard lock(mutex_);
        if (!factories_.emplace(name, std::move(factory)).second) {
            return {StatusCode::kAlreadyExists,
                    "an index named '" + std::string(name) + "' is registered"};
        }
        return {};
    }

    /// Return a copy: the factory runs without the lock.
    IndexFactory find(const std::string& name) const {
        const std::lock_guard lock(mutex_);
        const auto found = factories_.find(name);
        return found != factories_.end() ? found->second : IndexFactory();
    }

    std::vector<std::string> names() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> names;
        for (const auto& [name, factory] : factories_)
            names.push_back(name);
        return names;
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::string, IndexFactory, std::less<>> factories_;  // guarded by mutex_
};

constexpr std::size_t kMaxNameLength = 255;

}  // namespace

Status register_index(std::string_view name, IndexFactory factory) {
    return guard([&]() -> Status {
        if (name.empty() || name.size() > kMaxNameLength) {
            return {StatusCode::kInvalidArgument,
                    "the name of an index has " + std::to_string(name.size()) +
                        " bytes; allowed are 1 to " + std::to_string(kMaxNameLength)};
        }
        if (!factory) {
            return {StatusCode::kInvalidArgument,
                    "the factory of index '" + std::string(name) + "' is empty"};
        }
        return Registry::instance().add(name, std::move(factory));
    });
}

namespace index {

std::string index_name(const IndexOptions& options) {
    constexpr const char* kNames[] = {"flat", "hnsw", "ivf"};
    if (const auto* custom = std::get_if<CustomOptions>(&options)) return custom->name;
    return kNames[options.index()];
}

Result<std::unique_ptr<Index>> make_index(const VectorField& field) {
    const std::string name = index_name(field.index);
    const IndexFactory factory = Registry::instance().find(name);
    if (!factory) {
        return Status(StatusCode::kInvalidArgument,
                      "no index named '" + name + "' is registered in this program");
    }
    VECDB_ASSIGN(auto made, factory(field));
    if (made == nullptr) {
        return Status(StatusCode::kInternal, "the factory of index '" + name + "' made nothing");
    }
    return made;
}

std::vector<std::string> registered_indexes() {
    return Registry::instance().names();
}

}  // namespace index
}  // namespace vecdb
