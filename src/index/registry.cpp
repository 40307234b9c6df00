#include "index/registry.h"

#include "check.h"
#include "mutex.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
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

    void set(std::string_view name, IndexFactory factory) {
        const Lock lock(mutex_);
        factories_.insert_or_assign(std::string(name), std::move(factory));
    }

    Status add(std::string_view name, IndexFactory factory) {
        const Lock lock(mutex_);
        if (!factories_.emplace(name, std::move(factory)).second) {
            return {StatusCode::kAlreadyExists,
                    "an index named '" + std::string(name) + "' is registered"};
        }
        return {};
    }

    /// Return a copy: the factory runs without the lock.
    IndexFactory find(const std::string& name) const {
        const Lock lock(mutex_);
        const auto found = factories_.find(name);
        return found != factories_.end() ? found->second : IndexFactory();
    }

    std::vector<std::string> names() const {
        const Lock lock(mutex_);
        std::vector<std::string> names;
        for (const auto& [name, factory] : factories_)
            names.push_back(name);
        return names;
    }

  private:
    mutable Mutex mutex_;
    std::map<std::string, IndexFactory, std::less<>> factories_ VECDB_GUARDED_BY(mutex_);
};

constexpr std::size_t kMaxNameLength = 255;

/// The names of the library's own indexes, in the order of IndexOptions.
constexpr std::string_view kBuiltinNames[] = {"flat", "hnsw", "ivf"};

bool is_builtin(std::string_view name) {
    return std::find(std::begin(kBuiltinNames), std::end(kBuiltinNames), name) !=
           std::end(kBuiltinNames);
}

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
        if (is_builtin(name)) {
            return {StatusCode::kAlreadyExists,
                    "an index named '" + std::string(name) + "' comes with the library"};
        }
        return Registry::instance().add(name, std::move(factory));
    });
}

namespace index {

std::string index_name(const IndexOptions& options) {
    if (const auto* custom = std::get_if<CustomOptions>(&options)) return custom->name;
    return std::string(kBuiltinNames[options.index()]);
}

Result<std::unique_ptr<Index>> make_index(const VectorField& field) {
    const std::string name = index_name(field.index);
    const IndexFactory factory = Registry::instance().find(name);
    if (!factory && is_builtin(name)) {
        return Status(StatusCode::kUnsupported, "index " + name + " is not served by this build");
    }
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

void register_builtin_index(std::string_view name, IndexFactory factory) {
    VECDB_ASSERT(is_builtin(name));
    Registry::instance().set(name, std::move(factory));
}

std::vector<std::string> registered_indexes() {
    return Registry::instance().names();
}

}  // namespace index
}  // namespace vecdb
