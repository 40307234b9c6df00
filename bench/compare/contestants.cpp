#include "compare/contestants.h"

#include "cli/exit_code.h"
#include "cli/index_spec.h"
#include "compare/engines.h"
#include "compare/fingerprint.h"
#include "timing.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace vecdb::bench {
namespace {

using cli::CommandError;
using cli::ExitCode;
using cli::NamedValues;
using cli::Sweep;

constexpr const char* kEfs = "ef=10,16,24,32,48,64,96,128,192,256,384,512,768";
constexpr const char* kProbes = "nprobe=1,2,4,8,16,32,64,128,256";

/// A rival with parameters that suit most data.
struct Preset {
    const char* name;
    const char* module;
    std::function<std::string(std::size_t dim)> parameters;
    std::vector<const char*> sweeps;
};

std::string fast_scan(std::size_t dim) {
    const std::size_t parts = dim <= 256 ? dim / 2 : dim / 4;
    return "index=IVF1024,PQ" + std::to_string(parts) + "x4fs,RFlat";
}

const std::vector<Preset>& presets() {
    static const std::vector<Preset> kAll = {
        {"hnswlib", "hnswlib", [](auto) { return "m=32 ef_construction=200"; }, {kEfs}},
        {"faiss", "faiss", [](auto) { return "index=HNSW32 ef_construction=200"; }, {kEfs}},
        {"faiss-ivf", "faiss", [](auto) { return "index=IVF1024,Flat"; }, {kProbes}},
        {"faiss-ivfpq", "faiss", fast_scan, {kProbes, "rerank=4,16"}},
    };
    return kAll;
}

const Preset& preset_of(const std::string& option, const std::string& name) {
    for (const Preset& preset : presets()) {
        if (name == preset.name) return preset;
    }
    throw CommandError(ExitCode::kUsage, option + ": " + name + " is none of " + rival_names());
}

std::vector<Sweep> default_sweeps(const IndexOptions& index) {
    if (std::holds_alternative<HnswOptions>(index)) return {cli::parse_sweep(kEfs)};
    if (std::holds_alternative<IvfOptions>(index)) return {cli::parse_sweep(kProbes)};
    return {};
}

/// The sweeps of --sweep that a search of `index` has; its own where there are none.
std::vector<std::string> sweeps_for(const IndexOptions& index,
                                    const std::vector<std::string>& asked) {
    std::vector<std::string> own;
    for (const std::string& text : asked) {
        if (cli::has_sweep(index, cli::parse_sweep(text).key)) own.push_back(text);
    }
    return own;
}

/// The preset's parameters, changed by --rival-options "name key=value".
std::string parameters_of(const Preset& preset,
                          const std::vector<std::string>& changes,
                          std::size_t dim) {
    NamedValues spec = cli::parse_named_values(
        "--rival-options", std::string(preset.name) + ' ' + preset.parameters(dim));
    for (const std::string& text : changes) {
        const NamedValues change = cli::parse_named_values("--rival-options", text);
        if (preset_of("--rival-options", change.name).name != preset.name) continue;
        for (const auto& [key, value] : change.values) {
            std::erase_if(spec.values, [&](const auto& each) { return each.first == key; });
            spec.values.emplace_back(key, value);
        }
    }
    std::string all;
    for (const auto& [key, value] : spec.values)
        all += (all.empty() ? "" : " ") + key + '=' + value;
    return all;
}

/// The preset's sweeps, each replaced by that of --rival-sweep with its key.
std::vector<Sweep> sweeps_of(const Preset& preset, const std::vector<std::string>& changes) {
    std::vector<Sweep> sweeps;
    for (const char* text : preset.sweeps) {
        Sweep sweep = cli::parse_sweep(text);
        for (const std::string& change : changes) {
            const Sweep other = cli::parse_sweep(change);
            if (other.key == sweep.key) sweep = other;
        }
        sweeps.push_back(std::move(sweep));
    }
    return sweeps;
}

std::filesystem::path cache_path(const Contestant& contestant,
                                 const Dataset& set,
                                 const std::filesystem::path& folder) {
    std::string built;
    for (const auto& [title, value] : contestant.engine->about())
        built += title + value;
    std::string name = contestant.label + '_' + set.name + '_' +
                       std::string(to_string(set.metric)) + '_' + fingerprint(set.base) + '_' +
                       fingerprint(built);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == ' ' || c == '/' || c == ','; }, '-');
    return folder / name;
}

