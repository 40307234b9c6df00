#pragma once

/// \file
/// The values of many rows, field by field.

#include <vecdb/scalar.h>
#include <vecdb/views.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vecdb {

/// View the values of one field for the rows of a batch, in their order: of a scalar field, or the
/// vectors of a vector field other than the first. Texts and bytes may be given as std::string or
/// std::string_view, nulls as Scalar.
///
///     collection.insert(ids, images, {{"title", titles}, {"price", prices}, {"brand", brands}});
///
/// Threads: a value; what is viewed must not change during the call it is passed to.
class ColumnView {
  public:
    using Values = std::variant<std::span<const bool>,
                                std::span<const std::int64_t>,
                                std::span<const double>,
                                std::span<const std::string>,
                                std::span<const std::string_view>,
                                std::span<const Scalar>,
                                MatrixView>;

    ColumnView(std::string_view field, std::span<const bool> values) noexcept
        : field_(field), values_(values) {}
    ColumnView(std::string_view field, std::span<const std::int64_t> values) noexcept
        : field_(field), values_(values) {}
    ColumnView(std::string_view field, std::span<const double> values) noexcept
        : field_(field), values_(values) {}
    ColumnView(std::string_view field, std::span<const std::string> values) noexcept
        : field_(field), values_(values) {}
    ColumnView(std::string_view field, std::span<const std::string_view> values) noexcept
        : field_(field), values_(values) {}
    ColumnView(std::string_view field, std::span<const Scalar> values) noexcept
        : field_(field), values_(values) {}
    ColumnView(std::string_view field, MatrixView vectors) noexcept
        : field_(field), values_(vectors) {}

    [[nodiscard]] std::string_view field() const noexcept { return field_; }
    [[nodiscard]] const Values& values() const noexcept { return values_; }
    /// Return the vectors of a vector field, or null.
    [[nodiscard]] const MatrixView* vectors() const noexcept {
        return std::get_if<MatrixView>(&values_);
    }
    /// Return the number of rows.
    [[nodiscard]] std::size_t size() const {
        if (const MatrixView* matrix = vectors()) return matrix->rows();
        return std::visit(
            [](const auto& values) -> std::size_t {
                if constexpr (requires { values.size(); }) return values.size();
                return 0;  // vectors, counted above
            },
            values_);
    }

  private:
    std::string_view field_;
    Values values_;
};

/// The value of one field for one row that is written: of a scalar field, or the vector of a vector
/// field other than the first, which is viewed until the write returns.
struct FieldValue {
    FieldValue(std::string_view name, Scalar scalar) : field(name), value(std::move(scalar)) {}
    /// View a vector, or what a VectorView can be made of.
    template <class Vector>
    requires std::convertible_to<const Vector&, VectorView> FieldValue(std::string_view name,
                                                                       const Vector& elements)
        : field(name), vector(VectorView(elements)) {}

    std::string_view field;
    Scalar value;
    std::optional<VectorView> vector;  ///< None: `value` counts.
};

/// The values of one scalar field, row by row.
struct ScalarColumn {
    std::string field;
    std::vector<Scalar> values;
};

}  // namespace vecdb
