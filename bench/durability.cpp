// What it costs that a database is on disk: log, checkpoint, snapshot, verification, opening, and
// searching rows where they lie in their files. Each figure stands beside what the disk, the memory
// or a database in memory does in the same run.
// Usage: durability DIRECTORY [BASE.npy]   DIRECTORY is made and removed.

#include "persist/checksum.h"
#include "timing.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using vecdb::bench::median;
using vecdb::bench::seconds_of;

constexpr std::size_t kDim = 100;
constexpr std::size_t kBatch = 1'000;
constexpr int kRounds = 7;

void show(const char* what, double value, const char* unit, double beside, const char* than) {
    std::printf("| %s | %.4g %s | %.3g x %s |\n", what, value, unit, value / beside, than);
    std::fflush(stdout);
}

std::vector<float> random_rows(std::size_t rows) {
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> values(rows * kDim);
    for (float& value : values)
        value = normal(random);
    return values;
}

/// Write bytes to a new file in pieces, perhaps sync it, and return the seconds that it took.
double write_plainly(const fs::path& path, std::size_t bytes, std::size_t piece, bool sync) {
    const std::vector<char> data(piece, 'x');
    const double seconds = seconds_of([&] {
        const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        for (std::size_t done = 0; done < bytes; done += piece) {
            if (::write(file, data.data(), piece) != static_cast<ssize_t>(piece)) std::abort();
        }
        if (sync) ::fdatasync(file);
        ::close(file);
    });
    fs::remove(path);
    return seconds;
}

vecdb::Schema scanned() {
    vecdb::Schema schema = vecdb::Schema::single(kDim);
    schema.vectors[0].index = vecdb::FlatOptions{.codes = vecdb::Codes::kNone};
    return schema;
}

/// Insert rows in batches and return the rows of a second.
double insert_rate(vecdb::Database& database, const std::vector<float>& values) {
    vecdb::Collection rows = database.create_collection("rows", scanned()).value();
    const std::size_t count = values.size() / kDim;
    std::vector<vecdb::Id> ids(kBatch);
    return static_cast<double>(count) / seconds_of([&] {
               for (std::size_t first = 0; first < count; first += kBatch) {
                   for (std::size_t i = 0; i < kBatch; ++i)
                       ids[i] = static_cast<vecdb::Id>(first + i);
                   rows.insert(ids, vecdb::MatrixView(values.data() + first * kDim, kBatch, kDim))
                       .check();
               }
           });
}

void measure_log(const fs::path& place) {
    constexpr std::size_t kRows = 200'000;
    const std::vector<float> values = random_rows(kRows);
    constexpr std::size_t kRecord = kBatch * (kDim * sizeof(float) + sizeof(vecdb::Id));
    const auto rate = [&](vecdb::SyncMode sync) {
        fs::remove_all(place / "log");
        vecdb::OpenOptions options;
        options.sync = sync;
        options.checkpoint_bytes = 0;
        auto database = vecdb::Database::open((place / "log").string(), options).value();
        return insert_rate(database, values);
    };
    std::vector<double> os, each, memory, plain;
    for (int round = 0; round < kRounds; ++round) {
        plain.push_back(kRows /
                        write_plainly(place / "plain", kRows / kBatch * kRecord, kRecord, false));
        auto database = vecdb::Database::in_memory().value();
        memory.push_back(insert_rate(database, values));
        os.push_back(rate(vecdb::SyncMode::kOs));
        if (round < 3) each.push_back(rate(vecdb::SyncMode::kEach));
    }
    show("insert, batches of 1,000, `os`",
         median(os),
         "rows/s",
         median(plain),
         "write() of the bytes alone");
    show("insert, batches of 1,000, in memory",
         median(memory),
         "rows/s",
         median(os),
         "with a log, `os`");
    show("insert, batches of 1,000, `each`", median(each), "rows/s", median(os), "`os`");
}

void measure_checksum() {
    std::vector<std::byte> bytes(std::size_t{256} << 20U);
    constexpr std::size_t kBlock = std::size_t{1} << 20U;
    std::vector<double> rates, copies;
    std::uint64_t sum = 0;
    std::vector<std::byte> copy(bytes.size());
    for (int round = 0; round < kRounds; ++round) {
        rates.push_back(static_cast<double>(bytes.size()) / 1e9 / seconds_of([&] {
                            for (std::size_t at = 0; at < bytes.size(); at += kBlock)
                                sum +=
                                    vecdb::persist::checksum(std::span(bytes).subspan(at, kBlock));
                        }));
        copies.push_back(static_cast<double>(bytes.size()) / 1e9 /
                         seconds_of([&] { std::copy(bytes.begin(), bytes.end(), copy.begin()); }));
    }
    show("checksums of 1 MiB blocks, 1 thread", median(rates), "GB/s", median(copies), "copying");
    if (sum == 1) std::printf(" ");
}

