#include "simd/code_lanes_neon.h"
#include "simd/kernels_tile.h"

namespace vecdb::simd {

extern const KernelTable kNeonTable;
constexpr KernelTable kNeonTable =
    make_table<XsimdLanes<xsimd::neon64>, 8, 2>("neon", wide_code_kernels<NeonCodeLanes>());

}  // namespace vecdb::simd
