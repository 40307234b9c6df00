#include "fuzz/calls/caller.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace vecdb::test {
namespace {

constexpr std::size_t kMostHeld = 8;

}  // namespace

void require(bool condition, const std::string& why) {
    if (condition) return;
    std::fprintf(stderr, "wrong: %s\n", why.c_str());
    std::abort();
}

Caller::Caller(std::span<const std::uint8_t> input)
    : choices_(input),
      durable_(!choices_.one_in(8)),
      database_(Database::in_memory({.threads = 1, .executor = executor_}).value()) {
    restrictions_.resize(3);
    if (!durable_) return;
    sync_ = choices_.one_of({SyncMode::kEach, SyncMode::kOs, SyncMode::kOff});
    open(true);
}

bool Caller::ended(const char* what, const Status& status, bool throws) {
    const std::string text = std::string(what) + ": " + status.to_string();
    static const bool kTracing = std::getenv("VECDB_FUZZ_TRACE") != nullptr;
    if (kTracing) std::fprintf(stderr, "%s\n", text.c_str());
    switch (status.code()) {
        case StatusCode::kOk:
            return true;
        case StatusCode::kInternal:
            require(throws, text);
            return false;
        case StatusCode::kCorruption:
        case StatusCode::kIoError:
        case StatusCode::kOutOfMemory:
        case StatusCode::kStale:
            require(false, text);
            return false;
        default:
            require(!status.message().empty(), text);
            return false;
    }
}

bool Caller::ended_as(const char* what, const Status& status, bool succeeds) {
    const bool succeeded = ended(what, status);
    require(succeeded == succeeds,
            std::string(what) + (succeeds ? " is refused: " : " is not refused: ") +
                status.to_string());
    return succeeded;
}

bool Caller::call() {
    if (choices_.over()) return false;
    const std::size_t kind = choices_.below(10);
    if (kind < 2) {
        on_names();
    } else if (kind < 5) {
        on_rows();
    } else if (kind < 9) {
        on_reads();
    } else {
        on_files();
    }
    return !choices_.over();
}

void Caller::finish() {
    audit(database_, names_);
    for (const Held& held : held_) {
        audit(held.collection, *held.expected);
        require(!held.partition ||
                    held.partition->count() == held.view().count([](Id) { return true; }),
                "a partition has other rows at the end");
    }
    for (const KeptPin& kept : pins_) {
        require(kept.pin.count() == kept.view.count([](Id) { return true; }),
                "a pin has other rows");
    }
}

/// Choose a handle, or null.
Caller::Held* Caller::target() {
    if (held_.empty()) hold();
    if (held_.empty()) return nullptr;
    return &held_[choices_.below(held_.size())];
}

// Names -------------------------------------------------------------------------------------------

void Caller::on_names() {
    switch (choices_.below(11)) {
        case 0:
        case 1:
        case 2:
            return create_collection();
        case 3:
            return drop_collection();
        case 4:
            return hold();
        case 5:
            return hold_partition();
        case 6:
            return create_alias();
        case 7:
            return move_alias();
        case 8:
            return drop_alias();
        case 9:
            return create_partition();
        default:
            return drop_partition();
    }
}

void Caller::create_collection() {
    const Name name = choices_.name();
    const Schema schema = choices_.schema();
    const bool good =
        name.valid && schema.validate().ok() && !closed_ && names_.find(name.text) == nullptr;
    const auto made = database_.create_collection(name.text, schema);
    if (!ended_as("create_collection", made.status(), good)) return;
    const auto expected = std::make_shared<ExpectedCollection>(schema);
    names_.collections[name.text] = expected;
    if (held_.size() < kMostHeld) held_.push_back({*made, expected});
}

void Caller::drop_collection() {
    const std::string name = choices_.name().text;
    const auto found = names_.collections.find(name);
    const bool good = found != names_.collections.end() && !names_.has_alias(name) && !closed_;
    if (!ended_as("drop_collection", database_.drop_collection(name), good)) return;
    found->second->dropped = true;
    names_.collections.erase(found);
}

/// Take a handle on a collection.
void Caller::hold() {
    const std::string name = choices_.name().text;
    const auto expected = names_.find(name);
    const auto found = database_.collection(name);
    if (!ended_as("collection", found.status(), expected != nullptr)) return;
    if (held_.size() == kMostHeld) held_.erase(held_.begin());
    held_.push_back({*found, expected});
}

void Caller::hold_partition() {
    Held* held = target();
    if (held == nullptr) return;
    const std::string name = choices_.partition_name().text;
    const auto number = held->expected->partitions.find(name);
    const bool there = number != held->expected->partitions.end();
    const auto found = held->collection.partition(name);
    if (!ended_as("partition", found.status(), there)) return;
    Held made{held->collection, held->expected, *found, number->second};
    if (held_.size() == kMostHeld) held_.erase(held_.begin());
    held_.push_back(std::move(made));
}

void Caller::create_alias() {
    const Name alias = choices_.name();
    const std::string name = choices_.name().text;
    const bool good = alias.valid && names_.find(alias.text) == nullptr &&
                      names_.collections.count(name) != 0 && !closed_;
    if (ended_as("create_alias", database_.create_alias(alias.text, name), good))
        names_.aliases[alias.text] = name;
}

void Caller::move_alias() {
    const std::string alias = choices_.name().text, name = choices_.name().text;
    const bool good =
        names_.aliases.count(alias) != 0 && names_.collections.count(name) != 0 && !closed_;
    if (ended_as("move_alias", database_.move_alias(alias, name), good))
        names_.aliases[alias] = name;
}

void Caller::drop_alias() {
    const std::string alias = choices_.name().text;
    const bool good = names_.aliases.count(alias) != 0 && !closed_;
    if (ended_as("drop_alias", database_.drop_alias(alias), good)) names_.aliases.erase(alias);
}

void Caller::create_partition() {
    Held* held = target();
    if (held == nullptr) return;
    const Name name = choices_.partition_name();
    ExpectedCollection& expected = *held->expected;
    const bool good = name.valid && !expected.ruled() && writable(*held) &&
                      expected.partitions.count(name.text) == 0;
    const auto made = held->collection.create_partition(name.text);
    if (ended_as("create_partition", made.status(), good))
        expected.partitions[name.text] = expected.next_partition++;
}

void Caller::drop_partition() {
    Held* held = target();
    if (held == nullptr) return;
    const std::string name = choices_.partition_name().text;
    ExpectedCollection& expected = *held->expected;
    const auto found = expected.partitions.find(name);
    const bool good = found != expected.partitions.end() && name != "default" &&
                      !expected.ruled() && writable(*held);
    if (!ended_as("drop_partition", held->collection.drop_partition(name), good)) return;
    std::erase_if(expected.rows,
                  [&](const auto& row) { return row.second.partition == found->second; });
    expected.partitions.erase(found);
}

}  // namespace vecdb::test
