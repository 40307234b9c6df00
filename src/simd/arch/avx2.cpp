#include "simd/code_lanes_avx2.h"
#include "simd/kernels_tile.h"

namespace vecdb::simd {

extern const KernelTable kAvx2Table;
constexpr KernelTable kAvx2Table = make_table<XsimdLanes<xsimd::fma3<xsimd::avx2>>, 6, 2>(
    "avx2", wide_code_kernels<Avx2CodeLanes>());

}  // namespace vecdb::simd
