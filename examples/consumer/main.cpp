// The smallest program that uses an installed vecdb: store three points, find the nearest.

#include <vecdb/vecdb.h>

#include <cstdio>
#include <vector>

int main() {
    auto database = vecdb::Database::in_memory();
    if (!database) {
        std::fprintf(stderr, "%s\n", database.status().to_string().c_str());
        return 1;
    }
    auto points = database->create_collection("points", vecdb::Schema::single(2));
    if (!points) {
        std::fprintf(stderr, "%s\n", points.status().to_string().c_str());
        return 1;
    }

    const std::vector<vecdb::Id> ids = {10, 20, 30};
    const std::vector<float> rows = {0.0F, 0.0F, 3.0F, 4.0F, 6.0F, 8.0F};
    const vecdb::Status inserted = points->insert(ids, vecdb::MatrixView(rows, 2));
    const std::vector<float> query = {3.0F, 3.0F};
    const auto hits = points->search(query, {.k = 2});
    if (!inserted.ok() || !hits) {
        std::fprintf(stderr,
                     "insert: %s, search: %s\n",
                     inserted.to_string().c_str(),
                     hits.status().to_string().c_str());
        return 1;
    }
    for (const vecdb::Hit& hit : *hits) {
        std::printf("id %lld at squared distance %g\n",
                    static_cast<long long>(hit.id),
                    static_cast<double>(hit.score));
    }
    const bool as_expected = *hits == vecdb::Hits{{20, 1.0F}, {10, 18.0F}};
    return as_expected ? 0 : 1;
}
