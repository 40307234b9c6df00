#include "csv_columns.h"
#include "exit_code.h"
#include "fields.h"
#include "import_command.h"
#include "index_spec.h"
#include "scalar_text.h"
#include "vector_file.h"
#include "vector_text.h"

#include <vecdb/dataset_io.h>

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

/// Return the value that has a name; none if there is no such value.
template <class T, std::size_t N>
std::optional<T> named(const T (&values)[N], const std::string& name) {
    const T* const found = std::find_if(
        std::begin(values), std::end(values), [&](T value) { return to_string(value) == name; });
    return found != std::end(values) ? std::optional(*found) : std::nullopt;
}

template <class T, std::size_t N>
std::vector<std::string> names_of_all(const T (&values)[N]) {
    std::vector<std::string> names;
    for (const T value : values)
        names.emplace_back(to_string(value));
    return names;
}

FieldRequest first_request(const ImportCommand& options) {
    FieldRequest request{.path = options.path, .name = options.field};
    if (options.metric) request.metric = named(kMetrics, *options.metric);
    if (options.type) request.type = named(kTypes, *options.type);
    if (options.index) request.index = parse_index("--index", *options.index);
    return request;
}

/// Read NAME[:METRIC[:INDEX]].
FieldRequest further_request(const std::string& spec, const std::string& path) {
    const std::size_t name_end = std::min(spec.find(':'), spec.size());
    FieldRequest request{.path = path, .further = true, .name = spec.substr(0, name_end)};
    if (name_end == spec.size()) return request;
    const std::size_t metric_end = std::min(spec.find(':', name_end + 1), spec.size());
    const std::string metric = spec.substr(name_end + 1, metric_end - name_end - 1);
    request.metric = named(kMetrics, metric);
    if (!request.metric) {
        throw CommandError(ExitCode::kUsage,
                           "--vectors: " + shown(spec) + ": '" + shown(metric) + "' is none of " +
                               joined(names_of_all(kMetrics)));
    }
    if (metric_end == spec.size()) return request;
    request.index = parse_index("--vectors: " + shown(spec), spec.substr(metric_end + 1));
    return request;
}

std::vector<FieldRequest> requests_of(const ImportCommand& options) {
    std::vector<FieldRequest> requests = {first_request(options)};
    for (const auto& [spec, path] : options.vectors)
        requests.push_back(further_request(spec, path));
    return requests;
}

ElementType type_of(const FieldRequest& request, Metric metric, ItemType item) {
    if (request.type) return *request.type;
    const bool bits = metric == Metric::kHamming || metric == Metric::kJaccard;
    return bits ? ElementType::kBit : element_type_of(item);
}

VectorField field_of(const FieldRequest& request, const DatasetInfo& info) {
    VectorField field;
    if (request.name) field.name = *request.name;
    if (request.metric) field.metric = *request.metric;
    field.element_type = type_of(request, field.metric, info.item);
    field.dim = dimension_of(static_cast<std::size_t>(info.dim), field.element_type);
    if (request.index) field.index = *request.index;
    return field;
}

/// Add a vector field to the schema. The first file says how many rows there are.
void add_field(ImportPlan& plan, const FieldRequest& request) {
    const DatasetInfo info = value_of(describe_dataset(request.path), ExitCode::kInput);
    const auto rows = static_cast<std::size_t>(info.rows);
    if (!request.further) plan.rows = rows;
    if (rows != plan.rows) {
        throw CommandError(ExitCode::kInput,
                           request.path + ": has " + std::to_string(rows) + " rows, expected " +
                               std::to_string(plan.rows) + ", one for each row of " +
                               plan.fields[0].path);
    }
    const VectorField field = field_of(request, info);
    if (find_field(plan.schema.vectors, field.name) != nullptr) {
        throw CommandError(ExitCode::kUsage,
                           "--vectors: two fields '" + shown(field.name) +
                               "'; that of FILE has its name from --field");
    }
    plan.schema.vectors.push_back(field);
}

/// Refuse what `owner` has otherwise.
[[noreturn]] void refuse(const std::string& option,
                         const std::string& owner,
                         const std::string& has) {
    throw CommandError(ExitCode::kUsage, option + ": " + owner + " is there already, with " + has);
}

[[noreturn]] void refuse_columns(const std::string& path, const std::string& why) {
    throw CommandError(ExitCode::kInput, path + ", line 1: " + why);
}

