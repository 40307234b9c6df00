#include "support/catch.h"
#include "support/collections.h"
#include "support/model.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace vecdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;
using test::Matrix;
using test::Model;

constexpr std::size_t kDim = 3;
constexpr Id kIds = 40;

/// A pin, what it answered when it was new, and what it should answer.
struct Kept {
    Pin pin;
    Hits hits;
    Model model;
};

/// Random writes to a collection and the same to a model.
class Writer {
  public:
    explicit Writer(std::uint64_t seed) : random_(seed) {}

    void step() {
        switch (random_() % 8) {
            case 0:
                return remove();
            case 1:
                return random_() % 8 == 0 ? collection_.build_index().check() : remove();
            default:
                return upsert();
        }
    }

    [[nodiscard]] Kept keep(Pin pin) const {
        Hits hits = pin.search(query_, {.k = 100}).value();
        return {std::move(pin), std::move(hits), model_};
    }
    [[nodiscard]] Collection& collection() { return collection_; }
    [[nodiscard]] const std::vector<float>& query() const { return query_; }
    [[nodiscard]] const Model& model() const { return model_; }

  private:
    void upsert() {
        const std::size_t count = 1 + random_() % 5;
        std::vector<Id> ids;
        Matrix rows(count, kDim);
        for (std::size_t i = 0; i < count; ++i)
            ids.push_back(static_cast<Id>(random_() % kIds));
        for (float& value : rows.values)
            value = static_cast<float>(random_() % 16);
        collection_.upsert(ids, rows.view()).check();
        model_.upsert(ids, rows.view());
    }
    void remove() {
        const Id id = static_cast<Id>(random_() % kIds);
        const bool removed = collection_.remove(id).value() == 1;
        if (removed != model_.remove(id)) throw std::logic_error("wrong number of rows removed");
    }

    std::mt19937_64 random_;
    Collection collection_ = test::make_collection(kDim);
    Model model_{kDim, Metric::kL2};
    std::vector<float> query_ = {8.0F, 7.0F, 6.0F};
};

/// Compare all that `rows` answers with the model.
void check_rows(const ReadHandle& rows, const Model& model, const std::vector<float>& query) {
    REQUIRE(rows.count() == model.rows().size());
    REQUIRE(rows.search(query, {.k = 100}).value() == model.exact_search(query, 100));
    const std::vector<Id> ids = test::sequential_ids(kIds);
    const FetchedRows fetched = rows.get(ids).value();
    for (Id id = 0; id < kIds; ++id) {
        const auto i = static_cast<std::size_t>(id);
        const auto expected = model.rows().find(id);
        REQUIRE(fetched.found[i] == (expected != model.rows().end()));
        if (!fetched.found[i]) continue;
        REQUIRE(std::vector<float>(fetched.row(i).begin(), fetched.row(i).end()) ==
                expected->second);
    }
}

}  // namespace

TEST_CASE("pins repeat what they answered whatever is written and built later") {
    Writer writer(GENERATE(1U, 2U, 3U));
    std::vector<Kept> kept;
    for (int step = 0; step < 400; ++step) {
        if (step % 20 == 0) kept.push_back(writer.keep(writer.collection().pin()));
        writer.step();
    }
    for (const Kept& each : kept) {
        REQUIRE(test::identical(each.pin.search(writer.query(), {.k = 100}).value(), each.hits));
        check_rows(each.pin, each.model, writer.query());
    }
    check_rows(writer.collection(), writer.model(), writer.query());
}

