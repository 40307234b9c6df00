#include "index_spec.h"

#include "exit_code.h"
#include "numbers.h"
#include "output.h"

#include <algorithm>
#include <sstream>
#include <variant>

namespace vecdb::cli {
namespace {

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

/// A key, its value, and the option of the command line that they stand in.
struct KeyText {
    const std::string& option;
    const std::string& key;
    const std::string& text;

    [[nodiscard]] std::string what() const { return option + ": " + key; }
};

void read(const KeyText& from, std::size_t& value) {
    value = parse_count(from.what(), from.text);
}

void read(const KeyText& from, float& value) {
    value = static_cast<float>(parse_real(from.what(), from.text));
}

void read(const KeyText& from, Codes& value) {
    std::vector<std::string> names;
    for (const auto& [name, codes] : kCodes) {
        names.emplace_back(name);
        if (from.text == name) {
            value = codes;
            return;
        }
    }
    fail(from.option, from.key + '=' + from.text + " is none of " + joined(names));
}

/// Fits values to the members that keys stand for, and knows which keys there are.
class Reader {
  public:
    Reader(const std::string& option, const NamedValues& spec) : option_(option), spec_(spec) {}

    template <class T>
    Reader& key(const std::string& name, T& member) {
        known_.push_back(name);
        for (const auto& [key, value] : spec_.values) {
            if (key == name) read({option_, key, value}, member);
        }
        return *this;
    }

    /// Refuse what no key() took.
    void finish() const {
        for (const auto& [key, value] : spec_.values) {
            if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
                fail(option_, spec_.name + " has no " + key + "; allowed are " + joined(known_));
            }
        }
    }

  private:
    const std::string& option_;
    const NamedValues& spec_;
    std::vector<std::string> known_;
};

IndexOptions options_of(const std::string& option, const NamedValues& spec) {
    Reader reader(option, spec);
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
        fail(option, spec.name + " is none of flat, hnsw, ivf");
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

IndexOptions parse_index(const std::string& option, const std::string& text) {
    IndexOptions options = options_of(option, parse_named_values(option, text));
    const Status status = validate(options);
    if (!status.ok()) fail(option, status.message());
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
