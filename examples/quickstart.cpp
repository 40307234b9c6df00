#include <vecdb/vecdb.h>

#include <cstdio>
#include <vector>

int main() {
    vecdb::Database db = vecdb::Database::in_memory().value();
    vecdb::Collection points =
        db.create_collection("points", vecdb::Schema::single(3, vecdb::Metric::kL2)).value();

    const std::vector<vecdb::Id> ids = {10, 20, 30};
    const std::vector<float> rows = {0, 0, 0, 1, 1, 1, 2, 2, 3};
    points.insert(ids, vecdb::MatrixView(rows, 3)).check();

    const std::vector<float> query = {1, 1, 2};
    for (const vecdb::Hit& hit : points.search(query, {.k = 2}).value()) {
        std::printf("id %lld, squared distance %g\n", static_cast<long long>(hit.id), hit.score);
    }
}
