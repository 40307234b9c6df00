#include "simd/kernels_tile.h"

namespace vecdb::simd {

extern const KernelTable kAvx512VnniTable;
constexpr KernelTable kAvx512VnniTable =
    make_table<XsimdLanes<xsimd::avx512bw>, 12, 2>("avx512vnni", plain_code_kernels());

}  // namespace vecdb::simd
