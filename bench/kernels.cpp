/// \file
/// vecdb_kernels: every kernel on every level that this machine runs, at the usual dimensions.
/// Names are BM_<kernel>/<level>/<dim>; --benchmark_filter picks some of them.

#include "simd/dispatch.h"
#include "simd/kernel_table.h"

#include <vecdb/half.h>
#include <vecdb/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
    explicit Data(std::size_t dimension, ElementType element_type = ElementType::kFloat32)
        : type(element_type),
          dim(dimension),
          row_bytes(vector_bytes(type, dim)),
          count(std::max<std::size_t>(kMaxTileRows,
                                      kRowBytes / row_bytes / kMaxTileRows * kMaxTileRows)),
          values(count * row_bytes / sizeof(float) + 1),
          query(row_bytes / sizeof(float) + 1),
          distances(count),
          numbers(count) {
        fill(values, count, 1);
        fill(query, 1, 2);
    }
    [[nodiscard]] Rows rows() { return {static_cast<const void*>(values.begin()), row_bytes, dim}; }
    [[nodiscard]] Kept kept() { return {numbers.data(), distances.begin()}; }

    ElementType type;
    std::size_t dim;
    std::size_t row_bytes;
    std::size_t count;
    Floats values;
    Floats query;
    Floats distances;
    std::vector<std::uint32_t> numbers;

  private:
    /// Normal numbers of 16 and 32 bits, any bytes and bits.
    void fill(Floats& memory, std::size_t vectors, unsigned seed) const {
        if (type == ElementType::kFloat32) return memory.randomise(seed);
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        auto* bytes = reinterpret_cast<std::uint8_t*>(memory.begin());
        for (std::size_t i = 0; i < vectors * row_bytes; ++i) {
            if (type == ElementType::kFloat16 || type == ElementType::kBFloat16) {
                const float value = normal(random);
                const std::uint16_t half = type == ElementType::kFloat16 ? to_float16(value).bits
                                                                         : to_bfloat16(value).bits;
                std::memcpy(bytes + i++, &half, sizeof(half));
            } else {
                bytes[i] = static_cast<std::uint8_t>(random());
            }
        }
    }
};

/// Report bytes read and operations done per second. One iteration reads all rows of `data`.
void count_work(benchmark::State& state, const Data& data, double flops_per_value) {
    const auto rows = static_cast<double>(state.iterations()) * static_cast<double>(data.count);
    state.counters["GB"] = benchmark::Counter(rows * static_cast<double>(data.row_bytes) * 1e-9,
                                              benchmark::Counter::kIsRate);
    if (flops_per_value > 0) {
        state.counters["GFLOP"] =
            benchmark::Counter(rows * static_cast<double>(data.dim) * flops_per_value * 1e-9,
                               benchmark::Counter::kIsRate);
    }
}

// So that a pass keeps one row, much as in a search whose threshold has settled.
float settled_threshold(RangeKernel kernel, Data& data) {
    kernel(data.query.begin(), data.rows(), data.count, kInfinity, data.kept());
    return *std::min_element(data.distances.begin(), data.distances.end());
}

/// A metric on an element type, with the operations that an element costs.
struct Distance {
    const char* name;
    Metric metric;
    ElementType type;
    double flops;
};

constexpr Distance kDistances[] = {
    {"l2", Metric::kL2, ElementType::kFloat32, 3},  // subtract, multiply, add
    {"ip", Metric::kInnerProduct, ElementType::kFloat32, 2},
    {"l2_float16", Metric::kL2, ElementType::kFloat16, 3},
    {"ip_float16", Metric::kInnerProduct, ElementType::kFloat16, 2},
    {"l2_bfloat16", Metric::kL2, ElementType::kBFloat16, 3},
    {"ip_bfloat16", Metric::kInnerProduct, ElementType::kBFloat16, 2},
    {"l2_int8", Metric::kL2, ElementType::kInt8, 3},
    {"ip_int8", Metric::kInnerProduct, ElementType::kInt8, 2},
    {"hamming", Metric::kHamming, ElementType::kBit, 0},
    {"jaccard", Metric::kJaccard, ElementType::kBit, 0},
};

void bench_range(benchmark::State& state,
                 const KernelTable& table,
                 const Distance& distance,
                 std::size_t dim) {
    Data data(dim, distance.type);
    const RangeKernel kernel = table.distances(distance.metric, distance.type).range;
    const float threshold = settled_threshold(kernel, data);
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            kernel(data.query.begin(), data.rows(), data.count, threshold, data.kept()));
        benchmark::ClobberMemory();
    }
    count_work(state, data, distance.flops);
}

void bench_list(benchmark::State& state,
                const KernelTable& table,
                const Distance& distance,
                std::size_t dim) {
    Data data(dim, distance.type);
    const DistanceKernels kernels = table.distances(distance.metric, distance.type);
    const float threshold = settled_threshold(kernels.range, data);
    std::vector<std::uint32_t> list(data.count);
    for (std::size_t i = 0; i < list.size(); ++i)
        list[i] = static_cast<std::uint32_t>(i);
    std::shuffle(list.begin(), list.end(), std::mt19937(3));
    for (auto _ : state) {
        benchmark::DoNotOptimize(kernels.list(
            data.query.begin(), data.rows(), list.data(), list.size(), threshold, data.kept()));
        benchmark::ClobberMemory();
    }
    count_work(state, data, distance.flops);
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

template <class Bench>
void add(const std::string& kernel, const KernelTable& table, std::size_t dim, Bench bench) {
    const std::string name = "BM_" + kernel + '/' + table.name + '/' + std::to_string(dim);
    benchmark::RegisterBenchmark(name.c_str(), bench);
}

void add_all(const KernelTable& table, std::size_t dim) {
    using State = benchmark::State;
    for (const Distance& distance : kDistances) {
        const std::string name = distance.name;
        add(name + "_range", table, dim, [&table, &distance, dim](State& state) {
            bench_range(state, table, distance, dim);
        });
        add(name + "_list", table, dim, [&table, &distance, dim](State& state) {
            bench_list(state, table, distance, dim);
        });
    }
    add("squared_norms", table, dim, [&table, dim](State& state) {
        bench_norms(state, table.float32.squared_norms, dim);
    });
    add("scale", table, dim, [&table, dim](State& state) { bench_scale(state, table.scale, dim); });
    add("pack", table, dim, [&table, dim](State& state) { bench_pack(state, table.pack, dim); });
    add("tile", table, dim, [&table, dim](State& state) { bench_tile(state, table, dim); });
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
