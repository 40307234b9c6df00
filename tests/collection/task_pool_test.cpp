#include "collection/operate/task_pool.h"

#include "support/catch.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace vecdb::collection {
namespace {

using std::chrono::milliseconds;

/// How many tasks are being run, and the most there were.
class Meter {
  public:
    void enter() {
        const std::size_t now = ++inside_;
        std::size_t most = most_;
        while (now > most && !most_.compare_exchange_weak(most, now)) {
        }
    }
    void leave() { --inside_; }
    [[nodiscard]] std::size_t most() const { return most_; }

  private:
    std::atomic<std::size_t> inside_{0};
    std::atomic<std::size_t> most_{0};
};

}  // namespace

TEST_CASE("a pool runs every task once, before it ends") {
    const std::size_t more = GENERATE(0U, 1U, 3U);
    constexpr std::size_t kTasks = 500;
    std::vector<std::atomic<int>> runs(kTasks);
    {
        TaskPool pool(std::make_shared<ThreadBudget>(more));
        for (std::size_t i = 0; i < kTasks; ++i)
            pool.post([&runs, i] { ++runs[i]; });
    }
    for (const auto& count : runs)
        REQUIRE(count == 1);
}

TEST_CASE("a pool of one thread runs tasks in their order") {
    std::vector<int> order;
    {
        TaskPool pool(std::make_shared<ThreadBudget>(0));
        for (int i = 0; i < 100; ++i)
            pool.post([&order, i] { order.push_back(i); });
    }
    REQUIRE(order.size() == 100);
    for (int i = 0; i < 100; ++i)
        REQUIRE(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a pool has one thread at work and those that its budget leaves") {
    const auto budget = std::make_shared<ThreadBudget>(3);
    const std::size_t taken = GENERATE(0U, 1U, 3U);
    const std::size_t allowed = 1 + 3 - taken;
    CAPTURE(taken);
    ThreadBudget::Grant elsewhere = budget->take(taken);
    Meter meter;
    std::atomic<bool> gave_up{false};
    {
        TaskPool pool(budget);
        for (int i = 0; i < 20; ++i) {
            pool.post([&] {
                meter.enter();
                // Until all are there that may be, or for a second.
                for (int wait = 0; meter.most() < allowed && wait < 1'000; ++wait)
                    std::this_thread::sleep_for(milliseconds(1));
                if (meter.most() < allowed) gave_up = true;
                std::this_thread::sleep_for(milliseconds(1));
                meter.leave();
            });
        }
    }
    CHECK_FALSE(gave_up);
    CHECK(meter.most() == allowed);
    CHECK(budget->take(10).count() == 3 - taken);
}

TEST_CASE("a pool takes further threads when its budget has them again") {
    const auto budget = std::make_shared<ThreadBudget>(1);
    std::promise<void> both;
    std::atomic<int> inside{0};
    std::atomic<bool> returned{false};
    TaskPool pool(budget);
    ThreadBudget::Grant elsewhere = budget->take(1);
    pool.post([&] {
        elsewhere = {};
        returned = true;
    });
    const auto meet = [&] {
        if (++inside == 2) both.set_value();
        while (inside < 2)
            std::this_thread::sleep_for(milliseconds(1));
    };
    pool.post(meet);
    pool.post(meet);
    CHECK(both.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    CHECK(returned);
}

TEST_CASE("a pool may be destroyed by its own task, and others are still run") {
    const std::size_t more = GENERATE(0U, 2U);
    const auto runs = std::make_shared<std::atomic<int>>(0);
    std::promise<void> posted;
    const auto destroyed = std::make_shared<std::promise<void>>();
    auto last = std::make_shared<std::promise<void>>();
    auto all_run = last->get_future();
    {
        auto pool = std::make_unique<TaskPool>(std::make_shared<ThreadBudget>(more));
        TaskPool& to_post = *pool;
        to_post.post([destroyed,
                      owned = std::make_shared<std::unique_ptr<TaskPool>>(std::move(pool)),
                      is_posted = posted.get_future().share()] {
            is_posted.wait();
            owned->reset();
            destroyed->set_value();
        });
        for (int i = 0; i < 10; ++i) {
            to_post.post([runs, last] {
                if (++*runs == 10) last->set_value();
            });
        }
        posted.set_value();
    }
    destroyed->get_future().wait();
    CHECK(all_run.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    CHECK(*runs == 10);
}

}  // namespace vecdb::collection
