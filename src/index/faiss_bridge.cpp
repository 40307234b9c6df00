#include "index/faiss_bridge.h"

#include "index/parallel.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <string>

#if defined(VECDB_WITH_FAISS)
#    include <faiss/Clustering.h>
#endif

namespace vecdb::index {

#if defined(VECDB_WITH_FAISS)

namespace {

/// The assignment index of Faiss' Clustering: it answers what our kernels have found before.
class KnownAssignment final : public faiss::Index {
  public:
    explicit KnownAssignment(const AssignedRows& assigned)
        : faiss::Index(static_cast<std::int64_t>(assigned.dim)), labels_(assigned.labels) {}

    void add(std::int64_t count, const float* /*centroids*/) override { ntotal += count; }
    void reset() override { ntotal = 0; }
    void search(std::int64_t count,
                const float* /*rows*/,
                std::int64_t /*k*/,
                float* distances,
                std::int64_t* labels,
                const faiss::SearchParameters* /*parameters*/) const override {
        const auto n = static_cast<std::size_t>(count);
        std::fill_n(distances, n, 0.0F);
        std::copy_n(labels_.begin() + static_cast<std::ptrdiff_t>(answered_), n, labels);
        answered_ += n;
    }

  private:
    std::span<const std::uint32_t> labels_;
    mutable std::size_t answered_ = 0;  ///< Rows come in their order, in one piece or several.
};

faiss::ClusteringParameters one_silent_iteration() {
    faiss::ClusteringParameters parameters;
    parameters.niter = 1;
    parameters.nredo = 1;
    parameters.verbose = false;
    parameters.min_points_per_centroid = 0;  // or else it warns on stderr
    parameters.max_points_per_centroid = std::numeric_limits<int>::max();
    return parameters;
}

}  // namespace

bool has_faiss() noexcept {
    return true;
}

Status faiss_move_centroids(const AssignedRows& assigned, std::span<float> centroids) {
    try {
        const SerialRegions serial;  // the sums are quick and in the same order for any threads
        faiss::Clustering clustering(static_cast<int>(assigned.dim),
                                     static_cast<int>(centroids.size() / assigned.dim),
                                     one_silent_iteration());
        clustering.centroids.assign(centroids.begin(), centroids.end());
        KnownAssignment index(assigned);
        clustering.train(static_cast<std::int64_t>(assigned.labels.size()), assigned.rows, index);
        std::copy(clustering.centroids.begin(), clustering.centroids.end(), centroids.begin());
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        return {StatusCode::kInternal, std::string("Faiss: ") + error.what()};
    }
    return {};
}

#else

bool has_faiss() noexcept {
    return false;
}

Status faiss_move_centroids(const AssignedRows& /*assigned*/, std::span<float> /*centroids*/) {
    return {StatusCode::kUnsupported, "this build has no Faiss (VECDB_WITH_FAISS=OFF)"};
}

#endif

}  // namespace vecdb::index
