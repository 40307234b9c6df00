#pragma once

/// \file
/// What a collection should answer: a sorted map searched by brute force in double precision.

#include <vecdb/search.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

/// A distance, lower is nearer, and how far a float computation of it may be off.
struct ModelDistance {
    double value = 0.0;
    double error = 0.0;
};

/// Compare two vectors under `metric`; inner product and cosine are negated.
inline ModelDistance model_distance(Metric metric,
                                    std::span<const float> query,
                                    std::span<const float> row) {
    double sum = 0.0, absolute = 0.0, query_square = 0.0, row_square = 0.0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const double q = query[i], x = row[i];
        const double term = metric == Metric::kL2 ? (q - x) * (q - x) : -q * x;
        sum += term;
        absolute += std::abs(term);
        query_square += q * q;
        row_square += x * x;
    }
    const double dim = static_cast<double>(query.size());
    const double unit = std::ldexp(1.0, -24);
    const double floor = dim * std::ldexp(1.0, -148);
    if (metric != Metric::kCosine) return {sum, (dim + 16) * unit * absolute + floor};
    const double lengths = std::sqrt(query_square) * std::sqrt(row_square);
    if (lengths == 0.0) return {0.0, 0.0};
    // Both unit vectors are rounded: a few units on each element beyond the sum's own error.
    return {sum / lengths, (dim + 32) * unit * (absolute / lengths) + floor};
}

/// Turn a score back into a distance.
inline double distance_of(Metric metric, float score) {
    return larger_is_nearer(metric) ? -static_cast<double>(score) : static_cast<double>(score);
}

/// Rows by id, and the answers that follow from them.
class Model {
  public:
    using Allowed = std::function<bool(Id)>;

    Model(std::size_t dim, Metric metric) : dim_(dim), metric_(metric) {}

    [[nodiscard]] std::size_t dim() const { return dim_; }
    [[nodiscard]] Metric metric() const { return metric_; }
    [[nodiscard]] const std::map<Id, std::vector<float>>& rows() const { return rows_; }
    [[nodiscard]] bool contains(Id id) const { return rows_.count(id) != 0; }

    void upsert(Id id, std::span<const float> vector) {
        rows_[id].assign(vector.begin(), vector.end());
    }
    void upsert(std::span<const Id> ids, MatrixView vectors) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            upsert(ids[i], {vectors.row<float>(i), vectors.dim()});
        }
    }
    bool remove(Id id) { return rows_.erase(id) != 0; }

    [[nodiscard]] std::size_t count(const Allowed& allowed) const {
        std::size_t total = 0;
        for (const auto& [id, vector] : rows_)
            total += allowed(id) ? 1U : 0U;
        return total;
    }

    /// Return the k nearest by (distance, id). Exact for vectors of small integers.
    [[nodiscard]] Hits exact_search(std::span<const float> query,
                                    std::size_t k,
                                    const Allowed& allowed = everything()) const {
        std::vector<std::pair<double, Id>> ranked;
        for (const auto& [id, vector] : rows_) {
            if (allowed(id)) ranked.emplace_back(model_distance(metric_, query, vector).value, id);
        }
        std::sort(ranked.begin(), ranked.end());
        ranked.resize(std::min(k, ranked.size()));
        Hits hits;
        for (const auto& [distance, id] : ranked) {
            const double score = larger_is_nearer(metric_) ? -distance : distance;
            hits.push_back({id, static_cast<float>(score)});
        }
        return hits;
    }

    /// Say what is wrong with an answer to a search for the k nearest allowed rows, or nothing.
    [[nodiscard]] std::string fault(std::span<const float> query,
                                    std::size_t k,
                                    std::span<const Hit> hits,
                                    const Allowed& allowed = everything()) const {
        const std::size_t expected = std::min(k, count(allowed));
        if (hits.size() != expected) {
            return text("expected", expected, "hits, got", hits.size());
        }
        const std::string wrong = hits_fault(query, hits, allowed);
        if (!wrong.empty()) return wrong;
        return hits.empty() ? "" : missing_row(query, hits.back(), ids_of(hits), allowed);
    }

    /// Say what is wrong with hits that need not be the nearest: each is an allowed row at its
    /// distance, in order, and there once.
    [[nodiscard]] std::string hits_fault(std::span<const float> query,
                                         std::span<const Hit> hits,
                                         const Allowed& allowed = everything()) const {
        std::set<Id> returned;
        for (std::size_t i = 0; i < hits.size(); ++i) {
            const std::string wrong = hit_fault(query, hits, i, allowed);
            if (!wrong.empty()) return wrong;
            if (!returned.insert(hits[i].id).second) return text("id", hits[i].id, "stands twice");
        }
        return "";
    }

    /// Say what is wrong with an answer to a search for the allowed rows not worse than `radius`.
    [[nodiscard]] std::string range_fault(std::span<const float> query,
                                          float radius,
                                          std::span<const Hit> hits,
                                          const Allowed& allowed = everything()) const {
        const std::string wrong = hits_fault(query, hits, allowed);
        if (!wrong.empty()) return wrong;
        const double farthest = distance_of(metric_, radius);
        for (const Hit& hit : hits) {
            if (distance_of(metric_, hit.score) > farthest) {
                return text("id", hit.id, "with", hit.score, "is outside of", radius);
            }
        }
        return missing_row(query, {kNoId, radius}, ids_of(hits), allowed);
    }

    [[nodiscard]] static Allowed everything() {
        return [](Id) {
            return true;
        };
    }

  private:
    template <class... Parts>
    static std::string text(const Parts&... parts) {
        std::ostringstream out;
        ((out << parts << ' '), ...);
        return out.str();
    }

    static std::set<Id> ids_of(std::span<const Hit> hits) {
        std::set<Id> ids;
        for (const Hit& hit : hits)
            ids.insert(hit.id);
        return ids;
    }

    std::string hit_fault(std::span<const float> query,
                          std::span<const Hit> hits,
                          std::size_t i,
                          const Allowed& allowed) const {
        const Hit& hit = hits[i];
        const auto row = rows_.find(hit.id);
        if (row == rows_.end()) return text("hit", i, "has id", hit.id, "of no row");
        if (!allowed(hit.id)) return text("hit", i, "has id", hit.id, "that is not allowed");
        const double distance = distance_of(metric_, hit.score);
        const ModelDistance reference = model_distance(metric_, query, row->second);
        if (!(std::abs(distance - reference.value) <= reference.error)) {
            return text("id",
                        hit.id,
                        "at",
                        distance,
                        "should be at",
                        reference.value,
                        "+-",
                        reference.error);
        }
        if (i == 0) return "";
        const double before = distance_of(metric_, hits[i - 1].score);
        const bool ordered = before < distance || (before == distance && hits[i - 1].id < hit.id);
        return ordered ? "" : text("hit", i, "with id", hit.id, "is out of order");
    }

    std::string missing_row(std::span<const float> query,
                            const Hit& last,
                            const std::set<Id>& returned,
                            const Allowed& allowed) const {
        const double farthest = distance_of(metric_, last.score);
        for (const auto& [id, vector] : rows_) {
            if (returned.count(id) != 0 || !allowed(id)) continue;
            const ModelDistance reference = model_distance(metric_, query, vector);
            if (reference.value + reference.error < farthest) {
                return text("id", id, "at", reference.value, "is missing; last hit at", farthest);
            }
        }
        return "";
    }

    std::size_t dim_;
    Metric metric_;
    std::map<Id, std::vector<float>> rows_;
};

}  // namespace vecdb::test