TEST_CASE("a pin keeps rows across compaction of the growing rows") {
    Collection collection = test::make_collection(1);
    const Matrix rows = test::normal_rows(6'000, 1, 5);
    const std::vector<Id> ids = test::sequential_ids(6'000);
    REQUIRE(collection.insert(ids, rows.view()).ok());
    const Pin pin = collection.pin();
    REQUIRE(collection.remove(std::span(ids).first(5'000)).value() == 5'000);
    CHECK(collection.stats().dead_rows == 0);
    CHECK(collection.count() == 1'000);
    CHECK(pin.count() == 6'000);
    const FetchedRows fetched = pin.get(ids).value();
    CHECK(test::floats(fetched) == rows.values);
    CHECK(collection.get(4).value().found[0] == false);
}

TEST_CASE("memory of removed rows returns with the last pin on them") {
    Collection collection = test::make_collection(100);
    const Matrix rows = test::normal_rows(4'000, 100, 5);
    const std::vector<Id> ids = test::sequential_ids(4'000);
    REQUIRE(collection.insert(ids, rows.view()).ok());
    std::optional<Pin> pin = collection.pin();
    const Pin other = *pin;
    REQUIRE(collection.remove(ids).value() == 4'000);
    CHECK(pin->stats().memory_bytes > 4'000 * 400);
    CHECK(other.count() == 4'000);
    CHECK(collection.stats().memory_bytes < 100'000);
}

TEST_CASE("a pin outlives collection and database") {
    std::optional<Pin> pin;
    {
        Collection collection = test::make_collection(1);
        const std::vector<float> two = {2.0F};
        REQUIRE(collection.insert(1, two).ok());
        pin = collection.pin();
        REQUIRE(collection.remove(1).value() == 1);
    }
    CHECK(pin->count() == 1);
    CHECK(pin->get(1).value().row(0)[0] == 2.0F);
}

TEST_CASE("every write that changes a row is one in the sequence") {
    Collection collection = test::make_collection(1);
    const std::vector<float> one = {1.0F};
    CHECK(collection.sequence() == 0);
    REQUIRE(collection.insert(1, one).ok());
    CHECK(collection.sequence() == 1);
    REQUIRE_FALSE(collection.insert(1, one).ok());
    REQUIRE(collection.remove(9).value() == 0);
    REQUIRE(collection.insert(std::span<const Id>(), MatrixView(one.data(), 0, 1)).ok());
    REQUIRE(collection.build_index().ok());
    CHECK(collection.sequence() == 1);
    REQUIRE(collection.upsert(1, one).ok());
    CHECK(collection.sequence() == 2);
    const Pin pin = collection.pin();
    REQUIRE(collection.remove(1).value() == 1);
    CHECK(collection.sequence() == 3);
    CHECK(pin.sequence() == 2);
}

TEST_CASE("any moment within the retention window can be searched") {
    Writer writer(11);
    Collection& collection = writer.collection();
    for (int i = 0; i < 10; ++i)
        writer.step();
    REQUIRE(collection.set_retention({.window = std::chrono::hours(1)}).ok());
    const std::uint64_t begin = collection.sequence();
    std::vector<Model> models = {writer.model()};
    std::vector<system_clock::time_point> times = {system_clock::now()};
    for (int i = 0; i < 300; ++i) {
        const std::uint64_t before = collection.sequence();
        writer.step();
        if (collection.sequence() == before) continue;
        models.push_back(writer.model());
        times.push_back(system_clock::now());
    }
    REQUIRE(collection.sequence() == begin + models.size() - 1);
    for (std::size_t i = 0; i < models.size(); ++i) {
        const Pin pin = collection.pin(begin + i).value();
        check_rows(pin, models[i], writer.query());
        const Hits expected = models[i].exact_search(writer.query(), 10);
        CHECK(collection.search(writer.query(), {.as_of = begin + i}).value() == expected);
        CHECK(collection.search(writer.query(), {.as_of = times[i]}).value() == expected);
    }
}

TEST_CASE("moments that are not kept are refused by number") {
    Collection collection = test::make_collection(1);
    const std::vector<float> one = {1.0F};
    REQUIRE(collection.insert(1, one).ok());
    REQUIRE(collection.insert(2, one).ok());
    const auto search = [&](const Moment& moment) {
        return collection.search(one, {.as_of = moment});
    };
    CHECK(search(std::uint64_t{2}).value().size() == 2);
    const Status past = search(std::uint64_t{1}).status();
    CHECK(past.code() == StatusCode::kNotFound);
    CHECK(test::names(past, "number 1; the oldest kept is 2"));
    const Status future = search(std::uint64_t{3}).status();
    CHECK(future.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(future, "number 3; the last is 2"));
    CHECK(search(system_clock::now() + std::chrono::hours(1)).value().size() == 2);
    CHECK(search(system_clock::now() - std::chrono::hours(1)).status().code() ==
          StatusCode::kNotFound);
    CHECK(collection.pin(std::uint64_t{1}).status().code() == StatusCode::kNotFound);
    CHECK(collection.pin().search(one, {.as_of = std::uint64_t{2}}).status().code() ==
          StatusCode::kInvalidArgument);
}

TEST_CASE("retention out of range is refused") {
    Collection collection = test::make_collection(1);
    const auto refused = [&](const Retention& retention, const char* name) {
        const Status status = collection.set_retention(retention);
        return status.code() == StatusCode::kInvalidArgument && test::names(status, name);
    };
    CHECK(refused({.window = milliseconds(-1)}, "window is -1 ms"));
    CHECK(refused({.window = std::chrono::hours(24 * 365 * 100) + milliseconds(1)}, "window"));
    CHECK(refused({.max_writes = 0}, "max_writes is 0"));
    CHECK(refused({.max_writes = (std::size_t{1} << 24U) + 1}, "max_writes"));
    CHECK(collection
              .set_retention({.window = std::chrono::hours(24 * 365 * 100),
                              .max_writes = std::size_t{1} << 24U})
              .ok());
}

TEST_CASE("pins stay as they are while others write and build") {
    Collection collection = test::make_collection(kDim);
    const Matrix rows = test::normal_rows(2'000, kDim, 3);
    const std::vector<Id> ids = test::sequential_ids(2'000);
    REQUIRE(collection.insert(ids, rows.view()).ok());
    const Pin pin = collection.pin();
    const std::vector<float> query = {0.1F, 0.2F, 0.3F};
    const Hits expected = pin.search(query, {.k = 50}).value();
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            while (!done.load()) {
                if (!test::identical(pin.search(query, {.k = 50}).value(), expected)) ++wrong;
                const FetchedRows fetched = pin.get(std::span(ids).first(100)).value();
                if (!std::equal(
                        fetched.elements().begin(), fetched.elements().end(), rows.values.begin()))
                    ++wrong;
            }
        });
    }
    std::mt19937_64 random(5);
    for (int i = 0; i < 300; ++i) {
        const std::size_t first = random() % 1'900;
        const auto some = std::span(ids).subspan(first, 100);
        if (i % 3 == 0) {
            collection.remove(some).status().check();
        } else {
            const Matrix other = test::normal_rows(100, kDim, static_cast<std::uint64_t>(i));
            collection.upsert(some, other.view()).check();
        }
        if (i % 50 == 49) collection.build_index().check();
    }
    done = true;
    for (std::thread& reader : readers)
        reader.join();
    CHECK(wrong == 0);
}

}  // namespace vecdb
