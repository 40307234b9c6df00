#include "csv_columns.h"
#include "exit_code.h"
#include "import_command.h"
#include "index_spec.h"
#include "scalar_text.h"
#include "vector_file.h"

#include <algorithm>
#include <iterator>
#include <variant>
#include <vector>

namespace vecdb::cli {
namespace {

constexpr Metric kMetrics[] = {
    Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kHamming, Metric::kJaccard};
constexpr ElementType kTypes[] = {ElementType::kFloat32,
                                  ElementType::kFloat16,
                                  ElementType::kBFloat16,
                                  ElementType::kInt8,
                                  ElementType::kBit};

/// Return the value that has a name, one of those that CLI::IsMember let pass.
template <class T, std::size_t N>
T named(const T (&values)[N], const std::string& name) {
    return *std::find_if(std::begin(values), std::end(values) - 1, [&](T value) {
        return to_string(value) == name;
    });
}

template <class T, std::size_t N>
CLI::IsMember one_of(const T (&values)[N]) {
    std::vector<std::string> names;
    for (const T value : values)
        names.emplace_back(to_string(value));
    return CLI::IsMember(names);
}

ElementType type_of(const ImportCommand& options, Metric metric, ItemType item) {
    if (!options.type.empty()) return named(kTypes, options.type);
    const bool bits = metric == Metric::kHamming || metric == Metric::kJaccard;
    return bits ? ElementType::kBit : element_type_of(item);
}

[[noreturn]] void refuse(const std::string& option,
                         const Collection& collection,
                         const std::string& has) {
    throw CommandError(
        ExitCode::kUsage,
        option + ": the collection '" + collection.name() + "' is there already, with " + has);
}

[[noreturn]] void refuse_columns(const std::string& path, const std::string& why) {
    throw CommandError(ExitCode::kInput, path + ", line 1: " + why);
}

/// Refuse a header of `path` that does not fit the collection that is there.
void check_same_fields(const std::string& path,
                       const std::vector<ScalarField>& asked,
                       const Collection& collection) {
    const std::vector<ScalarField>& fields = collection.schema().scalars;
    const std::string owner = "the collection '" + collection.name() + '\'';
    for (const ScalarField& field : asked) {
        const ScalarField* has = find_field(fields, field.name);
        if (has == nullptr) refuse_columns(path, no_field_text(collection, field.name));
        if (has->type != field.type || has->nullable != field.nullable) {
            refuse_columns(path, owner + " has " + field_text(*has) + ", not " + field_text(field));
        }
    }
    for (const ScalarField& field : fields) {
        const bool has_default =
            field.nullable || !std::holds_alternative<std::monostate>(field.fallback);
        if (!has_default && find_field(asked, field.name) == nullptr) {
            refuse_columns(path,
                           field_text(field) + " is missing, which " + owner +
                               " has without nulls and fallback");
        }
    }
}

}  // namespace

void add_schema_options(CLI::App& command, ImportCommand& options) {
    command.add_option("--collection", options.collection, "Its name; FILE's without extension")
        ->type_name("NAME");
    command.add_option("--metric", options.metric, "Of a new collection")
        ->check(one_of(kMetrics))
        ->capture_default_str();
    command
        .add_option("--type",
                    options.type,
                    "Element type of a new collection; as the file's items, bit under hamming and "
                    "jaccard")
        ->check(one_of(kTypes));
    command
        .add_option("--index",
                    options.index,
                    "Of a new collection: flat, hnsw or ivf, then key=value, as in bench")
        ->capture_default_str();
    command.add_option(
        "--seal-rows",
        options.seal_rows,
        "Of a new collection: rows that the background puts into the index; 0: none");
}

Schema schema_of(const ImportCommand& options, const DatasetInfo& info) {
    const Metric metric = named(kMetrics, options.metric);
    const ElementType type = type_of(options, metric, info.item);
    Schema schema =
        Schema::single(dimension_of(static_cast<std::size_t>(info.dim), type), metric, type);
    schema.vectors[0].index = parse_index(options.index);
    if (options.seal_rows) schema.segments.seal_rows = *options.seal_rows;
    check(schema.validate(), ExitCode::kUsage);
    if (options.columns_path.empty()) return schema;
    const CsvRows rows{options.path, static_cast<std::size_t>(info.rows)};
    schema.scalars = CsvColumns(options.columns_path, rows).fields();
    const Status status = schema.validate();
    if (!status.ok()) refuse_columns(options.columns_path, status.message());
    return schema;
}

void check_same(const ImportCommand& options, const Schema& asked, const Collection& collection) {
    const VectorField& has = collection.schema().vectors[0];
    const VectorField& want = asked.vectors[0];
    if (options.metric_given && want.metric != has.metric) {
        refuse("--metric", collection, std::string(to_string(has.metric)));
    }
    if (!options.type.empty() && want.element_type != has.element_type) {
        refuse("--type", collection, std::string(to_string(has.element_type)));
    }
    if (options.index_given && !same_index(want.index, has.index)) {
        refuse("--index", collection, index_text(has.index));
    }
    const std::size_t sealed = collection.schema().segments.seal_rows;
    if (options.seal_rows && *options.seal_rows != sealed) {
        refuse("--seal-rows", collection, std::to_string(sealed));
    }
    if (!options.columns_path.empty()) {
        check_same_fields(options.columns_path, asked.scalars, collection);
    }
}

}  // namespace vecdb::cli
