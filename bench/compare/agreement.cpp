#include "compare/agreement.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

namespace vecdb::bench {
namespace {

/// The answer of one engine to one query.
struct One {
    std::span<const Id> ids;
    std::span<const float> scores;
};

One answer_of(const Answers& all, std::size_t query) {
    return {std::span(all.ids).subspan(query * all.k, all.k),
            std::span(all.scores).subspan(query * all.k, all.k)};
}

double tolerance(const Dataset& set, std::size_t query, float score) {
    const float* values = set.queries.row(query);
    double squares = 0;
    for (std::size_t d = 0; d < set.queries.dim; ++d)
        squares += double{values[d]} * values[d];
    return 1e-4 * std::abs(double{score}) + 1e-6 * squares;
}

std::string place(std::size_t query, std::size_t rank, const One& a, const One& b) {
    return "query " + std::to_string(query) + ", place " + std::to_string(rank) + ": id " +
           std::to_string(a.ids[rank]) + " at " + std::to_string(a.scores[rank]) + " against id " +
           std::to_string(b.ids[rank]) + " at " + std::to_string(b.scores[rank]);
}

/// Return the first place where the two differ by more than a tie.
std::optional<std::size_t> first_contradiction(const Dataset& set,
                                               std::size_t query,
                                               const One& a,
                                               const One& b) {
    const std::size_t k = a.ids.size();
    for (std::size_t i = 0; i < k; ++i) {
        if ((a.ids[i] == kNoId) != (b.ids[i] == kNoId)) return i;
        if (a.ids[i] == kNoId) return std::nullopt;
        const auto before = a.ids.first(i);
        if (std::find(before.begin(), before.end(), a.ids[i]) != before.end()) return i;
        const double allowed = tolerance(set, query, b.scores[i]);
        if (!(std::abs(double{a.scores[i]} - double{b.scores[i]}) <= allowed)) return i;
        const auto other = std::find(b.ids.begin(), b.ids.end(), a.ids[i]);
        const std::size_t there =
            other == b.ids.end() ? k - 1 : static_cast<std::size_t>(other - b.ids.begin());
        if (!(std::abs(double{a.scores[i]} - double{b.scores[there]}) <= allowed)) return i;
    }
    return std::nullopt;
}

}  // namespace

Agreement compare_answers(const Dataset& set, const Answers& a, const Answers& b) {
    Agreement found;
    if (a.k != b.k || a.k == 0 || a.ids.size() != b.ids.size()) {
        found.different = 1;
        found.first_difference = "answers of different shape";
        return found;
    }
    found.queries = a.ids.size() / a.k;
    for (std::size_t query = 0; query < found.queries; ++query) {
        const One ours = answer_of(a, query);
        const One theirs = answer_of(b, query);
        auto bad = first_contradiction(set, query, ours, theirs);
        if (!bad) bad = first_contradiction(set, query, theirs, ours);
        if (bad) {
            if (found.different == 0) found.first_difference = place(query, *bad, ours, theirs);
            ++found.different;
        } else if (std::equal(ours.ids.begin(), ours.ids.end(), theirs.ids.begin())) {
            ++found.identical;
        } else {
            ++found.tied;
        }
    }
    return found;
}

}  // namespace vecdb::bench
