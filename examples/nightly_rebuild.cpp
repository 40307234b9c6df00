// Replaces the words behind an alias while readers search it: once as every night, once with a
// source that lost half of its rows, which a guard refuses. Usage: nightly_rebuild [DIR | FILE.npy]

#include <vecdb/vecdb.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr const char* kAlias = "words";

/// The first `rows` vectors of a file in batches; the ids are row numbers.
class FileRows {
  public:
    FileRows(const std::filesystem::path& path, std::size_t rows)
        : reader_(vecdb::DatasetReader::open(path).value()),
          rows_(std::min(rows, reader_.info().rows)) {}

    /// This must outlive the source.
    vecdb::RebuildSource source() {
        return {.rows = rows_, .next = [this] {
                    return next();
                }};
    }
    [[nodiscard]] std::size_t dim() const { return reader_.info().dim; }

  private:
    vecdb::Result<vecdb::RowBatch> next() {
        constexpr std::size_t kBatchRows = 1000;
        const std::size_t count = std::min(kBatchRows, rows_ - first_);
        ids_.resize(count);
        std::iota(ids_.begin(), ids_.end(), static_cast<vecdb::Id>(first_));
        batch_.resize(count * dim());
        const vecdb::Status read = reader_.read_floats(first_, count, batch_);
        if (!read.ok()) return read;
        first_ += count;
        return vecdb::RowBatch{ids_, vecdb::MatrixView(batch_.data(), count, dim())};
    }

    vecdb::DatasetReader reader_;
    std::size_t rows_;
    std::size_t first_ = 0;
    std::vector<vecdb::Id> ids_;
    std::vector<float> batch_;
};

/// What one reader saw.
struct Seen {
    std::size_t searches = 0;
    std::size_t failures = 0;
};

/// Search through the alias until `done`, resolving it at every request.
Seen serve(const vecdb::Database& db, std::span<const float> query, const std::atomic<bool>& done) {
    Seen seen;
    while (!done.load()) {
        const auto collection = db.collection(kAlias);
        const bool found = collection.ok() && collection->search(query).ok();
        ++(found ? seen.searches : seen.failures);
    }
    return seen;
}

void show(const vecdb::Result<vecdb::RebuildReport>& result, const vecdb::Database& db) {
    if (result.ok()) {
        const vecdb::RebuildReport& report = *result;
        std::printf("  %s (%zu rows) gave way to %s (%zu rows), recall@10 %.3f\n",
                    report.previous.c_str(),
                    report.previous_rows,
                    report.collection.c_str(),
                    report.rows,
                    report.recall.value_or(0.0));
        std::printf("  written in %.2f s, indexed in %.2f s, checked and warmed up in %.2f s\n",
                    report.write_seconds,
                    report.build_seconds,
                    report.check_seconds);
    } else {
        std::printf("  refused: %s\n", std::string(result.status().message()).c_str());
    }
    const vecdb::Collection live = db.collection(kAlias).value();
    std::printf("  the alias stands for %s with %zu rows\n", live.name().c_str(), live.count());
}

void run(std::filesystem::path path) {
    if (std::filesystem::is_directory(path)) path /= "words.npy";
    vecdb::Database db = vecdb::Database::in_memory().value();
    auto schema = vecdb::Schema::single(FileRows(path, 1).dim(), vecdb::Metric::kCosine);
    schema.vectors[0].index = vecdb::HnswOptions{.m = 16};
    db.create_collection("words.0", schema).value().build_index().check();
    db.create_alias(kAlias, "words.0").check();

    vecdb::RebuildOptions options;
    options.guards.built = {.part = 0.2};
    options.guards.min_recall = 0.95;
    options.alert = [](const vecdb::Status& failure) {
        std::printf("  ALERT: %s\n", failure.to_string().c_str());
    };

    std::printf("First load, no bounds on the number of rows\n");
    FileRows first(path, 9'500);
    vecdb::RebuildOptions load = options;
    load.guards.built = {};
    show(db.rebuild(kAlias, first.source(), load), db);

    const vecdb::FetchedRows query = db.collection(kAlias)->get(vecdb::Id{7}).value();
    std::atomic<bool> done{false};
    Seen seen;
    std::thread reader([&] { seen = serve(db, query.row(0), done); });

    std::printf("The next night, while the alias is searched\n");
    options.guards.source = {.part = 0.2};
    FileRows second(path, 10'000);
    show(db.rebuild(kAlias, second.source(), options), db);

    std::printf("A night on which half of the source is missing\n");
    FileRows half(path, 5'000);
    show(db.rebuild(kAlias, half.source(), options), db);

    done = true;
    reader.join();
    std::printf("Meanwhile a reader made searches: %s, failed: %zu\n",
                seen.searches > 0 ? "many" : "none",
                seen.failures);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc > 1 ? argv[1] : "examples/data");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nightly_rebuild: %s\n", error.what());
        return 1;
    }
}
