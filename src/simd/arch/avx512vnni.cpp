#include "simd/code_lanes_avx512.h"
#include "simd/kernels_tile.h"
#include "simd/lanes_avx512vnni.h"

namespace vecdb::simd {

extern const KernelTable kAvx512VnniTable;
constexpr KernelTable kAvx512VnniTable =
    make_table<Avx512Vnni, 12, 2>("avx512vnni", wide_code_kernels<Avx512VnniCodeLanes>());

}  // namespace vecdb::simd
