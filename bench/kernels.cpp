/// \file
/// vecdb_kernels: every kernel on every level that this machine runs, at the usual dimensions.
/// Names are BM_<kernel>/<level>/<dim>; --benchmark_filter picks some of them.

#include "simd/dispatch.h"
#include "simd/kernel_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace vecdb::simd {
namespace {

constexpr std::size_t kDimensions[] = {96, 100, 128, 384, 768, 784, 1024, 1536};
/// Rows of a bench fit the second-level cache: kernels are judged here, memory in vecdb_compare.
constexpr std::size_t kRowBytes = std::size_t{256} << 10U;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Floats aligned to 64 bytes, as panels must be.
class Floats {
  public:
    explicit Floats(std::size_t count)
        : values_(static_cast<float*>(::operator new(count * sizeof(float), kAlignment))),
          count_(count) {
        std::fill(begin(), end(), 0.0F);
    }
    void randomise(unsigned seed) {
        std::mt19937 random(seed);
        std::normal_distribution<float> value;
        for (float& x : *this)
            x = value(random);
    }
    float* begin() noexcept { return values_.get(); }
    float* end() noexcept { return begin() + count_; }

  private:
    static constexpr std::align_val_t kAlignment{64};
    struct Free {
        void operator()(float* values) const noexcept { ::operator delete(values, kAlignment); }
    };
    std::unique_ptr<float[], Free> values_;
    std::size_t count_;
};

/// Rows, a query and a place for results, at one dimension.
struct Data {
    explicit Data(std::size_t dimension)
        : dim(dimension),
          count(std::max<std::size_t>(
              kMaxTileRows, kRowBytes / (dimension * sizeof(float)) / kMaxTileRows * kMaxTileRows)),
          values(count * dim),
          query(dim),
          distances(count),
          numbers(count) {
        values.randomise(1);
        query.randomise(2);
    }
    [[nodiscard]] Rows rows() { return {values.begin(), dim, dim}; }
    [[nodiscard]] Kept kept() { return {numbers.data(), distances.begin()}; }

    std::size_t dim;
    std::size_t count;
    Floats values;
    Floats query;
    Floats distances;
    std::vector<std::uint32_t> numbers;
};

/// Report bytes read and operations done per second. One iteration reads all rows of `data`.
void count_work(benchmark::State& state, const Data& data, double flops_per_value) {
    const auto values =
        static_cast<double>(state.iterations()) * static_cast<double>(data.count * data.dim);
    state.counters["GB"] = benchmark::Counter(values * 4e-9, benchmark::Counter::kIsRate);
    if (flops_per_value > 0) {
        state.counters["GFLOP"] =
            benchmark::Counter(values * flops_per_value * 1e-9, benchmark::Counter::kIsRate);
    }
}

// So that a pass keeps one row, much as in a search whose threshold has settled.
float settled_threshold(RangeKernel kernel, Data& data) {
    kernel(data.query.begin(), data.rows(), data.count, kInfinity, data.kept());
    return *std::min_element(data.distances.begin(), data.distances.end());
}

void bench_range(benchmark::State& state, RangeKernel kernel, std::size_t dim, double flops) {
    Data data(dim);
    const float threshold = settled_threshold(kernel, data);
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            kernel(data.query.begin(), data.rows(), data.count, threshold, data.kept()));
        benchmark::ClobberMemory();
    }
    count_work(state, data, flops);
}

void bench_list(benchmark::State& state,
                ListKernel kernel,
                RangeKernel reference,
                std::size_t dim,
                double flops) {
    Data data(dim);
    const float threshold = settled_threshold(reference, data);
    std::vector<std::uint32_t> list(data.count);
    for (std::size_t i = 0; i < list.size(); ++i)
        list[i] = static_cast<std::uint32_t>(i);
    std::shuffle(list.begin(), list.end(), std::mt19937(3));
    for (auto _ : state) {
        benchmark::DoNotOptimize(kernel(
            data.query.begin(), data.rows(), list.data(), list.size(), threshold, data.kept()));
        benchmark::ClobberMemory();
    }
    count_work(state, data, flops);
}

void bench_norms(benchmark::State& state, NormsKernel kernel, std::size_t dim) {
    Data data(dim);
    for (auto _ : state) {
        kernel(data.rows(), data.count, data.distances.begin());
        benchmark::ClobberMemory();
    }
    count_work(state, data, 2);
}

void bench_scale(benchmark::State& state, ScaleKernel kernel, std::size_t dim) {
    Data data(dim);
    Floats out(dim);
    for (auto _ : state) {
        for (std::size_t i = 0; i < data.count; ++i) {
            kernel(data.values.begin() + i * dim, dim, 0.5F, out.begin());
            benchmark::ClobberMemory();
        }
    }
    count_work(state, data, 1);
}

void bench_pack(benchmark::State& state, PackKernel kernel, std::size_t dim) {
    Data data(dim);
    Floats panels(data.count * dim);  // the count is a multiple of every tile_rows
    for (auto _ : state) {
        kernel(data.rows(), data.count, panels.begin());
        benchmark::ClobberMemory();
    }
    count_work(state, data, 0);
}

void bench_tile(benchmark::State& state, const KernelTable& table, std::size_t dim) {
    Data data(dim);
    Floats panels(data.count * dim);
    table.pack(data.rows(), data.count, panels.begin());
    Floats starts(data.count);
    Floats queries(dim * table.tile_queries);
    queries.randomise(4);
    std::vector<float> floors(table.tile_queries, kInfinity);  // a batch keeps next to nothing
    const std::size_t panel_count = data.count / table.tile_rows;
    std::vector<TileHit> hits(panel_count * table.tile_queries);
    const Tile tile{
        panels.begin(), panel_count, starts.begin(), queries.begin(), floors.data(), dim};
    for (auto _ : state) {
        benchmark::DoNotOptimize(table.tile(tile, hits.data()));
        benchmark::ClobberMemory();
    }
    count_work(state, data, 2 * static_cast<double>(table.tile_queries));
}

template <class Bench, class... Arguments>
void add(const char* kernel,
         const KernelTable& table,
         std::size_t dim,
         Bench bench,
         Arguments... arguments) {
    const std::string name =
        std::string("BM_") + kernel + '/' + table.name + '/' + std::to_string(dim);
    benchmark::RegisterBenchmark(name.c_str(), bench, arguments...);
}

void add_all(const KernelTable& table, std::size_t dim) {
    // Subtract, multiply, add; multiply, add.
    add("l2_range", table, dim, bench_range, table.l2_range, dim, 3.0);
    add("ip_range", table, dim, bench_range, table.ip_range, dim, 2.0);
    add("l2_list", table, dim, bench_list, table.l2_list, table.l2_range, dim, 3.0);
    add("ip_list", table, dim, bench_list, table.ip_list, table.ip_range, dim, 2.0);
    add("squared_norms", table, dim, bench_norms, table.squared_norms, dim);
    add("scale", table, dim, bench_scale, table.scale, dim);
    add("pack", table, dim, bench_pack, table.pack, dim);
    const KernelTable* const all = &table;
    add(
        "tile",
        table,
        dim,
        [all](benchmark::State& state, std::size_t d) { bench_tile(state, *all, d); },
        dim);
}

}  // namespace
}  // namespace vecdb::simd

int main(int argc, char** argv) {
    for (const vecdb::simd::KernelTable* table : vecdb::simd::available_tables()) {
        for (const std::size_t dim : vecdb::simd::kDimensions)
            vecdb::simd::add_all(*table, dim);
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
