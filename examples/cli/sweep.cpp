#include "sweep.h"

#include "exit_code.h"
#include "index_spec.h"
#include "numbers.h"
#include "output.h"

#include <algorithm>

namespace vecdb::cli {
namespace {

constexpr const char* kOption = "--sweep: ";

[[noreturn]] void fail(const std::string& what) {
    throw CommandError(ExitCode::kUsage, kOption + what);
}

std::vector<std::string> keys_of(const IndexOptions& index) {
    if (std::holds_alternative<HnswOptions>(index)) return {"ef", "rerank"};
    if (std::holds_alternative<IvfOptions>(index)) return {"nprobe", "bound", "rerank"};
    return {};
}

void check_keys(const std::vector<Sweep>& sweeps, const IndexOptions& index) {
    const std::vector<std::string> allowed = keys_of(index);
    std::vector<std::string> seen;
    for (const Sweep& sweep : sweeps) {
        if (std::find(allowed.begin(), allowed.end(), sweep.key) == allowed.end()) {
            fail("a search of " + index_name(index) + " has no " + sweep.key + "; allowed are " +
                 joined(allowed));
        }
        if (std::find(seen.begin(), seen.end(), sweep.key) != seen.end()) {
            fail(sweep.key + " stands twice");
        }
        seen.push_back(sweep.key);
    }
}

}  // namespace

std::string Setting::name() const {
    std::string name;
    for (const auto& [key, value] : values) {
        if (!name.empty()) name += ' ';
        name.append(key).append("=").append(value);
    }
    return name.empty() ? "default" : name;
}

std::string Setting::value(const std::string& key) const {
    for (const auto& [each, value] : values) {
        if (each == key) return value;
    }
    return {};
}

Sweep parse_sweep(const std::string& text) {
    const std::size_t sign = text.find('=');
    if (sign == std::string::npos || sign == 0) {
        fail(text + " is not of the form key=value,value,...");
    }
    Sweep sweep{.key = text.substr(0, sign), .values = {}};
    for (std::size_t first = sign + 1; first <= text.size();) {
        const std::size_t comma = std::min(text.find(',', first), text.size());
        if (comma == first) fail(text + " lacks a value");
        sweep.values.push_back(text.substr(first, comma - first));
        first = comma + 1;
    }
    return sweep;
}

std::vector<Setting> settings_of(const std::vector<Sweep>& sweeps) {
    std::vector<Setting> settings(1);
    for (const Sweep& sweep : sweeps) {
        std::vector<Setting> longer;
        for (const Setting& setting : settings) {
            for (const std::string& value : sweep.values) {
                longer.push_back(setting);
                longer.back().values.emplace_back(sweep.key, value);
            }
        }
        settings = std::move(longer);
    }
    return settings;
}

bool has_sweep(const IndexOptions& index, const std::string& key) {
    const std::vector<std::string> keys = keys_of(index);
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::vector<Setting> parse_sweeps(const std::vector<std::string>& texts,
                                  const IndexOptions& index) {
    std::vector<Sweep> sweeps;
    sweeps.reserve(texts.size());
    for (const std::string& text : texts)
        sweeps.push_back(parse_sweep(text));
    check_keys(sweeps, index);
    std::vector<Setting> settings = settings_of(sweeps);
    for (const Setting& setting : settings) {
        SearchOptions options;
        apply(setting, options);
    }
    return settings;
}

void apply(const Setting& setting, SearchOptions& options) {
    for (const auto& [key, value] : setting.values) {
        const std::string what = kOption + key;
        if (key == "ef") options.ef = parse_count(what, value);
        if (key == "nprobe") options.nprobe = parse_count(what, value);
        if (key == "rerank") options.rerank = parse_count(what, value);
        if (key == "bound") options.bound = static_cast<float>(parse_real(what, value));
    }
    const Status status = options.validate();
    if (!status.ok()) fail(status.message());
}

}  // namespace vecdb::cli
