// Recall beside Faiss and hnswlib at equal parameters, over the shipped words.

#include "collection/builtin_indexes.h"
#include "index/conformance/subject.h"
#include "index/conformance/truth.h"
#include "index/registry.h"
#include "support/catch.h"

#include <vecdb/dataset_io.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#ifdef VECDB_TEST_WITH_FAISS
#    include <faiss/IndexFlat.h>
#    include <faiss/IndexHNSW.h>
#    include <faiss/IndexIVFFlat.h>
#endif
#ifdef VECDB_TEST_WITH_HNSWLIB
#    include <hnswlib/hnswlib.h>
#endif

namespace vecdb::test {
namespace {

constexpr std::size_t kQueries = 500;
constexpr std::size_t kK = 10;
constexpr std::size_t kM = 16;
constexpr std::size_t kEfConstruction = 100;
constexpr std::size_t kLists = 64;
constexpr double kOnePoint = 0.01;

/// The words as base and queries, of length 1, so that l2 orders them as cosine does.
struct Words {
    Matrix base;
    Matrix queries;
    Segment segment;
    std::vector<std::vector<Hit>> truth;
};

Matrix unit_rows(const FloatMatrix& from, std::size_t first, std::size_t count) {
    Matrix rows(count, from.dim);
    for (std::size_t i = 0; i < count; ++i) {
        const float* const row = from.values.data() + (first + i) * from.dim;
        double square = 0;
        for (std::size_t d = 0; d < from.dim; ++d)
            square += static_cast<double>(row[d]) * row[d];
        for (std::size_t d = 0; d < from.dim; ++d)
            rows.row(i)[d] = static_cast<float>(row[d] / std::sqrt(square));
    }
    return rows;
}

const Words& words() {
    static const Words made = [] {
        const auto all = read_floats(VECDB_EXAMPLES_DATA "/words.npy").value();
        Words result;
        result.base = unit_rows(all, 0, all.rows - kQueries);
        result.queries = unit_rows(all, all.rows - kQueries, kQueries);
        result.segment = Segment("words", {}, result.base, result.queries, 1);
        const Truth truth(result.segment, result.base.rows);
        for (std::size_t q = 0; q < kQueries; ++q)
            result.truth.push_back(truth.nearest(q, {}, kK));
        return result;
    }();
    return made;
}

bool is_registered(const std::string& name) {
    collection::register_builtin();
    const auto names = index::registered_indexes();
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Return the index of these options over the words, or none when it is not in this build.
Built our_index(const IndexOptions& options) {
    if (!is_registered(index::index_name(options))) return {};
    Subject subject;
    subject.segment = &words().segment;
    subject.make = [&] {
        VectorField field;
        field.dim = words().base.dim;
        field.index = options;
        return index::make_index(field);
    };
    Findings findings;
    Built built = build(subject, findings);
    CAPTURE(findings.texts());
    CHECK(built.index != nullptr);
    return built;
}

double our_recall(const Built& built, IndexSearch how) {
    how.allowed_rows = built.segment.count();
    double sum = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
        const auto hits = ask(*built.index, built.segment.rows(), built.segment.query(q), how, kK);
        sum += recall(hits, words().truth[q]);
    }
    return sum / kQueries;
}

/// Return the recall of row numbers, kK a query.
[[maybe_unused]] double recall_of_rows(const std::vector<std::int64_t>& rows) {
    std::size_t matches = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
        for (const Hit& right : words().truth[q]) {
            const auto first = rows.begin() + static_cast<std::ptrdiff_t>(q * kK);
            matches +=
                static_cast<std::size_t>(std::count_if(first, first + kK, [&](std::int64_t row) {
                    return row >= 0 &&
                           words().segment.ids()[static_cast<std::size_t>(row)] == right.id;
                }));
        }
    }
    return static_cast<double>(matches) / static_cast<double>(kQueries * kK);
}

void compare(const char* what, double ours, double theirs) {
    CAPTURE(what, ours, theirs);
    CHECK(ours >= theirs - kOnePoint);
    CHECK(theirs > 0.1);  // or nothing was compared
}

const std::vector<IndexOptions>& graphs() {
    static const std::vector<IndexOptions> all = {
        HnswOptions{.m = kM, .ef_construction = kEfConstruction, .codes = Codes::kNone},
        HnswOptions{.m = kM, .ef_construction = kEfConstruction}};
    return all;
}

/// Compare graphs with a rival that answers for an ef.
[[maybe_unused]] void compare_graphs(
    const char* what, const std::function<std::vector<std::int64_t>(std::size_t)>& rival) {
    for (const IndexOptions& options : graphs()) {
        const Built built = our_index(options);
        if (built.index == nullptr) continue;
        for (const std::size_t ef : {16U, 32U, 64U}) {
            CAPTURE(ef, std::get<HnswOptions>(options).codes);
            compare(what, our_recall(built, {.ef = ef}), recall_of_rows(rival(ef)));
        }
    }
}

#ifdef VECDB_TEST_WITH_FAISS

std::vector<std::int64_t> ask_faiss(const faiss::Index& index) {
    std::vector<faiss::Index::idx_t> rows(kQueries * kK);
    std::vector<float> distances(rows.size());
    index.search(static_cast<faiss::Index::idx_t>(kQueries),
                 words().queries.values.data(),
                 static_cast<faiss::Index::idx_t>(kK),
                 distances.data(),
                 rows.data());
    return {rows.begin(), rows.end()};
}

TEST_CASE("hnsw is within one point of the recall of Faiss") {
    faiss::IndexHNSWFlat faiss(static_cast<int>(words().base.dim), static_cast<int>(kM));
    faiss.hnsw.efConstruction = static_cast<int>(kEfConstruction);
    faiss.add(static_cast<faiss::Index::idx_t>(words().base.rows), words().base.values.data());
    compare_graphs("Faiss IndexHNSWFlat", [&](std::size_t ef) {
        faiss.hnsw.efSearch = static_cast<int>(ef);
        return ask_faiss(faiss);
    });
}

TEST_CASE("ivf is within one point of the recall of Faiss") {
    faiss::IndexFlatL2 centres(static_cast<faiss::Index::idx_t>(words().base.dim));
    faiss::IndexIVFFlat faiss(&centres, words().base.dim, kLists);
    const auto rows = static_cast<faiss::Index::idx_t>(words().base.rows);
    faiss.train(rows, words().base.values.data());
    faiss.add(rows, words().base.values.data());
    for (const Codes codes : {Codes::kNone, Codes::kDefault}) {
        const Built built = our_index(IvfOptions{.nlist = kLists, .codes = codes});
        if (built.index == nullptr) continue;
        for (const std::size_t nprobe : {1U, 4U, 16U}) {
            faiss.nprobe = nprobe;
            CAPTURE(nprobe, codes);
            compare("Faiss IndexIVFFlat",
                    our_recall(built, {.nprobe = nprobe}),
                    recall_of_rows(ask_faiss(faiss)));
        }
    }
}

#endif

#ifdef VECDB_TEST_WITH_HNSWLIB

TEST_CASE("hnsw is within one point of the recall of hnswlib") {
    const Words& data = words();
    hnswlib::L2Space space(data.base.dim);
    hnswlib::HierarchicalNSW<float> rival(&space, data.base.rows, kM, kEfConstruction);
    for (std::size_t i = 0; i < data.base.rows; ++i)
        rival.addPoint(data.base.row(i).data(), i);
    compare_graphs("hnswlib", [&](std::size_t ef) {
        rival.setEf(ef);
        std::vector<std::int64_t> rows(kQueries * kK, -1);
        for (std::size_t q = 0; q < kQueries; ++q) {
            auto found = rival.searchKnn(data.queries.row(q).data(), kK);
            for (std::size_t i = 0; !found.empty(); ++i, found.pop())
                rows[q * kK + i] = static_cast<std::int64_t>(found.top().second);
        }
        return rows;
    });
}

#endif

}  // namespace
}  // namespace vecdb::test
