// Random calls on a database and on a model of it, which must answer alike. What fails is made
// short and told. VECDB_MODEL_OPS, VECDB_MODEL_SEEDS and VECDB_MODEL_SEED say how many calls a
// sequence has, how many sequences there are, and the first one's seed.

#include "collection/model/operation.h"
#include "collection/model/replay.h"
#include "support/catch.h"
#include "support/numbers.h"
#include "support/shrink.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Failure;
using test::Operation;
using test::Settings;

constexpr std::chrono::seconds kShrinking{20};

/// How often a sequence is tried until it counts as one that does not fail: what happens in the
/// background differs from run to run.
constexpr int kTriesInBackground = 3;

std::optional<Failure> try_to_fail(const Settings& settings,
                                   const std::vector<Operation>& operations,
                                   bool trace = false) {
    std::optional<Failure> failure;
    const int tries = settings.background ? kTriesInBackground : 1;
    for (int i = 0; i < tries && !failure; ++i)
        failure = test::replay(settings, operations, trace);
    return failure;
}

/// Make a failing sequence short and say what is left of it.
std::string report(const Settings& settings, std::vector<Operation> operations, Failure failure) {
    std::ostringstream out;
    out << to_string(settings) << "\ncall " << failure.position << " of " << operations.size()
        << ": " << failure.fault << '\n';
    operations.resize(std::min(operations.size(), failure.position + 1));
    const auto place = [&](const std::vector<Operation>& rest) -> std::optional<std::size_t> {
        const auto failed = try_to_fail(settings, rest);
        return failed ? std::optional(failed->position) : std::nullopt;
    };
    operations =
        test::shrink(std::move(operations), place, std::chrono::steady_clock::now() + kShrinking);
    out << operations.size() << " calls are left, after collection 'a' and its alias 'x':\n";
    const auto again = try_to_fail(settings, operations, true);
    if (!again) return out.str() + "which did not fail another time\n";
    for (const std::string& line : again->trace)
        out << "  " << line << '\n';
    return out.str() + again->fault + '\n';
}

TEST_CASE("random calls give what the model gives") {
    const std::size_t calls = test::number_from("VECDB_MODEL_OPS", 1'000);
    const std::size_t seeds = test::number_from("VECDB_MODEL_SEEDS", 30);
    const std::size_t first = test::number_from("VECDB_MODEL_SEED", 1);
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        const Settings settings = test::settings_of(seed);
        const std::vector<Operation> operations = test::random_operations(seed, calls);
        const std::optional<Failure> failure = test::replay(settings, operations);
        if (failure) FAIL(report(settings, operations, *failure));
    }
    SUCCEED();
}

TEST_CASE("a failing sequence is made as short as it can be") {
    // Fails at the second of three calls that need each other.
    const auto fails = [](const std::vector<int>& calls) -> std::optional<std::size_t> {
        bool first = false, second = false;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            first = first || calls[i] == 17;
            second = second || (first && calls[i] == 400);
            if (second && calls[i] == 777) return i;
        }
        return std::nullopt;
    };
    std::vector<int> calls(2'000);
    for (std::size_t i = 0; i < calls.size(); ++i)
        calls[i] = static_cast<int>(i);
    const auto hour = std::chrono::steady_clock::now() + std::chrono::hours(1);
    CHECK(test::shrink(calls, fails, hour) == std::vector<int>{17, 400, 777});
    const auto past = std::chrono::steady_clock::now() - std::chrono::hours(1);
    CHECK(test::shrink(calls, fails, past) == calls);
}

}  // namespace
}  // namespace vecdb
