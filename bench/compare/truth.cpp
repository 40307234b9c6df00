#include "compare/truth.h"

#include "compare/fingerprint.h"

#include <vecdb/dataset_io.h>

#include <algorithm>

namespace vecdb::bench {
namespace {

std::filesystem::path path_of(const Dataset& set,
                              const cli::Problem& problem,
                              const std::filesystem::path& folder) {
    std::string name = "truth_" + set.name + '_' + fingerprint(set.base) + '_' +
                       fingerprint(set.queries) + '_' + std::string(to_string(set.metric)) + "_k" +
                       std::to_string(problem.k);
    if (!problem.allowed.mask.empty()) {
        const auto* bytes = reinterpret_cast<const char*>(problem.allowed.mask.data());
        name += "_mask-" + fingerprint(std::string_view(bytes, problem.allowed.mask.size()));
    }
    return folder / (name + ".npy");
}

}  // namespace

cli::Allowed allow_all(const Dataset& set) {
    cli::Allowed allowed;
    allowed.count = set.base.rows;
    return allowed;
}

cli::Allowed allow_only(const Bitset& rows) {
    cli::Allowed allowed;
    allowed.mask.resize(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row)
        allowed.mask[row] = rows.test(row) ? 1 : 0;
    allowed.count = rows.count();
    allowed.filter = Filter::allow(rows);
    return allowed;
}

cli::Truth exact_truth(const Dataset& set,
                       const cli::Problem& problem,
                       const std::filesystem::path& folder) {
    const std::filesystem::path path = path_of(set, problem, folder);
    if (!std::filesystem::exists(path)) {
        const std::vector<Id> ids = cli::search_exactly(problem);
        const Status written = write_dataset(
            path.string(), ItemsView(ids.data(), problem.queries.rows, problem.expected()));
        if (!written.ok()) return cli::truth_of(problem, ids);
    }
    return cli::read_truth(problem, path.string());
}

}  // namespace vecdb::bench