/// Refuse a header of `path` that does not fit the collection that is there.
void check_same_fields(const std::string& path,
                       const std::vector<ScalarField>& asked,
                       const Collection& collection) {
    const std::vector<ScalarField>& fields = collection.schema().scalars;
    const std::string owner = owner_text(collection);
    for (const ScalarField& field : asked) {
        const ScalarField* has = find_field(fields, field.name);
        if (has == nullptr) refuse_columns(path, no_field_text(collection, fields, field.name));
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

/// Refuse a vector field that is asked for and `has` otherwise.
void check_same_field(const FieldRequest& request,
                      const VectorField& has,
                      const Collection& collection) {
    const auto check_one = [&](const char* option, bool same, const std::string& text) {
        if (same) return;
        refuse(request.further ? "--vectors" : option, owner_text(collection, has), text);
    };
    if (request.metric)
        check_one("--metric", *request.metric == has.metric, std::string(to_string(has.metric)));
    if (request.type) {
        check_one(
            "--type", *request.type == has.element_type, std::string(to_string(has.element_type)));
    }
    if (request.index)
        check_one("--index", same_index(*request.index, has.index), index_text(has.index));
}

/// Refuse a name that the collection has not, or has elsewhere among its vector fields.
void check_same_name(const FieldRequest& request, const Collection& collection) {
    if (!request.name) return;
    const std::string& name = *request.name;
    const std::vector<VectorField>& fields = collection.schema().vectors;
    if (!request.further) {
        if (name == fields[0].name) return;
        refuse("--field", owner_text(collection), "'" + shown(fields[0].name) + "' as the first");
    }
    if (find_field(fields, name) == nullptr) {
        throw CommandError(ExitCode::kUsage,
                           "--vectors: " + no_field_text(collection, fields, name));
    }
    if (name == fields[0].name) {
        throw CommandError(ExitCode::kUsage,
                           "--vectors: '" + shown(name) + "' is the first vector field of " +
                               owner_text(collection) + ", FILE has its vectors");
    }
}

/// Refuse vector fields that the collection has not, or not so, and one that has no vectors.
void check_same_vectors(const ImportPlan& plan, const Collection& collection) {
    for (const FieldRequest& request : plan.fields)
        check_same_name(request, collection);
    const std::vector<VectorField>& fields = collection.schema().vectors;
    for (std::size_t number = 0; number < fields.size(); ++number) {
        const FieldRequest* request = plan.request_of(fields, number);
        if (request == nullptr) {
            throw CommandError(ExitCode::kUsage,
                               "--vectors: " + owner_text(collection, fields[number]) +
                                   " is missing, every row has a vector of it");
        }
        check_same_field(*request, fields[number], collection);
    }
}

}  // namespace

const FieldRequest* ImportPlan::request_of(const std::vector<VectorField>& vectors,
                                           std::size_t number) const {
    if (number == 0) return fields.data();
    for (const FieldRequest& request : fields) {
        if (request.further && request.name == vectors[number].name) return &request;
    }
    return nullptr;
}

void add_schema_options(CLI::App& command, ImportCommand& options) {
    command.add_option("--collection", options.collection, "Its name; FILE's without extension")
        ->type_name("NAME");
    command
        .add_option("--field", options.field, "Of a new collection: name of the first vector field")
        ->type_name("NAME")
        ->default_str("vector");
    command.add_option("--metric", options.metric, "Of the first vector field of a new collection")
        ->check(CLI::IsMember(names_of_all(kMetrics)))
        ->default_str("l2");
    command
        .add_option("--type",
                    options.type,
                    "Element type of that field; as the file's items, bit under hamming and "
                    "jaccard")
        ->check(CLI::IsMember(names_of_all(kTypes)));
    command
        .add_option("--index",
                    options.index,
                    "Of that field: flat, hnsw or ivf, then key=value, as in bench")
        ->default_str("flat");
    command
        .add_option("--vectors",
                    options.vectors,
                    "A further vector field and its vectors, a row for each row of FILE; SPEC is "
                    "NAME[:METRIC[:INDEX]], as 'title:cosine:hnsw m=8'; l2 and flat if the "
                    "collection is new")
        ->type_name("SPEC FILE2")
        ->allow_extra_args(false);
    command.add_option(
        "--seal-rows",
        options.seal_rows,
        "Of a new collection: rows that the background puts into the index; 0: none");
}

ImportPlan plan_of(const ImportCommand& options) {
    ImportPlan plan{.fields = requests_of(options)};
    Schema& schema = plan.schema;
    for (const FieldRequest& request : plan.fields)
        add_field(plan, request);
    if (options.seal_rows) schema.segments.seal_rows = *options.seal_rows;
    check(schema.validate(), ExitCode::kUsage);
    if (options.columns_path.empty()) return plan;
    schema.scalars = CsvColumns(options.columns_path, {options.path, plan.rows}).fields();
    const Status status = schema.validate();
    if (!status.ok()) refuse_columns(options.columns_path, status.message());
    return plan;
}

void check_same(const ImportCommand& options,
                const ImportPlan& plan,
                const Collection& collection) {
    check_same_vectors(plan, collection);
    const std::size_t sealed = collection.schema().segments.seal_rows;
    if (options.seal_rows && *options.seal_rows != sealed)
        refuse("--seal-rows", owner_text(collection), std::to_string(sealed));
    if (!options.columns_path.empty())
        check_same_fields(options.columns_path, plan.schema.scalars, collection);
}

}  // namespace vecdb::cli