void measure_snapshot(const fs::path& place) {
    constexpr std::size_t kRows = 400'000;
    const std::vector<float> values = random_rows(kRows);
    std::vector<double> rates, plain, verified;
    for (int round = 0; round < 5; ++round) {
        fs::remove_all(place / "growing");
        fs::remove_all(place / "copy");
        vecdb::OpenOptions options;
        options.sync = vecdb::SyncMode::kOs;
        options.checkpoint_bytes = 0;
        auto database = vecdb::Database::open((place / "growing").string(), options).value();
        insert_rate(database, values);
        database.checkpoint().check();  // what was written so far is on its way to the disk
        vecdb::Collection rows = database.collection("rows").value();
        rows.remove(vecdb::Id{0}).status().check();
        const double seconds =
            seconds_of([&] { database.snapshot_to((place / "copy").string()).check(); });
        const double bytes = static_cast<double>(kRows * (kDim * sizeof(float) + 12));
        rates.push_back(bytes / 1e9 / seconds);
        plain.push_back(bytes / 1e9 /
                        write_plainly(place / "plain",
                                      static_cast<std::size_t>(bytes) >> 20U << 20U,
                                      std::size_t{1} << 20U,
                                      true));
        std::uint64_t checked = 0;
        const double verifying = seconds_of(
            [&] { checked = vecdb::Database::verify((place / "copy").string()).value().bytes; });
        verified.push_back(static_cast<double>(checked) / 1e9 / verifying);
    }
    show("snapshot, all rows to be written",
         median(rates),
         "GB/s",
         median(plain),
         "write() and fdatasync() of 1 MiB pieces");
    show("verify, files in the page cache", median(verified), "GB/s", median(plain), "the same");
}

/// Search all queries once and return queries a second.
double search_rate(const vecdb::Collection& rows,
                   const std::vector<float>& queries,
                   std::size_t ef) {
    const std::size_t count = queries.size() / kDim;
    vecdb::Hits hits(10);
    return static_cast<double>(count) / seconds_of([&] {
               for (std::size_t q = 0; q < count; ++q) {
                   rows.search_into(
                           std::span(queries).subspan(q * kDim, kDim), {.k = 10, .ef = ef}, hits)
                       .status()
                       .check();
               }
           });
}

void measure_opening(const fs::path& place, const std::vector<float>& values) {
    const std::size_t count = values.size() / kDim;
    const std::string directory = (place / "graph").string();
    {
        vecdb::OpenOptions options;
        options.sync = vecdb::SyncMode::kOff;
        auto database = vecdb::Database::open(directory, options).value();
        vecdb::Schema schema = vecdb::Schema::single(kDim, vecdb::Metric::kL2);
        schema.vectors[0].index = vecdb::HnswOptions{.m = 32, .ef_construction = 200};
        schema.segments.seal_rows = 0;
        vecdb::Collection rows = database.create_collection("rows", schema).value();
        std::vector<vecdb::Id> ids(count);
        for (std::size_t i = 0; i < count; ++i)
            ids[i] = static_cast<vecdb::Id>(i);
        rows.insert(ids, vecdb::MatrixView(values, kDim)).check();
        std::printf("building the graph took %.1f s\n",
                    seconds_of([&] { rows.build_index().check(); }));
        database.close().check();
    }
    const auto open = [&](vecdb::Verify verify, bool map) {
        vecdb::OpenOptions options;
        options.mode = vecdb::OpenMode::kReadOnly;
        options.verify = verify;
        options.map = map;
        return vecdb::Database::open(directory, options).value();
    };
    std::vector<double> full, lazy;
    for (int round = 0; round < kRounds; ++round) {
        full.push_back(seconds_of([&] { open(vecdb::Verify::kFull, true); }));
        lazy.push_back(seconds_of([&] { open(vecdb::Verify::kLazy, true); }));
    }
    std::printf("| open %zu rows with a graph, verified | %.3f s | lazily %.4f s |\n",
                count,
                median(full),
                median(lazy));
    const auto mapped = open(vecdb::Verify::kFull, true).collection("rows").value();
    const auto read = open(vecdb::Verify::kFull, false).collection("rows").value();
    const std::vector<float> queries(values.begin(),
                                     values.begin() + static_cast<std::ptrdiff_t>(1'000 * kDim));
    for (const std::size_t ef : {64UL, 256UL}) {
        std::vector<double> in_file, in_memory;
        for (int round = 0; round < 2 * kRounds + 1; ++round) {
            in_file.push_back(search_rate(mapped, queries, ef));
            in_memory.push_back(search_rate(read, queries, ef));
        }
        const std::string what = "search of mapped rows, ef " + std::to_string(ef);
        show(what.c_str(), median(in_file), "queries/s", median(in_memory), "rows in memory");
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: durability DIRECTORY [BASE.npy]\n");
        return 2;
    }
    const fs::path place = argv[1];
    fs::create_directories(place);
    std::printf("| what | seen | beside |\n|---|---:|---|\n");
    measure_checksum();
    measure_log(place);
    measure_snapshot(place);
    std::vector<float> values = random_rows(100'000);
    if (argc > 2) {
        vecdb::FloatMatrix base = vecdb::read_floats(argv[2]).value();
        if (base.dim != kDim) {
            std::fprintf(stderr,
                         "durability: %s has dimension %zu, expected %zu\n",
                         argv[2],
                         base.dim,
                         kDim);
            return 3;
        }
        values = std::move(base.values);
    }
    measure_opening(place, values);
    fs::remove_all(place);
    return 0;
}
