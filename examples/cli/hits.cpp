#include "hits.h"

namespace vecdb::cli {

void print_hits(const Output& output, const SearchResult& result, const std::string& what) {
    for (std::size_t query = 0; query < result.queries(); ++query) {
        if (result.queries() > 1) output.text("query " + std::to_string(query) + '\n');
        output.line(what, "score");
        for (const Hit& hit : result[query]) {
            output.line(std::to_string(hit.id), fixed(static_cast<double>(hit.score), 6));
        }
    }
}

Json hits_to_json(const SearchResult& result, const std::string& what) {
    Json queries = Json::array();
    for (std::size_t query = 0; query < result.queries(); ++query) {
        Json hits = Json::array();
        for (const Hit& hit : result[query])
            hits.push_back({{what, hit.id}, {"score", hit.score}});
        queries.push_back({{"query", query}, {"hits", hits}});
    }
    return queries;
}

}  // namespace vecdb::cli
