#include "collection/model/replay.h"

#include "collection/model/values.h"
#include "collection/query/bound_expression.h"
#include "support/exact_index.h"

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <utility>

namespace vecdb::test {
namespace {

constexpr std::size_t kMostHeld = 5;

}  // namespace

Replay::Replay(const Settings& settings, bool trace)
    : settings_(settings), tracing_(trace), database_(Database::in_memory().value()) {
    if (settings_.durable) database_ = Database::open("d", open_options()).value();
    for (std::size_t i = 0; i < settings.ids; ++i)
        ids_.push_back(static_cast<Id>(i) * settings.step);
    restrictions_.push_back({Filter(), every_row()});
    for (const Id divisor : {2, 7, 50})
        add_restriction(divisor);
    for (const char* text : {"number > 1",
                             "real < 0.6 || word is null",
                             R"(word in ["wx", "wxxx"] && !odd)",
                             R"(!(word like "%xxx") and number != 4)",
                             "bytes is not null"})
        add_condition(text);
    exact_index_faults = 0;
    // Most calls need a collection; the shortest sequences need no call to make it.
    database_.create_collection("a", settings_.schema(false)).status().check();
    add_expected("a", false);
    database_.create_alias("x", "a").check();
    names_.aliases["x"] = names_.collections["a"];
}

void Replay::add_restriction(Id divisor) {
    const auto allowed = [divisor](Id id) {
        return id % divisor == 0;
    };
    std::vector<Id> listed;
    std::copy_if(ids_.begin(), ids_.end(), std::back_inserter(listed), allowed);
    const RowTest test = [allowed](const ExpectedRows&, Id id) {
        return allowed(id);
    };
    restrictions_.push_back({Filter::where(allowed), test});
    restrictions_.push_back({Filter::allow_ids(listed), test});
}

/// Add a condition, and the same joined with a filter of ids.
void Replay::add_condition(const std::string& text) {
    const Expression expression = Expression::parse(text).value();
    const auto bound = std::make_shared<const collection::BoundExpression>(
        collection::bind_expression(expression, model_fields()).value());
    const RowTest passes = [bound](const ExpectedRows& rows, Id id) {
        return collection::matches(*bound, values_of(rows.model.rows().at(id)));
    };
    const auto by_id = restrictions_[1];  // by a predicate
    restrictions_.push_back({expression, passes});
    restrictions_.push_back(
        {!Filter(expression) || by_id.filter, [passes, by_id](const ExpectedRows& rows, Id id) {
             return !passes(rows, id) || by_id.allowed(rows, id);
         }});
}

Fault Replay::apply(const Operation& operation) {
    if (tracing_) trace_.push_back(to_string(operation.act));
    Random random(operation.seed);
    Fault fault = dispatch(operation, random);
    const std::size_t index_faults = exact_index_faults.exchange(0);
    if (fault.empty() && index_faults > 0) fault = "an index was called against its contract";
    return fault.empty() ? fault : to_string(operation.act) + ": " + fault;
}

Fault Replay::dispatch(const Operation& operation, Random& random) {
    switch (operation.act) {
        case Act::kReadPin:
            return read_pin(random);
        case Act::kCreateCollection:
        case Act::kDropCollection:
        case Act::kCreateAlias:
        case Act::kMoveAlias:
        case Act::kDropAlias:
        case Act::kRebuild:
        case Act::kCheckpoint:
        case Act::kReopen:
        case Act::kAudit:
            return dispatch_names(operation.act, random);
        default:
            break;
    }
    Fault fault;
    std::optional<Held> target = some_target(random, fault);
    return target ? on_rows(operation.act, random, *target) : fault;
}

Fault Replay::dispatch_names(Act act, Random& random) {
    switch (act) {
        case Act::kCreateCollection:
            return create_collection(random);
        case Act::kDropCollection:
            return drop_collection(random);
        case Act::kCreateAlias:
            return create_alias(random);
        case Act::kMoveAlias:
            return move_alias(random);
        case Act::kDropAlias:
            return drop_alias(random);
        case Act::kRebuild:
            return rebuild(random);
        case Act::kCheckpoint:
            return checkpoint();
        case Act::kReopen:
            return reopen(random);
        default:
            return audit();
    }
}

Fault Replay::on_rows(Act act, Random& random, Held& target) {
    switch (act) {
        case Act::kInsert:
            return insert(random, target);
        case Act::kUpsert:
            return upsert(random, target);
        case Act::kRemove:
            return remove(random, target);
        case Act::kRemoveWhere:
            return remove_where(random, target);
        case Act::kWriteBadly:
            return write_badly(random, target);
        case Act::kGet:
            return get(random, target.rows(), target.view());
        case Act::kCount:
            return count(random, target.rows(), target.view());
        case Act::kSearch:
            return search(random, target.rows(), question_to(random, target));
        case Act::kSearchBatch:
            return search_batch(random, target.rows(), question_to(random, target));
        case Act::kSearchRadius:
            return search_radius(random, target.rows(), question_to(random, target));
        case Act::kSearchGroups:
            return search_groups(random, target.rows(), question_to(random, target));
        case Act::kReadPages:
            return read_pages(random, target.rows(), question_to(random, target));
        case Act::kBuildIndex:
            return build_index(random, target);
        case Act::kFlush:
            return flush(random, target);
        case Act::kCreatePartition:
            return create_partition(random, target);
        case Act::kDropPartition:
            return drop_partition(random, target);
        case Act::kSetRetention:
            return set_retention(random, target);
        case Act::kPin:
            return pin(random, target);
        default:
            return hold(random, target);
    }
}

// Choices -----------------------------------------------------------------------------------------

/// Choose a name of a collection or alias that may be there: mostly the alias that always was.
std::string Replay::some_name(Random& random) {
    constexpr std::array kNames = {"x", "x", "x", "x", "y", "y", "a", "b", "c", "x.1"};
    return kNames[below(random, kNames.size())];
}

/// Choose a name that is mostly an alias.
std::string Replay::some_alias(Random& random) const {
    const std::string name = some_name(random);
    const bool anyway = one_in(random, 6);
    if (anyway || names_.aliases.empty() || names_.aliases.count(name) != 0) return name;
    return names_.aliases.begin()->first;
}

/// Resolve a name, and perhaps one of its partitions, or take what was resolved before. None: the
/// name is of nothing, as it should, or there is a fault.
std::optional<Replay::Held> Replay::some_target(Random& random, Fault& fault) {
    const bool before = one_in(random, 6);
    const std::size_t place = random();
    const std::string name = one_in(random, 2) ? some_name(random) : some_alias(random);
    const bool part = one_in(random, 3);
    const std::size_t partition = below(random, 4);
    if (before && !held_.empty()) {
        Held target = held_[place % held_.size()];
        note(" ", text_of(target));
        return target;
    }
    std::optional<Held> target = resolve(name, fault);
    if (!target || !part) {
        note(" '", name, "'", target ? " = " + text_of(*target) : " of nothing");
        return target;
    }
    constexpr std::array kParts = {"default", "p1", "p2", "p3"};
    bool found = false;
    fault = enter_partition(
        target->expected->ruled() ? std::to_string(partition) : kParts[partition], *target, found);
    note(" '", name, "' = ", text_of(*target), found ? "" : ", a partition of nothing");
    return found ? target : std::nullopt;
}

std::optional<Replay::Held> Replay::resolve(const std::string& name, Fault& fault) {
    const auto expected = names_.find(name);
    const auto found = database_.collection(name);
    if (expected == nullptr) {
        fault = judge("resolve", found.status(), {StatusCode::kNotFound});
        return std::nullopt;
    }
    fault = judge("resolve", found.status(), {});
    if (!fault.empty()) return std::nullopt;
    if (found->name() != expected->name()) {
        fault =
            "'" + name + "' stands for '" + found->name() + "', not for '" + expected->name() + "'";
        return std::nullopt;
    }
    return Held{*found, expected};
}

Fault Replay::enter_partition(const std::string& name, Held& target, bool& found) {
    const auto& partitions = target.expected->rows().partitions;
    const auto expected = partitions.find(name);
    const auto partition = target.collection.partition(name);
    found = expected != partitions.end();
    Fault fault =
        judge("partition", partition.status(), found ? Errors() : Errors{StatusCode::kNotFound});
    if (!fault.empty() || !found) return fault;
    target.partition = *partition;
    target.number = expected->second;
    return "";
}

std::vector<Id> Replay::some_ids(Random& random) const {
    const bool many = one_in(random, settings_.ids > 1'000 ? 60 : 12);
    std::vector<Id> ids(below(random, many ? settings_.ids + 1 : 9));
    for (Id& id : ids)
        id = ids_[below(random, ids_.size())];
    return ids;
}

/// Draw small integers, so that answers are exact; the first is not 0, so that no vector is.
Matrix Replay::some_rows(Random& random, std::size_t count) const {
    Matrix rows(count, settings_.dim);
    for (std::size_t i = 0; i < count; ++i) {
        for (float& value : rows.row(i))
            value = static_cast<float>(below(random, 5)) - 2.0F;
        rows.row(i)[0] += 3.0F;
    }
    return rows;
}

Replay::Batch Replay::some_batch(Random& random) const {
    std::vector<Id> ids = some_ids(random);
    Matrix rows = some_rows(random, ids.size());
    return {std::move(ids), std::move(rows)};
}

const Replay::Restriction& Replay::some_restriction(Random& random) const {
    return one_in(random, 2) ? restrictions_[0]
                             : restrictions_[below(random, restrictions_.size())];
}

Fault Replay::hold(Random& random, const Held& target) {
    const std::size_t place = below(random, kMostHeld);
    if (held_.size() < kMostHeld) {
        held_.push_back(target);
    } else {
        held_[place] = target;
    }
    return "";
}

// Telling -----------------------------------------------------------------------------------------

Fault Replay::judge(const char* what, const Status& status, const Errors& errors) {
    note(", ", what, ": ", to_string(status.code()));
    if (errors.empty()) return status.ok() ? "" : std::string(what) + ": " + status.to_string();
    if (std::find(errors.begin(), errors.end(), status.code()) != errors.end()) return "";
    return std::string(what) + ": " + status.to_string() + ", not " +
           std::string(to_string(errors.front()));
}

std::string Replay::text_of(const Held& target) {
    std::string text = "'" + target.collection.name() + "'";
    if (target.partition) text += " partition '" + target.partition->name() + "'";
    return text;
}

std::string Replay::text_of(std::span<const Id> ids) {
    constexpr std::size_t kMost = 12;
    std::string text = ", ids";
    for (const Id id : ids.first(std::min(ids.size(), kMost)))
        text += " " + std::to_string(id);
    return ids.size() <= kMost ? text : text + " and " + std::to_string(ids.size() - kMost);
}

std::optional<Failure> replay(const Settings& settings,
                              std::span<const Operation> operations,
                              bool trace) {
    Replay run(settings, trace);
    const auto failure = [&](std::size_t position, Fault fault) {
        return Failure{position, std::move(fault), run.take_trace()};
    };
    std::size_t position = 0;
    try {
        for (; position < operations.size(); ++position) {
            Fault fault = run.apply(operations[position]);
            if (!fault.empty()) return failure(position, std::move(fault));
        }
        Fault fault = run.finish();
        if (fault.empty()) return std::nullopt;
        return failure(operations.empty() ? 0 : operations.size() - 1, "at the end: " + fault);
    } catch (const std::exception& error) {
        return failure(position, std::string("thrown: ") + error.what());
    }
}

}  // namespace vecdb::test
