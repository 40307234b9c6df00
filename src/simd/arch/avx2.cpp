#include "simd/kernels_tile.h"
#include "simd/lanes_avx2.h"

namespace vecdb::simd {

extern const KernelTable kAvx2Table;
constexpr KernelTable kAvx2Table = make_table<Avx2, 6, 2>("avx2");

}  // namespace vecdb::simd
