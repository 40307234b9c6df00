#pragma once

/// \file
/// A segment for tests of IVF: rows with ids, put into the order that an index asks for; and the
/// bytes that an index saves.

#include "index/exact.h"
#include "index/ivf_index.h"
#include "support/random_data.h"

#include <vecdb/index.h>
#include <vecdb/schema.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

/// Own the float rows of a segment. Ids are the row numbers before any reordering.
struct Segment {
    Metric metric = Metric::kL2;
    Matrix matrix;
    std::vector<Id> ids;
    std::vector<float> norms;

    Segment(Metric the_metric, Matrix rows)
        : metric(the_metric), matrix(std::move(rows)), ids(sequential_ids(matrix.rows)) {
        for (std::size_t i = 0; i < matrix.rows; ++i) {
            double square = 0;
            for (const float x : matrix.row(i))
                square += static_cast<double>(x) * x;
            if (metric == Metric::kCosine) {
                for (float& x : matrix.row(i))
                    x = static_cast<float>(x / std::sqrt(square));
            }
            norms.push_back(static_cast<float>(square));
        }
    }

    [[nodiscard]] IndexRows rows() const {
        return {.base = matrix.values.data(),
                .stride = matrix.dim * sizeof(float),
                .dim = matrix.dim,
                .count = matrix.rows,
                .ids = ids.data(),
                .norms = norms.data(),
                .metric = metric};
    }

    void reorder(const std::vector<std::uint32_t>& order) {
        if (order.empty()) return;
        const Segment old = *this;
        for (std::size_t i = 0; i < order.size(); ++i) {
            const auto row = old.matrix.row(order[i]);
            std::copy(row.begin(), row.end(), matrix.row(i).begin());
            ids[i] = old.ids[order[i]];
            norms[i] = old.norms[order[i]];
        }
    }
};

/// Own the bits of a filter, and how many there are.
struct RowMask {
    std::vector<std::uint64_t> words;
    std::size_t allowed = 0;

    /// Allow each row with probability `part`.
    RowMask(std::size_t rows, double part, std::uint64_t seed) : words((rows + 63) / 64) {
        Random random(seed);
        std::uniform_real_distribution<double> uniform;
        for (std::size_t i = 0; i < rows; ++i) {
            if (uniform(random) >= part) continue;
            words[i / 64] |= std::uint64_t{1} << (i % 64);
            ++allowed;
        }
    }
    [[nodiscard]] bool test(std::size_t row) const {
        return (words[row / 64] >> (row % 64) & 1U) != 0;
    }
};

/// Search for one query. Nearest first.
inline std::vector<Hit> search_one(const Index& index,
                                   const Segment& segment,
                                   const float* query,
                                   std::size_t k,
                                   IndexSearch how) {
    if (how.filter.allows_all()) how.allowed_rows = segment.matrix.rows;
    std::vector<Hit> slots(k);
    TopK best(slots);
    const void* queries[] = {query};
    index.search(segment.rows(), queries, how, {&best, 1});
    const auto hits = best.sort();
    return {hits.begin(), hits.end()};
}

/// Compare every allowed row.
inline std::vector<Hit> exact_hits(const Segment& segment,
                                   const float* query,
                                   std::size_t k,
                                   const RowFilter& filter = {}) {
    std::vector<Hit> slots(k);
    TopK best(slots);
    index::scan_allowed(segment.rows(), query, filter, best);
    const auto hits = best.sort();
    return {hits.begin(), hits.end()};
}

/// Return which part of `truth` was found.
inline double recall(const std::vector<Hit>& found, const std::vector<Hit>& truth) {
    std::set<Id> ids;
    for (const Hit& hit : found)
        ids.insert(hit.id);
    const auto common = std::count_if(
        truth.begin(), truth.end(), [&](const Hit& hit) { return ids.count(hit.id) != 0; });
    return truth.empty() ? 1.0 : static_cast<double>(common) / static_cast<double>(truth.size());
}

/// Return the mean recall of an index over the rows of `queries`.
inline double mean_recall(const Index& index,
                          const Segment& segment,
                          const Matrix& queries,
                          std::size_t k,
                          const IndexSearch& how) {
    double sum = 0;
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const float* query = queries.row(q).data();
        sum += recall(search_one(index, segment, query, k, how),
                      exact_hits(segment, query, k, how.filter));
    }
    return sum / static_cast<double>(queries.rows);
}

/// Make an IVF index, not built.
inline std::unique_ptr<Index> make_ivf(const Segment& segment, const IvfOptions& options) {
    return index::make_ivf_index(
               {.dim = segment.matrix.dim, .metric = segment.metric, .index = options})
        .value();
}

/// Make and build an IVF index and bring the segment into its order.
inline std::unique_ptr<Index> build_ivf(Segment& segment,
                                        const IvfOptions& options,
                                        std::size_t threads = 1) {
    auto index = make_ivf(segment, options);
    segment.reorder(index->build(segment.rows(), {.threads = threads, .seed = 7}).value());
    return index;
}

/// Own what an index saves.
struct SavedSections : SectionWriter, SectionReader {
    std::map<std::string, std::vector<std::byte>, std::less<>> sections;

    Status write(std::string_view name, std::span<const std::byte> bytes) override {
        const bool fresh =
            sections.emplace(std::string(name), std::vector(bytes.begin(), bytes.end())).second;
        return fresh ? Status() : Status(StatusCode::kInternal, "written twice");
    }
    Result<std::span<const std::byte>> read(std::string_view name) override {
        const auto found = sections.find(name);
        if (found == sections.end()) {
            return Status(StatusCode::kCorruption, "no section " + std::string(name));
        }
        return std::span<const std::byte>(found->second);
    }
};

}  // namespace vecdb::test
