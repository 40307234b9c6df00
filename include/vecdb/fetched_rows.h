#pragma once

/// \file
/// Rows as they are read back.

#include <vecdb/columns.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vecdb {

/// The vectors of one field, row by row, in the field's own element type.
struct FetchedVectors {
    std::string field;
    std::size_t dim = 0;
    ElementType type = ElementType::kFloat32;
    /// Packed rows of vector_bytes(type, dim) bytes, aligned for any type; zeros where there is no
    /// such row.
    std::vector<std::byte> bytes;

    /// Return how many there are.
    [[nodiscard]] std::size_t rows() const noexcept {
        return dim == 0 ? 0 : bytes.size() / vector_bytes(type, dim);
    }
    /// Return the i-th vector; empty when its elements are no T.
    template <Element T = float>
    [[nodiscard]] std::span<const T> row(std::size_t i) const noexcept {
        if (type != ElementTypeOf<T>::kValue) return {};
        return elements<T>().subspan(i * dim, dim);
    }
    /// Return the bits of the i-th vector, as VectorView::bits; empty for other types.
    [[nodiscard]] std::span<const std::uint8_t> bits(std::size_t i) const noexcept {
        if (type != ElementType::kBit) return {};
        const std::size_t size = vector_bytes(type, dim);
        const void* first = bytes.data() + i * size;
        return {static_cast<const std::uint8_t*>(first), size};
    }
    /// View all vectors, to search or insert them elsewhere.
    [[nodiscard]] MatrixView view() const noexcept {
        return MatrixView::of(bytes.data(), rows(), dim, type);
    }
    /// Return the elements of all vectors, row by row; empty when they are no T.
    template <Element T = float>
    [[nodiscard]] std::span<const T> elements() const noexcept {
        if (type != ElementTypeOf<T>::kValue) return {};
        const void* first = bytes.data();
        return {static_cast<const T*>(first), rows() * dim};
    }
};

/// Rows fetched by id, in the order asked for: the vectors of the first vector field, which it is,
/// and what else was asked for.
struct FetchedRows : FetchedVectors {
    /// One per id asked for. Where it is false vectors are zeros and values null.
    std::vector<bool> found;
    /// The scalar fields asked for, in that order.
    std::vector<ScalarColumn> columns;
    /// The other vector fields asked for, in that order.
    std::vector<FetchedVectors> vectors;
};

}  // namespace vecdb
