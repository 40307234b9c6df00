#include "collection/model/replay.h"
#include "collection/model/values.h"

#include <algorithm>
#include <limits>
#include <set>

namespace vecdb::test {
namespace {

bool has_twice(std::vector<Id> ids) {
    std::sort(ids.begin(), ids.end());
    return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

}  // namespace

/// Why every write through a handle must fail.
Errors Replay::refusals(const Held& target) {
    Errors errors;
    if (target.expected->replaced) errors.push_back(StatusCode::kFailedPrecondition);
    if (!target.view().exists()) errors.push_back(StatusCode::kNotFound);
    return errors;
}

/// Tell whether a rule sends a row of the batch to another partition than the target.
bool Replay::strays(const Held& target, const Batch& batch) {
    if (!target.expected->ruled() || !target.partition) return false;
    return std::any_of(batch.ids.begin(), batch.ids.end(), [&](Id id) {
        const auto number = id % static_cast<Id>(kRuledPartitions);
        return std::to_string(number) != target.partition->name();
    });
}

/// Write a batch to the model.
void Replay::enter(const Held& target, const Batch& batch) {
    if (batch.ids.empty()) return;
    ExpectedRows& rows = target.expected->change();
    for (std::size_t i = 0; i < batch.ids.size(); ++i) {
        const Id id = batch.ids[i];
        const std::string routed = target.expected->ruled()
                                       ? std::to_string(id % static_cast<Id>(kRuledPartitions))
                                       : "default";
        rows.upsert(
            id, batch.rows.row(i), target.number ? *target.number : rows.partitions.at(routed));
    }
}

/// Remove from the model, and return how many rows there were.
std::size_t Replay::take_out(Held& target, std::span<const Id> ids) {
    std::vector<Id> there(ids.begin(), ids.end());
    std::sort(there.begin(), there.end());
    there.erase(std::unique(there.begin(), there.end()), there.end());
    std::erase_if(there, [&](Id id) { return !target.view().contains(id); });
    if (there.empty()) return 0;
    ExpectedRows& rows = target.expected->change();
    for (const Id id : there)
        rows.remove(id);
    return there.size();
}

Fault Replay::insert(Random& random, Held& target) {
    Batch batch = some_batch(random);
    // Few batches of random ids have only new ones.
    if (one_in(random, 2)) {
        std::set<Id> seen;
        std::erase_if(batch.ids, [&](Id id) {
            return target.expected->view().contains(id) || !seen.insert(id).second;
        });
        batch.rows = some_rows(random, batch.ids.size());
    }
    note(text_of(batch.ids));
    Errors errors = refusals(target);
    const bool taken = std::any_of(batch.ids.begin(), batch.ids.end(), [&](Id id) {
        return target.expected->view().contains(id);
    });
    if (taken || has_twice(batch.ids)) errors.push_back(StatusCode::kAlreadyExists);
    if (strays(target, batch)) errors.push_back(StatusCode::kInvalidArgument);
    const BatchValues values(batch.rows, batch.ids.size());
    const Status status = target.rows().insert(batch.ids, batch.rows.view(), values.columns());
    if (errors.empty()) enter(target, batch);
    return judge("insert", status, errors);
}

Fault Replay::upsert(Random& random, Held& target) {
    const Batch batch = some_batch(random);
    note(text_of(batch.ids));
    Errors errors = refusals(target);
    if (strays(target, batch)) errors.push_back(StatusCode::kInvalidArgument);
    const BatchValues values(batch.rows, batch.ids.size());
    const Status status = target.rows().upsert(batch.ids, batch.rows.view(), values.columns());
    if (errors.empty()) enter(target, batch);
    return judge("upsert", status, errors);
}

/// Upsert a batch that is right but for one thing.
Fault Replay::write_badly(Random& random, Held& target) {
    Batch batch{some_ids(random), {}};
    batch.ids.resize(batch.ids.size() + 1, ids_[0]);
    const std::size_t at = below(random, batch.ids.size());
    batch.rows = some_rows(random, batch.ids.size());
    const BatchValues values(batch.rows, batch.ids.size());
    MatrixView view = batch.rows.view();
    auto columns = values.columns();
    switch (below(random, 5)) {
        case 0:
            batch.ids[at] = -1 - batch.ids[at];
            break;
        case 1:
            batch.rows.row(at)[below(random, settings_.dim)] =
                std::numeric_limits<float>::quiet_NaN();
            break;
        case 2:
            view = view.slice(0, batch.rows.rows - 1);
            break;
        case 3:
            columns = columns.first(columns.size() - 1);  // without the vectors of the second field
            break;
        default:
            batch.rows.values.resize(batch.rows.rows * (settings_.dim + 1));
            view = MatrixView(batch.rows.values.data(), batch.rows.rows, settings_.dim + 1);
    }
    note(text_of(batch.ids));
    Errors errors = refusals(target);
    errors.push_back(StatusCode::kInvalidArgument);
    return judge("bad upsert", target.rows().upsert(batch.ids, view, columns), errors);
}

Fault Replay::remove(Random& random, Held& target) {
    const std::vector<Id> ids = some_ids(random);
    note(text_of(ids));
    const Errors errors = refusals(target);
    const auto removed = target.rows().remove(ids);
    Fault fault = judge("remove", removed.status(), errors);
    if (!fault.empty() || !errors.empty()) return fault;
    const std::size_t expected = take_out(target, ids);
    if (*removed == expected) return "";
    return std::to_string(*removed) + " rows removed, not " + std::to_string(expected);
}

Fault Replay::remove_where(Random& random, Held& target) {
    const Restriction& restriction =
        restrictions_[one_in(random, 8) ? 0 : 1 + below(random, restrictions_.size() - 1)];
    const Errors errors = refusals(target);
    const auto removed = target.rows().remove(restriction.filter);
    Fault fault = judge("remove by filter", removed.status(), errors);
    if (!fault.empty() || !errors.empty()) return fault;
    std::vector<Id> ids = ids_;
    const Model::Allowed allowed = target.view().within(restriction.allowed);
    std::erase_if(ids, [&](Id id) { return !allowed(id); });
    const std::size_t expected = take_out(target, ids);
    if (*removed == expected) return "";
    return std::to_string(*removed) + " rows removed, not " + std::to_string(expected);
}

}  // namespace vecdb::test
