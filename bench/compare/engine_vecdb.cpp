#include "compare/engines.h"

#include <vecdb/vecdb.h>

#include <chrono>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

namespace vecdb::bench {
namespace {

class Vecdb final : public Engine {
  public:
    /// \param segments  when rows are put in order without being asked for
    Vecdb(std::string name,
          IndexOptions index,
          std::size_t build_threads,
          const SegmentPolicy& segments)
        : name_(std::move(name)),
          index_(std::move(index)),
          build_threads_(build_threads),
          segments_(segments) {}

    [[nodiscard]] std::string name() const override { return name_; }

    [[nodiscard]] std::vector<std::pair<std::string, std::string>> about() const override {
        return {{"vecdb", std::string(version())},
                {"SIMD level", std::string(active_simd_level().value())}};
    }

    void reset(std::size_t dim, Metric metric) override {
        rows_.reset();
        database_.reset();
        dim_ = dim;
        added_ = 0;
        options_.filter = Filter();
        database_ = Database::in_memory().value();
        // The raw word set has no row of zeros, but other sets may.
        Schema schema = Schema::single(dim, metric);
        schema.segments = segments_;
        schema.vectors[0].zero_vector = ZeroVector::kFar;
        schema.vectors[0].index = index_;
        rows_ = database_->create_collection("bench", schema).value();
    }

    void add(const float* rows, std::size_t count) override {
        ids_.resize(count);
        std::iota(ids_.begin(), ids_.end(), added_);
        rows_->insert(ids_, MatrixView(rows, count, dim_)).check();
        added_ += static_cast<Id>(count);
    }

    void build() override {
        if (segments_.seal_rows != 0) return rest(*rows_);
        compact();
    }

    void compact() override { rows_->build_index({.threads = build_threads_}).check(); }

    void set(const cli::Setting& setting) override { cli::apply(setting, options_); }

    void set_threads(std::size_t threads) override { options_.threads = threads; }

    [[nodiscard]] bool set_filter(const Bitset* allowed) override {
        options_.filter = allowed == nullptr ? Filter() : Filter::allow(*allowed);
        rows_->prepare(options_.filter).check();
        return true;
    }

    void search(const float* queries, std::size_t count, std::size_t k, Answers& out) override {
        out.resize(count, k);
        options_.k = k;
        if (count == 1) {
            hits_.resize(k);
            static_cast<void>(
                rows_->search_into(VectorView(queries, dim_), options_, hits_).value());
            copy(hits_, out);
        } else {
            const SearchResult result =
                rows_->search(MatrixView(queries, count, dim_), options_).value();
            copy(result.padded(), out);
        }
    }

    [[nodiscard]] std::size_t memory_bytes() const override { return rows_->stats().memory_bytes; }

  private:
    static void copy(std::span<const Hit> hits, Answers& out) {
        for (std::size_t i = 0; i < hits.size(); ++i) {
            out.ids[i] = hits[i].id;
            out.scores[i] = hits[i].score;
        }
    }

    std::string name_;
    IndexOptions index_;
    std::size_t build_threads_;
    SegmentPolicy segments_;
    std::optional<Database> database_;
    std::optional<Collection> rows_;
    std::size_t dim_ = 0;
    Id added_ = 0;
    SearchOptions options_;
    std::vector<Id> ids_;
    Hits hits_;
};

}  // namespace

void rest(const Collection& rows) {
    while (!rows.health().value().at_rest())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    rows.health().value().background_error.check();
}

std::unique_ptr<Engine> make_vecdb(const std::string& name,
                                   const IndexOptions& index,
                                   std::size_t build_threads) {
    return std::make_unique<Vecdb>(name, index, build_threads, SegmentPolicy{.seal_rows = 0});
}

std::unique_ptr<Engine> make_streaming_vecdb(const std::string& name, const IndexOptions& index) {
    return std::make_unique<Vecdb>(name, index, 1, SegmentPolicy());
}

}  // namespace vecdb::bench
