#include "simd/code_lanes_avx2.h"
#include "simd/kernels_tile.h"
#include "simd/lanes_avx2.h"

namespace vecdb::simd {

extern const KernelTable kAvx2Table;
constexpr KernelTable kAvx2Table =
    make_table<Avx2, 6, 2>("avx2", wide_code_kernels<Avx2CodeLanes>());

}  // namespace vecdb::simd
