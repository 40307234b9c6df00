#include "collection/query/prepared_queries.h"

#include "check.h"
#include "collection/vectors.h"

#include <cstdint>
#include <cstring>

namespace vecdb::collection {

Status prepare_queries(const simd::KernelTable& kernels,
                       const VectorField& field,
                       MatrixView queries,
                       std::vector<float>& out) {
    VECDB_TRY(check_shape(field, queries));
    out.resize(queries.rows() * field.dim);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        float* const row = out.data() + q * field.dim;
        std::memcpy(row, queries.row<float>(q), field.dim * sizeof(float));
        float norm = 0;
        const auto number = static_cast<std::uint32_t>(q);
        VECDB_TRY(finish_rows(kernels, field, {row, 1, &norm}, {&number, 1}));
    }
    return {};
}

}  // namespace vecdb::collection
