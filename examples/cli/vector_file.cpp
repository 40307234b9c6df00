#include "vector_file.h"

#include "exit_code.h"

#include <vecdb/half.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace vecdb::cli {

ElementType element_type_of(ItemType item) noexcept {
    switch (item) {
        case ItemType::kFloat16:
            return ElementType::kFloat16;
        case ItemType::kInt8:
            return ElementType::kInt8;
        default:
            return ElementType::kFloat32;
    }
}

std::size_t dimension_of(std::size_t items, ElementType type) noexcept {
    return type == ElementType::kBit ? 8 * items : items;
}

VectorFile::VectorFile(const std::string& path, ElementType type)
    : path_(path),
      type_(type),
      reader_(value_of(DatasetReader::open(path), ExitCode::kInput)),
      items_(static_cast<std::size_t>(reader_.info().dim)),
      rows_(static_cast<std::size_t>(reader_.info().rows)),
      dim_(dimension_of(items_, type)) {}

void VectorFile::expect(std::size_t dim, const std::string& owner, bool one_row) {
    if (one_row && reader_.info().one_dimensional) {
        std::swap(items_, rows_);
        one_row_ = true;
        dim_ = dimension_of(items_, type_);
    }
    const bool fits = type_ == ElementType::kBit ? items_ == vector_bytes(type_, dim) : dim_ == dim;
    if (!fits) {
        throw CommandError(ExitCode::kInput,
                           path_ + ": the rows have dimension " + std::to_string(dim_) + ", " +
                               owner + " " + std::to_string(dim));
    }
    dim_ = dim;
}

template <class T, class Convert>
void VectorFile::convert(const std::vector<float>& from, std::vector<T>& to, Convert&& convert) {
    to.resize(from.size());
    std::transform(from.begin(), from.end(), to.begin(), convert);
}

template <class T>
void VectorFile::narrow(std::size_t first, std::vector<T>& to) {
    to.resize(ints_.size());
    for (std::size_t i = 0; i < ints_.size(); ++i) {
        if (!std::in_range<T>(ints_[i])) {
            throw CommandError(ExitCode::kInput,
                               path_ + ": row " + std::to_string(first + i / items_) + " holds " +
                                   std::to_string(ints_[i]) + ", expected " +
                                   std::to_string(std::numeric_limits<T>::min()) + " to " +
                                   std::to_string(std::numeric_limits<T>::max()) + " for " +
                                   std::string(to_string(type_)));
        }
        to[i] = static_cast<T>(ints_[i]);
    }
}

MatrixView VectorFile::read(std::size_t first, std::size_t count) {
    const std::size_t file_first = one_row_ ? 0 : first;
    const std::size_t file_rows = one_row_ ? items_ * count : count;
    const bool integers = type_ == ElementType::kInt8 || type_ == ElementType::kBit;
    if (integers) {
        ints_.resize(count * items_);
        check(reader_.read_ints(file_first, file_rows, ints_), ExitCode::kInput);
    } else {
        floats_.resize(count * items_);
        check(reader_.read_floats(file_first, file_rows, floats_), ExitCode::kInput);
    }
    switch (type_) {
        case ElementType::kFloat16:
            convert(floats_, halves_, [](float value) { return to_float16(value); });
            return {halves_, dim_};
        case ElementType::kBFloat16:
            convert(floats_, bfloats_, [](float value) { return to_bfloat16(value); });
            return {bfloats_, dim_};
        case ElementType::kInt8:
            narrow(first, bytes_);
            return {bytes_, dim_};
        case ElementType::kBit:
            narrow(first, bits_);
            return MatrixView::bits(bits_.data(), count, dim_);
        default:
            return {floats_, dim_};
    }
}

}  // namespace vecdb::cli
