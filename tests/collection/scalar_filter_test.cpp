// Filters by scalar values give the rows that pass one by one, in every kind of segment.

#include "collection/query/bound_expression.h"
#include "support/catch.h"
#include "support/collections.h"
#include "support/names.h"
#include "support/random_data.h"

#include <vecdb/database.h>
#include <vecdb/expression.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Random;

constexpr std::size_t kDim = 4;

Schema schema_of() {
    Schema schema = Schema::single(kDim);
    schema.segments.seal_rows = 0;
    schema.scalars = {{.name = "flag", .type = ScalarType::kBool, .nullable = true},
                      {.name = "n", .type = ScalarType::kInt64},
                      {.name = "m", .type = ScalarType::kInt64, .nullable = true},
                      {.name = "x", .type = ScalarType::kDouble, .nullable = true},
                      {.name = "few", .type = ScalarType::kString},
                      {.name = "text", .type = ScalarType::kString, .nullable = true},
                      {.name = "bytes", .type = ScalarType::kBytes, .nullable = true}};
    return schema;
}

/// Conditions of every kind, some of which zones and lists of rows decide.
const char* const kConditions[] = {
    "true",
    "false",
    "flag",
    "!flag",
    "flag != true",
    "flag is null",
    "n < 500",
    "n >= 0",
    "n > 20000",
    "n == 77",
    "n != 77",
    "n in [3, 77, 4000, -1]",
    "n not in [3, 77, 4000, -1]",
    "n in [100000, 100001]",
    "m < 10",
    "!(m < 10)",
    "m == 10.0",
    "m < 9.5",
    "m is not null && m in [1, 2, 3]",
    "m not in [1, 2, 3]",
    "x > 0.25",
    "x <= -0.5",
    "x == 0",
    "x in [0.5, 0.25, 0]",
    "x not in [0.5, 0.25, 0]",
    "x < 3 || x is null",
    R"(few == "c")",
    R"(few != "c")",
    R"(few > "b" && few <= "d")",
    R"(few in ["a", "zz"])",
    R"(few not in ["a", "b", "c"])",
    R"(few like "rare%")",
    R"(text like "a%b%")",
    R"(text not like "%x%")",
    R"(text like "%9")",
    R"(text < "b")",
    R"(text == "")",
    R"(text is null)",
    "bytes is null",
    "bytes is not null and !(flag)",
    R"((n < 1000 || m == 3) && !(few == "a" || text like "b%") && x > -0.9)",
    R"(not (n < 1000 and (m == 3 or x < 0)) or flag)",
};

/// A collection whose rows are known.
class Known {
  public:
    explicit Known(std::uint64_t seed) : random_(seed) {}

    void add(std::size_t count) {
        std::vector<std::vector<Scalar>> columns(schema_.scalars.size());
        std::vector<Id> ids;
        for (std::size_t i = 0; i < count; ++i) {
            const Id id = next_++;
            const std::vector<Scalar> row = make_row(id);
            for (std::size_t field = 0; field < row.size(); ++field)
                columns[field].push_back(row[field]);
            ids.push_back(id);
            rows_[id] = row;
        }
        std::vector<ColumnView> views;
        for (std::size_t field = 0; field < columns.size(); ++field)
            views.emplace_back(schema_.scalars[field].name,
                               std::span<const Scalar>(columns[field]));
        const auto vectors = test::normal_rows(count, kDim, random_());
        rows.insert(ids, vectors.view(), views).check();
    }
    void remove(const Filter& filter) {
        const std::vector<Id> gone = found(filter);
        CHECK(rows.remove(filter).value() == gone.size());
        for (const Id id : gone)
            rows_.erase(id);
    }

    /// Return the ids of the rows that a filter allows, by a search for all of them.
    [[nodiscard]] std::vector<Id> found(const Filter& filter) const {
        const std::vector<float> query(kDim);
        std::vector<Id> ids;
        for (const Hit& hit : rows.search(query, {.k = kMaxK, .filter = filter}).value())
            ids.push_back(hit.id);
        std::sort(ids.begin(), ids.end());
        return ids;
    }
    /// Return those that pass one by one.
    [[nodiscard]] std::vector<Id> expected(const Expression& expression) const {
        const auto bound = collection::bind_expression(expression, schema_.scalars).value();
        std::vector<Id> ids;
        for (const auto& [id, row] : rows_) {
            if (collection::matches(bound, row)) ids.push_back(id);
        }
        return ids;
    }
    void check(const std::map<std::string, Filter>& filters) const {
        for (const auto& [text, filter] : filters) {
            INFO(text);
            const auto wanted = expected(Expression::parse(text).value());
            REQUIRE(rows.count(filter).value() == wanted.size());
            REQUIRE(found(filter) == wanted);
        }
    }

  private:
    const Schema schema_ = schema_of();
    Database database_ = Database::in_memory().value();

  public:
    Collection rows = database_.create_collection("rows", schema_).value();

