#include <vecdb/vecdb.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

int main() {
    using vecdb::field;
    using vecdb::Filter;

    vecdb::Schema schema = vecdb::Schema::single(2);
    schema.scalars = {{.name = "price", .type = vecdb::ScalarType::kInt64},
                      {.name = "brand", .type = vecdb::ScalarType::kString, .nullable = true}};
    vecdb::Database db = vecdb::Database::in_memory().value();
    vecdb::Collection shop = db.create_collection("shop", schema).value();

    const std::vector<vecdb::Id> ids = {0, 1, 2, 3};
    const std::vector<float> rows = {0, 0, 1, 0, 2, 0, 3, 0};
    const std::vector<std::int64_t> prices = {20, 30, 60, 40};
    const std::vector<std::string> brands = {"acme", "zenith", "acme", "acme"};
    shop.insert(ids, vecdb::MatrixView(rows, 2), {{"price", prices}, {"brand", brands}}).check();

    // Conditions in C++ or as text; a list of ids, a bitset over ids; and all of these joined.
    const Filter cheap = field("price") < 50 && field("brand").in({"acme", "zenith"});
    const Filter same = Filter::parse(R"(price < 50 && brand in ["acme", "zenith"])").value();
    const std::vector<vecdb::Id> seen = {0};
    vecdb::Bitset in_stock(4);
    in_stock.set(0);
    in_stock.set(3);
    const Filter wanted = cheap && Filter::allow(in_stock) && !Filter::allow_ids(seen);

    const std::vector<float> query = {0, 0};
    const std::vector<std::string> fields = {"price"};
    const vecdb::FoundRows found = shop.find(query, {.k = 2, .filter = wanted}, fields).value();
    for (std::size_t i = 0; i < found.hits.size(); ++i) {
        std::printf("id %lld costs %lld\n",
                    static_cast<long long>(found.hits[i].id),
                    static_cast<long long>(std::get<std::int64_t>(found.columns[0].values[i])));
    }
    std::printf("%zu rows are cheap\n", shop.count(same).value());
}
