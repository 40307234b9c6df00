#include "collection/model/replay.h"
#include "collection/model/values.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vecdb::test {

/// A rebuild that was decided on, and what came of it.
struct Replay::Rebuilding {
    struct Part {
        Batch batch;
        std::string partition;  ///< Empty: where the collection chooses.
    };

    Rebuilding(std::string aliased, Held target)
        : alias(std::move(aliased)), live(std::move(target)) {}

    std::string alias;
    Held live;
    std::shared_ptr<const ExpectedRows> before = {};  ///< Rows of `live` at the beginning.
    std::uint64_t begin = 0;                          ///< Sequence number of `live` then.
    std::vector<Part> parts = {};
    std::size_t rows = 0;  ///< Of all parts.
    bool has_twice = false;
    std::size_t announced = 0;
    RebuildOptions options = {};
    std::string name = {};  ///< That the new collection should get.
    std::size_t given = 0;
    CancelToken cancel = {};
    std::size_t carried = 0;
    std::size_t alerts = 0;
};

/// Choose rows: new ones, or those that are there, some of them changed.
void Replay::plan_source(Random& random, Rebuilding& plan) const {
    const bool copy = one_in(random, 2);
    Rebuilding::Part parts[2];
    if (!plan.live.expected->ruled() && one_in(random, 2)) parts[1].partition = "p1";
    const std::size_t share = 1 + below(random, 4);
    for (const Id id : ids_) {
        const std::uint64_t draw = random();
        const bool there = copy && plan.before->model.contains(id);
        if (copy ? !there : draw % 4 >= share) continue;
        Batch& batch = parts[draw / 4 % 2].batch;
        const Matrix fresh = some_rows(random, 1);
        const bool same = there && draw / 8 % 4 != 0;
        const std::vector<float>& row = same ? plan.before->model.rows().at(id) : fresh.values;
        batch.ids.push_back(id);
        batch.rows.values.insert(batch.rows.values.end(), row.begin(), row.end());
        ++plan.rows;
    }
    if (one_in(random, 12) && !parts[0].batch.ids.empty()) {
        plan.has_twice = true;
        parts[1].batch.ids.push_back(parts[0].batch.ids[0]);
        const auto row = some_rows(random, 1).values;
        auto& values = parts[1].batch.rows.values;
        values.insert(values.end(), row.begin(), row.end());
    }
    for (Rebuilding::Part& part : parts) {
        part.batch.rows.dim = settings_.dim;
        part.batch.rows.rows = part.batch.ids.size();
        if (!part.batch.ids.empty()) plan.parts.push_back(std::move(part));
    }
    plan.announced = plan.rows + (one_in(random, 12) ? 1U : 0U);
}

void Replay::plan_options(Random& random, Rebuilding& plan) const {
    RebuildOptions& options = plan.options;
    if (one_in(random, 3)) options.name = some_name(random);
    options.carry_over = one_in(random, 2);
    options.keep_old = one_in(random, 4) && names_.collections.size() < 8;
    if (one_in(random, 4)) options.guards.source.rows = below(random, settings_.ids);
    if (one_in(random, 6)) options.guards.built.part = 0.5;
    if (one_in(random, 3)) options.guards.min_recall = 0.01;
    options.guards.queries = 5;
    options.guards.search = {.k = 3, .nprobe = kLists};
    options.warm_up_queries = 2;
    options.threads = 1;
    options.control.cancel = plan.cancel;
    options.alert = [&plan](const Status&) {
        ++plan.alerts;
    };
    plan.name = options.name;
    for (std::size_t n = 1; plan.name.empty(); ++n) {
        const std::string free = plan.alias + "." + std::to_string(n);
        if (names_.find(free) == nullptr) plan.name = free;
    }
}

/// Make other calls while the source is asked for rows.
Fault Replay::interfere(Random& random, Rebuilding& plan) {
    if (one_in(random, 16)) plan.cancel.cancel();
    const std::string away = some_name(random);
    // The new collection has its name already, which the model does not know yet.
    if (one_in(random, 12) && away != plan.name) {
        note("; meanwhile move_alias");
        return move_alias(plan.alias, away);
    }
    constexpr std::array kActs = {Act::kUpsert,
                                  Act::kUpsert,
                                  Act::kInsert,
                                  Act::kRemove,
                                  Act::kRemoveWhere,
                                  Act::kCreatePartition,
                                  Act::kDropPartition,
                                  Act::kBuildIndex,
                                  Act::kSearch};
    Fault fault;
    for (std::size_t n = below(random, 4); n > 0 && fault.empty(); --n) {
        const Act act = kActs[below(random, kActs.size())];
        note("; meanwhile ", to_string(act));
        fault = on_rows(act, random, plan.live);
    }
    return fault;
}

/// Why the rebuild must have failed. Looks at what is there afterwards.
Errors Replay::rebuild_errors(const Rebuilding& plan) const {
    Errors errors;
    const std::size_t live = plan.before->homes.size();
    const auto away = [&](std::size_t rows) {
        return rows > live ? rows - live : live - rows;
    };
    const RebuildGuards& guards = plan.options.guards;
    const auto fail = [&](bool condition, StatusCode code) {
        if (condition) errors.push_back(code);
    };
    fail(guards.source.rows && away(plan.announced) > *guards.source.rows,
         StatusCode::kFailedPrecondition);
    fail(names_.find(plan.name) != nullptr, StatusCode::kAlreadyExists);
    fail(plan.cancel.cancelled(), StatusCode::kCancelled);
    fail(plan.has_twice, StatusCode::kAlreadyExists);
    fail(plan.announced != plan.rows, StatusCode::kFailedPrecondition);
    fail(guards.built.part &&
             static_cast<double>(away(plan.rows)) > *guards.built.part * static_cast<double>(live),
         StatusCode::kFailedPrecondition);
    const auto alias = names_.aliases.find(plan.alias);
    fail(alias == names_.aliases.end() || alias->second != plan.live.expected,
         StatusCode::kFailedPrecondition);
    fail(!plan.options.carry_over && plan.live.expected->sequence() != plan.begin,
         StatusCode::kFailedPrecondition);
    return errors;
}

