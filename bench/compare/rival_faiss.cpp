#include "compare/engines.h"

#include <dlfcn.h>
#include <faiss/IndexFlat.h>
#include <faiss/impl/IDSelector.h>
#include <omp.h>

namespace vecdb::bench {
namespace {

/// Look up a function of OpenBLAS; null if another BLAS is linked. Faiss asks for any BLAS, so
/// which one runs is known only here.
template <class Function>
Function* openblas(const char* symbol) {
    return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, symbol));
}

class FaissFlat final : public Engine {
  public:
    [[nodiscard]] std::string name() const override { return "faiss IndexFlat"; }

    [[nodiscard]] std::vector<std::pair<std::string, std::string>> about() const override {
        std::string version = std::to_string(FAISS_VERSION_MAJOR) + '.' +
                              std::to_string(FAISS_VERSION_MINOR) + '.' +
                              std::to_string(FAISS_VERSION_PATCH);
        auto* config = openblas<char*()>("openblas_get_config");
        auto* core = openblas<char*()>("openblas_get_corename");
        std::string blas = config == nullptr ? "not OpenBLAS" : config();
        if (core != nullptr) blas += std::string(", running as ") + core();
        return {{"Faiss", std::move(version)}, {"BLAS", std::move(blas)}};
    }

    void reset(std::size_t dim, Metric metric) override {
        unit_rows_ = metric == Metric::kCosine;
        params_.sel = nullptr;
        index_ = std::make_unique<faiss::IndexFlat>(
            static_cast<faiss::Index::idx_t>(dim),
            metric == Metric::kL2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT);
    }

    void add(const float* rows, std::size_t count) override {
        const auto n = static_cast<faiss::Index::idx_t>(count);
        if (!unit_rows_) {
            index_->add(n, rows);
            return;
        }
        const auto dim = static_cast<std::size_t>(index_->d);
        scaled_ = {count, dim, std::vector<float>(rows, rows + count * dim)};
        normalise(scaled_);
        index_->add(n, scaled_.values.data());
    }

    void set_threads(std::size_t threads) override {
        omp_set_num_threads(static_cast<int>(threads));
        if (auto* set = openblas<void(int)>("openblas_set_num_threads")) {
            set(static_cast<int>(threads));
        }
    }

    [[nodiscard]] bool set_filter(const Bitset* allowed) override {
        params_.sel = nullptr;
        selector_.reset();
        if (allowed == nullptr) return true;
        // Both number bits from the lowest of byte 0, on the little-endian machines Debian's runs
        // on.
        selector_ = std::make_unique<faiss::IDSelectorBitmap>(
            (allowed->size() + 7) / 8,
            reinterpret_cast<const std::uint8_t*>(allowed->words().data()));
        params_.sel = selector_.get();
        return true;
    }

    void search(const float* queries, std::size_t count, std::size_t k, Answers& out) override {
        out.resize(count, k);
        labels_.resize(count * k);
        index_->search(static_cast<faiss::Index::idx_t>(count),
                       queries,
                       static_cast<faiss::Index::idx_t>(k),
                       out.scores.data(),
                       labels_.data(),
                       params_.sel == nullptr ? nullptr : &params_);
        out.ids.assign(labels_.begin(), labels_.end());
    }

    [[nodiscard]] std::size_t memory_bytes() const override { return index_->codes.capacity(); }

  private:
    std::unique_ptr<faiss::IndexFlat> index_;
    bool unit_rows_ = false;
    faiss::SearchParameters params_;
    std::unique_ptr<faiss::IDSelectorBitmap> selector_;
    std::vector<faiss::Index::idx_t> labels_;
    Floats scaled_;
};

}  // namespace

std::unique_ptr<Engine> make_faiss_flat() {
    return std::make_unique<FaissFlat>();
}

}  // namespace vecdb::bench
