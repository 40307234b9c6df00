// Faiss as a rival: parameter index is what faiss::index_factory takes; ef_construction is for its
// graphs. Of searches: ef, nprobe, and rerank, how many times k candidates are compared again.

#include "rivals/rival_module.h"

#include <memory>

#include <dlfcn.h>
#include <faiss/AutoTune.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/impl/io.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <omp.h>

namespace vecdb::bench {
namespace {

using Row = faiss::Index::idx_t;

/// Look up a function of OpenBLAS; null if another BLAS is linked. Faiss asks for any BLAS, so
/// which one runs is known only here.
template <class Function>
Function* openblas(const char* symbol) {
    return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, symbol));
}

/// Counts what is written. An index holds little that it does not save.
struct CountingWriter : faiss::IOWriter {
    std::size_t bytes = 0;
    std::size_t operator()(const void*, std::size_t size, std::size_t items) override {
        bytes += size * items;
        return items;
    }
};

class FaissIndex {
  public:
    FaissIndex(const char* parameters, std::size_t dim, int metric) {
        std::string factory = "Flat";
        int ef_construction = 0;
        for_each_parameter(parameters, [&](const std::string& key, const std::string& value) {
            if (key == "index") {
                factory = value;
            } else if (key == "ef_construction") {
                ef_construction = std::stoi(value);
            } else {
                refuse_key(key, "index, ef_construction");
            }
        });
        index_.reset(faiss::index_factory(
            static_cast<int>(dim),
            factory.c_str(),
            metric == kRivalInnerProduct ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2));
        auto* graph = dynamic_cast<faiss::IndexHNSW*>(index_.get());
        if (graph != nullptr && ef_construction != 0) graph->hnsw.efConstruction = ef_construction;
    }

    void add(const float* rows, std::size_t count) {
        if (!index_->is_trained) index_->train(static_cast<Row>(count), rows);
        index_->add(static_cast<Row>(count), rows);
    }

    static void set_threads(std::size_t threads) {
        omp_set_num_threads(static_cast<int>(threads));
        if (auto* set = openblas<void(int)>("openblas_set_num_threads")) {
            set(static_cast<int>(threads));
        }
    }

    void set(const std::string& key, double value) {
        const char* name = nullptr;
        if (key == "ef") name = "efSearch";
        if (key == "nprobe") name = "nprobe";
        if (key == "rerank") name = "k_factor_rf";
        if (name == nullptr) refuse_key(key, "ef, nprobe, rerank");
        faiss::ParameterSpace().set_index_parameter(index_.get(), name, value);
    }

    // Both number bits from the lowest of byte 0, on the little-endian machines this runs on.
    void set_filter(const std::uint64_t* words, std::size_t rows) {
        selected_.sel = nullptr;
        selector_.reset();
        if (words == nullptr) return;
        selector_ = std::make_unique<faiss::IDSelectorBitmap>(
            (rows + 7) / 8, reinterpret_cast<const std::uint8_t*>(words));
        selected_.sel = selector_.get();
    }

    void search(
        const float* queries, std::size_t count, std::size_t k, std::int64_t* ids, float* scores) {
        index_->search(static_cast<Row>(count),
                       queries,
                       static_cast<Row>(k),
                       scores,
                       ids,
                       selected_.sel == nullptr ? nullptr : &selected_);
    }

    void save(const char* path) { faiss::write_index(index_.get(), path); }
    void load(const char* path) { index_.reset(faiss::read_index(path)); }

    [[nodiscard]] std::size_t memory() const {
        if (const auto* flat = dynamic_cast<const faiss::IndexFlat*>(index_.get())) {
            return flat->codes.capacity();
        }
        CountingWriter writer;
        faiss::write_index(index_.get(), &writer);
        return writer.bytes;
    }

  private:
    std::unique_ptr<faiss::Index> index_;
    faiss::SearchParameters selected_;
    std::unique_ptr<faiss::IDSelectorBitmap> selector_;
};

void about(void* to, void (*say)(void*, const char*, const char*)) {
    const std::string version = std::to_string(FAISS_VERSION_MAJOR) + '.' +
                                std::to_string(FAISS_VERSION_MINOR) + '.' +
                                std::to_string(FAISS_VERSION_PATCH) + ", " VECDB_FAISS_BUILD;
    say(to, "Faiss", version.c_str());
    auto* config = openblas<char*()>("openblas_get_config");
    auto* core = openblas<char*()>("openblas_get_corename");
    std::string blas = config == nullptr ? "not OpenBLAS" : config();
    if (core != nullptr) blas += std::string(", running as ") + core();
    say(to, "BLAS", blas.c_str());
}

constexpr Rival make_table() {
    Rival table = table_of<FaissIndex>();
    table.about = about;
    table.set_filter = [](void* index, const std::uint64_t* words, std::size_t rows) {
        return guarded([&] { static_cast<FaissIndex*>(index)->set_filter(words, rows); });
    };
    return table;
}

}  // namespace
}  // namespace vecdb::bench

extern "C" __attribute__((visibility("default"))) const vecdb::bench::Rival vecdb_rival =
    vecdb::bench::make_table();
