#include <vecdb/vecdb.h>

#include <cstdio>
#include <vector>

int main() {
    // A photo and its caption, each with an index and a metric of its own.
    vecdb::Schema schema;
    schema.vectors = {{.name = "photo", .dim = 3, .metric = vecdb::Metric::kCosine},
                      {.name = "caption", .dim = 2, .index = vecdb::HnswOptions{.m = 8}}};
    vecdb::Database db = vecdb::Database::in_memory().value();
    vecdb::Collection album = db.create_collection("album", schema).value();

    const std::vector<vecdb::Id> ids = {0, 1, 2, 3};
    const std::vector<float> photos = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0};
    const std::vector<float> captions = {0, 0, 9, 9, 1, 1, 2, 1};
    const vecdb::MatrixView rows(captions, 2);
    album.insert(ids, vecdb::MatrixView(photos, 3), {{"caption", rows}}).check();

    const std::vector<float> photo = {1, 0.5, 0};
    const std::vector<float> caption = {1, 1};
    for (const vecdb::Hit& hit : album.search(caption, {.k = 2, .field = "caption"}).value())
        std::printf("id %lld by caption, %g\n", static_cast<long long>(hit.id), hit.score);

    // Both together: 10 candidates of each, their scores brought to one scale and weighted.
    const vecdb::WeightedFusionOptions how{.k = 2, .weights = {0.7, 0.3}};
    const vecdb::Hits both =
        album.hybrid_search({{photo, {.k = 10}}, {caption, {.k = 10, .field = "caption"}}}, how)
            .value();
    for (const vecdb::Hit& hit : both)
        std::printf("id %lld by both, %g\n", static_cast<long long>(hit.id), hit.score);
}
