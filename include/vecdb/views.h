#pragma once

/// \file
/// Non-owning views of the caller's vectors. Views are parameters: the library never keeps one
/// past the call. A view of a temporary container does not compile.

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace vecdb {

/// Map a C++ type to its ElementType. Bits have no C++ type: see VectorView::bits.
template <class T>
struct ElementTypeOf;
template <>
struct ElementTypeOf<float> {
    static constexpr ElementType kValue = ElementType::kFloat32;
};
template <>
struct ElementTypeOf<Float16> {
    static constexpr ElementType kValue = ElementType::kFloat16;
};
template <>
struct ElementTypeOf<BFloat16> {
    static constexpr ElementType kValue = ElementType::kBFloat16;
};
template <>
struct ElementTypeOf<std::int8_t> {
    static constexpr ElementType kValue = ElementType::kInt8;
};

/// A C++ type that a vector may consist of.
template <class T>
concept Element = requires {
    ElementTypeOf<std::remove_const_t<T>>::kValue;
};

/// View one vector: `dim` elements of one type, contiguous, of any alignment the type allows.
/// Threads: a value; the viewed elements must not change during the call it is passed to.
class VectorView {
  public:
    constexpr VectorView() noexcept = default;

    template <Element T>
    constexpr VectorView(const T* data, std::size_t dim) noexcept
        : data_(data), dim_(dim), type_(ElementTypeOf<T>::kValue) {}

    template <Element T, std::size_t N>
    constexpr VectorView(std::span<T, N> elements) noexcept  // NOLINT(google-explicit-constructor)
        : VectorView(elements.data(), elements.size()) {}

    template <Element T>
    VectorView(const std::vector<T>& elements) noexcept  // NOLINT(google-explicit-constructor)
        : VectorView(elements.data(), elements.size()) {}
    template <Element T>
    VectorView(const std::vector<T>&&) = delete;  // the view would dangle

    /// View `dim` bits in (dim + 7) / 8 bytes, dimension i in bit i % 8 of byte i / 8.
    [[nodiscard]] static constexpr VectorView bits(const std::uint8_t* data,
                                                   std::size_t dim) noexcept {
        VectorView view;
        view.data_ = data;
        view.dim_ = dim;
        view.type_ = ElementType::kBit;
        return view;
    }

    [[nodiscard]] constexpr const void* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] constexpr ElementType type() const noexcept { return type_; }

  private:
    const void* data_ = nullptr;
    std::size_t dim_ = 0;
    ElementType type_ = ElementType::kFloat32;
};

/// View `rows` vectors of `dim` elements, row i starting `i * stride_bytes()` bytes after the
/// first. Rows may be farther apart than they are long.
/// Threads: a value; the viewed elements must not change during the call it is passed to.
class MatrixView {
  public:
    constexpr MatrixView() noexcept = default;

    /// View packed rows: `data` holds rows x dim elements.
    template <Element T>
    constexpr MatrixView(const T* data, std::size_t rows, std::size_t dim) noexcept
        : MatrixView(data, rows, dim, dim) {}

    /// View rows that start `stride` elements apart, stride >= dim.
    template <Element T>
    constexpr MatrixView(const T* data,
                         std::size_t rows,
                         std::size_t dim,
                         std::size_t stride) noexcept
        : data_(data),
          rows_(rows),
          dim_(dim),
          stride_bytes_(stride * sizeof(T)),
          type_(ElementTypeOf<T>::kValue) {}

    /// View a vector of rows x dim packed elements; rows = size / dim, a remainder is not seen.
    template <Element T>
    MatrixView(const std::vector<T>& elements, std::size_t dim) noexcept
        : MatrixView(elements.data(), dim == 0 ? 0 : elements.size() / dim, dim) {}
    template <Element T>
    MatrixView(const std::vector<T>&&, std::size_t) = delete;  // the view would dangle

    /// View one vector as a matrix of one row.
    constexpr MatrixView(VectorView row) noexcept  // NOLINT(google-explicit-constructor)
        : data_(row.data()),
          rows_(1),
          dim_(row.dim()),
          stride_bytes_(vector_bytes(row.type(), row.dim())),
          type_(row.type()) {}

    /// View packed rows of bits, each (dim + 7) / 8 bytes.
    [[nodiscard]] static constexpr MatrixView bits(const std::uint8_t* data,
                                                   std::size_t rows,
                                                   std::size_t dim) noexcept {
        MatrixView view(VectorView::bits(data, dim));
        view.rows_ = rows;
        return view;
    }

    /// View packed rows of a type that is known at run time, vector_bytes(type, dim) bytes each.
    [[nodiscard]] static constexpr MatrixView of(const void* data,
                                                 std::size_t rows,
                                                 std::size_t dim,
                                                 ElementType type) noexcept {
        MatrixView view;
        view.data_ = data;
        view.rows_ = rows;
        view.dim_ = dim;
        view.stride_bytes_ = vector_bytes(type, dim);
        view.type_ = type;
        return view;
    }

    [[nodiscard]] constexpr const void* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] constexpr std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] constexpr std::size_t stride_bytes() const noexcept { return stride_bytes_; }
    [[nodiscard]] constexpr ElementType type() const noexcept { return type_; }

    /// Return row i as elements of type T, which must be the view's type; i < rows().
    template <Element T>
    [[nodiscard]] const T* row(std::size_t i) const noexcept {
        return reinterpret_cast<const T*>(static_cast<const std::byte*>(data_) + i * stride_bytes_);
    }

    /// Return rows [first, first + count), which must lie within the view.
    [[nodiscard]] constexpr MatrixView slice(std::size_t first, std::size_t count) const noexcept {
        MatrixView part = *this;
        part.data_ = static_cast<const std::byte*>(data_) + first * stride_bytes_;
        part.rows_ = count;
        return part;
    }

  private:
    const void* data_ = nullptr;
    std::size_t rows_ = 0;
    std::size_t dim_ = 0;
    std::size_t stride_bytes_ = 0;
    ElementType type_ = ElementType::kFloat32;
};

}  // namespace vecdb
