#include "simd/kernels_tile.h"
#include "simd/lanes_avx512vnni.h"

namespace vecdb::simd {

extern const KernelTable kAvx512VnniTable;
constexpr KernelTable kAvx512VnniTable =
    make_table<Avx512Vnni, 12, 2>("avx512vnni", plain_code_kernels());

}  // namespace vecdb::simd
