#include "simd/kernels_tile.h"

namespace vecdb::simd {

extern const KernelTable kNeonTable;
constexpr KernelTable kNeonTable =
    make_table<XsimdLanes<xsimd::neon64>, 8, 2>("neon", plain_code_kernels());

}  // namespace vecdb::simd
