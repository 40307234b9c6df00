// hnswlib as a rival: parameters m and ef_construction, of searches ef.

#include "rivals/rival_module.h"

#include <memory>

#include <hnswlib/hnswlib.h>

namespace vecdb::bench {
namespace {

using Graph = hnswlib::HierarchicalNSW<float>;

class HnswlibIndex {
  public:
    HnswlibIndex(const char* parameters, std::size_t dim, int metric)
        : dim_(dim), inner_product_(metric == kRivalInnerProduct) {
        for_each_parameter(parameters, [&](const std::string& key, const std::string& value) {
            if (key == "m") {
                m_ = std::stoul(value);
            } else if (key == "ef_construction") {
                ef_construction_ = std::stoul(value);
            } else {
                refuse_key(key, "m, ef_construction");
            }
        });
        if (inner_product_) {
            space_ = std::make_unique<hnswlib::InnerProductSpace>(dim);
        } else {
            space_ = std::make_unique<hnswlib::L2Space>(dim);
        }
    }

    void add(const float* rows, std::size_t count) {
        if (graph_ == nullptr) {
            graph_ = std::make_unique<Graph>(space_.get(), count, m_, ef_construction_);
        } else {
            graph_->resizeIndex(graph_->cur_element_count + count);
        }
        for (std::size_t i = 0; i < count; ++i)
            graph_->addPoint(rows + i * dim_, graph_->cur_element_count);
    }

    // Searches and builds here run on the calling thread.
    static void set_threads(std::size_t threads) {
        if (threads != 1) throw std::invalid_argument("hnswlib is called from one thread here");
    }

    void set(const std::string& key, double value) {
        if (key != "ef") refuse_key(key, "ef");
        graph_->setEf(static_cast<std::size_t>(value));
    }

    void search(
        const float* queries, std::size_t count, std::size_t k, std::int64_t* ids, float* scores) {
        for (std::size_t q = 0; q < count; ++q) {
            auto nearest = graph_->searchKnn(queries + q * dim_, k);  // the farthest on top
            for (std::size_t place = k; place-- > 0;) {
                const bool missing = place >= nearest.size();
                ids[q * k + place] = missing ? -1 : static_cast<std::int64_t>(nearest.top().second);
                scores[q * k + place] = missing ? 0 : score(nearest.top().first);
                if (!missing) nearest.pop();
            }
        }
    }

    void save(const char* path) { graph_->saveIndex(path); }
    void load(const char* path) { graph_ = std::make_unique<Graph>(space_.get(), path); }

    [[nodiscard]] std::size_t memory() const {
        const std::size_t rows = graph_->cur_element_count;
        std::size_t bytes = rows * (graph_->size_data_per_element_ + sizeof(char*));
        for (std::size_t row = 0; row < rows; ++row) {
            bytes += static_cast<std::size_t>(graph_->element_levels_[row]) *
                     graph_->size_links_per_element_;
        }
        return bytes;
    }

  private:
    [[nodiscard]] float score(float distance) const {
        return inner_product_ ? 1 - distance : distance;
    }

    std::size_t dim_;
    bool inner_product_;
    std::size_t m_ = 32;
    std::size_t ef_construction_ = 200;
    std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
    std::unique_ptr<Graph> graph_;
};

void about(void* to, void (*say)(void*, const char*, const char*)) {
#if defined(__AVX512F__)
    const char* vectors = ", AVX-512";
#elif defined(__AVX__)
    const char* vectors = ", AVX";
#else
    const char* vectors = "";
#endif
    say(to, "hnswlib", (VECDB_HNSWLIB_NAME ", -O3 -march=native" + std::string(vectors)).c_str());
}

constexpr Rival make_table() {
    Rival table = table_of<HnswlibIndex>();
    table.about = about;
    return table;
}

}  // namespace
}  // namespace vecdb::bench

extern "C" __attribute__((visibility("default"))) const vecdb::bench::Rival vecdb_rival =
    vecdb::bench::make_table();
