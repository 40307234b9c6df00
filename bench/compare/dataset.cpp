#include "compare/dataset.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vecdb::bench {
namespace {

constexpr const char* kFetchWords = ": run examples/data/fetch_words.sh";
constexpr const char* kFetchMnist = ": run examples/data/fetch_mnist.sh";

Floats read(const std::filesystem::path& path, std::string_view advice) {
    if (!std::filesystem::exists(path)) {
        throw MissingData(path.string() + " is missing" + std::string(advice));
    }
    return {read_floats(path).value()};
}

/// Move `count` rows, evenly spread from the first, out of `base`, which closes up.
Floats hold_out(Floats& base, std::size_t count) {
    Floats queries;
    queries.dim = base.dim;
    const std::size_t step = std::max<std::size_t>(base.rows / count, 2);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < base.rows; ++i) {
        const float* row = base.row(i);
        if (i % step == 0 && queries.rows < count) {
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

Dataset load(Source source,
             Metric metric,
             const std::filesystem::path& directory,
             std::size_t queries) {
    Dataset set;
    set.metric = metric;
    const std::filesystem::path full = directory / "full";
    if (source == Source::kWords) {
        set.name = "words";
        set.base = read(full / "words_full.npy", kFetchWords);
        set.queries = hold_out(set.base, queries);
    } else {
        set.name = "mnist";
        set.base = read(full / "mnist_base.npy", kFetchMnist);
        set.queries = read(full / "mnist_queries.npy", kFetchMnist);
        keep_first(set.queries, queries);
    }
    if (metric == Metric::kCosine) normalise(set.queries);
    return set;
}

Dataset load_files(const std::filesystem::path& base,
                   const std::filesystem::path& queries,
                   Metric metric) {
    Dataset set{.name = base.stem().string(),
                .metric = metric,
                .base = read(base, ""),
                .queries = read(queries, "")};
    if (set.base.dim != set.queries.dim) {
        throw std::runtime_error(queries.string() + ": the queries have dimension " +
                                 std::to_string(set.queries.dim) + ", the vectors " +
                                 std::to_string(set.base.dim));
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
