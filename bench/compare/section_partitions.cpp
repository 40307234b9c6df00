#include "cli/output.h"
#include "compare/sections.h"
#include "compare/turns.h"
#include "machine.h"
#include "timing.h"

#include <vecdb/vecdb.h>

#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace vecdb::bench {
namespace {

constexpr std::size_t kDim = 100;
constexpr std::size_t kCalls = 200;  ///< Of a turn.

/// A collection of so many partitions with so many rows, and what it took to make it.
class Tenants {
  public:
    Tenants(std::size_t partitions, std::size_t rows, std::uint64_t seed)
        : database_(Database::in_memory().value()),
          rows_(database_.create_collection("tenants", schema()).value()),
          row_(kDim, 0.5F),
          random_(seed) {
        const auto count = static_cast<double>(partitions);
        const double before = resident_bytes();
        create_us_ = 1e6 / count * seconds_of([&] {
                         handles_.push_back(rows_.partition("default").value());
                         while (handles_.size() < partitions)
                             handles_.push_back(
                                 rows_.create_partition("tenant " + std::to_string(handles_.size()))
                                     .value());
                     });
        bytes_ = (resident_bytes() - before) / count;
        list_us_ =
            1e6 / count * seconds_of([&] { static_cast<void>(rows_.list_partitions().size()); });
        std::vector<Id> ids;
        std::vector<float> values;
        for (std::size_t p = 0; p < partitions && rows > 0; ++p) {
            const std::size_t share = rows / partitions;
            ids.resize(share);
            for (Id& id : ids)
                id = next_++;
            values.assign(share * kDim, 0.5F);
            handles_[p].insert(ids, MatrixView(values.data(), share, kDim)).check();
        }
    }

    [[nodiscard]] double create_us() const { return create_us_; }
    [[nodiscard]] double list_us() const { return list_us_; }
    [[nodiscard]] double bytes() const { return bytes_; }

    /// Insert rows one by one into partitions at random. Returns microseconds a row.
    double insert() {
        first_ = next_;
        const std::vector<std::size_t> chosen = choose();
        return 1e6 / kCalls * seconds_of([&] {
                   for (const std::size_t p : chosen)
                       handles_[p].insert(next_++, VectorView(row_)).check();
               });
    }
    /// Remove the rows of the last insert() one by one.
    double remove() {
        return 1e6 / kCalls * seconds_of([&] {
                   for (Id id = first_; id < next_; ++id)
                       static_cast<void>(rows_.remove(id).value());
               });
    }
    /// Search one partition at a time, where there are several: a scan of all rows of a large one
    /// would drive what the others need from the caches.
    double search() {
        if (handles_.size() == 1) return 0;
        const std::vector<std::size_t> chosen = choose();
        Hits hits(kNeighbours);
        return 1e6 / kCalls * seconds_of([&] {
                   for (const std::size_t p : chosen)
                       static_cast<void>(
                           handles_[p].search_into(VectorView(row_), {}, hits).value());
               });
    }

  private:
    static Schema schema() {
        Schema schema = Schema::single(kDim);
        schema.segments.seal_rows = 0;
        return schema;
    }

    std::vector<std::size_t> choose() {
        std::vector<std::size_t> chosen(kCalls);
        for (std::size_t& each : chosen)
            each = random_() % handles_.size();
        return chosen;
    }

    Database database_;
    Collection rows_;
    std::vector<Partition> handles_;
    std::vector<float> row_;
    std::mt19937_64 random_;
    Id next_ = 0;
    Id first_ = 0;
    double create_us_ = 0;
    double list_us_ = 0;
    double bytes_ = 0;
};

struct Size {
    std::size_t partitions;
    std::size_t rows;
};

constexpr Size kSizes[] = {
    {1, 10'000}, {1, 1'000'000}, {100, 10'000}, {50'000, 0}, {50'000, 50'000}};

void show(Bench& bench, const std::vector<std::unique_ptr<Tenants>>& all, const Turns& times) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        bench.report.row({
            count("partitions", "partitions", kSizes[i].partitions),
            count("rows", "rows", kSizes[i].rows),
            number("create_us", "create us", all[i]->create_us(), 2),
            number("list_us", "list us each", all[i]->list_us(), 3),
            number("bytes", "bytes an empty one", all[i]->bytes(), 0),
            number("insert_us", "insert a row us", times.median_of(3 * i), 2),
            number("insert_ratio", "x first", times.median_ratio(3 * i, 0), 2),
            number("remove_us", "remove a row us", times.median_of(3 * i + 1), 2),
            number("remove_ratio", "x first", times.median_ratio(3 * i + 1, 1), 2),
            kSizes[i].partitions > 1
                ? number("search_us", "search one us", times.median_of(3 * i + 2), 2)
                : none("search_us", "search one us"),
        });
    }
}

/// Return what it costs to resolve a name among 1,000 others, in nanoseconds.
double resolve_ns() {
    Database database = Database::in_memory().value();
    const Schema schema = Schema::single(kDim);
    for (int i = 0; i < 1'000; ++i)
        static_cast<void>(database.create_collection("rows " + std::to_string(i), schema).value());
    database.create_alias("live", "rows 500").check();
    constexpr std::size_t kLookups = 200'000;
    return 1e9 / kLookups * seconds_of([&] {
               for (std::size_t i = 0; i < kLookups; ++i)
                   static_cast<void>(database.collection("live").value());
           });
}

}  // namespace

void run_partitions(Bench& bench) {
    bench.report.section("partitions",
                         "Partitions and single rows, 100 dimensions, searched exactly");
    std::vector<std::unique_ptr<Tenants>> all;
    std::vector<Turn> turns;
    for (const auto& [partitions, rows] : kSizes) {
        Tenants& tenants =
            *all.emplace_back(std::make_unique<Tenants>(partitions, rows, bench.options.seed));
        turns.emplace_back([&tenants] { return tenants.insert(); });
        turns.emplace_back([&tenants] { return tenants.remove(); });
        turns.emplace_back([&tenants] { return tenants.search(); });
    }
    // In order: a removal follows its insert.
    Turns times;
    times.values.resize(turns.size());
    for (std::size_t round = 0; round < 4 * bench.options.rounds + 1; ++round) {
        for (std::size_t turn = 0; turn < turns.size(); ++turn)
            times.values[turn].push_back(turns[turn]());
    }
    show(bench, all, times);
    bench.report.line("resolve an alias among 1,001 names: " + cli::fixed(resolve_ns(), 0) + " ns");
}

}  // namespace vecdb::bench
