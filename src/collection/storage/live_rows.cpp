#include "collection/storage/live_rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace vecdb::collection {
namespace {

/// A column of `bytes` bytes a row.
struct Column {
    std::byte* base;
    std::size_t bytes;

    [[nodiscard]] std::byte* at(std::size_t row) const noexcept { return base + row * bytes; }
};

template <class T>
Column column(T* first, std::size_t elements) {
    return {reinterpret_cast<std::byte*>(first), elements * sizeof(T)};
}

/// Move rows along the cycle of `order` that begins at `start`.
void turn_cycle(const Column& column,
                std::span<const std::uint32_t> order,
                std::size_t start,
                std::byte* spare) noexcept {
    std::memcpy(spare, column.at(start), column.bytes);
    std::size_t row = start;
    while (order[row] != start) {
        std::memcpy(column.at(row), column.at(order[row]), column.bytes);
        row = order[row];
    }
    std::memcpy(column.at(row), spare, column.bytes);
}

/// Put the rows of columns in the order of a permutation.
void turn(const std::vector<Column>& columns, std::span<const std::uint32_t> order) {
    const auto widest =
        std::max_element(columns.begin(), columns.end(), [](const Column& a, const Column& b) {
            return a.bytes < b.bytes;
        });
    std::vector<std::byte> spare(widest->bytes);
    std::vector<bool> moved(order.size());
    for (std::size_t start = 0; start < order.size(); ++start) {
        if (moved[start]) continue;
        for (const Column& each : columns)
            turn_cycle(each, order, start, spare.data());
        for (std::size_t row = start; !moved[row]; row = order[row])
            moved[row] = true;
    }
}

/// Copy the vector that row `from` has in a field.
void copy_vector(const SegmentVersion& segment,
                 std::size_t from,
                 std::size_t field,
                 const RowStore& to,
                 std::size_t row) noexcept {
    const std::size_t position = segment.position(from, field);
    std::memcpy(
        to.vector(row, field), segment.vector(position, field), to.format().vector(field).bytes());
    to.norm(row, field) = segment.norm(position, field);
}

}  // namespace

std::size_t append_live(const SegmentVersion& segment,
                        std::size_t b,
                        std::size_t first,
                        const RowStore& to,
                        std::size_t row) {
    const index::FlatBlock block = segment.block(b, nullptr);
    const std::span<const Cells> from = segment.cells(b);
    const std::size_t bytes = to.format().first.bytes();
    const std::size_t fields = to.format().vector_fields();
    for (std::size_t i = first; i < block.count; ++i) {
        if (!block.filter.test(i)) continue;
        std::memcpy(to.vector(row), block.rows.row(i), bytes);
        to.id(row) = block.ids[i];
        to.norm(row) = block.norms[i];
        for (std::size_t field = 1; field < fields; ++field)
            copy_vector(segment, b * segment.rows_per_block + i, field, to, row);
        const std::span<const Cells> cells = to.cells(row);
        for (std::size_t field = 0; field < cells.size(); ++field)
            cells[field].copy(to.offset(row), from[field], i);
        ++row;
    }
    return row;
}

bool is_permutation(std::span<const std::uint32_t> order, std::size_t rows) {
    if (order.size() != rows) return false;
    std::vector<bool> seen(rows);
    for (const std::uint32_t row : order) {
        if (row >= rows || seen[row]) return false;
        seen[row] = true;
    }
    return true;
}

void permute_vectors(const RowStore& store,
                     std::size_t field,
                     std::span<const std::uint32_t> order) {
    turn({column(store.vector(0, field), store.format().vector(field).bytes()),
          column(&store.norm(0, field), 1)},
         order);
}

void permute_rows(const RowStore& store, std::span<const std::uint32_t> order) {
    std::vector<Column> columns = {column(&store.id(0), 1)};
    for (const Cells& cells : store.cells(0)) {
        columns.push_back({cells.values.data(), cell_bytes(cells.type)});
        if (cells.nulls.size() != 0) columns.push_back(column(cells.nulls.data(), 1));
    }
    turn(columns, order);
}

}  // namespace vecdb::collection
