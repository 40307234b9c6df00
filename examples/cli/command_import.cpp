// vecdb import: the rows of a file into a collection of a database in a directory.

#include "command.h"
#include "database_access.h"
#include "exit_code.h"
#include "import.h"
#include "index_spec.h"
#include "output.h"
#include "progress_bar.h"
#include "vector_file.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>
#include <vecdb/dataset_io.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::cli {
namespace {

struct ImportOptions {
    std::string path;
    std::string directory;
    std::string collection;
    std::string metric = "l2";
    std::string type;
    std::string index = "flat";
    std::optional<std::size_t> seal_rows;
    Id first_id = 0;
    std::string ids_path;
    bool upsert = false;
    std::size_t batch = 10'000;
    std::string sync = "each";
    bool no_index = false;
    std::size_t build_threads = 1;
    std::string json_path;
    // Whether the option stands on the command line.
    bool metric_given = false;
    bool index_given = false;
};

/// What was done, and how long it took.
struct ImportReport {
    bool created = false;
    std::size_t rows = 0;
    double import_seconds = 0;
    double index_seconds = 0;
    double checkpoint_seconds = 0;

    [[nodiscard]] double rows_per_second() const {
        return static_cast<double>(rows) / std::max(import_seconds, 1e-9);
    }
};

template <class Job>
double seconds_of(Job&& job) {
    const auto start = std::chrono::steady_clock::now();
    job();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

constexpr Metric kMetrics[] = {
    Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kHamming, Metric::kJaccard};
constexpr ElementType kTypes[] = {ElementType::kFloat32,
                                  ElementType::kFloat16,
                                  ElementType::kBFloat16,
                                  ElementType::kInt8,
                                  ElementType::kBit};
constexpr std::pair<const char*, SyncMode> kSyncs[] = {{"each", SyncMode::kEach},
                                                       {"interval", SyncMode::kInterval},
                                                       {"os", SyncMode::kOs},
                                                       {"off", SyncMode::kOff}};

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

SyncMode sync_of(const std::string& name) {
    return std::find_if(std::begin(kSyncs),
                        std::end(kSyncs) - 1,
                        [&](const auto& each) { return name == each.first; })
        ->second;
}

ElementType type_of(const ImportOptions& options, Metric metric, ItemType item) {
    if (!options.type.empty()) return named(kTypes, options.type);
    const bool bits = metric == Metric::kHamming || metric == Metric::kJaccard;
    return bits ? ElementType::kBit : element_type_of(item);
}

/// Make the schema of a new collection; checks the options before anything is made.
Schema schema_of(const ImportOptions& options, const DatasetInfo& info) {
    const Metric metric = named(kMetrics, options.metric);
    const ElementType type = type_of(options, metric, info.item);
    Schema schema =
        Schema::single(dimension_of(static_cast<std::size_t>(info.dim), type), metric, type);
    schema.vectors[0].index = parse_index(options.index);
    if (options.seal_rows) schema.segments.seal_rows = *options.seal_rows;
    check(schema.validate(), ExitCode::kUsage);
    return schema;
}

[[noreturn]] void refuse(const std::string& option,
                         const Collection& collection,
                         const std::string& has) {
    throw CommandError(
        ExitCode::kUsage,
        option + ": the collection '" + collection.name() + "' is there already, with " + has);
}

/// Refuse options that ask for another collection than the one that is there.
void check_same(const ImportOptions& options, const Schema& asked, const Collection& collection) {
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
}

std::string name_of(const ImportOptions& options) {
    if (!options.collection.empty()) return options.collection;
    return std::filesystem::path(options.path).stem().string();
}

Collection open_or_make(Database& db,
                        const ImportOptions& options,
                        const Schema& schema,
                        bool& created) {
    const std::string name = name_of(options);
    Result<Collection> found = db.collection(name);
    created = found.status().code() == StatusCode::kNotFound;
    if (!created) {
        Collection collection = value_of(std::move(found), ExitCode::kInput);
        check_same(options, schema, collection);
        return collection;
    }
    Result<Collection> made = db.create_collection(name, schema);
    check_write(made.status(), ExitCode::kUsage);
    return *std::move(made);
}

/// Return the ids of all rows.
std::vector<Id> ids_of(const ImportOptions& options, std::size_t rows) {
    if (options.ids_path.empty()) {
        constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<Id>::max());
        if (rows > kLargest - static_cast<std::uint64_t>(options.first_id)) {
            throw CommandError(ExitCode::kUsage,
                               "--first-id: " + std::to_string(options.first_id) +
                                   " leaves no ids for " + std::to_string(rows) + " rows");
        }
        std::vector<Id> ids(rows);
        std::iota(ids.begin(), ids.end(), options.first_id);
        return ids;
    }
    IntMatrix ids = value_of(read_ints(options.ids_path), ExitCode::kInput);
    if (ids.dim != 1 || ids.rows != rows) {
        throw CommandError(ExitCode::kInput,
                           options.ids_path + ": has " + std::to_string(ids.rows) + " x " +
                               std::to_string(ids.dim) + " ids, expected one for each of " +
                               std::to_string(rows) + " rows");
    }
    return std::move(ids.values);
}

void import_batch(Collection& collection,
                  const ImportOptions& options,
                  std::span<const Id> ids,
                  const MatrixView& rows,
                  std::size_t first) {
    const Status status =
        options.upsert ? collection.upsert(ids, rows) : collection.insert(ids, rows);
    if (status.ok()) return;
    // The library counts rows from the start of the batch.
    std::string where = options.path;
    if (first != 0) {
        where += ", counted from row " + std::to_string(first) + ", those before it are imported";
    }
    const Status told(status.code(), where + ": " + status.message());
    if (status.code() == StatusCode::kAlreadyExists) {
        throw CommandError(ExitCode::kInput, told.message());
    }
    check_write(told, ExitCode::kInput);
}

void import_all(Collection& collection,
                const ImportOptions& options,
                VectorFile& file,
                const std::vector<Id>& ids) {
    ProgressBar progress("importing " + options.path, file.rows(), "rows");
    for (std::size_t first = 0; first < file.rows(); first += options.batch) {
        const std::size_t count = std::min(options.batch, file.rows() - first);
        import_batch(collection,
                     options,
                     std::span(ids).subspan(first, count),
                     file.read(first, count),
                     first);
        progress.advance(count);
    }
}

/// Open the database or make it.
Database open_or_make(const ImportOptions& options) {
    Result<Database> opened = Database::open(options.directory, {.sync = sync_of(options.sync)});
    if (opened.status().code() == StatusCode::kNotFound) {  // the directory that is to hold it
        throw CommandError(ExitCode::kOther, opened.status().message());
    }
    check_write(opened.status(), ExitCode::kUsage);
    return *std::move(opened);
}

/// Forget a collection that this import made and that got no rows, so that it can be made
/// otherwise.
void forget(Database& db, const Collection& collection) {
    if (collection.count() == 0) (void)db.drop_collection(collection.name());
}

ImportReport import_into(Database& db,
                         const ImportOptions& options,
                         const Schema& schema,
                         std::optional<Collection>& collection) {
    ImportReport report;
    collection.emplace(open_or_make(db, options, schema, report.created));
    const VectorField& field = collection->schema().vectors[0];
    VectorFile file(options.path, field.element_type);
    file.expect(field.dim, "the collection '" + collection->name() + '\'', false);
    const std::vector<Id> ids = ids_of(options, file.rows());
    report.rows = file.rows();
    try {
        report.import_seconds = seconds_of([&] { import_all(*collection, options, file, ids); });
    } catch (const CommandError&) {
        if (report.created) forget(db, *collection);
        throw;
    }
    if (!options.no_index) {
        report.index_seconds = seconds_of([&] { build_index(*collection, options.build_threads); });
    }
    report.checkpoint_seconds = seconds_of([&] { check_write(db.checkpoint()); });
    return report;
}

void print(const Output& output,
           const ImportOptions& options,
           const Collection& collection,
           const ImportReport& report) {
    output.line("database", options.directory);
    output.line("collection",
                collection.name() + (report.created ? ", made, " : ", ") +
                    grouped(collection.count()) + " rows");
    output.line("imported",
                grouped(report.rows) + " rows in " + fixed(report.import_seconds, 3) + " s, " +
                    fixed(report.rows_per_second(), 0) + " rows/s");
    const std::string index = index_text(collection.schema().vectors[0].index);
    output.line("index",
                options.no_index ? index + ", not built by this import"
                                 : index + ", built in " + fixed(report.index_seconds, 3) + " s");
    output.line("checkpoint", fixed(report.checkpoint_seconds, 3) + " s");
}

Json to_json(const ImportOptions& options,
             const Collection& collection,
             const ImportReport& report) {
    const VectorField& field = collection.schema().vectors[0];
    return {{"database", options.directory},
            {"collection", collection.name()},
            {"created", report.created},
            {"file", options.path},
            {"rows", report.rows},
            {"rows_in_collection", collection.count()},
            {"dim", field.dim},
            {"metric", to_string(field.metric)},
            {"element_type", to_string(field.element_type)},
            {"index", index_text(field.index)},
            {"index_built", !options.no_index},
            {"sync", options.sync},
            {"import_seconds", report.import_seconds},
            {"rows_per_second", report.rows_per_second()},
            {"index_seconds", report.index_seconds},
            {"checkpoint_seconds", report.checkpoint_seconds}};
}

void run_import(const ImportOptions& options) {
    const Output output(options.json_path);
    // What is wrong with the file or the options is told before a directory is made.
    const DatasetInfo info = value_of(describe_dataset(options.path), ExitCode::kInput);
    const Schema schema = schema_of(options, info);
    (void)ids_of(options, static_cast<std::size_t>(info.rows));

    Database db = open_or_make(options);
    std::optional<Collection> collection;
    const ImportReport report = import_into(db, options, schema, collection);
    check_write(db.close());
    print(output, options, *collection, report);
    output.finish(to_json(options, *collection, report));
}

void add_schema_options(CLI::App& command, ImportOptions& options) {
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

void add_row_options(CLI::App& command, ImportOptions& options) {
    CLI::Option* first =
        command
            .add_option("--first-id", options.first_id, "Id of the first row, then one more each")
            ->check(CLI::Range(Id{0}, std::numeric_limits<Id>::max()))
            ->capture_default_str();
    command.add_option("--ids", options.ids_path, "An integer a row: its id")
        ->type_name("IDS.npy")
        ->excludes(first);
    command.add_flag("--upsert", options.upsert, "Replace rows whose ids exist");
    command.add_option("--batch", options.batch, "Rows written at once")
        ->check(CLI::Range(std::size_t{1}, kMaxBatchRows))
        ->capture_default_str();
    command.add_option("--sync", options.sync, "What a batch waits for, see OpenOptions::sync")
        ->check(CLI::IsMember({"each", "interval", "os", "off"}))
        ->capture_default_str();
}

}  // namespace

void add_import(CLI::App& tool, Command& chosen) {
    auto options = std::make_shared<ImportOptions>();
    CLI::App* command =
        tool.add_subcommand("import", "Write the rows of a file to a database in a directory");
    command->add_option("FILE", options->path, "The vectors: .npy, .fvecs, .fbin, ...")->required();
    command->add_option("DIR", options->directory, "The database; made if it is not there")
        ->required();
    add_schema_options(*command, *options);
    add_row_options(*command, *options);
    command->add_flag("--no-index", options->no_index, "Do not build the index");
    command->add_option("--build-threads", options->build_threads, "0: as many as the machine has")
        ->check(CLI::Range(std::size_t{0}, kMaxThreads))
        ->capture_default_str();
    add_json_option(*command, options->json_path);
    command->callback([options, command, &chosen] {
        options->metric_given = command->count("--metric") != 0;
        options->index_given = command->count("--index") != 0;
        chosen = [options] {
            run_import(*options);
        };
    });
}

}  // namespace vecdb::cli
