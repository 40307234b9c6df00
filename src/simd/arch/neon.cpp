#include "simd/code_lanes_neon.h"
#include "simd/kernels_tile.h"
#include "simd/lanes_neon.h"

namespace vecdb::simd {

extern const KernelTable kNeonTable;
constexpr KernelTable kNeonTable =
    make_table<Neon, 8, 2>("neon", wide_code_kernels<NeonCodeLanes>());

}  // namespace vecdb::simd
