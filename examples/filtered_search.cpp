// Searches words by meaning under conditions: rank (0 is the most frequent), length and first
// letter are scalar fields. Usage: filtered_search [DIR | FILE.npy] [CONDITION]
// The words stand beside the vectors in a .txt, one a line.

#include "word_list.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

const std::vector<std::string> kFields = {"word", "rank", "length"};

vecdb::Schema make_schema(std::size_t dim) {
    vecdb::Schema schema = vecdb::Schema::single(dim, vecdb::Metric::kCosine);
    schema.vectors[0].index = vecdb::HnswOptions{.m = 16};
    schema.scalars = {{.name = "word", .type = vecdb::ScalarType::kString},
                      {.name = "rank", .type = vecdb::ScalarType::kInt64},
                      {.name = "length", .type = vecdb::ScalarType::kInt64},
                      {.name = "first", .type = vecdb::ScalarType::kString}};
    return schema;
}

void load(vecdb::Collection& collection, const vecdb::MatrixView& vectors, const WordList& words) {
    std::vector<vecdb::Id> ids(vectors.rows());
    std::iota(ids.begin(), ids.end(), vecdb::Id{0});
    std::vector<std::string> names;
    std::vector<std::string> firsts;
    std::vector<std::int64_t> lengths;
    for (const vecdb::Id id : ids) {
        names.push_back(words.name(id));
        firsts.push_back(names.back().substr(0, 1));
        lengths.push_back(static_cast<std::int64_t>(names.back().size()));
        // A letter that is not of ASCII has more bytes than one.
        if (!firsts.back().empty() && static_cast<unsigned char>(firsts.back()[0]) >= 0x80)
            firsts.back() = "other";
    }
    const std::vector<std::int64_t> ranks(ids.begin(), ids.end());
    collection
        .insert(ids,
                vectors,
                {{"word", names}, {"rank", ranks}, {"length", lengths}, {"first", firsts}})
        .check();
    collection.build_index().check();
}

void print(const vecdb::FoundRows& found) {
    for (std::size_t i = 0; i < found.hits.size(); ++i) {
        std::printf("    %-14s rank %6lld, %2lld letters, cosine %.3f\n",
                    std::get<std::string>(found.columns[0].values[i]).c_str(),
                    static_cast<long long>(std::get<std::int64_t>(found.columns[1].values[i])),
                    static_cast<long long>(std::get<std::int64_t>(found.columns[2].values[i])),
                    static_cast<double>(found.hits[i].score));
    }
}

/// Return the words nearest to `query` that a filter allows, and check that none is missing.
void ask(const vecdb::Collection& words,
         const std::vector<float>& query,
         const std::string& condition) {
    const vecdb::Filter filter = vecdb::Filter::parse(condition).value();
    const std::size_t allowed = words.count(filter).value();
    std::printf("  where %s (%zu words)\n", condition.c_str(), allowed);
    const auto found = words.find(query, {.k = 5, .filter = filter}, kFields).value();
    print(found);
    if (found.hits.size() != std::min<std::size_t>(5, allowed))
        throw std::runtime_error("a word is missing");
}

void run(std::filesystem::path path, const std::string& condition) {
    if (std::filesystem::is_directory(path)) path /= "words.npy";
    const vecdb::FloatMatrix vectors = vecdb::read_floats(path).value();
    const WordList words(std::filesystem::path(path).replace_extension(".txt"),
                         vectors.view().rows());

    vecdb::Database db = vecdb::Database::in_memory().value();
    auto collection = db.create_collection("words", make_schema(vectors.view().dim())).value();
    load(collection, vectors.view(), words);

    // 1. The words nearest to one, under conditions in text.
    const vecdb::Id asked = words.id("music");
    const auto vector = collection.get(asked).value();
    const std::vector<float> query(vector.row(0).begin(), vector.row(0).end());
    std::printf("nearest to \"%s\"\n", words.name(asked).c_str());
    for (const std::string& each : {std::string("length <= 5"),
                                    std::string(R"(first in ["a", "b"] && rank < 5000)"),
                                    std::string(R"(word like "%ing" && !(length > 8))"),
                                    std::string("rank >= 9990"),
                                    condition})
        ask(collection, query, each);

    // 2. The same conditions in C++, joined with a list of ids.
    using vecdb::field;
    const std::vector<vecdb::Id> seen = {asked};
    const vecdb::Filter fresh = field("length") >= 4 && !vecdb::Filter::allow_ids(seen);
    std::printf("not \"%s\" itself\n", words.name(asked).c_str());
    print(collection.find(query, {.k = 3, .filter = fresh}, kFields).value());

    // 3. Rows by their values alone, page by page, and their number.
    vecdb::QueryOptions page{
        .filter = field("first") == "q", .limit = 4, .after = {}, .fields = {"word"}};
    std::printf("words with q:");
    for (int pages = 0; pages < 2; ++pages) {
        const vecdb::QueriedRows rows = collection.query(page).value();
        if (rows.ids.empty()) break;
        for (const vecdb::Scalar& word : rows.columns[0].values)
            std::printf(" %s", std::get<std::string>(word).c_str());
        std::printf(" ...");
        page.after = rows.ids.back();
    }
    std::printf(" %zu in all\n", collection.count(page.filter).value());

    // 4. A condition removes rows too.
    std::printf("removed %zu words that begin with a digit or a sign\n",
                collection.remove(field("first") < "A").value());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc > 1 ? argv[1] : "examples/data", argc > 2 ? argv[2] : "length == 3");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "filtered_search: %s\n", error.what());
        return 1;
    }
    return 0;
}
