#pragma once

/// \file
/// Files of vectors as vectors of any element type.

#include <vecdb/dataset_io.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb::cli {

/// Return the element type that holds the items of a file without loss, as far as there is one:
/// float16 and int8 as they are, all others float32.
[[nodiscard]] ElementType element_type_of(ItemType item) noexcept;

/// Return the dimension that rows of `items` items have as vectors of `type`: of bits, eight an
/// item.
[[nodiscard]] std::size_t dimension_of(std::size_t items, ElementType type) noexcept;

/// Reads the rows of a file as vectors of one type. Floats are rounded to the nearest; int8 takes
/// integers from -128 to 127, and bits bytes from 0 to 255, eight dimensions each, the first in the
/// lowest bit. Functions throw CommandError(kInput) naming file and row.
/// Threads: needs exclusive access.
class VectorFile {
  public:
    VectorFile(const std::string& path, ElementType type);

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }

    /// Take `dim` as the dimension; `owner` stands for who has it in the error when rows are of
    /// another one. Of bits, the last byte may be one of fewer. A .npy of one axis is one row from
    /// then on if `one_row` allows it.
    void expect(std::size_t dim, const std::string& owner, bool one_row);

    /// Read rows [first, first + count), which the file has. The view holds until the next call.
    [[nodiscard]] MatrixView read(std::size_t first, std::size_t count);

  private:
    template <class T, class Convert>
    void convert(const std::vector<float>& from, std::vector<T>& to, Convert&& convert);
    template <class T>
    void narrow(std::size_t first, std::vector<T>& to);

    std::string path_;
    ElementType type_;
    DatasetReader reader_;
    std::size_t items_;  // of a row in the file
    std::size_t rows_;
    std::size_t dim_;
    bool one_row_ = false;  // the file's one axis is one vector
    std::vector<float> floats_;
    std::vector<std::int64_t> ints_;
    std::vector<Float16> halves_;
    std::vector<BFloat16> bfloats_;
    std::vector<std::int8_t> bytes_;
    std::vector<std::uint8_t> bits_;
};

}  // namespace vecdb::cli
