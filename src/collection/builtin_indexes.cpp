#include "collection/builtin_indexes.h"

#include "index/flat_index.h"
#include "index/hnsw_index.h"
#include "index/ivf_index.h"
#include "index/registry.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <string_view>

namespace vecdb::collection {
namespace {

using MakeIndex = Result<std::unique_ptr<Index>> (*)(const VectorField& field);

struct Builtin {
    std::string_view name;
    MakeIndex make;
};

/// One line an index.
constexpr Builtin kBuiltin[] = {
    {"flat", index::make_flat_index},
    {"hnsw", index::make_hnsw_index},
    {"ivf", index::make_ivf_index},
};

constexpr bool kHasFlat = std::any_of(std::begin(kBuiltin),
                                      std::end(kBuiltin),
                                      [](const Builtin& each) { return each.name == "flat"; });

}  // namespace

void register_builtin() {
    static std::once_flag done;
    std::call_once(done, [] {
        for (const Builtin& each : kBuiltin)
            index::register_builtin_index(each.name, each.make);
    });
}

bool is_scanned(const VectorField& field) noexcept {
    const auto* flat = std::get_if<FlatOptions>(&field.index);
    if (flat == nullptr) return false;
    const bool has_codes = field.element_type == ElementType::kFloat32;
    return !kHasFlat || flat->codes == Codes::kNone ||
           (flat->codes == Codes::kDefault && !has_codes);
}

bool are_scanned(std::span<const VectorField> fields) noexcept {
    return std::all_of(fields.begin(), fields.end(), is_scanned);
}

Result<std::unique_ptr<Index>> make_index(const VectorField& field) {
    register_builtin();
    return index::make_index(field);
}

}  // namespace vecdb::collection
