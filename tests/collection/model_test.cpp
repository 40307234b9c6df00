#include "support/model.h"

#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;
using test::Model;

/// Do the same random things to a collection and to the model, and compare.
class Walk {
  public:
    Walk(std::uint64_t seed, std::size_t dim, Metric metric, std::size_t ids)
        : random_(seed),
          id_count_(ids),
          model_(dim, metric),
          collection_(test::make_collection(dim, metric)) {
        const Id step = below(2) == 0 ? 1 : 1'000'000'007;
        for (std::size_t i = 0; i < ids; ++i)
            ids_.push_back(static_cast<Id>(i) * step);
        filters_.push_back({Filter(), Model::everything()});
        for (const std::size_t modulus : {2U, 7U, 50U})
            add_filter(modulus);
    }

    /// Return what went wrong, or nothing.
    std::string step() {
        switch (below(12)) {
            case 0:
            case 1:
                return insert();
            case 2:
            case 3:
            case 4:
                return upsert();
            case 5:
            case 6:
                return remove();
            case 7:
                return get();
            case 8:
                return count();
            case 9:
                return batch_search();
            default:
                return search();
        }
    }

  private:
    struct Restriction {
        Filter filter;
        Model::Allowed allowed;
    };

    std::size_t below(std::size_t limit) { return random_() % limit; }

    void add_filter(std::size_t modulus) {
        const auto divisor = static_cast<Id>(modulus);
        const auto allowed = [divisor](Id id) {
            return id % divisor == 0;
        };
        std::vector<Id> listed;
        std::copy_if(ids_.begin(), ids_.end(), std::back_inserter(listed), allowed);
        filters_.push_back({Filter::where(allowed), allowed});
        filters_.push_back({Filter::allow_ids(listed), allowed});
    }

    std::vector<Id> some_ids() {
        const std::size_t most = below(10) == 0 ? id_count_ : 12;
        std::vector<Id> ids(below(most + 1));
        for (Id& id : ids)
            id = ids_[below(id_count_)];
        return ids;
    }

    /// Small integers, so that answers are exact; the first is not 0, so that no vector is.
    Matrix some_rows(std::size_t count) {
        Matrix rows = test::integer_rows(count, model_.dim(), 2, random_());
        for (std::size_t i = 0; i < count; ++i)
            rows.row(i)[0] += 3.0F;
        return rows;
    }

    std::string insert() {
        const std::vector<Id> ids = some_ids();
        const Matrix rows = some_rows(ids.size());
        std::vector<Id> sorted = ids;
        std::sort(sorted.begin(), sorted.end());
        const bool twice = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
        const bool taken =
            std::any_of(ids.begin(), ids.end(), [this](Id id) { return model_.contains(id); });
        const Status status = collection_.insert(ids, rows.view());
        if (twice || taken) {
            return status.code() == StatusCode::kAlreadyExists ? "" : "insert was not refused";
        }
        if (!status.ok()) return "insert: " + status.to_string();
        model_.upsert(ids, rows.view());
        return "";
    }

    std::string upsert() {
        const std::vector<Id> ids = some_ids();
        const Matrix rows = some_rows(ids.size());
        const Status status = collection_.upsert(ids, rows.view());
        if (!status.ok()) return "upsert: " + status.to_string();
        model_.upsert(ids, rows.view());
        return "";
    }

    std::string remove() {
        const std::vector<Id> ids = some_ids();
        std::size_t expected = 0;
        for (const Id id : ids)
            expected += model_.remove(id) ? 1U : 0U;
        const std::size_t removed = collection_.remove(ids).value();
        return removed == expected ? "" : "remove counted wrongly";
    }

    std::string get() {
        const std::vector<Id> ids = some_ids();
        const FetchedRows fetched = collection_.get(ids).value();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (fetched.found[i] != model_.contains(ids[i])) return "get: found is wrong";
            if (!fetched.found[i] || model_.metric() == Metric::kCosine) continue;
            const auto row = fetched.row(i);
            if (!std::equal(row.begin(), row.end(), model_.rows().at(ids[i]).begin())) {
                return "get: wrong vector of id " + std::to_string(ids[i]);
            }
        }
        return "";
    }

    std::string count() {
        if (collection_.count() != model_.rows().size()) return "count is wrong";
        if (collection_.stats().live_rows != model_.rows().size()) return "stats are wrong";
        for (const Restriction& restriction : filters_) {
            if (collection_.count(restriction.filter).value() !=
                model_.count(restriction.allowed)) {
                return "filtered count is wrong";
            }
        }
        return "";
    }

    std::string check(std::span<const float> query,
                      std::size_t k,
                      std::span<const Hit> hits,
                      const Model::Allowed& allowed) {
        if (model_.metric() == Metric::kCosine) return model_.fault(query, k, hits, allowed);
        const Hits expected = model_.exact_search(query, k, allowed);
        return std::equal(hits.begin(), hits.end(), expected.begin(), expected.end())
                   ? ""
                   : "search: " + model_.fault(query, k, hits, allowed);
    }

    std::string search() {
        const Restriction& restriction = filters_[below(filters_.size())];
        const Matrix query = some_rows(1);
        const std::size_t k = below(4) == 0 ? id_count_ : below(15);
        const SearchOptions options{.k = k, .filter = restriction.filter, .threads = 1 + below(2)};
        const Hits hits = collection_.search(VectorView(query.row(0)), options).value();
        return check(query.row(0), k, hits, restriction.allowed);
    }

    std::string batch_search() {
        const Restriction& restriction = filters_[below(filters_.size())];
        const Matrix queries = some_rows(1 + below(20));
        const std::size_t k = below(15);
        const SearchOptions options{.k = k, .filter = restriction.filter, .threads = 1 + below(2)};
        const SearchResult result = collection_.search(queries.view(), options).value();
        for (std::size_t q = 0; q < queries.rows; ++q) {
            const std::string fault = check(queries.row(q), k, result[q], restriction.allowed);
            if (!fault.empty()) return "batch " + fault;
        }
        return "";
    }

    test::Random random_;
    std::size_t id_count_;
    std::vector<Id> ids_;
    Model model_;
    Collection collection_;
    std::vector<Restriction> filters_;
};

void walk(std::uint64_t seed, std::size_t steps) {
    const std::size_t dims[] = {1, 2, 5, 16, 33};
    const std::size_t ids[] = {20, 300, 3000};
    const Metric metric = test::kAllMetrics[seed % 3];
    Walk walk(seed, dims[seed % 5], metric, ids[seed / 3 % 3]);
    for (std::size_t step = 0; step < steps; ++step) {
        const std::string fault = walk.step();
        if (fault.empty()) continue;
        CAPTURE(seed, step);
        FAIL(fault);
    }
    SUCCEED();
}

TEST_CASE("random calls give what the model gives") {
    for (std::uint64_t seed = 1; seed <= 18; ++seed) {
        INFO("seed " << seed);
        walk(seed, 500);
    }
}

TEST_CASE("many more random calls give what the model gives", "[.][slow]") {
    for (std::uint64_t seed = 1000; seed < 1090; ++seed) {
        INFO("seed " << seed);
        walk(seed, 3000);
    }
}

}  // namespace
}  // namespace vecdb
