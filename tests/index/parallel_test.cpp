#include "index/parallel.h"

#include "index/helper_executor.h"
#include "support/catch.h"
#include "support/executors.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

using vecdb::index::machine_threads;
using vecdb::index::parallel_for;
using vecdb::index::Team;

TEST_CASE("parallel_for runs every task once, on the workers it promised", "[index][parallel]") {
    const Team team = GENERATE(Team::kPool, Team::kThreads);
    for (const std::size_t threads : {0U, 1U, 2U, 3U, 8U}) {
        for (const std::size_t tasks : {0U, 1U, 2U, 7U, 1'000U}) {
            std::vector<std::atomic<int>> runs(tasks);
            std::atomic<std::size_t> highest{0};
            parallel_for(
                tasks,
                threads,
                [&](std::size_t task, std::size_t worker) {
                    ++runs[task];
                    std::size_t seen = highest;
                    while (worker > seen && !highest.compare_exchange_weak(seen, worker)) {
                    }
                },
                team);
            CAPTURE(threads, tasks);
            for (const auto& count : runs)
                REQUIRE(count == 1);
            REQUIRE(highest < std::max<std::size_t>(threads, 1));
        }
    }
}

TEST_CASE("one thread means the calling thread", "[index][parallel]") {
    const auto caller = std::this_thread::get_id();
    parallel_for(5, 1, [&](std::size_t, std::size_t worker) {
        REQUIRE(std::this_thread::get_id() == caller);
        REQUIRE(worker == 0);
    });
}

TEST_CASE("an exception of a task reaches the caller and stops the rest", "[index][parallel]") {
    const Team team = GENERATE(Team::kPool, Team::kThreads);
    for (const std::size_t threads : {1U, 4U}) {
        std::atomic<int> runs{0};
        const auto body = [&](std::size_t task, std::size_t) {
            ++runs;
            if (task == 3) throw std::runtime_error("task 3");
        };
        CAPTURE(threads);
        REQUIRE_THROWS_WITH(parallel_for(1'000'000, threads, body, team), "task 3");
        if (threads == 1) REQUIRE(runs == 4);  // others may run on until they hear of it
    }
}

TEST_CASE("an executor helps parallel_for, as far as it comes in time", "[index][parallel]") {
    vecdb::test::ThreadPerTask threads;
    vecdb::test::Inline at_once;
    vecdb::test::Manual late;
    vecdb::test::Manual full;
    full.fail_after(1);
    const auto caller = std::this_thread::get_id();
    vecdb::Executor* const executors[] = {&threads, &at_once, &late, &full};
    for (vecdb::Executor* executor : executors) {
        const bool elsewhere = executor == &threads;
        const vecdb::index::HelperExecutor scope(executor);
        std::vector<std::atomic<int>> runs(1'000);
        std::atomic<int> wrong{0};
        parallel_for(runs.size(), 4, [&](std::size_t task, std::size_t worker) {
            ++runs[task];
            const bool in_caller = std::this_thread::get_id() == caller;
            if (worker >= 4 || (!elsewhere && !in_caller)) ++wrong;
        });
        for (const auto& count : runs)
            REQUIRE(count == 1);
        REQUIRE(wrong == 0);
        REQUIRE_THROWS_WITH(parallel_for(100,
                                         4,
                                         [](std::size_t task, std::size_t) {
                                             if (task == 50) throw std::runtime_error("task 50");
                                         }),
                            "task 50");
    }
    // What the tasks would work on is gone.
    REQUIRE(late.size() == 6);
    late.run_all();
    REQUIRE(full.size() == 4);
    full.run_all();
}

TEST_CASE("parallel_for waits for the tasks that an executor has begun", "[index][parallel]") {
    vecdb::test::ThreadPerTask threads;
    const vecdb::index::HelperExecutor scope(&threads);
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    parallel_for(2, 2, [&](std::size_t, std::size_t worker) {
        ++begun;
        while (begun < 2)
            std::this_thread::yield();
        if (worker != 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        ++ended;
    });
    REQUIRE(ended == 2);
}

TEST_CASE("the machine has a thread", "[index][parallel]") {
    REQUIRE(machine_threads() >= 1);
}
