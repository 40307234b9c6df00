#pragma once

/// \file
/// Seeded vectors and ids. The same seed gives the same data on one standard library.

#include <vecdb/types.h>
#include <vecdb/views.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace vecdb::test {

using Random = std::mt19937_64;

/// Own rows x dim packed floats.
struct Matrix {
    std::size_t rows = 0;
    std::size_t dim = 0;
    std::vector<float> values;

    Matrix() = default;
    Matrix(std::size_t row_count, std::size_t dimension)
        : rows(row_count), dim(dimension), values(row_count * dimension) {}

    [[nodiscard]] std::span<float> row(std::size_t i) { return {values.data() + i * dim, dim}; }
    [[nodiscard]] std::span<const float> row(std::size_t i) const {
        return {values.data() + i * dim, dim};
    }
    [[nodiscard]] MatrixView view() const { return {values.data(), rows, dim}; }
};

/// Draw every element from the standard normal distribution.
inline Matrix normal_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    Matrix matrix(rows, dim);
    Random random(seed);
    std::normal_distribution<float> normal;
    for (float& value : matrix.values)
        value = normal(random);
    return matrix;
}

/// Draw integers from [-limit, limit]: their distances are exact in float, and often equal.
inline Matrix integer_rows(std::size_t rows, std::size_t dim, int limit, std::uint64_t seed) {
    Matrix matrix(rows, dim);
    Random random(seed);
    std::uniform_int_distribution<int> integer(-limit, limit);
    for (float& value : matrix.values)
        value = static_cast<float>(integer(random));
    return matrix;
}

/// Draw normal elements around `centre`: with a large centre the norms dwarf the distances.
inline Matrix far_rows(std::size_t rows, std::size_t dim, float centre, std::uint64_t seed) {
    Matrix matrix = normal_rows(rows, dim, seed);
    for (float& value : matrix.values)
        value += centre;
    return matrix;
}

/// Return first, first + 1, ... as ids.
inline std::vector<Id> sequential_ids(std::size_t count, Id first = 0) {
    std::vector<Id> ids(count);
    std::iota(ids.begin(), ids.end(), first);
    return ids;
}

/// Return `count` distinct ids in random order, `step` apart.
inline std::vector<Id> shuffled_ids(std::size_t count, std::uint64_t seed, Id step = 1) {
    std::vector<Id> ids = sequential_ids(count);
    for (Id& id : ids)
        id *= step;
    std::shuffle(ids.begin(), ids.end(), Random(seed));
    return ids;
}

}  // namespace vecdb::test
