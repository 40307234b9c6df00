#include "index/ivf_lists.h"

#include "check.h"
#include "index/kmeans.h"
#include "index/row_floats.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace vecdb::index {
namespace {

/// Rows of the training sample for each list: more change the centroids hardly any more.
constexpr std::size_t kSampleRows = 128;
/// Rows that a list chosen by us should have on average.
constexpr std::size_t kWorthwhileRows = 100;

Result<std::vector<float>> train(const IndexRows& rows, std::size_t nlist, const IndexBuild& how) {
    const auto sample = draw_sample(rows.count, nlist * kSampleRows, how.seed);
    std::vector<float> floats(sample.size() * rows.dim);
    gather_floats(rows, sample, floats.data());
    const KmeansOptions options{.clusters = nlist, .metric = rows.metric};
    return train_kmeans({floats.data(), rows.dim, rows.dim}, sample.size(), options, how);
}

/// Sort rows by their list, keeping their order within it. Returns the lists' starts.
std::vector<std::uint32_t> sort_by_list(std::span<const std::uint32_t> labels,
                                        std::size_t nlist,
                                        std::vector<std::uint32_t>& order) {
    std::vector<std::uint32_t> starts(nlist + 1, 0);
    for (const std::uint32_t label : labels)
        ++starts[label + 1];
    for (std::size_t list = 0; list < nlist; ++list)
        starts[list + 1] += starts[list];
    std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
    order.resize(labels.size());
    for (std::size_t row = 0; row < labels.size(); ++row)
        order[next[labels[row]]++] = static_cast<std::uint32_t>(row);
    return starts;
}

template <class T>
Result<std::vector<T>> read_vector(SectionReader& from, std::string_view name) {
    VECDB_ASSIGN(const std::span<const std::byte> bytes, from.read(name));
    if (bytes.size() % sizeof(T) != 0) {
        return Status(StatusCode::kCorruption,
                      "section '" + std::string(name) + "' has " + std::to_string(bytes.size()) +
                          " bytes, no multiple of " + std::to_string(sizeof(T)));
    }
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

Status corrupt(const std::string& what) {
    return {StatusCode::kCorruption, "ivf index: " + what};
}

}  // namespace

std::size_t default_nlist(std::size_t rows) noexcept {
    const auto by_root = static_cast<std::size_t>(3 * std::sqrt(static_cast<double>(rows)));
    return std::max<std::size_t>(1, std::min(by_root, rows / kWorthwhileRows));
}

Result<IvfLists> IvfLists::build(const IndexRows& rows,
                                 std::size_t nlist,
                                 const IndexBuild& how,
                                 std::vector<std::uint32_t>& order) {
    IvfLists lists;
    lists.dim_ = rows.dim;
    order.clear();
    if (rows.count == 0) return lists;
    if (nlist == 0) nlist = default_nlist(rows.count);
    if (rows.count < nlist) {
        return Status(StatusCode::kFailedPrecondition,
                      "ivf: " + std::to_string(rows.count) + " rows are too few for nlist = " +
                          std::to_string(nlist) + "; each list needs at least one");
    }
    VECDB_ASSIGN(lists.centroids_, train(rows, nlist, how));
    std::vector<std::uint32_t> labels(rows.count, 0);
    VECDB_TRY(assign_clusters(rows, lists.centroids_, how, labels));
    lists.starts_ = sort_by_list(labels, nlist, order);
    return lists;
}

std::size_t IvfLists::memory_bytes() const noexcept {
    return centroids_.size() * sizeof(float) + starts_.size() * sizeof(std::uint32_t);
}

Status IvfLists::validate(const IndexRows& rows) const {
    if (starts_.empty() || starts_.front() != 0)
        return corrupt("the first list starts at no row 0");
    if (!std::is_sorted(starts_.begin(), starts_.end())) {
        return corrupt("the starts of its lists do not ascend");
    }
    if (starts_.back() != rows.count) {
        return corrupt("its lists hold " + std::to_string(starts_.back()) + " rows of " +
                       std::to_string(rows.count));
    }
    if (rows.count > 0 && dim_ != rows.dim) {
        return corrupt("centroids have " + std::to_string(dim_) + " dimensions, rows " +
                       std::to_string(rows.dim));
    }
    if (centroids_.size() != count() * dim_) {
        return corrupt(std::to_string(centroids_.size()) + " elements of centroids for " +
                       std::to_string(count()) + " lists");
    }
    for (const float x : centroids_) {
        if (!std::isfinite(x)) return corrupt("an element of a centroid is not finite");
    }
    return {};
}

Status IvfLists::save(SectionWriter& to) const {
    VECDB_TRY(to.write("starts", std::as_bytes(std::span(starts_))));
    return to.write("centroids", std::as_bytes(std::span(centroids_)));
}

Result<IvfLists> IvfLists::load(SectionReader& from, const IndexRows& rows) {
    IvfLists lists;
    lists.dim_ = rows.dim;
    VECDB_ASSIGN(lists.starts_, read_vector<std::uint32_t>(from, "starts"));
    VECDB_ASSIGN(lists.centroids_, read_vector<float>(from, "centroids"));
    VECDB_TRY(lists.validate(rows));
    return lists;
}

}  // namespace vecdb::index
