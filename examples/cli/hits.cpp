#include "hits.h"

#include <utility>
#include <vector>

namespace vecdb::cli {

void print_hits(const Output& output,
                const SearchResult& result,
                const std::string& what,
                const FieldValues& values) {
    std::size_t number = 0;  // of the hit, over all queries
    for (std::size_t query = 0; query < result.queries(); ++query) {
        if (result.queries() > 1) output.text("query " + std::to_string(query) + '\n');
        std::vector<std::vector<std::string>> rows = {values.header({what, "score"})};
        for (const Hit& hit : result[query]) {
            const std::string score = fixed(static_cast<double>(hit.score), 6);
            rows.push_back(values.line(number++, {std::to_string(hit.id), score}));
        }
        output.table(rows);
    }
}

Json hits_to_json(const SearchResult& result, const std::string& what, const FieldValues& values) {
    std::size_t number = 0;
    Json queries = Json::array();
    for (std::size_t query = 0; query < result.queries(); ++query) {
        Json hits = Json::array();
        for (const Hit& hit : result[query]) {
            Json each = {{what, hit.id}, {"score", hit.score}};
            if (!values.empty()) each["fields"] = values.to_json(number++);
            hits.push_back(std::move(each));
        }
        queries.push_back({{"query", query}, {"hits", hits}});
    }
    return queries;
}

}  // namespace vecdb::cli
