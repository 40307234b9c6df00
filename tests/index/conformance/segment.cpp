#include "index/conformance/segment.h"

#include "index/conformance/elements.h"

#include <vecdb/dataset_io.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace vecdb::test {
namespace {

constexpr std::size_t kQueries = 6;
constexpr std::size_t kGap = 8;  ///< Bytes between rows; a multiple of every element's size.
constexpr std::size_t kLead = 4;

std::vector<float> unit(std::span<const float> row) {
    double square = 0;
    for (const float x : row)
        square += static_cast<double>(x) * x;
    std::vector<float> result(row.begin(), row.end());
    if (square == 0) return result;
    for (float& x : result)
        x = static_cast<float>(x / std::sqrt(square));
    return result;
}

std::vector<std::byte> as_elements(Segment::Kind kind, std::span<const float> row) {
    if (kind.metric != Metric::kCosine) return to_elements(kind.type, row);
    return to_elements(kind.type, unit(row));
}

/// Draw rows around a few centres, some of them far out.
Matrix clustered_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    const Matrix centres = normal_rows(12, dim, seed);
    Matrix matrix = normal_rows(rows, dim, seed + 1);
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t c = i * 7 % centres.rows;
        const float width = c == 0 ? 0.01F : 0.2F;
        for (std::size_t d = 0; d < dim; ++d)
            matrix.row(i)[d] = 3.0F * centres.row(c)[d] + width * matrix.row(i)[d];
    }
    return matrix;
}

/// Repeat a few rows many times, so that every answer is cut within equal distances.
Matrix repeated_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    Matrix matrix = normal_rows(rows, dim, seed);
    for (std::size_t i = 0; i < rows; ++i) {
        if (i % 4 == 3) continue;
        const auto from = matrix.row(i % 8 == 0 ? 0 : i % 12);
        std::copy(from.begin(), from.end(), matrix.row(i).begin());
    }
    return matrix;
}

/// Read rows that lie evenly over the shipped words.
Matrix word_rows(std::size_t rows) {
    const auto reader =
        DatasetReader::open(std::filesystem::path(VECDB_TEST_DATA) / "words.npy").value();
    const DatasetInfo info = reader.info();
    Matrix matrix(std::min(rows, info.rows), info.dim);
    const std::size_t step = info.rows / std::max<std::size_t>(matrix.rows, 1);
    for (std::size_t i = 0; i < matrix.rows; ++i)
        reader.read_floats(i * step, 1, matrix.row(i)).check();
    return matrix;
}

Matrix rows_of(const std::string& data, std::size_t rows, std::uint64_t seed) {
    if (data == "gaussian") return normal_rows(rows, 24, seed);
    if (data == "clustered") return clustered_rows(rows, 33, seed);
    if (data == "duplicates") return repeated_rows(rows, 17, seed);
    if (data == "integers") return integer_rows(rows, 9, 3, seed);
    if (data == "words") return word_rows(rows);
    if (data == "two rows") return normal_rows(2, 3, seed);
    if (data == "one row") return normal_rows(1, 5, seed);
    if (data == "empty") return Matrix(0, 8);
    throw std::invalid_argument("no data named " + data);
}

/// Take some rows as they are, some with noise, and some that have nothing to do with them.
Matrix queries_for(const Matrix& rows, std::uint64_t seed) {
    Matrix queries = normal_rows(kQueries, rows.dim, seed + 100);
    for (std::size_t q = 0; rows.rows > 0 && q + 2 < kQueries; ++q) {
        const auto near = rows.row(q * 31 % rows.rows);
        const float noise = q % 2 == 0 ? 0.0F : 0.3F;
        for (std::size_t d = 0; d < rows.dim; ++d)
            queries.row(q)[d] = near[d] + noise * queries.row(q)[d];
    }
    return queries;
}

}  // namespace

Segment::Segment(
    std::string name, Kind kind, const Matrix& rows, const Matrix& queries, std::uint64_t seed)
    : name_(std::move(name)),
      kind_(kind),
      dim_(rows.dim),
      stride_(vector_bytes(kind.type, rows.dim) + kGap),
      bytes_(kLead + rows.rows * stride_, std::byte{0xFF}),  // NaN between the rows
      ids_(shuffled_ids(rows.rows, seed, 3)) {
    if (kind.type == ElementType::kFloat32) stride_ = (stride_ + 3) / 4 * 4;
    if (vector_bytes(kind.type, 8) == 16) stride_ = (stride_ + 1) / 2 * 2;
    bytes_.resize(kLead + rows.rows * stride_, std::byte{0xFF});
    const bool has_norms =
        kind.type == ElementType::kFloat32 && kind.metric != Metric::kCosine && seed % 2 == 0;
    for (std::size_t i = 0; i < rows.rows; ++i) {
        const auto elements = as_elements(kind, rows.row(i));
        std::memcpy(place(i), elements.data(), elements.size());
        if (!has_norms) continue;
        float norm = 0;
        for (const float x : rows.row(i))
            norm += x * x;
        norms_.push_back(norm);
    }
    for (std::size_t q = 0; q < queries.rows; ++q)
        queries_.push_back(as_elements(kind, queries.row(q)));
}

std::byte* Segment::place(std::size_t row) noexcept {
    return bytes_.data() + kLead + row * stride_;
}

IndexRows Segment::rows(std::size_t count) const noexcept {
    return {.base = bytes_.data() + kLead,
            .stride = stride_,
            .dim = dim_,
            .count = count,
            .ids = ids_.data(),
            .norms = norms_.empty() ? nullptr : norms_.data(),
            .metric = kind_.metric,
            .element_type = kind_.type};
}

Segment Segment::reordered(std::span<const std::uint32_t> order) const {
    Segment copy = *this;
    const IndexRows from = rows();
    for (std::size_t i = 0; i < order.size(); ++i) {
        std::memcpy(copy.place(i), from.row(order[i]), vector_bytes(kind_.type, dim_));
        copy.ids_[i] = ids_[order[i]];
        if (!norms_.empty()) copy.norms_[i] = norms_[order[i]];
    }
    return copy;
}

void Segment::spoil() {
    std::fill(bytes_.begin(), bytes_.end(), std::byte{0x40});
    std::fill(ids_.begin(), ids_.end(), Id{1});
    std::fill(norms_.begin(), norms_.end(), 1.0F);
}

std::span<const std::string> data_names() {
    static const std::vector<std::string> names = {
        "gaussian", "clustered", "duplicates", "integers", "words", "two rows", "one row", "empty"};
    return names;
}

Segment make_segment(const std::string& data,
                     Segment::Kind kind,
                     std::size_t rows,
                     std::uint64_t seed) {
    const Matrix matrix = rows_of(data, rows, seed);
    return {data, kind, matrix, queries_for(matrix, seed), seed};
}

std::vector<Segment::Kind> all_kinds() {
    std::vector<Segment::Kind> kinds;
    for (const ElementType type : {ElementType::kFloat32,
                                   ElementType::kFloat16,
                                   ElementType::kBFloat16,
                                   ElementType::kInt8}) {
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine})
            kinds.push_back({metric, type});
    }
    kinds.push_back({Metric::kHamming, ElementType::kBit});
    kinds.push_back({Metric::kJaccard, ElementType::kBit});
    return kinds;
}

std::string to_string(Segment::Kind kind) {
    return std::string(vecdb::to_string(kind.metric)) + ' ' +
           std::string(vecdb::to_string(kind.type));
}

}  // namespace vecdb::test
