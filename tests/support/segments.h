#pragma once

/// \file
/// Segments of rows for tests of indexes: their memory, and data that is hard on codes.

#include "support/random_data.h"

#include <vecdb/index.h>
#include <vecdb/types.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

/// Own the rows of a segment; ids are not in the order of rows.
class Segment {
  public:
    Segment(Matrix rows, Metric metric) : matrix_(std::move(rows)), metric_(metric) {
        if (metric == Metric::kCosine) make_unit();
        ids_.resize(matrix_.rows);
        norms_.resize(matrix_.rows);
        for (std::size_t i = 0; i < matrix_.rows; ++i) {
            ids_[i] = static_cast<Id>((i * 7'919 + 13) % (matrix_.rows * 2));
            double sum = 0;
            for (const float value : matrix_.row(i))
                sum += static_cast<double>(value) * value;
            norms_[i] = static_cast<float>(sum);
        }
        // Rows share ids where 7,919 divides; then the order of equal distances is open.
        std::map<Id, std::size_t> seen;
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            if (!seen.emplace(ids_[i], i).second) ids_[i] = static_cast<Id>(matrix_.rows * 2 + i);
        }
    }

    [[nodiscard]] IndexRows view() const {
        return {.base = matrix_.values.data(),
                .stride = matrix_.dim * sizeof(float),
                .dim = matrix_.dim,
                .count = matrix_.rows,
                .ids = ids_.data(),
                .norms = norms_.data(),
                .metric = metric_};
    }
    [[nodiscard]] const Matrix& matrix() const { return matrix_; }

  private:
    void make_unit() {
        for (std::size_t i = 0; i < matrix_.rows; ++i) {
            double sum = 0;
            for (const float value : matrix_.row(i))
                sum += static_cast<double>(value) * value;
            const double length = std::sqrt(sum);
            if (length == 0) continue;
            for (float& value : matrix_.row(i))
                value = static_cast<float>(static_cast<double>(value) / length);
        }
    }

    Matrix matrix_;
    Metric metric_;
    std::vector<Id> ids_;
    std::vector<float> norms_;
};

inline void scale_all(Matrix& matrix, float factor) {
    for (float& value : matrix.values)
        value *= factor;
}

/// Draw rows around `centres` points at `distance` from the origin.
inline Matrix clustered_rows(std::size_t rows,
                             std::size_t dim,
                             std::size_t centres,
                             float distance,
                             float spread,
                             std::uint64_t seed) {
    const Matrix points = normal_rows(centres, dim, seed);
    Matrix matrix = normal_rows(rows, dim, seed + 1);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t d = 0; d < dim; ++d) {
            float& value = matrix.row(i)[d];
            value = value * spread + distance * points.row(i % centres)[d];
        }
    }
    return matrix;
}

/// Draw rows that spread along few directions, as pictures and texts do.
inline Matrix flat_spectrum_rows(std::size_t rows,
                                 std::size_t dim,
                                 double decay,
                                 std::uint64_t seed) {
    Matrix matrix = normal_rows(rows, dim, seed);
    const Matrix mix = normal_rows(dim, dim, seed + 1);
    Matrix mixed(rows, dim);
    std::vector<float> sizes(dim);
    for (std::size_t d = 0; d < dim; ++d)
        sizes[d] = static_cast<float>(std::pow(decay, static_cast<double>(d)));
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t a = 0; a < dim; ++a) {
            const float amount = matrix.row(i)[a] * sizes[a];
            if (sizes[a] < 1e-4F) break;
            for (std::size_t d = 0; d < dim; ++d)
                mixed.row(i)[d] += amount * mix.row(a)[d];
        }
    }
    return mixed;
}

/// Name a kind of data.
struct HardData {
    std::string name;
    Matrix rows;
};

/// Return data of every kind that bounds could fail on.
inline std::vector<HardData> hard_data(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    std::vector<HardData> all;
    all.push_back({"normal", normal_rows(rows, dim, seed)});
    all.push_back({"tight clusters far away", clustered_rows(rows, dim, 5, 100.0F, 0.01F, seed)});
    all.push_back({"far from the origin", far_rows(rows, dim, 1'000.0F, seed)});
    all.push_back({"few directions", flat_spectrum_rows(rows, dim, 0.8, seed)});
    Matrix outliers = normal_rows(rows, dim, seed);
    for (std::size_t i = 0; i < rows; ++i) {
        outliers.row(i)[0] *= 50.0F;
        outliers.row(i)[dim / 2] *= 20.0F;
    }
    all.push_back({"outlier dimensions", std::move(outliers)});
    all.push_back({"integers", integer_rows(rows, dim, 3, seed)});
    Matrix twins = integer_rows(rows, dim, 1, seed);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto first = twins.row(i % 7);
        std::copy(first.begin(), first.end(), twins.row(i).begin());
    }
    all.push_back({"duplicates", std::move(twins)});
    all.push_back({"zeros", Matrix(rows, dim)});
    Matrix sparse = normal_rows(rows, dim, seed);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t d = 0; d < dim; ++d) {
            if (d != i % dim && i % 3 != 0) sparse.row(i)[d] = 0;
        }
        if (i % 11 == 0) std::fill(sparse.row(i).begin(), sparse.row(i).end(), 0.0F);
    }
    all.push_back({"one element each", std::move(sparse)});
    Matrix lengths = normal_rows(rows, dim, seed);
    for (std::size_t i = 0; i < rows; ++i) {
        const float factor = std::pow(10.0F, static_cast<float>(i % 9) - 4.0F);
        for (float& value : lengths.row(i))
            value *= factor;
    }
    all.push_back({"lengths of nine magnitudes", std::move(lengths)});
    for (const int exponent : {-130, -70, -45, 45, 55, 110}) {
        Matrix scaled = normal_rows(rows, dim, seed);
        scale_all(scaled, std::ldexp(1.0F, exponent));
        all.push_back({"times 2^" + std::to_string(exponent), std::move(scaled)});
    }
    return all;
}

/// Keep sections in memory, and let tests change them.
class MemorySections final : public SectionWriter, public SectionReader {
  public:
    Status write(std::string_view name, std::span<const std::byte> bytes) override {
        sections[std::string(name)].assign(bytes.begin(), bytes.end());
        return {};
    }
    Result<std::span<const std::byte>> read(std::string_view name) override {
        const auto found = sections.find(std::string(name));
        if (found == sections.end()) {
            return Status(StatusCode::kCorruption, "no section " + std::string(name));
        }
        return std::span<const std::byte>(found->second);
    }

    std::map<std::string, std::vector<std::byte>> sections;
};

}  // namespace vecdb::test
