#include "simd/kernels_tile.h"
#include "simd/lanes_neon.h"

namespace vecdb::simd {

extern const KernelTable kNeonTable;
constexpr KernelTable kNeonTable = make_table<Neon, 8, 2>("neon", plain_code_kernels());

}  // namespace vecdb::simd
