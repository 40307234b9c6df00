#include "simd/code_lanes_avx512.h"
#include "simd/kernels_tile.h"
#include "simd/lanes_avx512.h"

namespace vecdb::simd {

extern const KernelTable kAvx512Table;
constexpr KernelTable kAvx512Table =
    make_table<Avx512, 12, 2>("avx512", wide_code_kernels<Avx512CodeLanes>());

}  // namespace vecdb::simd
