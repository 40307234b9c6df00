#include "compare/engines.h"

#include "compare/engine.h"

#include <algorithm>

namespace vecdb::bench {

Engines exact_engines() {
    Engines engines;
    engines.subject = make_vecdb("vecdb flat", FlatOptions{.codes = Codes::kNone});
    const std::vector<std::string> modules = built_rivals();
    if (std::find(modules.begin(), modules.end(), "faiss") != modules.end()) {
        engines.rivals.push_back(make_rival("faiss Flat", "faiss", "index=Flat"));
    }
    return engines;
}

void fill(Engine& engine, const Dataset& set) {
    constexpr std::size_t kBatch = 1'000;
    engine.reset(set.base.dim, set.metric);
    for (std::size_t first = 0; first < set.base.rows; first += kBatch) {
        engine.add(set.base.row(first), std::min(kBatch, set.base.rows - first));
    }
}

}  // namespace vecdb::bench
