#include "collection/query/prepared_queries.h"

#include "check.h"
#include "collection/vectors.h"

#include <cstdint>
#include <cstring>

namespace vecdb::collection {

Status prepare_queries(const simd::KernelTable& kernels,
                       const VectorField& field,
                       MatrixView queries,
                       std::vector<std::byte>& out) {
    VECDB_TRY(check_shape(field, queries));
    const std::size_t bytes = vector_bytes(field.element_type, field.dim);
    out.resize(queries.rows() * bytes);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        std::byte* const row = out.data() + q * bytes;
        std::memcpy(row, queries.slice(q, 1).data(), bytes);
        float norm = 0;
        const auto number = static_cast<std::uint32_t>(q);
        VECDB_TRY(finish_rows(kernels, field, {row, 1, &norm}, {&number, 1}));
    }
    return {};
}

}  // namespace vecdb::collection
