#include "fuzz/calls/caller.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace vecdb::test {
namespace {

constexpr std::size_t kMostRows = 600;
constexpr std::size_t kMostBatch = 64;

}  // namespace

void Caller::on_rows() {
    Held* held = target();
    if (held == nullptr) return create_collection();
    const std::uint64_t before = held->rows().sequence();
    const std::size_t rows = held->rows().count();
    switch (choices_.below(12)) {
        case 0:
        case 1:
        case 2:
            write(*held, true);
            break;
        case 3:
        case 4:
        case 5:
            write(*held, false);
            break;
        case 6:
        case 7:
            remove(*held);
            break;
        case 8:
            remove_where(*held);
            break;
        case 9:
        case 10:
            build(*held, false);
            break;
        default:
            build(*held, true);
    }
    const std::size_t expected = held->view().count([](Id /*id*/) { return true; });
    require(held->rows().count() == expected,
            std::to_string(held->rows().count()) + " rows, not " + std::to_string(expected));
    require(held->rows().sequence() != before || held->rows().count() == rows,
            "rows were written without a number");
}

/// Tell whether a batch is written if its elements are right.
bool Caller::good_batch(const Held& target, const Batch& batch, bool insert) {
    const ExpectedCollection& expected = *target.expected;
    if (batch.ids.size() != batch.rows) return false;
    if (batch.ids.empty()) return target.view().exists();
    std::set<Id> seen;
    for (const Id id : batch.ids) {
        if (id < 0) return false;
        if (insert && (expected.rows.count(id) != 0 || !seen.insert(id).second)) return false;
        const bool strays =
            expected.ruled() && target.number && *target.number != expected.home(id);
        if (strays) return false;
    }
    return target.view().exists() && batch.dim == expected.field().dim &&
           batch.type == expected.field().element_type;
}

/// Write a batch to what is expected.
void Caller::enter(const Held& target, const Batch& batch) {
    ExpectedCollection& expected = *target.expected;
    for (std::size_t i = 0; i < batch.ids.size(); ++i) {
        const auto bytes = batch.row_bytes(i);
        const Id id = batch.ids[i];
        expected.rows[id] = {{bytes.begin(), bytes.end()},
                             target.number ? *target.number : expected.home(id)};
    }
}

void Caller::write(Held& target, bool insert) {
    const Batch batch = choices_.batch(target.expected->field(), kMostBatch);
    if (rows_written_ + batch.ids.size() > kMostRows) return;
    const bool good = good_batch(target, batch, insert) && writable(target);
    const std::uint64_t before = target.rows().sequence();
    const Status status = insert ? target.rows().insert(batch.ids, batch.view())
                                 : target.rows().upsert(batch.ids, batch.view());
    const bool wrote = batch.elements == Elements::kOdd && good
                           ? ended("write", status)
                           : ended_as("write", status, good && batch.elements == Elements::kPlain);
    require(target.rows().sequence() == before + (wrote && !batch.ids.empty() ? 1U : 0U),
            "a write has another number");
    if (!wrote) return;
    rows_written_ += batch.ids.size();
    enter(target, batch);
}

void Caller::remove(Held& target) {
    const std::vector<Id> ids = choices_.ids(kMostBatch);
    const auto removed = target.rows().remove(ids);
    const bool good = target.view().exists() && writable(target);
    if (!ended_as("remove", removed.status(), good)) return;
    std::size_t expected = 0;
    for (const Id id : ids) {
        if (!target.view().contains(id)) continue;
        target.expected->rows.erase(id);
        ++expected;
    }
    require(*removed == expected, "another number of rows was removed");
}

void Caller::remove_where(Held& target) {
    const Restriction restriction = choices_.restriction();
    const auto removed = target.rows().remove(restriction.filter);
    const bool good = target.view().exists() && writable(target);
    if (restriction.throws && !ended("remove by filter", removed.status(), true)) return;
    if (!ended_as("remove by filter", removed.status(), good)) return;
    const ExpectedView view = target.view();
    const std::size_t expected = std::erase_if(target.expected->rows, [&](const auto& row) {
        const bool mine = !view.partition || row.second.partition == *view.partition;
        return mine && restriction.allows(row.first);
    });
    require(*removed == expected, "a filter removed another number of rows");
}

/// Build an index, or flush; perhaps ended early.
void Caller::build(Held& target, bool flush) {
    BuildOptions options{.threads = choices_.perhaps_wrong(1)};
    const std::size_t how = choices_.below(16);
    if (how == 13) {
        options.control.cancel.emplace();
        options.control.cancel->cancel();
    }
    if (how == 14) options.control.deadline = std::chrono::steady_clock::time_point::min();
    double last = 0.0;
    options.control.progress = [&](double part) {
        require(part >= last && part <= 1.0, "progress falls");
        last = part;
    };
    const Status status = flush ? target.rows().flush(options) : target.rows().build_index(options);
    const bool good = options.validate().ok() && how != 13 && how != 14 && target.view().exists() &&
                      writable(target);
    const bool done = ended(flush ? "flush" : "build_index", status);
    require(!done || good, "what cannot be built was built");
    // There may be too few rows for the index.
    require(done || !good || status.code() == StatusCode::kFailedPrecondition,
            "not built: " + status.to_string());
    require(done || !good || !flush, "not flushed: " + status.to_string());
}

}  // namespace vecdb::test