  private:
    std::vector<Scalar> make_row(Id id) {
        const auto or_null = [&](Scalar value) {
            return random_() % 5 == 0 ? Scalar() : value;
        };
        const auto small = static_cast<std::int64_t>(random_() % 20);
        const std::string few = random_() % 500 == 0
                                    ? "rare " + std::to_string(random_() % 3)
                                    : std::string(1, static_cast<char>('a' + random_() % 5));
        std::string text;
        for (std::uint64_t i = random_() % 6; i > 0; --i)
            text += "ab9x"[random_() % 4];
        return {or_null(random_() % 2 == 0),
                // Near the row's number, so that zones differ.
                id + static_cast<std::int64_t>(random_() % 100),
                or_null(small),
                or_null(static_cast<double>(small) / 8 - 1.0),
                few,
                or_null(text),
                or_null(std::string("b"))};
    }

    Random random_;
    Id next_ = 0;
    std::map<Id, std::vector<Scalar>> rows_;
};

std::map<std::string, Filter> filters() {
    std::map<std::string, Filter> made;
    for (const char* text : kConditions)
        made.emplace(text, Filter::parse(text).value());
    return made;
}

}  // namespace

TEST_CASE("rows that pass one by one are those that a filter allows", "[filter][scalars]") {
    Known known(GENERATE(1, 2));
    const auto kept = filters();  // they remember
    known.add(1'000);
    known.check(kept);
    known.add(5'000);  // growing rows go on
    known.check(kept);
    known.rows.build_index().check();
    known.check(kept);
    known.add(777);
    known.check(kept);
    known.remove(Filter::parse(R"(few == "b" && n < 3000)").value());
    known.check(kept);
    known.check(filters());
    known.rows.flush().check();
    known.check(kept);
    known.check(filters());
}

TEST_CASE("filters of every kind are joined", "[filter][scalars]") {
    Known known(3);
    known.add(900);
    known.rows.build_index().check();
    known.add(200);
    const Expression dear = field("n") >= 600;
    const auto even = [](Id id) {
        return id % 2 == 0;
    };
    std::vector<Id> listed;
    for (Id id = 0; id < 1'100; id += 3)
        listed.push_back(id);
    Bitset bits(1'000);
    for (std::size_t id = 100; id < 1'000; ++id)
        bits.set(id);
    const auto passing = [&](auto pass) {
        std::vector<Id> ids;
        const std::vector<Id> all = known.expected(Expression());
        const std::vector<Id> passed = known.expected(dear);
        for (const Id id : all) {
            if (pass(id, std::binary_search(passed.begin(), passed.end(), id))) ids.push_back(id);
        }
        return ids;
    };
    const Filter by_id = Filter::where(even);
    const Filter by_list = Filter::allow_ids(listed);
    const Filter by_bits = Filter::allow(bits);
    CHECK(known.found(Filter(dear) && by_id) ==
          passing([](Id id, bool passed) { return passed && id % 2 == 0; }));
    CHECK(known.found(Filter(dear) || by_list) ==
          passing([](Id id, bool passed) { return passed || id % 3 == 0; }));
    CHECK(known.found(!(Filter(dear) && by_bits)) ==
          passing([](Id id, bool passed) { return !(passed && id >= 100 && id < 1'000); }));
    CHECK(known.found(!by_bits && !by_list) ==
          passing([](Id id, bool) { return !(id >= 100 && id < 1'000) && id % 3 != 0; }));
    CHECK(known.found(Filter() && by_id) == known.found(by_id));
    CHECK(known.found(Filter() || by_id) == known.found(Filter()));
    CHECK(known.found(!Filter()).empty());
    const Filter joined = (Filter(dear) || by_list) && !by_id;
    const auto before = known.found(joined);
    known.add(300);
    CHECK(known.found(joined).size() > before.size());
    CHECK(known.found(joined) == passing([](Id id, bool passed) {
              return (passed || (id < 1'100 && id % 3 == 0)) && id % 2 != 0;
          }));
}

TEST_CASE("an expression that the fields do not take is refused", "[filter][scalars]") {
    Known known(4);
    known.add(10);
    const std::vector<float> query(kDim);
    for (const char* text : {"color == 1", R"(n == "one")", "few < 3", "bytes == \"b\"", "n"}) {
        INFO(text);
        for (const Filter& filter :
             {Filter::parse(text).value(), !Filter::parse(text).value() || field("flag")}) {
            CHECK(known.rows.count(filter).status().code() == StatusCode::kInvalidArgument);
            CHECK(known.rows.search(VectorView(query), {.filter = filter}).status().code() ==
                  StatusCode::kInvalidArgument);
            CHECK(known.rows.remove(filter).status().code() == StatusCode::kInvalidArgument);
            CHECK(known.rows.search_async(VectorView(query), {.filter = filter})
                      .get()
                      .status()
                      .code() == StatusCode::kInvalidArgument);
        }
    }
    CHECK(test::names(known.rows.count(field("color") == 1).status(), "'color'"));
    CHECK(Filter::parse("n <").status().code() == StatusCode::kInvalidArgument);
    CHECK(known.rows.count() == 10);
    // One filter serves collections with other fields.
    Database other = Database::in_memory().value();
    Schema schema = Schema::single(kDim);
    schema.scalars = {{.name = "color", .fallback = std::int64_t{1}}};
    Collection rows = other.create_collection("rows", schema).value();
    rows.insert(1, VectorView(query)).check();
    const Filter filter = field("color") == 1;
    CHECK(rows.count(filter).value() == 1);
    CHECK_FALSE(known.rows.count(filter).ok());
    CHECK(rows.count(filter).value() == 1);
}

}  // namespace vecdb
