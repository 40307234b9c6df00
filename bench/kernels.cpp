/// \file
/// vecdb_kernels: every kernel on every level that this machine runs, at the usual dimensions.
/// Names are BM_<kernel>/<level>/<dim>; --benchmark_filter picks some of them. In place of the
/// dimension stand the stride of code rows, the number of rows visited, the size of an array of
/// keys.

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
/// Rows of a bench fit the second-level cache: kernels are judged here, memory in compare.
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

/// Bytes aligned to 64, as codes must be, with any content: halves come out finite.
std::vector<std::uint64_t> code_memory(std::size_t bytes) {
    std::vector<std::uint64_t> memory(bytes / 8 + 8);
    std::mt19937_64 random(5);
    for (std::uint64_t& word : memory)
        word = random() & 0x3F3F3F3F3F3F3F3FU;
    return memory;
}

template <class T>
const T* aligned_start(const std::vector<std::uint64_t>& memory) {
    void* start = const_cast<std::uint64_t*>(memory.data());
    std::size_t room = memory.size() * 8;
    return static_cast<const T*>(std::align(64, 64, start, room));
}

/// Return the score of rank count / 16, so that a pass keeps one row in 16, as a walk does.
float sixteenth_score(std::vector<float> scores) {
    const auto at = scores.begin() + static_cast<std::ptrdiff_t>(scores.size() / 16);
    std::nth_element(scores.begin(), at, scores.end());
    return *at;
}

void count_rows(benchmark::State& state, std::size_t rows, std::size_t bytes) {
    const auto all = static_cast<double>(state.iterations()) * static_cast<double>(rows);
    state.counters["Mrows"] = benchmark::Counter(all * 1e-6, benchmark::Counter::kIsRate);
    state.counters["GB"] =
        benchmark::Counter(all / static_cast<double>(rows) * static_cast<double>(bytes) * 1e-9,
                           benchmark::Counter::kIsRate);
}

void bench_code_rows(benchmark::State& state, RowScoreKernel kernel, std::size_t stride) {
    const std::size_t count = kRowBytes / stride;
    const auto codes = code_memory(count * stride);
    const auto levels = code_memory(10 * stride);
    const CodeRows rows = {aligned_start<std::uint8_t>(codes), stride};
    const CodeQuery query = {aligned_start<std::int8_t>(levels), 0, 1, 1e-3F, 0, 1, 1};
    std::vector<std::uint32_t> list(count);
    for (std::size_t i = 0; i < count; ++i)
        list[i] = static_cast<std::uint32_t>(i);
    std::shuffle(list.begin(), list.end(), std::mt19937(3));
    std::vector<std::uint32_t> numbers(count + 16);
    std::vector<float> scores(count + 16);
    const Kept kept = {numbers.data(), scores.data()};
    kernel(query, rows, list.data(), count, 0, kInfinity, kept);
    const float threshold = sixteenth_score({scores.begin(), scores.end() - 16});
    for (auto _ : state) {
        benchmark::DoNotOptimize(kernel(query, rows, list.data(), count, 0, threshold, kept));
        benchmark::ClobberMemory();
    }
    count_rows(state, count, count * stride);
}

void bench_code_blocks(benchmark::State& state, BlockScoreKernel kernel, std::size_t dim) {
    const std::size_t groups = (dim + 7) / 8;
    const std::size_t block_bytes = groups * 128 + 256;
    const std::size_t count = kRowBytes / block_bytes * kBlockRows;
    const std::size_t bytes = count / kBlockRows * block_bytes;
    const auto codes = code_memory(bytes);
    const auto levels = code_memory(8 * groups);
    const CodeBlocks blocks = {aligned_start<std::uint8_t>(codes), groups};
    const CodeQuery query = {aligned_start<std::int8_t>(levels), 0, 1, 1e-3F, 0, 1, 1};
    std::vector<std::uint32_t> numbers(count);
    std::vector<float> scores(count);
    const Kept kept = {numbers.data(), scores.data()};
    kernel(query, blocks, count, kInfinity, kept);
    const float threshold = *std::min_element(scores.begin(), scores.end());
    for (auto _ : state) {
        benchmark::DoNotOptimize(kernel(query, blocks, count, threshold, kept));
        benchmark::ClobberMemory();
    }
    count_rows(state, count, bytes);
}

/// Lists of 64 rows, half of them marked before.
void bench_visit(benchmark::State& state, VisitKernel kernel, std::size_t rows) {
    const auto codes = code_memory(rows * 64);
    const CodeRows code_rows = {aligned_start<std::uint8_t>(codes), 64};
    std::vector<std::uint32_t> list(rows);
    std::mt19937 random(6);
    for (std::uint32_t& row : list)
        row = static_cast<std::uint32_t>(random() % rows);
    std::vector<std::uint64_t> marked(rows / 64 + 1);
    for (std::uint64_t& word : marked)
        word = std::uint64_t{random()} << 32U | random();
    std::vector<std::uint64_t> visited;
    std::vector<std::uint32_t> fresh(64);
    for (auto _ : state) {
        visited = marked;
        for (std::size_t i = 0; i + 64 <= rows; i += 64) {
            benchmark::DoNotOptimize(
                kernel(list.data() + i, 64, visited.data(), code_rows, 1, fresh.data()));
        }
        benchmark::ClobberMemory();
    }
    count_rows(state, rows, rows * 4);
}

/// Keys in random order, as many as ten times the array holds.
void bench_insert(benchmark::State& state, InsertKeyKernel kernel, std::size_t size) {
    Floats memory(2 * size + 16);
    auto* const keys = reinterpret_cast<std::uint64_t*>(memory.begin()) + 8;
    std::vector<std::uint64_t> wanted(10 * size);
    std::mt19937_64 random(7);
    for (std::uint64_t& key : wanted)
        key = random();
    for (auto _ : state) {
        std::fill_n(keys, size, std::numeric_limits<std::uint64_t>::max());
        for (const std::uint64_t key : wanted)
            benchmark::DoNotOptimize(kernel(keys, size, key));
        benchmark::ClobberMemory();
    }
    count_rows(state, wanted.size(), wanted.size() * 8);
}

template <class Bench, class... Arguments>
void add(const std::string& kernel,
         const KernelTable& table,
         std::size_t dim,
         Bench bench,
         Arguments... arguments) {
    const std::string name = "BM_" + kernel + '/' + table.name + '/' + std::to_string(dim);
    benchmark::RegisterBenchmark(name.c_str(), bench, arguments...);
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

void add_codes(const KernelTable& table) {
    for (const std::size_t stride : {64U, 128U, 448U}) {
        add("row4", table, stride, bench_code_rows, table.codes.row4, stride);
        add("row5", table, stride, bench_code_rows, table.codes.row5, stride);
        add("row7", table, stride, bench_code_rows, table.codes.row7, stride);
        add("row8", table, stride, bench_code_rows, table.codes.row8, stride);
    }
    for (const std::size_t dim : {100U, 200U, 784U})
        add("block4", table, dim, bench_code_blocks, table.codes.block4, dim);
    add("visit", table, 4'096, bench_visit, table.walk.visit, std::size_t{4'096});
    for (const std::size_t size : {32U, 128U, 512U})
        add("insert", table, size, bench_insert, table.walk.insert, size);
}

}  // namespace
}  // namespace vecdb::simd

int main(int argc, char** argv) {
    for (const vecdb::simd::KernelTable* table : vecdb::simd::available_tables()) {
        for (const std::size_t dim : vecdb::simd::kDimensions)
            vecdb::simd::add_all(*table, dim);
        vecdb::simd::add_codes(*table);
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
