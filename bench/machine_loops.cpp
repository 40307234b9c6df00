#include "machine_loops.h"

#if defined(__x86_64__)
#    include <immintrin.h>
#endif

// Keeps an array of accumulators in registers at every optimisation level above none.
#if defined(__clang__)
#    define VECDB_BENCH_UNROLL _Pragma("unroll")
#else
#    define VECDB_BENCH_UNROLL _Pragma("GCC unroll 16")
#endif

namespace vecdb::bench {
namespace {

constexpr std::size_t kStep = 256;  // bytes read per iteration: four lines
constexpr std::size_t kLine = 64;

#if defined(__x86_64__)

// Latency 4 to 5 cycles times two multipliers: 10 chains are enough, 12 leave some slack.

__attribute__((target("avx512f"))) float read_avx512(const std::byte* data,
                                                     std::size_t bytes,
                                                     std::size_t ahead) {
    __m512 sums[4] = {};
    for (std::size_t i = 0; i < bytes; i += kStep) {
        const std::byte* p = data + i;
        if (ahead != 0) {
            for (std::size_t line = 0; line < kStep; line += kLine) {
                _mm_prefetch(reinterpret_cast<const char*>(p + ahead + line), _MM_HINT_T0);
            }
        }
        const float* f = reinterpret_cast<const float*>(p);
        VECDB_BENCH_UNROLL
        for (std::size_t v = 0; v < 4; ++v) {
            sums[v] = _mm512_add_ps(sums[v], _mm512_load_ps(f + 16 * v));
        }
    }
    __m512 total = _mm512_setzero_ps();
    for (const __m512& sum : sums)
        total = _mm512_add_ps(total, sum);
    return total[0];
}

__attribute__((target("avx512f"))) float multiply_avx512(std::size_t rounds) {
    __m512 sums[12];
    for (__m512& sum : sums)
        sum = _mm512_set1_ps(1.0F);
    __m512 factor = _mm512_set1_ps(0.999F);
    for (std::size_t r = 0; r < rounds; ++r) {
        asm volatile("" : "+v"(factor));  // the product must not be hoisted
        VECDB_BENCH_UNROLL
        for (__m512& sum : sums)
            sum = _mm512_fmadd_ps(sum, factor, factor);
    }
    __m512 total = _mm512_setzero_ps();
    for (const __m512& sum : sums)
        total = _mm512_add_ps(total, sum);
    return total[0];
}

__attribute__((target("avx2,fma"))) float read_avx2(const std::byte* data,
                                                    std::size_t bytes,
                                                    std::size_t ahead) {
    __m256 sums[8] = {};
    for (std::size_t i = 0; i < bytes; i += kStep) {
        const std::byte* p = data + i;
        if (ahead != 0) {
            for (std::size_t line = 0; line < kStep; line += kLine) {
                _mm_prefetch(reinterpret_cast<const char*>(p + ahead + line), _MM_HINT_T0);
            }
        }
        const float* f = reinterpret_cast<const float*>(p);
        VECDB_BENCH_UNROLL
        for (std::size_t v = 0; v < 8; ++v) {
            sums[v] = _mm256_add_ps(sums[v], _mm256_load_ps(f + 8 * v));
        }
    }
    __m256 total = _mm256_setzero_ps();
    for (const __m256& sum : sums)
        total = _mm256_add_ps(total, sum);
    return total[0];
}

__attribute__((target("avx2,fma"))) float multiply_avx2(std::size_t rounds) {
    __m256 sums[12];
    for (__m256& sum : sums)
        sum = _mm256_set1_ps(1.0F);
    __m256 factor = _mm256_set1_ps(0.999F);
    for (std::size_t r = 0; r < rounds; ++r) {
        asm volatile("" : "+x"(factor));
        VECDB_BENCH_UNROLL
        for (__m256& sum : sums)
            sum = _mm256_fmadd_ps(sum, factor, factor);
    }
    __m256 total = _mm256_setzero_ps();
    for (const __m256& sum : sums)
        total = _mm256_add_ps(total, sum);
    return total[0];
}

#endif

// Vectors of 16 bytes, as the compiler's own extension: SSE2, NEON, whatever the baseline has.
using Float4 = float __attribute__((vector_size(16)));

float read_generic(const std::byte* data, std::size_t bytes, std::size_t ahead) {
    Float4 sums[8] = {};
    for (std::size_t i = 0; i < bytes; i += kStep) {
        const std::byte* p = data + i;
        if (ahead != 0) {
            for (std::size_t line = 0; line < kStep; line += kLine) {
                __builtin_prefetch(p + ahead + line);
            }
        }
        const Float4* f = reinterpret_cast<const Float4*>(p);
        VECDB_BENCH_UNROLL
        for (std::size_t v = 0; v < 16; ++v)
            sums[v % 8] += f[v];
    }
    Float4 total = {};
    for (const Float4& sum : sums)
        total += sum;
    return total[0] + total[1] + total[2] + total[3];
}

float multiply_generic(std::size_t rounds) {
    Float4 sums[12];
    for (Float4& sum : sums)
        sum = Float4{1, 1, 1, 1};
    Float4 factor = {0.999F, 0.999F, 0.999F, 0.999F};
    for (std::size_t r = 0; r < rounds; ++r) {
#if defined(__x86_64__)
        asm volatile("" : "+x"(factor));
#elif defined(__aarch64__)
        asm volatile("" : "+w"(factor));
#endif
        VECDB_BENCH_UNROLL
        for (Float4& sum : sums)
            sum = sum * factor + factor;
    }
    Float4 total = {};
    for (const Float4& sum : sums)
        total += sum;
    return total[0] + total[1] + total[2] + total[3];
}

}  // namespace

const MachineLoops& machine_loops() noexcept {
    constexpr std::size_t kFlops = std::size_t{12} * 2;
#if defined(__x86_64__)
    static const MachineLoops avx512 = {"avx512", read_avx512, multiply_avx512, kFlops * 16};
    static const MachineLoops avx2 = {"avx2", read_avx2, multiply_avx2, kFlops * 8};
    static const MachineLoops generic = {"sse2", read_generic, multiply_generic, kFlops * 4};
    if (__builtin_cpu_supports("avx512f")) return avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#else
    static const MachineLoops generic = {"generic", read_generic, multiply_generic, kFlops * 4};
#endif
    return generic;
}

}  // namespace vecdb::bench
