#pragma once

/// \file
/// Rows as they are read back.

#include <vecdb/columns.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb {

/// Rows fetched by id, in the order asked for, their vectors in the field's own element type.
struct FetchedRows {
    std::size_t dim = 0;
    ElementType type = ElementType::kFloat32;
    /// Packed rows of vector_bytes(type, dim) bytes, aligned for any type; zeros where `found` is
    /// false.
    std::vector<std::byte> bytes;
    /// One per id asked for.
    std::vector<bool> found;
    /// The scalar fields asked for, in that order; null where `found` is false.
    std::vector<ScalarColumn> columns = {};

    /// Return the vector of the i-th id asked for; empty when its elements are no T.
    template <Element T = float>
    [[nodiscard]] std::span<const T> row(std::size_t i) const noexcept {
        if (type != ElementTypeOf<T>::kValue) return {};
        return elements<T>().subspan(i * dim, dim);
    }
    /// Return the bits of the i-th id asked for, as VectorView::bits; empty for other types.
    [[nodiscard]] std::span<const std::uint8_t> bits(std::size_t i) const noexcept {
        if (type != ElementType::kBit) return {};
        const std::size_t size = vector_bytes(type, dim);
        const void* first = bytes.data() + i * size;
        return {static_cast<const std::uint8_t*>(first), size};
    }
    /// View all vectors, to search or insert them elsewhere.
    [[nodiscard]] MatrixView view() const noexcept {
        return MatrixView::of(bytes.data(), found.size(), dim, type);
    }
    /// Return the elements of all vectors, row by row; empty when they are no T.
    template <Element T = float>
    [[nodiscard]] std::span<const T> elements() const noexcept {
        if (type != ElementTypeOf<T>::kValue) return {};
        const void* first = bytes.data();
        return {static_cast<const T*>(first), found.size() * dim};
    }
};

}  // namespace vecdb
