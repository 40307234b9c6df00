#include "check.h"
#include "persist/errors.h"
#include "persist/formats/item_type.h"

#include <vecdb/dataset_io.h>

#include <algorithm>
#include <string>
#include <utility>

namespace vecdb {

namespace {

/// Give `matrix` the shape of the file and room for its values, at most 8 bytes per byte of the
/// file.
template <class Matrix>
Status resize(const DatasetInfo& info, Matrix& matrix) {
    const std::uint64_t count = info.rows * info.dim;  // no more than the file has bytes
    if (count > matrix.values.max_size()) {
        return {StatusCode::kOutOfMemory, std::to_string(count) + " values do not fit in memory"};
    }
    matrix.rows = static_cast<std::size_t>(info.rows);
    matrix.dim = static_cast<std::size_t>(info.dim);
    matrix.one_dimensional = info.one_dimensional;
    matrix.values.resize(static_cast<std::size_t>(count));
    return {};
}

Status check_mask(const DatasetInfo& info) {
    const bool bytes = info.item == ItemType::kBool || info.item == ItemType::kUint8;
    if (bytes && info.dim == 1) return {};
    return {StatusCode::kInvalidArgument,
            "holds " + std::to_string(info.dim) + " " + std::string(to_string(info.item)) +
                " a row, expected a mask: 1 bool or uint8 a row"};
}

}  // namespace

Result<FloatMatrix> read_floats(const std::filesystem::path& path) {
    return guard([&]() -> Result<FloatMatrix> {
        VECDB_ASSIGN(const DatasetReader reader, DatasetReader::open(path));
        FloatMatrix matrix;
        VECDB_TRY(persist::in_file(path, resize(reader.info(), matrix)));
        VECDB_TRY(reader.read_floats(0, reader.info().rows, matrix.values));
        return matrix;
    });
}

Result<IntMatrix> read_ints(const std::filesystem::path& path) {
    return guard([&]() -> Result<IntMatrix> {
        VECDB_ASSIGN(const DatasetReader reader, DatasetReader::open(path));
        VECDB_TRY(reader.read_ints(0, 0, {}));  // refuse other items before asking for memory
        IntMatrix matrix;
        VECDB_TRY(persist::in_file(path, resize(reader.info(), matrix)));
        VECDB_TRY(reader.read_ints(0, reader.info().rows, matrix.values));
        return matrix;
    });
}

Result<std::vector<std::uint8_t>> read_mask(const std::filesystem::path& path) {
    return guard([&]() -> Result<std::vector<std::uint8_t>> {
        constexpr std::uint64_t kBatchRows = 65'536;
        VECDB_ASSIGN(const DatasetReader reader, DatasetReader::open(path));
        const DatasetInfo& info = reader.info();
        VECDB_TRY(persist::in_file(path, check_mask(info)));
        std::vector<std::uint8_t> mask(static_cast<std::size_t>(info.rows));
        std::vector<std::int64_t> batch;
        for (std::uint64_t first = 0; first < info.rows; first += kBatchRows) {
            const std::uint64_t rows = std::min(kBatchRows, info.rows - first);
            batch.resize(static_cast<std::size_t>(rows));
            VECDB_TRY(reader.read_ints(first, rows, batch));
            std::transform(batch.begin(),
                           batch.end(),
                           mask.begin() + static_cast<std::ptrdiff_t>(first),
                           [](std::int64_t item) { return std::uint8_t{item != 0}; });
        }
        return mask;
    });
}

}  // namespace vecdb
