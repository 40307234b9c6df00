#include "index_spec.h"

#include "exit_code.h"
#include "numbers.h"
#include "output.h"

#include <algorithm>
#include <sstream>
#include <variant>

namespace vecdb::cli {
namespace {

constexpr const char* kOption = "--index";

constexpr std::pair<const char*, Codes> kCodes[] = {{"default", Codes::kDefault},
                                                    {"none", Codes::kNone},
                                                    {"sq4", Codes::kSq4},
                                                    {"sq5", Codes::kSq5},
                                                    {"sq7", Codes::kSq7},
                                                    {"sq8", Codes::kSq8},
                                                    {"pq4", Codes::kPq4},
                                                    {"opq4", Codes::kOpq4}};

/// Return " codes=NAME"; nothing for the default.
std::string codes_text(Codes codes) {
    for (const auto& [name, each] : kCodes) {
        if (codes == each && codes != Codes::kDefault) return std::string(" codes=") + name;
    }
    return {};
}

[[noreturn]] void fail(const std::string& option, const std::string& what) {
    throw CommandError(ExitCode::kUsage, option + ": " + what);
}

void read(const std::string& key, const std::string& text, std::size_t& value) {
    value = parse_count(std::string(kOption) + ": " + key, text);
}

void read(const std::string& key, const std::string& text, float& value) {
    value = static_cast<float>(parse_real(std::string(kOption) + ": " + key, text));
}

void read(const std::string& key, const std::string& text, Codes& value) {
    std::vector<std::string> names;
    for (const auto& [name, codes] : kCodes) {
        names.emplace_back(name);
        if (text == name) {
            value = codes;
            return;
        }
    }
    fail(kOption, key + '=' + text + " is none of " + joined(names));
}

/// Fits values to the members that keys stand for, and knows which keys there are.
class Reader {
  public:
    explicit Reader(const NamedValues& spec) : spec_(spec) {}

    template <class T>
    Reader& key(const std::string& name, T& member) {
        known_.push_back(name);
        for (const auto& [key, value] : spec_.values) {
            if (key == name) read(key, value, member);
        }
        return *this;
    }

    /// Refuse what no key() took.
    void finish() const {
        for (const auto& [key, value] : spec_.values) {
            if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
                fail(kOption, spec_.name + " has no " + key + "; allowed are " + joined(known_));
            }
        }
    }

  private:
    const NamedValues& spec_;
    std::vector<std::string> known_;
};

IndexOptions options_of(const NamedValues& spec) {
    Reader reader(spec);
    IndexOptions options;
    if (spec.name == "flat") {
        reader.key("codes", options.emplace<FlatOptions>().codes).finish();
    } else if (spec.name == "hnsw") {
        auto& hnsw = options.emplace<HnswOptions>();
        reader.key("m", hnsw.m).key("ef_construction", hnsw.ef_construction);
        reader.key("alpha", hnsw.alpha).key("codes", hnsw.codes).finish();
    } else if (spec.name == "ivf") {
        auto& ivf = options.emplace<IvfOptions>();
        reader.key("nlist", ivf.nlist).key("codes", ivf.codes).key("pq_dims", ivf.pq_dims).finish();
    } else {
        fail(kOption, spec.name + " is none of flat, hnsw, ivf");
    }
    return options;
}

}  // namespace

NamedValues parse_named_values(const std::string& option, const std::string& text) {
    std::istringstream words(text);
    NamedValues spec;
    if (!(words >> spec.name)) fail(option, "the text is empty");
    for (std::string word; words >> word;) {
        const std::size_t sign = word.find('=');
        if (sign == std::string::npos || sign == 0 || sign + 1 == word.size()) {
            fail(option, word + " is not of the form key=value");
        }
        std::string key = word.substr(0, sign);
        for (const auto& [earlier, value] : spec.values) {
            if (earlier == key) fail(option, key + " stands twice");
        }
        spec.values.emplace_back(std::move(key), word.substr(sign + 1));
    }
    return spec;
}

IndexOptions parse_index(const std::string& text) {
    IndexOptions options = options_of(parse_named_values(kOption, text));
    const Status status = validate(options);
    if (!status.ok()) fail(kOption, status.message());
    return options;
}

std::string index_name(const IndexOptions& options) {
    constexpr const char* kNames[] = {"flat", "hnsw", "ivf", "custom"};
    return kNames[options.index()];
}

std::string index_text(const IndexOptions& options) {
    std::string text = index_name(options);
    if (const auto* flat = std::get_if<FlatOptions>(&options)) {
        text += codes_text(flat->codes);
    } else if (const auto* hnsw = std::get_if<HnswOptions>(&options)) {
        std::ostringstream alpha;
        alpha << hnsw->alpha;
        text += " m=" + std::to_string(hnsw->m) +
                " ef_construction=" + std::to_string(hnsw->ef_construction) +
                " alpha=" + alpha.str() + codes_text(hnsw->codes);
    } else if (const auto* ivf = std::get_if<IvfOptions>(&options)) {
        text += " nlist=" + std::to_string(ivf->nlist) + codes_text(ivf->codes) +
                " pq_dims=" + std::to_string(ivf->pq_dims);
    } else if (const auto* custom = std::get_if<CustomOptions>(&options)) {
        text += ' ' + custom->name;
        for (const auto& [key, value] : custom->parameters)
            text.append(" ").append(key).append("=").append(value);
    }
    return text;
}

bool same_index(const IndexOptions& left, const IndexOptions& right) {
    return index_text(left) == index_text(right);
}

}  // namespace vecdb::cli
