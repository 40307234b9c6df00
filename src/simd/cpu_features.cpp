#include "simd/cpu_features.h"

#include <cstdint>

#if defined(__x86_64__)
#    include <cpuid.h>
#endif

namespace vecdb::simd {
namespace {

#if defined(__x86_64__)

struct Registers {
    std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(std::uint32_t leaf) {
    Registers r;
    __get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx);  // zeros when the leaf is unknown
    return r;
}

constexpr bool has_all(std::uint32_t value, std::uint32_t bits) {
    return (value & bits) == bits;
}

/// Return which register files the operating system saves (XCR0); 0 if it does not say.
std::uint32_t saved_registers(const Registers& leaf1) {
    if (!has_all(leaf1.ecx, bit_OSXSAVE)) return 0;
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

CpuFeatures detect() {
    constexpr std::uint32_t kYmmSaved = 0x06;  // SSE and AVX state
    constexpr std::uint32_t kZmmSaved = 0xE6;  // the same, mask registers and both zmm halves
    constexpr std::uint32_t kVpopcntdq = 1U << 14U;
    constexpr std::uint32_t kBitalg = 1U << 12U;
    constexpr std::uint32_t kVnni = 1U << 11U;

    const Registers leaf1 = cpuid(1);
    const Registers leaf7 = cpuid(7);
    const std::uint32_t saved = saved_registers(leaf1);
    CpuFeatures features;
    features.sse2 = true;  // part of x86-64
    features.avx2 = has_all(saved, kYmmSaved) && has_all(leaf1.ecx, bit_AVX | bit_FMA | bit_F16C) &&
                    has_all(leaf7.ebx, bit_AVX2 | bit_BMI | bit_BMI2);
    features.avx512 =
        features.avx2 && has_all(saved, kZmmSaved) &&
        has_all(leaf7.ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL);
    features.avx512vnni = features.avx512 && has_all(leaf7.ecx, kVnni | kVpopcntdq | kBitalg);
    return features;
}

#elif defined(__aarch64__)

CpuFeatures detect() {
    CpuFeatures features;
    features.neon = true;  // part of AArch64
    return features;
}

#else

CpuFeatures detect() {
    return {};
}

#endif

}  // namespace

const CpuFeatures& cpu_features() noexcept {
    static const CpuFeatures features = detect();
    return features;
}

}  // namespace vecdb::simd
