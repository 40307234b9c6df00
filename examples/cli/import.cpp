#include "import.h"

#include "exit_code.h"
#include "progress_bar.h"

#include <vecdb/build_options.h>
#include <vecdb/database.h>
#include <vecdb/dataset_io.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace vecdb::cli {
namespace {

constexpr std::size_t kBatchRows = 10'000;

void insert_batch(Collection& collection,
                  std::size_t first,
                  const MatrixView& batch,
                  const std::string& name) {
    std::vector<Id> ids(batch.rows());
    std::iota(ids.begin(), ids.end(), static_cast<Id>(first));
    const Status status = collection.insert(ids, batch);
    if (status.ok()) return;
    // The library counts rows from the start of the batch.
    const std::string where =
        first == 0 ? name : name + ", counted from row " + std::to_string(first);
    throw CommandError(exit_code_of(status, ExitCode::kInput), where + ": " + status.message());
}

}  // namespace

Collection make_collection(std::size_t dim, Metric metric, const IndexOptions& index) {
    Schema schema = Schema::single(dim, metric);
    schema.segments.seal_rows = 0;  // the index is built once, when all rows are there
    schema.vectors[0].index = index;
    Database db = value_of(Database::in_memory(), ExitCode::kUnsupported);
    return value_of(db.create_collection("rows", schema), ExitCode::kInput);
}

Collection import_file(const std::string& path, Metric metric) {
    const DatasetReader reader = value_of(DatasetReader::open(path), ExitCode::kInput);
    const auto rows = static_cast<std::size_t>(reader.info().rows);
    const auto dim = static_cast<std::size_t>(reader.info().dim);
    Collection collection = make_collection(dim, metric, FlatOptions{});
    std::vector<float> batch;
    ProgressBar progress("importing " + path, rows, "rows");
    for (std::size_t first = 0; first < rows; first += kBatchRows) {
        const std::size_t count = std::min(kBatchRows, rows - first);
        batch.resize(count * dim);
        check(reader.read_floats(first, count, batch), ExitCode::kInput);
        insert_batch(collection, first, MatrixView(batch, dim), path);
        progress.advance(count);
    }
    return collection;
}

void import_rows(Collection& collection, const MatrixView& rows, const std::string& name) {
    ProgressBar progress("importing " + name, rows.rows(), "rows");
    for (std::size_t first = 0; first < rows.rows(); first += kBatchRows) {
        const std::size_t count = std::min(kBatchRows, rows.rows() - first);
        insert_batch(collection, first, rows.slice(first, count), name);
        progress.advance(count);
    }
}

void build_index(Collection& collection, std::size_t threads) {
    constexpr double kSteps = 1'000;
    ProgressBar progress("building the index", static_cast<std::uint64_t>(kSteps), "thousandths");
    BuildOptions options{.threads = threads};
    options.control.progress = [&progress](double part) {
        progress.advance_to(static_cast<std::uint64_t>(part * kSteps));
    };
    check(collection.build_index(options), ExitCode::kInput);
}

}  // namespace vecdb::cli
