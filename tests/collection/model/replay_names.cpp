#include "collection/model/replay.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace vecdb::test {

void Replay::add_expected(const std::string& name, bool ruled) {
    ExpectedRows rows(settings_.dim, settings_.metric);
    if (ruled) {
        for (std::size_t i = 0; i < kRuledPartitions; ++i)
            rows.partitions[std::to_string(i)] = i;
    } else {
        rows.partitions["default"] = 0;
    }
    names_.collections[name] = std::make_shared<ExpectedCollection>(name, ruled, std::move(rows));
}

/// Why an alias cannot stand for what has this name.
Errors Replay::target_errors(const std::string& name) const {
    if (names_.collections.count(name) != 0) return {};
    return {names_.find(name) != nullptr ? StatusCode::kInvalidArgument : StatusCode::kNotFound};
}

Fault Replay::create_collection(Random& random) {
    const std::string name = some_name(random);
    const bool ruled = one_in(random, 3);
    note(" '", name, "'", ruled ? " with a rule" : "");
    Errors errors;
    if (names_.find(name) != nullptr) errors.push_back(StatusCode::kAlreadyExists);
    const auto made = database_.create_collection(name, settings_.schema(ruled));
    if (errors.empty()) add_expected(name, ruled);
    return judge("create_collection", made.status(), errors);
}

Fault Replay::drop_collection(Random& random) {
    std::string name = some_name(random);
    const std::size_t place = random();
    // The names that rebuilds give are many.
    if (one_in(random, 2) && names_.collections.size() > 4) {
        const auto at = static_cast<std::ptrdiff_t>(place % names_.collections.size());
        name = std::next(names_.collections.begin(), at)->first;
    }
    note(" '", name, "'");
    Errors errors = target_errors(name);
    if (errors.empty() && names_.has_alias(names_.find(name))) {
        errors.push_back(StatusCode::kFailedPrecondition);
    }
    const Status status = database_.drop_collection(name);
    if (errors.empty()) names_.collections.erase(name);
    return judge("drop_collection", status, errors);
}

Fault Replay::create_alias(Random& random) {
    const std::string alias = some_name(random), name = some_name(random);
    note(" '", alias, "' of '", name, "'");
    Errors errors = target_errors(name);
    if (names_.find(alias) != nullptr) errors.push_back(StatusCode::kAlreadyExists);
    const Status status = database_.create_alias(alias, name);
    if (errors.empty()) names_.aliases[alias] = names_.find(name);
    return judge("create_alias", status, errors);
}

Fault Replay::move_alias(Random& random) {
    const std::string alias = some_alias(random);
    return move_alias(alias, some_name(random));
}

Fault Replay::move_alias(const std::string& alias, const std::string& name) {
    note(" '", alias, "' to '", name, "'");
    Errors errors = target_errors(name);
    if (names_.aliases.count(alias) == 0) errors.push_back(StatusCode::kNotFound);
    const Status status = database_.move_alias(alias, name);
    if (errors.empty()) names_.aliases[alias] = names_.find(name);
    return judge("move_alias", status, errors);
}

Fault Replay::drop_alias(Random& random) {
    const std::string alias = some_name(random);
    note(" '", alias, "'");
    const bool found = names_.aliases.count(alias) != 0;
    const Status status = database_.drop_alias(alias);
    names_.aliases.erase(alias);
    return judge("drop_alias", status, found ? Errors() : Errors{StatusCode::kNotFound});
}

/// Look at everything.
Fault Replay::audit() {
    return audit(database_);
}

Fault Replay::audit(const Database& database) {
    std::vector<std::string> collections;
    for (const auto& [name, expected] : names_.collections)
        collections.push_back(name);
    if (database.list_collections() != collections) return "other collections are listed";
    std::vector<Alias> aliases;
    for (const auto& [name, expected] : names_.aliases)
        aliases.push_back({name, expected->name()});
    if (database.list_aliases() != aliases) return "other aliases are listed";
    for (const auto& [name, expected] : names_.collections) {
        Fault fault = audit(database.collection(name).value(), *expected);
        if (!fault.empty()) return "collection '" + name + "': " + fault;
    }
    return "";
}

Fault Replay::audit(const Collection& collection, const ExpectedCollection& expected) {
    std::vector<std::string> partitions;
    for (const auto& [partition, number] : expected.rows().partitions) {
        partitions.push_back(partition);
        if (collection.partition(partition)->count() != expected.view(number).count()) {
            return "partition '" + partition + "' has other rows";
        }
    }
    if (collection.list_partitions() != partitions) return "other partitions are listed";
    if (collection.sequence() != expected.sequence() && !sequences_differ_) {
        return "sequence " + std::to_string(collection.sequence()) + ", not " +
               std::to_string(expected.sequence());
    }
    const Health health = collection.health().value();
    if (!health.background_error.ok()) return health.background_error.to_string();
    if (health.live_rows != expected.rows().homes.size()) return "its health counts other rows";
    const FetchedRows fetched = collection.get(ids_).value();
    for (std::size_t i = 0; i < ids_.size(); ++i) {
        if (fetched.found[i] != expected.rows().model.contains(ids_[i])) {
            return "id " + std::to_string(ids_[i]) + (fetched.found[i] ? " is" : " is not") +
                   " there";
        }
    }
    return "";
}

Fault Replay::finish() {
    if (tracing_) trace_.emplace_back("the end");
    Fault fault = audit();
    if (!fault.empty()) return fault;
    constexpr std::size_t kEnough = 300;
    const double found = static_cast<double>(found_) / static_cast<double>(std::max(wanted_, 1UL));
    if (wanted_ < kEnough || found >= settings_.recall()) return "";
    return "recall " + std::to_string(found) + ", not " + std::to_string(settings_.recall());
}

}  // namespace vecdb::test