/// Repeat on the model of the new collection what was written to that of the old one meanwhile.
void Replay::carry_over(Rebuilding& plan, ExpectedCollection& made) {
    const ExpectedCollection& live = *plan.live.expected;
    if (live.sequence() == plan.begin) return;
    const ExpectedRows& after = live.rows();
    ExpectedRows& rows = made.change();
    for (const auto& [id, home] : plan.before->homes) {
        if (after.homes.count(id) == 0) plan.carried += rows.remove(id) ? 1U : 0U;
    }
    for (const auto& [name, number] : after.partitions) {
        if (rows.partitions.count(name) == 0) rows.partitions[name] = made.next_partition();
        for (const auto& [id, home] : after.homes) {
            if (home != number) continue;
            const std::vector<float>& vector = after.model.rows().at(id);
            const auto old = plan.before->homes.find(id);
            const bool same = old != plan.before->homes.end() && old->second == number &&
                              plan.before->model.rows().at(id) == vector;
            if (same) continue;
            rows.upsert(id, vector, rows.partitions.at(name));
            ++plan.carried;
        }
    }
}

/// Enter the new collection, and compare it with what is reported.
Fault Replay::adopt(Rebuilding& plan, const RebuildReport& report) {
    const std::shared_ptr<ExpectedCollection> live = plan.live.expected;
    add_expected(plan.name, live->ruled());
    const auto made = names_.collections[plan.name];
    for (const Rebuilding::Part& part : plan.parts) {
        ExpectedRows& rows = made->change();
        const std::string& name = part.partition;
        if (!name.empty() && rows.partitions.count(name) == 0) {
            rows.partitions[name] = made->next_partition();
        }
        for (std::size_t i = 0; i < part.batch.ids.size(); ++i) {
            const Id id = part.batch.ids[i];
            const std::string routed =
                live->ruled() ? std::to_string(id % static_cast<Id>(kRuledPartitions)) : "default";
            rows.upsert(
                id, part.batch.rows.row(i), rows.partitions.at(name.empty() ? routed : name));
        }
    }
    carry_over(plan, *made);
    names_.aliases[plan.alias] = made;
    const auto named = names_.collections.find(live->name());
    const bool still = named != names_.collections.end() && named->second == live;
    if (!plan.options.keep_old && still && !names_.has_alias(live)) {
        live->replaced = true;
        names_.collections.erase(named);
    }
    made->set_sequence(database_.collection(plan.name).value().sequence());
    if (report.collection != plan.name) return "it made '" + report.collection + "'";
    if (report.previous != live->name()) return "it replaced '" + report.previous + "'";
    if (report.previous_rows != plan.before->homes.size()) return "previous_rows is wrong";
    if (report.rows != made->rows().homes.size()) return "rows is wrong";
    if (report.carried_rows != plan.carried) return "carried_rows is wrong";
    return audit();
}

Fault Replay::rebuild(Random& random) {
    const std::string alias = some_alias(random);
    note(" '", alias, "'");
    if (names_.aliases.count(alias) == 0) {
        const RebuildSource nothing{.rows = 0, .next = [] {
                                        return RowBatch{};
                                    }};
        return judge(
            "rebuild", database_.rebuild(alias, nothing).status(), {StatusCode::kNotFound});
    }
    Fault fault;
    std::optional<Held> live = resolve(alias, fault);
    if (!live) return fault;
    Rebuilding plan(alias, *live);
    plan.before = live->view().rows;
    plan.begin = live->expected->sequence();
    plan_source(random, plan);
    plan_options(random, plan);
    note(" = ", text_of(plan.live), " -> '", plan.name, "', ", plan.rows, " rows");
    note(plan.options.carry_over ? ", carry_over" : "", plan.options.keep_old ? ", keep_old" : "");
    return rebuild(random, plan);
}

/// Rebuild as decided, perhaps with other calls meanwhile.
Fault Replay::rebuild(Random& random, Rebuilding& plan) {
    Fault fault;
    const bool alone = one_in(random, 2);
    std::optional<BatchValues> values;  // of the last part
    const RebuildSource source{
        .rows = plan.announced, .next = [&]() -> Result<RowBatch> {
            if (plan.given == 0 && !alone) fault = interfere(random, plan);
            if (plan.given == plan.parts.size()) return RowBatch{};
            const Rebuilding::Part& part = plan.parts[plan.given++];
            values.emplace(part.batch.rows, part.batch.ids.size());
            return RowBatch{
                part.batch.ids, part.batch.rows.view(), part.partition, values->columns()};
        }};
    const auto report = database_.rebuild(plan.alias, source, plan.options);
    if (!fault.empty()) return "meanwhile: " + fault;
    if (plan.alerts != (report.ok() ? 0U : 1U)) return "the alert was called wrongly";
    const bool too_few = settings_.served == Served::kIvf && plan.rows < 2 * kLists;
    if (too_few && report.status().code() == StatusCode::kFailedPrecondition) return "";
    const Errors errors = rebuild_errors(plan);
    fault = judge("rebuild", report.status(), errors);
    return fault.empty() && errors.empty() ? adopt(plan, *report) : fault;
}

}  // namespace vecdb::test
