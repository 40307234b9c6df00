#include "compare/approximate.h"

#include "compare/truth.h"

#include <utility>

namespace vecdb::bench {

Arena::Arena(Dataset loaded, const ApproximateOptions& options, std::filesystem::path truth_folder)
    : set(std::move(loaded)),
      all(allow_all(set)),
      problem{set.base, set.queries, all, set.metric, options.k},
      folder(std::move(truth_folder)),
      truth(options.truth.empty() ? exact_truth(set, problem, folder)
                                  : cli::read_truth(problem, options.truth.string())),
      subjects(make_subjects(options)),
      rivals(make_rivals(options, set.base.dim)) {}

void Arena::build(const ApproximateOptions& options) {
    for (std::vector<Contestant>* group : {&rivals, &subjects}) {
        for (Contestant& contestant : *group)
            make_ready(contestant, set, options);
    }
}

Metric metric_of(const ApproximateOptions& options) {
    for (const Metric metric : {Metric::kInnerProduct, Metric::kCosine}) {
        if (options.metric == to_string(metric)) return metric;
    }
    return Metric::kL2;
}

Dataset load_named(const std::string& name, const CompareOptions& options) {
    const std::size_t queries = options.approximate.query_count;
    if (name == "words") return load(Source::kWords, Metric::kCosine, options.data, queries);
    return load(Source::kMnist, Metric::kL2, options.data, queries);
}

Effort effort_of(const CompareOptions& options) {
    return {options.rounds, options.approximate.seconds, options.approximate.cpu};
}

}  // namespace vecdb::bench
