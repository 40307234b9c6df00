#include "support/model.h"

#include "support/catch.h"
#include "support/collections.h"
#include "support/exact_index.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;
using test::Model;

/// Whose rows are written and read.
enum class Scope : std::uint8_t {
    kCollection,  ///< A collection's.
    kPartition,   ///< Those of one of several partitions, the others having rows too.
    kRouted,      ///< A collection's whose rule spreads them over partitions.
};

Collection make_collection(Schema schema, Scope scope) {
    if (scope == Scope::kRouted) schema.rule = {Routing::kIdModulo, 7};
    return test::make_collection(schema);
}

/// Do the same random things to rows and to the model, and compare.
class Walk {
  public:
    Walk(std::uint64_t seed, const Schema& schema, std::size_t ids, Scope scope)
        : random_(seed),
          id_count_(ids),
          model_(schema.vectors[0].dim, schema.vectors[0].metric),
          collection_(make_collection(schema, scope)) {
        const Id step = below(2) == 0 ? 1 : 1'000'000'007;
        for (std::size_t i = 0; i < ids; ++i)
            ids_.push_back(static_cast<Id>(i) * step);
        if (scope == Scope::kPartition) {
            other_ = collection_.create_partition("other").value();
            partition_ = collection_.create_partition("mine").value();
        }
        filters_.push_back({Filter(), Model::everything()});
        for (const std::size_t modulus : {2U, 7U, 50U})
            add_filter(modulus);
    }

    /// Return what went wrong, or nothing.
    std::string step() {
        switch (below(16)) {
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
            case 10:
                return batch_search();
            case 11:
            case 12:
                return range_search();
            case 13:
                return below(2) == 0 ? build_index() : write_elsewhere();
            case 14:
                return below(2) == 0 ? pin() : search_pin();
            default:
                return search();
        }
    }

  private:
    struct Restriction {
        Filter filter;
        Model::Allowed allowed;
    };

    /// A past state and what it should answer.
    struct Kept {
        Pin pin;
        Model model;
    };

    std::size_t below(std::size_t limit) { return random_() % limit; }

