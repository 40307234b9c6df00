// How fast filters test rows that they have not seen: a million sealed rows with values in random
// order, so that no zone decides anything. Beside them a plain loop over an array, and a predicate.
// Usage: vecdb_filters [Google Benchmark's options]

#include <vecdb/vecdb.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

constexpr std::size_t kRows = std::size_t{1} << 20U;

struct Columns {
    std::vector<std::int64_t> numbers;
    std::vector<double> reals;
    std::vector<vecdb::Scalar> nullable;
    std::vector<std::string> brands;  // 100 of them
    std::vector<std::string> words;   // every fourth is another one
};

const Columns& columns() {
    static const Columns made = [] {
        Columns columns;
        std::mt19937_64 random(1);
        for (std::size_t row = 0; row < kRows; ++row) {
            const auto number = static_cast<std::int64_t>(random() % 1'000'000);
            columns.numbers.push_back(number);
            columns.reals.push_back(static_cast<double>(number) / 8);
            columns.nullable.emplace_back();
            if (random() % 10 != 0) columns.nullable.back() = number;
            columns.brands.push_back("brand " + std::to_string(random() % 100));
            columns.words.push_back("word " + std::to_string(random() % (kRows / 4)));
        }
        return columns;
    }();
    return made;
}

vecdb::Collection& collection() {
    static vecdb::Database database = vecdb::Database::in_memory().value();
    static vecdb::Collection made = [] {
        vecdb::Schema schema = vecdb::Schema::single(1);
        schema.segments.seal_rows = 0;
        schema.scalars = {{.name = "number", .type = vecdb::ScalarType::kInt64},
                          {.name = "real", .type = vecdb::ScalarType::kDouble},
                          {.name = "nullable", .type = vecdb::ScalarType::kInt64, .nullable = true},
                          {.name = "brand", .type = vecdb::ScalarType::kString},
                          {.name = "word", .type = vecdb::ScalarType::kString}};
        vecdb::Collection rows = database.create_collection("rows", schema).value();
        std::vector<vecdb::Id> ids(kRows);
        std::iota(ids.begin(), ids.end(), vecdb::Id{0});
        const std::vector<float> vectors(kRows, 1.0F);
        rows.insert(ids,
                    vecdb::MatrixView(vectors, 1),
                    {{"number", columns().numbers},
                     {"real", columns().reals},
                     {"nullable", std::span<const vecdb::Scalar>(columns().nullable)},
                     {"brand", columns().brands},
                     {"word", columns().words}})
            .check();
        rows.build_index().check();
        return rows;
    }();
    return made;
}

/// Count the rows that a new filter allows.
void filter(benchmark::State& state, const std::string& text) {
    const vecdb::Collection& rows = collection();
    std::size_t allowed = 0;
    for (auto _ : state) {
        allowed = rows.count(vecdb::Filter::parse(text).value()).value();
        benchmark::DoNotOptimize(allowed);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(kRows) * state.iterations());
    state.counters["allowed"] = static_cast<double>(allowed);
}

void predicate(benchmark::State& state) {
    const vecdb::Collection& rows = collection();
    const std::vector<std::int64_t>& numbers = columns().numbers;
    for (auto _ : state) {
        const auto filter = vecdb::Filter::where(
            [&](vecdb::Id id) { return numbers[static_cast<std::size_t>(id)] < 100'000; });
        benchmark::DoNotOptimize(rows.count(filter).value());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(kRows) * state.iterations());
}

/// What a user would write: a bit for each number below a limit.
void plain_loop(benchmark::State& state) {
    const std::vector<std::int64_t>& numbers = columns().numbers;
    for (auto _ : state) {
        vecdb::Bitset bits(kRows);
        for (std::size_t row = 0; row < kRows; ++row) {
            if (numbers[row] < 100'000) bits.set(row);
        }
        benchmark::DoNotOptimize(bits.count());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(kRows) * state.iterations());
}

}  // namespace

BENCHMARK(plain_loop);
BENCHMARK(predicate);
BENCHMARK_CAPTURE(filter, int64, "number < 100000");
BENCHMARK_CAPTURE(filter, int64_half, "number < 500000");
BENCHMARK_CAPTURE(filter, int64_nullable, "nullable < 100000");
BENCHMARK_CAPTURE(filter, int64_list, "number in [1, 20, 300, 4000]");
BENCHMARK_CAPTURE(filter, real, "real < 12500.0");
BENCHMARK_CAPTURE(filter, brand, "brand == 'brand 7'");
BENCHMARK_CAPTURE(filter, half_of_brands, "brand < 'brand 5'");
BENCHMARK_CAPTURE(filter, word, "word == 'word 7'");
BENCHMARK_CAPTURE(filter, pattern, "word like '%77%'");
BENCHMARK_CAPTURE(filter, both, "number < 100000 && real > 100.0");

BENCHMARK_MAIN();
