#pragma once

/// \file
/// What this CPU and operating system allow.

namespace vecdb::simd {

/// Instruction sets that may be used: offered by the CPU *and* their registers saved by the
/// operating system.
struct CpuFeatures {
    bool sse2 = false;
    bool avx2 = false;        ///< x86-64-v3: AVX2, FMA, F16C, BMI1, BMI2.
    bool avx512 = false;      ///< x86-64-v4: AVX-512 F, BW, CD, DQ, VL.
    bool avx512vnni = false;  ///< avx512, VNNI, VPOPCNTDQ, BITALG.
    bool neon = false;
};

/// Detect once; later calls return the same.
[[nodiscard]] const CpuFeatures& cpu_features() noexcept;

}  // namespace vecdb::simd
