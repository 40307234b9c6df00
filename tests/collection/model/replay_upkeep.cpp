#include "collection/model/replay.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace vecdb::test {
namespace {

constexpr std::size_t kMostPins = 4;

}  // namespace

/// Tell whether an index may refuse to be built over the rows, as they are too few.
bool Replay::too_few_rows(const ExpectedView& view) const {
    return settings_.served == Served::kIvf && view.count() < kLists;
}

/// Build, perhaps with other calls meanwhile, perhaps cancelled.
Fault Replay::build_index(Random& random, Held& target) {
    bool done_meanwhile = one_in(random, 2);
    const bool cancelled = one_in(random, 5);
    const bool gone = !target.view().exists();
    const bool too_few = too_few_rows(target.view());
    const std::size_t rows = target.view().count();
    CancelToken token;
    BuildOptions options{.threads = one_in(random, 8) ? 2U : 1U};
    options.control.cancel = token;
    Fault fault;
    options.control.progress = [&](double part) {
        if (part < 0.5) return;
        if (cancelled) token.cancel();
        for (; !done_meanwhile && fault.empty(); done_meanwhile = one_in(random, 3)) {
            constexpr std::array kActs = {Act::kUpsert, Act::kRemove, Act::kSearch};
            note("; meanwhile");
            fault = on_rows(kActs[below(random, kActs.size())], random, target);
        }
    };
    const Status status = target.rows().build_index(options);
    if (!fault.empty()) return "meanwhile: " + fault;
    if (too_few && status.code() == StatusCode::kFailedPrecondition) return "";
    // Only the test's own index is known to look at the token late enough.
    const bool must_end = cancelled && rows > 0 && settings_.served == Served::kTestExact;
    if (cancelled && !must_end && status.ok()) return "";
    Errors errors;
    if (cancelled && (must_end || !status.ok())) errors.push_back(StatusCode::kCancelled);
    if (gone) errors = {StatusCode::kNotFound};
    return judge("build_index", status, errors);
}

Fault Replay::flush(Random& random, Held& target) {
    const bool gone = !target.view().exists();
    const Status status = target.rows().flush({.threads = one_in(random, 8) ? 2U : 1U});
    return judge("flush", status, gone ? Errors{StatusCode::kNotFound} : Errors());
}

Fault Replay::create_partition(Random& random, Held& target) {
    constexpr std::array kNames = {"p1", "p2", "p3", "p1", "p2", "p3", "default", ""};
    const std::string name = kNames[below(random, kNames.size())];
    ExpectedCollection& expected = *target.expected;
    Errors errors;
    if (name.empty()) errors.push_back(StatusCode::kInvalidArgument);
    if (expected.ruled() || expected.replaced) errors.push_back(StatusCode::kFailedPrecondition);
    if (expected.rows().partitions.count(name) != 0) errors.push_back(StatusCode::kAlreadyExists);
    const auto made = target.collection.create_partition(name);
    note(" '", name, "'");
    if (errors.empty()) {
        const std::size_t number = expected.next_partition();
        expected.change().partitions[name] = number;
    }
    return judge("create_partition", made.status(), errors);
}

Fault Replay::drop_partition(Random& random, Held& target) {
    constexpr std::array kNames = {"p1", "p2", "p3", "p1", "p2", "p3", "default", "1"};
    const std::string name = kNames[below(random, kNames.size())];
    ExpectedCollection& expected = *target.expected;
    const bool found = expected.rows().partitions.count(name) != 0;
    Errors errors;
    if (expected.ruled() || expected.replaced || name == "default") {
        errors.push_back(StatusCode::kFailedPrecondition);
    }
    if (!found) errors.push_back(StatusCode::kNotFound);
    note(" '", name, "'");
    const Status status = target.collection.drop_partition(name);
    if (errors.empty()) {
        ExpectedRows& rows = expected.change();
        const std::size_t number = rows.partitions.at(name);
        rows.partitions.erase(name);
        for (auto home = rows.homes.begin(); home != rows.homes.end();) {
            const Id id = home->first;
            home = home->second == number ? rows.homes.erase(home) : std::next(home);
            if (rows.homes.count(id) == 0) rows.model.remove(id);
        }
    }
    return judge("drop_partition", status, errors);
}

Fault Replay::set_retention(Random& random, Held& target) {
    const std::size_t writes = below(random, 12);
    const bool none = one_in(random, 4);
    note(", ", writes, " writes", none ? ", no time" : "");
    const Status status = target.collection.set_retention(
        {.window = std::chrono::hours(none ? 0 : 1), .max_writes = writes});
    if (writes == 0) return judge("set_retention", status, {StatusCode::kInvalidArgument});
    target.expected->keep(none ? 0 : writes);
    return judge("set_retention", status, {});
}

Fault Replay::pin(Random& random, Held& target) {
    const std::size_t place = below(random, kMostPins);
    ExpectedView view = target.view();
    Pin pin = target.rows().pin();
    if (one_in(random, 4)) {
        const std::uint64_t now = target.expected->sequence();
        const std::uint64_t then = now - std::min<std::uint64_t>(now, below(random, 6));
        note(", as of ", then, " of ", now);
        view.rows = target.expected->at(then);
        const bool known = view.rows != nullptr && view.exists();
        const auto past = target.rows().pin(Moment(then));
        Fault fault = judge("pin", past.status(), known ? Errors() : Errors{StatusCode::kNotFound});
        if (!fault.empty() || !known) return fault;
        pin = *past;
    }
    if (pins_.size() < kMostPins) {
        pins_.push_back({std::move(pin), std::move(view)});
    } else {
        pins_[place] = {std::move(pin), std::move(view)};
    }
    return "";
}

Fault Replay::read_pin(Random& random) {
    const std::size_t place = random();
    const std::size_t how = below(random, 5);
    if (pins_.empty()) return "";
    const KeptPin& kept = pins_[place % pins_.size()];
    note(" ", place % pins_.size());
    if (how == 0) return count(random, kept.pin, kept.view);
    if (how == 1) return get(random, kept.pin, kept.view);
    Question question = some_question(random, kept.view);
    if (!kept.view.exists()) question.errors.push_back(StatusCode::kNotFound);
    return how == 2 ? search_radius(random, kept.pin, question)
                    : search(random, kept.pin, question);
}

}  // namespace vecdb::test
