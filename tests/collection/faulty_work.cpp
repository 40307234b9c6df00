// A workload for calls of the system that fail, and a look at what it left.
//
//   faulty_work write DIRECTORY SEED FIRST COUNT
//     Opens the database, does writes FIRST to FIRST + COUNT - 1, one line "done" for each, and
//     closes it. Failures are lines too; the exit code is 0.
//   faulty_work leave DIRECTORY SEED FIRST COUNT
//     The same, and ends without closing it.
//   faulty_work check SEED FIRST COUNT
//     Reads lines "DIRECTORY OUTPUT EXPECTED", with what `write` put out and whether it was to
//     "fail" perhaps or to "pass". The exit code is 1 if one is not as it should be.

#include "support/workload.h"

#include <vecdb/database.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/uio.h>
#include <unistd.h>

namespace vecdb {
namespace {

using test::fingerprint;

OpenOptions options() {
    OpenOptions options;
    options.checkpoint_bytes = 0;
    options.keep_replaced = std::chrono::seconds(0);
    options.run.threads = 1;
    return options;
}

/// Put out a line, by a call that never fails here.
void say(std::string line) {
    line += '\n';
    const ::iovec bytes{line.data(), line.size()};
    if (::writev(STDOUT_FILENO, &bytes, 1) != static_cast<ssize_t>(line.size())) ::_exit(2);
}

/// The writes of a run, and the states of the database before the first and after each.
class Plan {
  public:
    Plan(std::uint64_t seed, std::size_t first, std::size_t count) {
        test::WorkSeeds from(seed);
        for (std::size_t i = 0; i < first; ++i)
            before_.push_back(from.next());
        for (std::size_t i = 0; i < count; ++i)
            seeds.push_back(from.next());
    }

    [[nodiscard]] std::vector<std::string> states() const {
        Database mirror = Database::in_memory({.threads = 1}).value();
        test::Worker worker(mirror);
        for (const std::uint64_t seed : before_)
            worker.work(seed).check();
        std::vector<std::string> states = {fingerprint(mirror)};
        for (const std::uint64_t seed : seeds) {
            worker.work(seed).check();
            states.push_back(fingerprint(mirror));
        }
        return states;
    }

    std::vector<std::uint64_t> seeds;

  private:
    std::vector<std::uint64_t> before_;
};

/// Do the writes until one fails.
void write(const std::string& directory, const Plan& plan, bool leave) {
    auto opened = Database::open(directory, options());
    if (!opened.ok()) return say("not opened: " + opened.status().to_string());
    test::Worker worker(*opened);
    for (const std::uint64_t seed : plan.seeds) {
        const Status status = worker.work(seed);
        if (!status.ok()) {
            say("failed: " + status.to_string());
            break;
        }
        say("done");
    }
    if (leave) ::_exit(0);
    const Status closed = opened->close();
    say(closed.ok() ? "closed" : "not closed: " + closed.to_string());
}

/// What a run put out.
struct Told {
    std::size_t done = 0;
    std::string refusal;  ///< Why it was not opened.
    std::string failure;  ///< The first, if any.
    bool closed = false;

    explicit Told(const std::string& path) {
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) {
            if (line == "done") ++done;
            if (line == "closed") closed = true;
            if (line.starts_with("not opened: ")) refusal = line;
            if (line.find(": ") != std::string::npos && failure.empty()) failure = line;
        }
    }
};

void require(bool fulfilled, const std::string& what) {
    if (!fulfilled) throw std::runtime_error(what);
}

/// How many runs went how.
struct Counts {
    std::size_t runs = 0;
    std::size_t refused = 0;  ///< Not opened.
    std::size_t failed = 0;   ///< In a write or when it was closed.
    std::size_t ahead = 0;    ///< One write more is there than returned.
};

/// Check what a run told, without a look at what it left.
void check_told(const Told& told, const std::string& directory, bool pass, std::size_t writes) {
    require(!pass || told.failure.empty(), "was to go on, and says: " + told.failure);
    require(told.closed || !told.failure.empty(), "ended without a word");
    require(!told.failure.empty() || told.done == writes, "left out writes");
    require(told.refusal.empty() || told.refusal.find(directory) != std::string::npos,
            "does not say where: " + told.refusal);
}

/// Return how many writes of a plan are in a database, at least `done`.
std::size_t find_state(const Database& database,
                       const std::vector<std::string>& states,
                       std::size_t done) {
    const std::string found = fingerprint(database);
    if (found == states[done]) return done;
    require(done + 1 < states.size() && found == states[done + 1],
            "is not as after " + std::to_string(done) + " writes, nor one more");
    return done + 1;
}

/// Check that a database can be written to, and that what is written is there.
void go_on(const std::string& directory) {
    {
        Database database = Database::open(directory, options()).value();
        database.create_collection("more", Schema::single(2)).status().check();
        database.close().check();
    }
    const Database again = Database::open(directory, options()).value();
    require(again.open_report().clean && again.collection("more").ok(), "does not go on");
}

void check(const std::string& directory,
           const Told& told,
           const std::vector<std::string>& states,
           Counts& counts) {
    ++counts.runs;
    counts.refused += told.refusal.empty() ? 0 : 1;
    counts.failed += told.refusal.empty() && !told.failure.empty() ? 1 : 0;
    {
        const auto opened = Database::open(directory, options());
        require(opened.ok(), opened.status().to_string());
        const std::size_t found = find_state(*opened, states, told.done);
        require(!told.closed || !told.failure.empty() || opened->open_report().clean,
                "was closed, and is not");
        counts.ahead += found > told.done ? 1 : 0;
    }
    go_on(directory);
}

/// Check the runs that standard input names. Returns whether all are as they should be.
bool check_all(const Plan& plan) {
    const std::vector<std::string> states = plan.states();
    Counts counts;
    bool good = true;
    std::string directory;
    std::string output;
    std::string expected;
    while (std::cin >> directory >> output >> expected) {
        try {
            const Told told(output);
            check_told(told, directory, expected == "pass", plan.seeds.size());
            check(directory, told, states, counts);
        } catch (const std::exception& error) {
            std::printf("FAILED: %s %s\n", directory.c_str(), error.what());
            good = false;
        }
    }
    std::printf("%zu runs: %zu could not open, %zu failed later, %zu left one write more\n",
                counts.runs,
                counts.refused,
                counts.failed,
                counts.ahead);
    return good && counts.runs != 0;
}

int run(const std::vector<std::string>& arguments) {
    const bool checks = arguments.size() == 4 && arguments[0] == "check";
    const bool leaves = arguments.size() == 5 && arguments[0] == "leave";
    const bool writes = arguments.size() == 5 && arguments[0] == "write";
    if (!checks && !leaves && !writes) {
        std::fputs(
            "usage: faulty_work write|leave DIRECTORY SEED FIRST COUNT\n"
            "       faulty_work check SEED FIRST COUNT\n",
            stderr);
        return 2;
    }
    const auto number = [&](std::size_t from_end) {
        return std::stoull(arguments[arguments.size() - from_end]);
    };
    const Plan plan(number(3), number(2), number(1));
    if (checks) return check_all(plan) ? 0 : 1;
    write(arguments[1], plan, leaves);
    return 0;
}

}  // namespace
}  // namespace vecdb

int main(int argc, char** argv) {
    try {
        return vecdb::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    }
}
