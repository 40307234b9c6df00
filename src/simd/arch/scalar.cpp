#define VECDB_SCALAR_ONLY
#include "simd/kernels_tile.h"
#include "simd/lanes_scalar.h"

namespace vecdb::simd {

extern const KernelTable kScalarTable;
constexpr KernelTable kScalarTable = make_table<Scalar, 4, 4>("scalar", plain_code_kernels());

}  // namespace vecdb::simd
