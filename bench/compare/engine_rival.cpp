#include "compare/engines.h"
#include "rivals/rival.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <dlfcn.h>

namespace vecdb::bench {
namespace {

constexpr const char* kPrefix = "rival_";
constexpr const char* kSuffix = ".so";

std::filesystem::path module_folder() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

/// Load a module's table. Modules stay loaded: OpenMP's threads may still be in them.
const Rival& table_of(const std::string& module) {
    const std::filesystem::path path = module_folder() / (kPrefix + module + kSuffix);
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(dlerror());
    const auto* table = static_cast<const Rival*>(dlsym(handle, kRivalSymbol));
    if (table == nullptr || table->version != kRivalVersion) {
        throw std::runtime_error(path.string() + " is not a rival of version " +
                                 std::to_string(kRivalVersion));
    }
    return *table;
}

class RivalEngine final : public Engine {
  public:
    RivalEngine(std::string name, const std::string& module, std::string parameters)
        : name_(std::move(name)), parameters_(std::move(parameters)), table_(table_of(module)) {}
    ~RivalEngine() override { drop(); }
    RivalEngine(const RivalEngine&) = delete;
    RivalEngine& operator=(const RivalEngine&) = delete;
    RivalEngine(RivalEngine&&) = delete;
    RivalEngine& operator=(RivalEngine&&) = delete;

    [[nodiscard]] std::string name() const override { return name_; }

    [[nodiscard]] std::vector<std::pair<std::string, std::string>> about() const override {
        std::vector<std::pair<std::string, std::string>> lines;
        table_.about(&lines, [](void* to, const char* title, const char* value) {
            static_cast<decltype(lines)*>(to)->emplace_back(title, value);
        });
        return lines;
    }

    void reset(std::size_t dim, Metric metric) override {
        drop();
        dim_ = dim;
        unit_rows_ = metric == Metric::kCosine;
        index_ = table_.make(
            parameters_.c_str(), dim, metric == Metric::kL2 ? kRivalL2 : kRivalInnerProduct);
        if (index_ == nullptr) fail();
    }

    void add(const float* rows, std::size_t count) override {
        if (!unit_rows_) {
            check(table_.add(index_, rows, count));
            return;
        }
        Floats scaled;
        scaled.rows = count;
        scaled.dim = dim_;
        scaled.values.assign(rows, rows + count * dim_);
        normalise(scaled);
        check(table_.add(index_, scaled.values.data(), count));
    }

    void set(const cli::Setting& setting) override {
        for (const auto& [key, value] : setting.values)
            check(table_.set(index_, key.c_str(), std::strtod(value.c_str(), nullptr)));
    }

    [[nodiscard]] bool save(const std::filesystem::path& path) override {
        if (table_.save == nullptr) return false;
        check(table_.save(index_, path.c_str()));
        return true;
    }

    [[nodiscard]] bool load(const std::filesystem::path& path) override {
        if (table_.load == nullptr) return false;
        check(table_.load(index_, path.c_str()));
        return true;
    }

    void set_threads(std::size_t threads) override { check(table_.set_threads(threads)); }

    [[nodiscard]] bool set_filter(const Bitset* allowed) override {
        if (table_.set_filter == nullptr) return false;
        const std::uint64_t* words = allowed == nullptr ? nullptr : allowed->words().data();
        check(table_.set_filter(index_, words, allowed == nullptr ? 0 : allowed->size()));
        return true;
    }

    void search(const float* queries, std::size_t count, std::size_t k, Answers& out) override {
        out.resize(count, k);
        check(table_.search(index_, queries, count, k, out.ids.data(), out.scores.data()));
    }

    [[nodiscard]] std::size_t memory_bytes() const override { return table_.memory(index_); }

  private:
    [[noreturn]] void fail() const { throw std::runtime_error(name_ + ": " + table_.error()); }

    void check(int failed) const {
        if (failed != 0) fail();
    }

    void drop() {
        if (index_ != nullptr) table_.destroy(index_);
        index_ = nullptr;
    }

    std::string name_;
    std::string parameters_;
    const Rival& table_;
    void* index_ = nullptr;
    std::size_t dim_ = 0;
    bool unit_rows_ = false;
};

}  // namespace

std::vector<std::string> built_rivals() {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(module_folder())) {
        const std::string name = file.path().filename().string();
        if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
        const std::string rest = name.substr(std::string(kPrefix).size());
        names.push_back(rest.substr(0, rest.size() - std::string(kSuffix).size()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::unique_ptr<Engine> make_rival(const std::string& name,
                                   const std::string& module,
                                   const std::string& parameters) {
    return std::make_unique<RivalEngine>(name, module, parameters);
}

}  // namespace vecdb::bench
