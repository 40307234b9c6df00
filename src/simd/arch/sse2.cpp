#include "simd/code_lanes_sse2.h"
#include "simd/kernels_tile.h"
#include "simd/lanes_sse2.h"

namespace vecdb::simd {

extern const KernelTable kSse2Table;
constexpr KernelTable kSse2Table =
    make_table<Sse2, 4, 2>("sse2", wide_code_kernels<Sse2CodeLanes>());

}  // namespace vecdb::simd
