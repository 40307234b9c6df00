#include "index/conformance/catalogue.h"

#include "collection/builtin_indexes.h"
#include "index/conformance/plain_index.h"
#include "index/registry.h"
#include "pivot_index.h"

#include <memory>
#include <utility>

namespace vecdb::test {
namespace {

constexpr std::size_t kAllLists = std::size_t{1} << 24U;

std::vector<Variant> flat_variants() {
    const std::vector<Effort> exact = {{.name = "exact", .exact = true}};
    return {{.name = "flat", .options = FlatOptions{}, .efforts = exact, .is_default = true},
            {.name = "flat codes=none",
             .options = FlatOptions{.codes = Codes::kNone},
             .efforts = exact}};
}

/// Walks of small ef are there because wider ones compare all rows of segments as small as ours.
/// They find less where a cluster is narrower than a code can tell.
Variant hnsw(std::string name, HnswOptions options, double narrow, double wide) {
    return {.name = std::move(name),
            .options = options,
            .efforts = {{.name = "ef=10", .ef = 10, .floor = narrow},
                        {.name = "ef=40 rerank=10", .ef = 40, .floor = narrow, .rerank = 10},
                        {.name = "default", .floor = wide}}};
}

std::vector<Variant> hnsw_variants() {
    std::vector<Variant> variants = {
        hnsw("hnsw", {}, 0.6, 0.9),
        hnsw("hnsw codes=none", {.codes = Codes::kNone}, 0.6, 0.9),
        hnsw("hnsw codes=sq4", {.codes = Codes::kSq4}, 0.5, 0.9),
        hnsw("hnsw codes=sq5 m=8", {.m = 8, .codes = Codes::kSq5}, 0.5, 0.8),
        hnsw("hnsw codes=sq7 m=8", {.m = 8, .codes = Codes::kSq7}, 0.5, 0.8),
        hnsw("hnsw codes=sq8", {.codes = Codes::kSq8}, 0.6, 0.9),
        hnsw("hnsw m=4", {.m = 4, .ef_construction = 100}, 0.4, 0.7),
        hnsw("hnsw m=2 codes=none", {.m = 2, .ef_construction = 20, .codes = Codes::kNone}, 0, 0),
    };
    variants.front().is_default = true;
    for (Variant& variant : variants)
        variant.in_small = std::get<HnswOptions>(variant.options).m <= 4;  // walks under masks, too
    return variants;
}

/// With all lists and the whole bound nothing is lost.
Variant ivf(std::string name, IvfOptions options, bool exact) {
    return {.name = std::move(name),
            .options = options,
            .efforts = {{.name = "all lists",
                         .nprobe = kAllLists,
                         .bound = 1.0F,
                         .exact = exact,
                         .floor = 0.8},
                        {.name = "nprobe=1", .nprobe = 1},
                        {.name = "default", .floor = 0.1}},
            .may_want_more_rows = options.nlist > 1};
}

std::vector<Variant> ivf_variants() {
    std::vector<Variant> variants = {
        ivf("ivf", {}, true),
        ivf("ivf codes=none", {.codes = Codes::kNone}, true),
        ivf("ivf codes=pq4", {.codes = Codes::kPq4}, false),
        ivf("ivf codes=pq4 pq_dims=3", {.codes = Codes::kPq4, .pq_dims = 3}, false),
        ivf("ivf codes=opq4", {.codes = Codes::kOpq4}, false),
        ivf("ivf nlist=16 codes=opq4", {.nlist = 16, .codes = Codes::kOpq4}, false),
        ivf("ivf nlist=1", {.nlist = 1}, true),
        ivf("ivf nlist=16", {.nlist = 16}, true),
        ivf("ivf nlist=16 codes=none", {.nlist = 16, .codes = Codes::kNone}, true),
    };
    variants.front().is_default = true;
    return variants;
}

std::vector<Variant> pivots_variants() {
    const auto with = [](const char* pivots) {
        return CustomOptions{.name = "pivots", .parameters = {{"pivots", pivots}}};
    };
    const Effort all{.name = "all lists", .nprobe = 1'000, .exact = true};
    return {{.name = "pivots",
             .options = with("30"),
             .efforts = {all, {.name = "default", .floor = 0.1}},
             .is_default = true}};
}

/// Take an index at its word.
Variant unknown(const std::string& name) {
    return {.name = name,
            .options = CustomOptions{.name = name, .parameters = {}},
            .efforts = {{.name = "default"}},
            .is_default = true};
}

std::vector<Variant> variants_of(const std::string& name) {
    if (name == "flat") return flat_variants();
    if (name == "hnsw") return hnsw_variants();
    if (name == "ivf") return ivf_variants();
    if (name == "pivots") return pivots_variants();
    return {unknown(name)};
}

/// Register the simplest index, and the one of examples/, which is for others to copy.
void register_tests_own() {
    static const Status example = register_index("pivots", pivots::make_pivot_index);
    example.check();
    static const Status done =
        register_index("plain", [](const VectorField&) -> Result<std::unique_ptr<Index>> {
            return std::unique_ptr<Index>(std::make_unique<PlainIndex>());
        });
    done.check();
}

}  // namespace

std::vector<Variant> all_variants() {
    collection::register_builtin();
    register_tests_own();
    std::vector<Variant> variants;
    for (const std::string& name : index::registered_indexes()) {
        for (Variant& variant : variants_of(name))
            variants.push_back(std::move(variant));
    }
    return variants;
}

}  // namespace vecdb::test