    WriteHandle& handle() {
        return partition_ ? static_cast<WriteHandle&>(*partition_) : collection_;
    }

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
        const Status status = handle().insert(ids, rows.view());
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
        const Status status = handle().upsert(ids, rows.view());
        if (!status.ok()) return "upsert: " + status.to_string();
        model_.upsert(ids, rows.view());
        return "";
    }

    std::string remove() {
        const std::vector<Id> ids = some_ids();
        std::size_t expected = 0;
        for (const Id id : ids)
            expected += model_.remove(id) ? 1U : 0U;
        const std::size_t removed = handle().remove(ids).value();
        return removed == expected ? "" : "remove counted wrongly";
    }

    std::string get() {
        const std::vector<Id> ids = some_ids();
        const FetchedRows fetched = handle().get(ids).value();
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
        if (handle().count() != model_.rows().size()) return "count is wrong";
        if (handle().stats().live_rows != model_.rows().size()) return "stats are wrong";
        for (const Restriction& restriction : filters_) {
            if (handle().count(restriction.filter).value() != model_.count(restriction.allowed)) {
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
        const Hits hits = handle().search(VectorView(query.row(0)), options).value();
        return check(query.row(0), k, hits, restriction.allowed);
    }

    std::string batch_search() {
        const Restriction& restriction = filters_[below(filters_.size())];
        const Matrix queries = some_rows(1 + below(20));
        const std::size_t k = below(15);
        const SearchOptions options{.k = k, .filter = restriction.filter, .threads = 1 + below(2)};
        const SearchResult result = handle().search(queries.view(), options).value();
        for (std::size_t q = 0; q < queries.rows; ++q) {
            const std::string fault = check(queries.row(q), k, result[q], restriction.allowed);
            if (!fault.empty()) return "batch " + fault;
        }
        return "";
    }

    std::string range_search() {
        const Restriction& restriction = filters_[below(filters_.size())];
        const Matrix query = some_rows(1);
        const bool larger = larger_is_nearer(model_.metric());
        const auto level = static_cast<float>(below(30));
        const float radius = model_.metric() == Metric::kCosine ? 1.0F - level / 60.0F
                             : larger                           ? 30.0F - level
                                                                : level;
        const SearchOptions options{.filter = restriction.filter, .threads = 1 + below(2)};
        const Hits hits = handle().range_search(VectorView(query.row(0)), radius, options).value();
        const std::string fault =
            model_.range_fault(query.row(0), radius, hits, restriction.allowed);
        return fault.empty() ? "" : "range " + fault;
    }

    /// Build, perhaps with writes meanwhile, perhaps cancelled.
    std::string build_index() {
        std::string fault;
        bool wrote = below(2) == 0;
        CancelToken token;
        BuildOptions options{.threads = 1 + below(2)};
        options.control.cancel = token;
        const bool cancelled = below(4) == 0;
        options.control.progress = [&](double part) {
            if (part < 0.5) return;
            if (cancelled) token.cancel();
            for (; !wrote; wrote = below(3) == 0) {
                if (fault.empty()) fault = below(2) == 0 ? upsert() : remove();
                if (fault.empty()) fault = search();
            }
        };
        const std::size_t rows = model_.rows().size();
        const Status status = handle().build_index(options);
        if (!fault.empty()) return "while an index is built: " + fault;
        if (cancelled && rows > 0) {
            return status.code() == StatusCode::kCancelled ? "" : "build_index was not cancelled";
        }
        if (!status.ok()) return "build_index: " + status.to_string();
        const CollectionStats stats = handle().stats();
        if (stats.live_rows != model_.rows().size()) return "build_index lost rows";
        // Partitions that are built later have what was written meanwhile; the background seals
        // more.
        const bool known = stats.partitions == 1 && handle().schema().segments.seal_rows == 0;
        return !known || stats.sealed_rows <= rows ? "" : "sealed rows are wrong";
    }

    /// Write and build beside the rows looked at: other partitions, with ids of their own.
    std::string write_elsewhere() {
        if (!other_) return "";
        Partition beside = below(2) == 0 ? *other_ : collection_.partition("default").value();
        const Matrix rows = some_rows(1 + below(5));
        std::vector<Id> ids;
        for (std::size_t i = 0; i < rows.rows; ++i)
            ids.push_back(ids_.back() + 1 + static_cast<Id>(3 * i + below(3)));
        const Status status = beside.upsert(ids, rows.view());
        if (!status.ok()) return "elsewhere: " + status.to_string();
        if (below(4) == 0 && !beside.build_index().ok()) return "elsewhere: no index";
        const auto id = ids_[below(id_count_)];
        if (beside.get(id).value().found[0]) return "a row of ours is elsewhere";
        return collection_.get(id).value().found[0] == model_.contains(id) ? "" : "row not found";
    }

    std::string pin() {
        if (kept_.size() < 4) {
            kept_.push_back({handle().pin(), model_});
        } else {
            kept_[below(kept_.size())] = {handle().pin(), model_};
        }
        return "";
    }

    std::string search_pin() {
        if (kept_.empty()) return "";
        const Kept& kept = kept_[below(kept_.size())];
        const Restriction& restriction = filters_[below(filters_.size())];
        if (kept.pin.count() != kept.model.rows().size()) return "count of a pin is wrong";
        const std::vector<Id> ids = some_ids();
        const FetchedRows fetched = kept.pin.get(ids).value();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (fetched.found[i] != kept.model.contains(ids[i])) return "get of a pin is wrong";
        }
        const Matrix query = some_rows(1);
        const std::size_t k = below(15);
        const Hits hits =
            kept.pin.search(VectorView(query.row(0)), {.k = k, .filter = restriction.filter})
                .value();
        const std::string fault = kept.model.fault(query.row(0), k, hits, restriction.allowed);
        return fault.empty() ? "" : "pin: " + fault;
    }

    test::Random random_;
    std::size_t id_count_;
    std::vector<Id> ids_;
    Model model_;
    Collection collection_;
    std::optional<Partition> other_, partition_;
    std::vector<Kept> kept_;
    std::vector<Restriction> filters_;
};

void walk(std::uint64_t seed, std::size_t steps) {
    const std::size_t dims[] = {1, 2, 5, 16, 33};
    const std::size_t ids[] = {20, 300, 3000};
    const Metric metric = test::kAllMetrics[seed % 3];
    const std::size_t dim = dims[seed % 5];
    Schema schema = seed % 4 == 0 ? Schema::single(dim, metric) : test::exact_schema(dim, metric);
    const bool background = seed % 5 < 2;
    schema.segments = {.seal_rows = background ? 64U : 0U, .merge_segments = 2};
    test::exact_index_faults = 0;
    Walk walk(seed, schema, ids[seed / 3 % 3], Scope{static_cast<std::uint8_t>(seed / 2 % 3)});
    for (std::size_t step = 0; step < steps; ++step) {
        const std::string fault = walk.step();
        if (fault.empty()) continue;
        CAPTURE(seed, step);
        FAIL(fault);
    }
    CHECK(test::exact_index_faults == 0);
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
