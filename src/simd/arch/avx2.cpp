#include "simd/kernels_tile.h"

namespace vecdb::simd {

extern const KernelTable kAvx2Table;
constexpr KernelTable kAvx2Table = make_table<XsimdLanes<xsimd::fma3<xsimd::avx2>>, 6, 2>("avx2");

}  // namespace vecdb::simd
