#include "simd/kernel_table.h"

namespace vecdb::simd {
namespace {

const NumberKernels* numbers(const KernelTable& table, ElementType type) noexcept {
    switch (type) {
        case ElementType::kFloat32:
            return &table.float32;
        case ElementType::kFloat16:
            return &table.float16;
        case ElementType::kBFloat16:
            return &table.bfloat16;
        case ElementType::kInt8:
            return &table.int8;
        case ElementType::kBit:
            break;
    }
    return nullptr;
}

}  // namespace

DistanceKernels KernelTable::distances(Metric metric, ElementType type) const noexcept {
    const NumberKernels* kernels = numbers(*this, type);
    const bool of_bits = type == ElementType::kBit;
    switch (metric) {
        case Metric::kL2:
            return kernels != nullptr ? kernels->l2 : DistanceKernels();
        case Metric::kInnerProduct:
            return kernels != nullptr ? kernels->ip : DistanceKernels();
        case Metric::kCosine:  // int8 holds no unit rows
            return kernels != nullptr && type != ElementType::kInt8 ? kernels->ip
                                                                    : DistanceKernels();
        case Metric::kHamming:
            return of_bits ? bits.hamming : DistanceKernels();
        case Metric::kJaccard:
            return of_bits ? bits.jaccard : DistanceKernels();
    }
    return {};
}

NormsKernel KernelTable::squared_norms(ElementType type) const noexcept {
    const NumberKernels* kernels = numbers(*this, type);
    return kernels != nullptr ? kernels->squared_norms : nullptr;
}

}  // namespace vecdb::simd
