#include "inputs.h"

#include "exit_code.h"
#include "progress_bar.h"

#include <algorithm>
#include <memory>
#include <thread>

namespace vecdb::cli {

Metric SearchSettings::metric() const {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
        if (metric_name == to_string(metric)) return metric;
    }
    throw CommandError(ExitCode::kUsage, "--metric: " + metric_name + " is none of l2, ip, cosine");
}

std::size_t SearchSettings::thread_count() const {
    return threads != 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
}

void add_search_settings(CLI::App& command, SearchSettings& settings) {
    command.add_option("--metric", settings.metric_name, "l2, ip or cosine")
        ->check(CLI::IsMember({"l2", "ip", "cosine"}))
        ->capture_default_str();
    command.add_option("--k", settings.k, "Rows wanted per query")
        ->check(CLI::Range(std::size_t{1}, kMaxK))
        ->capture_default_str();
    command.add_option("--threads", settings.threads, "0: as many as the machine has")
        ->check(CLI::Range(std::size_t{0}, kMaxThreads))
        ->capture_default_str();
    command
        .add_option("--allowed",
                    settings.allowed_path,
                    "Which rows may be returned, a byte for each row; of a database, for each id")
        ->type_name("MASK.npy");
}

Allowed read_allowed(const std::string& path, std::size_t rows) {
    Allowed allowed;
    allowed.count = rows;
    if (path.empty()) return allowed;
    allowed.mask = value_of(read_mask(path), ExitCode::kInput);
    if (allowed.mask.size() != rows) {
        throw CommandError(ExitCode::kInput,
                           path + ": the mask has " + std::to_string(allowed.mask.size()) +
                               " rows, the vectors have " + std::to_string(rows));
    }
    Bitset bits(rows);
    for (std::size_t row = 0; row < rows; ++row)
        bits.set(row, allowed.mask[row] != 0);
    allowed.count = bits.count();
    allowed.filter = Filter::allow(bits);
    return allowed;
}

FloatMatrix read_vectors(const std::string& path) {
    constexpr std::uint64_t kItemsPerRead = 1U << 20U;
    const DatasetReader reader = value_of(DatasetReader::open(path), ExitCode::kInput);
    const DatasetInfo& info = reader.info();
    FloatMatrix matrix{.rows = static_cast<std::size_t>(info.rows),
                       .dim = static_cast<std::size_t>(info.dim),
                       .values = std::vector<float>(info.rows * info.dim),
                       .one_dimensional = info.one_dimensional};
    const std::uint64_t step = std::max<std::uint64_t>(1, kItemsPerRead / info.dim);
    ProgressBar progress("reading " + path, info.rows, "rows");
    for (std::uint64_t first = 0; first < info.rows; first += step) {
        const std::uint64_t rows = std::min(step, info.rows - first);
        const auto part = std::span(matrix.values).subspan(first * info.dim, rows * info.dim);
        check(reader.read_floats(first, rows, part), ExitCode::kInput);
        progress.advance(rows);
    }
    return matrix;
}

FloatMatrix read_queries(const std::string& path, std::size_t dim) {
    FloatMatrix queries = read_vectors(path);
    if (queries.one_dimensional) std::swap(queries.rows, queries.dim);
    if (queries.dim != dim) {
        throw CommandError(ExitCode::kInput,
                           path + ": the queries have dimension " + std::to_string(queries.dim) +
                               ", the searched vectors " + std::to_string(dim));
    }
    if (queries.rows == 0) throw CommandError(ExitCode::kInput, path + ": no queries in the file");
    return queries;
}

}  // namespace vecdb::cli
