// vecdb import: the rows of a file, and of others beside it, into a collection of a database.

#include "command.h"
#include "csv_columns.h"
#include "database_access.h"
#include "exit_code.h"
#include "import.h"
#include "import_command.h"
#include "index_spec.h"
#include "output.h"
#include "progress_bar.h"
#include "scalar_text.h"
#include "vector_file.h"
#include "vector_text.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>
#include <vecdb/dataset_io.h>
#include <vecdb/views.h>

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

constexpr std::pair<const char*, SyncMode> kSyncs[] = {{"each", SyncMode::kEach},
                                                       {"interval", SyncMode::kInterval},
                                                       {"os", SyncMode::kOs},
                                                       {"off", SyncMode::kOff}};

SyncMode sync_of(const std::string& name) {
    return std::find_if(std::begin(kSyncs),
                        std::end(kSyncs) - 1,
                        [&](const auto& each) { return name == each.first; })
        ->second;
}

std::string name_of(const ImportCommand& options) {
    if (!options.collection.empty()) return options.collection;
    return std::filesystem::path(options.path).stem().string();
}

Collection open_or_make(Database& db,
                        const ImportCommand& options,
                        const ImportPlan& plan,
                        bool& created) {
    const std::string name = name_of(options);
    Result<Collection> found = db.collection(name);
    created = found.status().code() == StatusCode::kNotFound;
    if (!created) {
        Collection collection = value_of(std::move(found), ExitCode::kInput);
        check_same(options, plan, collection);
        return collection;
    }
    Result<Collection> made = db.create_collection(name, plan.schema);
    check_write(made.status(), ExitCode::kUsage);
    return *std::move(made);
}

