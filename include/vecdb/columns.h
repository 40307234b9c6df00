#pragma once

/// \file
/// Scalar values of many rows, field by field.

#include <vecdb/scalar.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vecdb {

/// View the values of one scalar field for the rows of a batch, in their order. Texts and bytes may
/// be given as std::string or std::string_view, nulls as Scalar.
///
///     collection.insert(ids, vectors, {{"price", prices}, {"brand", brands}});
///
/// Threads: a value; what is viewed must not change during the call it is passed to.
class ColumnView {
  public:
    using Values = std::variant<std::span<const bool>,
                                std::span<const std::int64_t>,
                                std::span<const double>,
                                std::span<const std::string>,
                                std::span<const std::string_view>,
                                std::span<const Scalar>>;

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

    [[nodiscard]] std::string_view field() const noexcept { return field_; }
    [[nodiscard]] const Values& values() const noexcept { return values_; }
    [[nodiscard]] std::size_t size() const {
        return std::visit([](const auto& values) { return values.size(); }, values_);
    }

  private:
    std::string_view field_;
    Values values_;
};

/// The value of one scalar field for one row that is written.
struct FieldValue {
    std::string_view field;
    Scalar value;
};

/// The values of one scalar field, row by row.
struct ScalarColumn {
    std::string field;
    std::vector<Scalar> values;
};

}  // namespace vecdb