bool load_cached(Contestant& contestant, const std::filesystem::path& path) {
    std::ifstream seconds(path.string() + ".seconds");
    if (!(seconds >> contestant.build_seconds)) return false;
    contestant.from_cache = contestant.engine->load(path.string() + ".index");
    return contestant.from_cache;
}

// The seconds are written last: an index without them counts as none.
void save_cached(Contestant& contestant, const std::filesystem::path& path) {
    std::filesystem::create_directories(path.parent_path());
    if (!contestant.engine->save(path.string() + ".index")) return;
    std::ofstream(path.string() + ".seconds") << contestant.build_seconds << '\n';
}

}  // namespace

std::vector<Contestant> make_subjects(const ApproximateOptions& options) {
    std::vector<Contestant> subjects;
    std::vector<std::string> unused;
    for (const std::string& text : options.sweeps)
        unused.push_back(cli::parse_sweep(text).key);
    for (const std::string& text : options.indexes) {
        const IndexOptions index = cli::parse_index("--index", text);
        const std::vector<std::string> own = sweeps_for(index, options.sweeps);
        std::erase_if(unused, [&](const auto& key) { return cli::has_sweep(index, key); });
        Contestant contestant{.kind = "vecdb", .label = "vecdb " + text};
        contestant.engine = make_vecdb(contestant.label, index, options.build_threads);
        contestant.settings =
            own.empty() ? cli::settings_of(default_sweeps(index)) : cli::parse_sweeps(own, index);
        subjects.push_back(std::move(contestant));
    }
    if (!unused.empty()) {
        throw CommandError(ExitCode::kUsage, "--sweep: no index asked for has " + unused.front());
    }
    return subjects;
}

std::vector<Contestant> make_rivals(const ApproximateOptions& options, std::size_t dim) {
    for (const std::string& text : options.rival_options)
        static_cast<void>(
            preset_of("--rival-options", cli::parse_named_values("--rival-options", text).name));
    std::vector<Contestant> rivals;
    for (const std::string& name : options.rivals) {
        const Preset& preset = preset_of("--rivals", name);
        const std::string parameters = parameters_of(preset, options.rival_options, dim);
        Contestant contestant{.kind = name, .label = name + ' ' + parameters};
        contestant.engine = make_rival(contestant.label, preset.module, parameters);
        contestant.settings = cli::settings_of(sweeps_of(preset, options.rival_sweeps));
        rivals.push_back(std::move(contestant));
    }
    return rivals;
}

void make_ready(Contestant& contestant, const Dataset& set, const ApproximateOptions& options) {
    Engine& engine = *contestant.engine;
    engine.reset(set.base.dim, set.metric);
    engine.set_threads(1);
    const bool cached = !options.cache.empty() && contestant.kind != "vecdb";
    const std::filesystem::path path =
        cached ? cache_path(contestant, set, options.cache) : std::filesystem::path();
    if (cached && load_cached(contestant, path)) return;
    std::fprintf(stderr, "building %s\n", contestant.label.c_str());
    contestant.build_seconds = seconds_of([&] {
        engine.add(set.base.values.data(), set.base.rows);
        engine.build();
    });
    if (cached) save_cached(contestant, path);
}

std::string rival_names() {
    std::string names;
    for (const Preset& preset : presets())
        names += (names.empty() ? "" : ", ") + std::string(preset.name);
    return names;
}

}  // namespace vecdb::bench
