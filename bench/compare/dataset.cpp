#include "compare/dataset.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vecdb::bench {
namespace {

constexpr std::size_t kQueries = 1'000;
constexpr std::size_t kHoldOutStep = 341;

Floats read(const std::filesystem::path& path, std::string_view script) {
    if (!std::filesystem::exists(path)) {
        throw MissingData(path.string() + " is missing: run examples/data/" + std::string(script));
    }
    FloatMatrix matrix = read_floats(path).value();
    return {matrix.rows, matrix.dim, std::move(matrix.values)};
}

/// Move rows 0, 341, 682, ... out of `base`, which closes up.
Floats hold_out(Floats& base) {
    Floats queries{0, base.dim, {}};
    std::size_t kept = 0;
    for (std::size_t i = 0; i < base.rows; ++i) {
        const float* row = base.row(i);
        if (i % kHoldOutStep == 0 && queries.rows < kQueries) {
            queries.values.insert(queries.values.end(), row, row + base.dim);
            ++queries.rows;
        } else {
            std::copy(row, row + base.dim, base.values.data() + kept * base.dim);
            ++kept;
        }
    }
    base.rows = kept;
    base.values.resize(kept * base.dim);
    return queries;
}

void keep_first(Floats& rows, std::size_t count) {
    rows.rows = std::min(rows.rows, count);
    rows.values.resize(rows.rows * rows.dim);
}

}  // namespace

Dataset load(Source source, Metric metric, const std::filesystem::path& directory) {
    Dataset set;
    set.metric = metric;
    const std::filesystem::path full = directory / "full";
    if (source == Source::kWords) {
        set.name = "words";
        set.base = read(full / "words_full.npy", "fetch_words.sh");
        set.queries = hold_out(set.base);
    } else {
        set.name = "mnist";
        set.base = read(full / "mnist_base.npy", "fetch_mnist.sh");
        set.queries = read(full / "mnist_queries.npy", "fetch_mnist.sh");
        keep_first(set.queries, kQueries);
    }
    if (metric == Metric::kCosine) normalise(set.queries);
    return set;
}

void normalise(Floats& rows) {
    for (std::size_t i = 0; i < rows.rows; ++i) {
        float* row = rows.values.data() + i * rows.dim;
        double squares = 0;
        for (std::size_t d = 0; d < rows.dim; ++d)
            squares += double{row[d]} * double{row[d]};
        if (squares == 0) continue;
        const double factor = 1 / std::sqrt(squares);
        for (std::size_t d = 0; d < rows.dim; ++d) {
            row[d] = static_cast<float>(double{row[d]} * factor);
        }
    }
}

}  // namespace vecdb::bench
