#pragma once

/// \file
/// The settings of a search that `--sweep key=v1,v2,...` asks to be measured.

#include <vecdb/index_options.h>
#include <vecdb/search.h>

#include <string>
#include <utility>
#include <vector>

namespace vecdb::cli {

/// One value of each swept key, for example ef=64 rerank=40.
struct Setting {
    std::vector<std::pair<std::string, std::string>> values;

    /// "ef=64 rerank=40", or "default" without values.
    [[nodiscard]] std::string name() const;
    /// Return the value of a key, or an empty text.
    [[nodiscard]] std::string value(const std::string& key) const;
};

/// The values of one key.
struct Sweep {
    std::string key;
    std::vector<std::string> values;
};

/// Read `key=v1,v2,...`. Throws CommandError(kUsage).
[[nodiscard]] Sweep parse_sweep(const std::string& text);

/// Return every combination, the last sweep changing fastest; without sweeps the default alone.
[[nodiscard]] std::vector<Setting> settings_of(const std::vector<Sweep>& sweeps);

/// Tell whether a search of `index` has a setting of this name.
[[nodiscard]] bool has_sweep(const IndexOptions& index, const std::string& key);

/// Read the sweeps over a search of `index` and return their settings. Throws CommandError(kUsage)
/// naming what is wrong and what is allowed: keys are ef and rerank of hnsw; nprobe, bound and
/// rerank of ivf; none of flat.
[[nodiscard]] std::vector<Setting> parse_sweeps(const std::vector<std::string>& texts,
                                                const IndexOptions& index);

/// Set the fields of `options` that the keys name. Throws CommandError(kUsage) for values that the
/// library does not take.
void apply(const Setting& setting, SearchOptions& options);

}  // namespace vecdb::cli
