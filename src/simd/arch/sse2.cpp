#include "simd/code_lanes_sse2.h"
#include "simd/kernels_tile.h"

namespace vecdb::simd {

extern const KernelTable kSse2Table;
constexpr KernelTable kSse2Table =
    make_table<XsimdLanes<xsimd::sse2>, 4, 2>("sse2", wide_code_kernels<Sse2CodeLanes>());

}  // namespace vecdb::simd