/// Return the ids of all rows.
std::vector<Id> ids_of(const ImportCommand& options, std::size_t rows) {
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

/// Rows that are written at once.
struct Batch {
    std::size_t first = 0;  // of the file
    std::span<const Id> ids;
    MatrixView rows;
    std::vector<ColumnView> columns = {};  // of further vector fields too
};

void import_batch(Collection& collection, const ImportCommand& options, const Batch& batch) {
    const Status status = options.upsert ? collection.upsert(batch.ids, batch.rows, batch.columns)
                                         : collection.insert(batch.ids, batch.rows, batch.columns);
    if (status.ok()) return;
    // The library counts rows from the start of the batch.
    std::string where = options.path;
    if (batch.first != 0) {
        where +=
            ", counted from row " + std::to_string(batch.first) + ", those before it are imported";
    }
    const Status told(status.code(), where + ": " + status.message());
    if (status.code() == StatusCode::kAlreadyExists) {
        throw CommandError(ExitCode::kInput, told.message());
    }
    check_write(told, ExitCode::kInput);
}

/// Open the files of all vector fields, in the order of the fields.
std::vector<VectorFile> open_files(const Collection& collection, const ImportPlan& plan) {
    const std::vector<VectorField>& fields = collection.schema().vectors;
    std::vector<VectorFile> files;
    for (std::size_t number = 0; number < fields.size(); ++number) {
        const std::string& path = plan.request_of(fields, number)->path;
        files.emplace_back(path, fields[number].element_type)
            .expect(fields[number].dim, owner_text(collection, fields[number]), false);
    }
    return files;
}

void import_all(Collection& collection,
                const ImportCommand& options,
                const ImportPlan& plan,
                const std::vector<Id>& ids) {
    const std::vector<VectorField>& fields = collection.schema().vectors;
    std::vector<VectorFile> files = open_files(collection, plan);
    std::optional<CsvColumns> columns;
    if (!options.columns_path.empty())
        columns.emplace(options.columns_path, CsvRows{options.path, plan.rows});
    ProgressBar progress("importing " + options.path, plan.rows, "rows");
    for (std::size_t first = 0; first < plan.rows; first += options.batch) {
        const std::size_t count = std::min(options.batch, plan.rows - first);
        Batch batch{.first = first,
                    .ids = std::span(ids).subspan(first, count),
                    .rows = files[0].read(first, count)};
        if (columns) batch.columns = columns->read(count);
        for (std::size_t number = 1; number < fields.size(); ++number)
            batch.columns.emplace_back(fields[number].name, files[number].read(first, count));
        import_batch(collection, options, batch);
        progress.advance(count);
    }
}

/// Open the database or make it.
Database open_or_make(const ImportCommand& options) {
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
                         const ImportCommand& options,
                         const ImportPlan& plan,
                         std::optional<Collection>& collection) {
    ImportReport report{.rows = plan.rows};
    collection.emplace(open_or_make(db, options, plan, report.created));
    const std::vector<Id> ids = ids_of(options, plan.rows);
    try {
        report.import_seconds = seconds_of([&] { import_all(*collection, options, plan, ids); });
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
           const ImportCommand& options,
           const Collection& collection,
           const ImportReport& report) {
    output.line("database", options.directory);
    output.line("collection",
                collection.name() + (report.created ? ", made, " : ", ") +
                    grouped(collection.count()) + " rows");
    output.line("imported",
                grouped(report.rows) + " rows in " + fixed(report.import_seconds, 3) + " s, " +
                    fixed(report.rows_per_second(), 0) + " rows/s");
    const std::vector<VectorField>& vectors = collection.schema().vectors;
    for (const VectorField& field : std::span(vectors).subspan(1)) {
        output.line(
            "vectors",
            shown(field.name) + " x " + vector_text(field) + ", " + index_text(field.index));
    }
    const std::vector<ScalarField>& fields = collection.schema().scalars;
    if (!fields.empty()) output.line("fields", fields_text(fields));
    const std::string index = index_text(vectors[0].index);
    output.line("index",
                options.no_index ? index + ", not built by this import"
                                 : index + ", built in " + fixed(report.index_seconds, 3) + " s");
    output.line("checkpoint", fixed(report.checkpoint_seconds, 3) + " s");
}

Json to_json(const ImportCommand& options,
             const Collection& collection,
             const ImportReport& report) {
    const VectorField& field = collection.schema().vectors[0];
    const std::vector<ScalarField>& fields = collection.schema().scalars;
    return {{"database", options.directory},
            {"collection", collection.name()},
            {"created", report.created},
            {"file", options.path},
            {"rows", report.rows},
            {"rows_in_collection", collection.count()},
            {"dim", field.dim},
            {"metric", to_string(field.metric)},
            {"element_type", to_string(field.element_type)},
            {"vectors", vectors_json(collection.schema().vectors)},
            {"fields", fields_json(fields)},
            {"index", index_text(field.index)},
            {"index_built", !options.no_index},
            {"sync", options.sync},
            {"import_seconds", report.import_seconds},
            {"rows_per_second", report.rows_per_second()},
            {"index_seconds", report.index_seconds},
            {"checkpoint_seconds", report.checkpoint_seconds}};
}

void run_import(const ImportCommand& options) {
    const Output output(options.json_path);
    // What is wrong with the files or the options is told before a directory is made.
    const ImportPlan plan = plan_of(options);
    (void)ids_of(options, plan.rows);
    if (!options.columns_path.empty())
        check_columns(options.columns_path, {options.path, plan.rows});

    Database db = open_or_make(options);
    std::optional<Collection> collection;
    const ImportReport report = import_into(db, options, plan, collection);
    check_write(db.close());
    print(output, options, *collection, report);
    output.finish(to_json(options, *collection, report));
}

void add_row_options(CLI::App& command, ImportCommand& options) {
    CLI::Option* first =
        command
            .add_option("--first-id", options.first_id, "Id of the first row, then one more each")
            ->check(CLI::Range(Id{0}, std::numeric_limits<Id>::max()))
            ->capture_default_str();
    command.add_option("--ids", options.ids_path, "An integer a row: its id")
        ->type_name("IDS.npy")
        ->excludes(first);
    command
        .add_option("--columns",
                    options.columns_path,
                    "Scalar fields, a record a row; the header is as price:int64,brand:string?")
        ->type_name("FILE.csv");
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
    auto options = std::make_shared<ImportCommand>();
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
    command->callback([options, &chosen] {
        chosen = [options] {
            run_import(*options);
        };
    });
}

}  // namespace vecdb::cli
