#include "check.h"

#include <vecdb/fusion.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace vecdb {
namespace {

using List = std::span<const Hit>;
using Sums = std::unordered_map<Id, double>;

Status invalid(std::string message) {
    return {StatusCode::kInvalidArgument, std::move(message)};
}

Status check_k(std::size_t k) {
    if (k <= kMaxK) return {};
    return invalid("k is " + std::to_string(k) + "; allowed are 0 to " + std::to_string(kMaxK));
}

// Far from where sums of doubles would overflow.
constexpr double kMaxFactor = 1e6;

Status check_factor(const std::string& name, double value) {
    if (value >= 0.0 && value <= kMaxFactor) return {};  // not so for NaN
    return invalid(name + " is " + std::to_string(value) + "; allowed are 0 to 1000000");
}

Status check_number(std::string_view what, std::size_t number, std::size_t lists) {
    if (number == lists) return {};
    return invalid("there are " + std::to_string(number) + " " + std::string(what) + " for " +
                   std::to_string(lists) + " lists; each has one");
}

Status check_weights(const std::vector<double>& weights, std::size_t lists) {
    if (weights.empty()) return {};
    VECDB_TRY(check_number("weights", weights.size(), lists));
    for (std::size_t i = 0; i < lists; ++i)
        VECDB_TRY(check_factor("weight " + std::to_string(i), weights[i]));
    return {};
}

double weight_of(const std::vector<double>& weights, std::size_t list) {
    return weights.empty() ? 1.0 : weights[list];
}

/// Return the list up to its padding.
List without_padding(List list) {
    const auto end =
        std::find_if(list.begin(), list.end(), [](const Hit& hit) { return hit.id == kNoId; });
    return list.first(static_cast<std::size_t>(end - list.begin()));
}

Status check_hits(std::size_t number, List list, bool infinite_allowed) {
    std::unordered_set<Id> seen(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto bad = [&](const std::string& what) {
            return invalid("hit " + std::to_string(i) + " of list " + std::to_string(number) +
                           " has " + what);
        };
        const auto [id, score] = list[i];
        if (id < 0) return bad("id " + std::to_string(id) + "; ids are at least 0");
        if (!seen.insert(id).second) {
            return bad("id " + std::to_string(id) + ", which stands before; ids stand once");
        }
        if (std::isnan(score)) return bad("score nan; it must be a number");
        if (!infinite_allowed && std::isinf(score)) {
            return bad("score " + std::to_string(score) + "; it must be finite");
        }
    }
    return {};
}

float to_score(double sum) {
    constexpr double kMost = std::numeric_limits<float>::max();
    return static_cast<float>(std::clamp(sum, -kMost, kMost));
}

Hits best(const Sums& sums, std::size_t k) {
    Hits hits;
    hits.reserve(sums.size());
    for (const auto& [id, sum] : sums)
        hits.push_back({id, to_score(sum)});
    const std::size_t count = std::min(k, hits.size());
    const auto middle = hits.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(hits.begin(), middle, hits.end(), [](const Hit& a, const Hit& b) {
        return a.score != b.score ? a.score > b.score : a.id < b.id;
    });
    hits.resize(count);
    return hits;
}

/// Brings the scores of one list, which is not empty, to the common scale.
class Scale {
  public:
    Scale(Normalisation normalisation, ScoreKind kind, List list)
        : normalisation_(normalisation), kind_(kind) {
        const auto [least, most] = std::minmax_element(
            list.begin(), list.end(), [](const Hit& a, const Hit& b) { return a.score < b.score; });
        least_ = static_cast<double>(least->score);
        most_ = static_cast<double>(most->score);
    }

    [[nodiscard]] double operator()(double score) const {
        switch (normalisation_) {
            case Normalisation::kNone:
                break;
            case Normalisation::kMinMax:
                return within_list(score);
            case Normalisation::kArctan:
                return within_kind(score);
        }
        return score;
    }

  private:
    [[nodiscard]] double within_list(double score) const {
        if (least_ == most_) return 1.0;
        const double above = kind_ == ScoreKind::kDistance ? most_ - score : score - least_;
        return above / (most_ - least_);
    }

    [[nodiscard]] double within_kind(double score) const {
        const double angle = std::atan(score) / std::numbers::pi;
        switch (kind_) {
            case ScoreKind::kDistance:
                return 1.0 - 2.0 * angle;
            case ScoreKind::kInnerProduct:
                return 0.5 + angle;
            case ScoreKind::kCosine:
                return (1.0 + score) / 2.0;
            case ScoreKind::kRelevance:
                return 2.0 * angle;
        }
        return score;
    }

    Normalisation normalisation_;
    ScoreKind kind_;
    double least_ = 0.0;
    double most_ = 0.0;
};

Status check_kinds(const WeightedFusionOptions& options) {
    for (std::size_t i = 0; i < options.kinds.size(); ++i) {
        const ScoreKind kind = options.kinds[i];
        if (kind < ScoreKind::kDistance || kind > ScoreKind::kRelevance) {
            return invalid("kind " + std::to_string(static_cast<int>(kind)) + " of list " +
                           std::to_string(i) + " is none of ScoreKind's");
        }
        if (kind == ScoreKind::kDistance && options.normalisation == Normalisation::kNone) {
            return invalid("list " + std::to_string(i) +
                           " has distances, which are not added up without normalisation");
        }
    }
    return {};
}

}  // namespace

Status RankFusionOptions::validate(std::size_t lists) const {
    return guard([&]() -> Status {
        VECDB_TRY(check_k(k));
        VECDB_TRY(check_factor("rank_constant", rank_constant));
        return check_weights(weights, lists);
    });
}

Status WeightedFusionOptions::validate(std::size_t lists) const {
    return guard([&]() -> Status {
        VECDB_TRY(check_k(k));
        if (normalisation > Normalisation::kArctan) {
            return invalid("normalisation " + std::to_string(static_cast<int>(normalisation)) +
                           " is none of Normalisation's");
        }
        VECDB_TRY(check_number("kinds", kinds.size(), lists));
        VECDB_TRY(check_kinds(*this));
        return check_weights(weights, lists);
    });
}

Result<Hits> fuse_reciprocal_rank(std::span<const List> lists, const RankFusionOptions& options) {
    return guard([&]() -> Result<Hits> {
        VECDB_TRY(options.validate(lists.size()));
        Sums sums;
        for (std::size_t l = 0; l < lists.size(); ++l) {
            const List list = without_padding(lists[l]);
            VECDB_TRY(check_hits(l, list, true));
            const double weight = weight_of(options.weights, l);
            double rank = 0.0;
            for (const Hit& hit : list) {
                rank += 1.0;
                sums[hit.id] += weight / (options.rank_constant + rank);
            }
        }
        return best(sums, options.k);
    });
}

Result<Hits> fuse_weighted(std::span<const List> lists, const WeightedFusionOptions& options) {
    return guard([&]() -> Result<Hits> {
        VECDB_TRY(options.validate(lists.size()));
        Sums sums;
        for (std::size_t l = 0; l < lists.size(); ++l) {
            const List list = without_padding(lists[l]);
            if (list.empty()) continue;
            VECDB_TRY(check_hits(l, list, false));
            const double weight = weight_of(options.weights, l);
            const Scale scaled(options.normalisation, options.kinds[l], list);
            for (const Hit& hit : list)
                sums[hit.id] += weight * scaled(static_cast<double>(hit.score));
        }
        return best(sums, options.k);
    });
}

}  // namespace vecdb
