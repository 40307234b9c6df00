#pragma once

/// \file
/// A collection of several vector fields beside one for each of them, which says what it should
/// answer.

#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/database.h>
#include <vecdb/half.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vecdb::test {

/// Fields of every kind of index, so that the orders that these ask for are in each other's way.
inline std::vector<VectorField> all_fields() {
    return {
        {.name = "image", .dim = 12, .metric = Metric::kCosine, .index = HnswOptions{.m = 8}},
        {.name = "title", .dim = 8, .metric = Metric::kL2, .index = IvfOptions{.nlist = 12}},
        {.name = "text", .dim = 10, .metric = Metric::kL2, .index = HnswOptions{.m = 8}},
        {.name = "sound",
         .dim = 5,
         .metric = Metric::kInnerProduct,
         .element_type = ElementType::kInt8},
        {.name = "half",
         .dim = 7,
         .metric = Metric::kInnerProduct,
         .element_type = ElementType::kFloat16,
         .index = FlatOptions{.codes = Codes::kNone}},
        {.name = "hash",
         .dim = 20,
         .metric = Metric::kHamming,
         .element_type = ElementType::kBit,
         .index = FlatOptions{.codes = Codes::kNone}},
        {.name = "flat", .dim = 16, .metric = Metric::kCosine},
    };
}

/// Return a schema of these fields, of a scalar one, the id modulo 3, and without background.
inline Schema twin_schema(std::vector<VectorField> fields) {
    Schema schema;
    schema.vectors = std::move(fields);
    schema.scalars = {{.name = "third", .type = ScalarType::kInt64}};
    schema.segments.seal_rows = 0;
    return schema;
}

/// Vectors of one field in its own element type.
class TypedVectors {
  public:
    TypedVectors(const VectorField& field, std::size_t rows, std::uint64_t seed) : field_(field) {
        const Matrix normal = normal_rows(rows, field.dim, seed);
        for (std::size_t i = 0; i < rows; ++i)
            append(normal.row(i));
    }

    [[nodiscard]] MatrixView view() const {
        const std::size_t rows = bytes_.size() / row_bytes();
        return MatrixView::of(bytes_.data(), rows, field_.dim, field_.element_type);
    }
    [[nodiscard]] std::span<const std::byte> row(std::size_t i) const {
        return std::span(bytes_).subspan(i * row_bytes(), row_bytes());
    }
    [[nodiscard]] std::size_t row_bytes() const {
        return vector_bytes(field_.element_type, field_.dim);
    }

  private:
    template <class T>
    void append(T value) {
        const auto* first = reinterpret_cast<const std::byte*>(&value);
        bytes_.insert(bytes_.end(), first, first + sizeof(T));
    }
    void append(std::span<const float> row) {
        std::uint8_t bits = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            switch (field_.element_type) {
                case ElementType::kInt8:
                    append(static_cast<std::int8_t>(row[i] * 20));
                    break;
                case ElementType::kFloat16:
                    append(to_float16(row[i]));
                    break;
                case ElementType::kBit:
                    bits = static_cast<std::uint8_t>(bits | ((row[i] > 0 ? 1U : 0U) << (i % 8)));
                    if (i % 8 == 7 || i + 1 == row.size()) append(std::exchange(bits, 0));
                    break;
                default:
                    append(row[i]);
            }
        }
    }

    VectorField field_;
    std::vector<std::byte> bytes_;
};

/// A collection of several vector fields, and for each of them one that has no other.
class VectorTwins {
  public:
    explicit VectorTwins(std::vector<VectorField> fields)
        : VectorTwins(Database::in_memory({.threads = 4}).value(), std::move(fields)) {}
    VectorTwins(Database database, std::vector<VectorField> fields)
        : fields_(fields),
          database_(std::move(database)),
          together_(
              database_.create_collection("together", twin_schema(std::move(fields))).value()) {
        Database others = Database::in_memory({.threads = 4}).value();
        for (const VectorField& field : fields_)
            alone_.push_back(others.create_collection(field.name, twin_schema({field})).value());
    }

    void upsert(std::span<const Id> ids) {
        std::vector<TypedVectors> vectors;
        for (const VectorField& field : fields_)
            vectors.emplace_back(field, ids.size(), ++seed_);
        std::vector<std::int64_t> thirds;
        for (const Id id : ids)
            thirds.push_back(id % 3);
        std::vector<ColumnView> columns = {{"third", thirds}};
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            alone_[i].upsert(ids, vectors[i].view(), columns).check();
        }
        for (std::size_t i = 1; i < fields_.size(); ++i)
            columns.emplace_back(fields_[i].name, vectors[i].view());
        together_.upsert(ids, vectors[0].view(), columns).check();
        for (std::size_t row = 0; row < ids.size(); ++row) {
            auto& kept = rows_[ids[row]];
            kept.clear();
            for (const TypedVectors& each : vectors)
                kept.emplace_back(each.row(row).begin(), each.row(row).end());
        }
    }
    void upsert(std::size_t count, Id first) { upsert(sequential_ids(count, first)); }
    void remove(std::span<const Id> ids) {
        together_.remove(ids).status().check();
        for (Collection& each : alone_)
            each.remove(ids).status().check();
        for (const Id id : ids)
            rows_.erase(id);
    }
    /// Remove every n-th row from the first on.
    void thin_out(std::size_t n) {
        std::vector<Id> ids;
        std::size_t i = 0;
        for (const auto& row : rows_) {
            if (i++ % n == 0) ids.push_back(row.first);
        }
        remove(ids);
    }
    void build() {
        together_.build_index().check();
        for (Collection& each : alone_)
            each.build_index().check();
    }
    void flush() {
        together_.flush().check();
        for (Collection& each : alone_)
            each.flush().check();
    }

    /// Require that all vectors are there and every field is searched as it should be.
    void check(const Collection& collection) const {
        REQUIRE(collection.count() == rows_.size());
        check_rows(collection);
        const std::vector<Filter> filters = {
            {},
            Filter::where([](Id id) { return id % 2 == 0; }),
            Filter::parse("third == 1").value(),
            Filter::where([](Id id) { return id % 97 == 5; }),
        };
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            for (const Filter& filter : filters)
                check_searches(collection, i, filter);
        }
    }
    void check() const { check(together_); }

    [[nodiscard]] Database& database() { return database_; }
    [[nodiscard]] Collection& together() { return together_; }
    [[nodiscard]] const Collection& together() const { return together_; }
    [[nodiscard]] const Collection& alone(std::size_t field) const { return alone_[field]; }
    [[nodiscard]] const std::vector<VectorField>& fields() const { return fields_; }
    [[nodiscard]] std::size_t rows() const { return rows_.size(); }

  private:
    void check_rows(const Collection& collection) const {
        std::vector<Id> ids;
        for (const auto& row : rows_)
            ids.push_back(row.first);
        std::vector<std::string> names;
        for (const VectorField& field : fields_)
            names.push_back(field.name);
        const FetchedRows found = collection.get(ids, names).value();
        REQUIRE(found.vectors.size() == fields_.size());
        for (std::size_t field = 0; field < fields_.size(); ++field) {
            const FetchedVectors& vectors = found.vectors[field];
            REQUIRE(vectors.field == fields_[field].name);
            REQUIRE(vectors.rows() == ids.size());
            // Unit rows come back with a rounding, which is that of a collection of its own.
            if (fields_[field].metric == Metric::kCosine) {
                REQUIRE(vectors.bytes == alone_[field].get(ids).value().bytes);
                continue;
            }
            std::size_t at = 0;
            for (const auto& row : rows_) {
                INFO("id " << row.first << ", field " << vectors.field);
                const std::vector<std::byte>& wanted = row.second[field];
                REQUIRE(std::memcmp(vectors.bytes.data() + at, wanted.data(), wanted.size()) == 0);
                at += wanted.size();
            }
        }
    }

    void check_searches(const Collection& collection,
                        std::size_t number,
                        const Filter& filter) const {
        const VectorField& field = fields_[number];
        INFO("field " << field.name);
        const Collection& alone = alone_[number];
        SearchOptions options{.k = 10, .field = field.name, .filter = filter, .nprobe = 6};
        SearchOptions other = options;
        other.field.clear();
        const TypedVectors queries(field, 30, 1'000 + number);
        const bool exact = std::holds_alternative<FlatOptions>(field.index);

        options.exact = other.exact = true;
        const SearchResult truth = alone.search(queries.view(), other).value();
        const SearchResult found = collection.search(queries.view(), options).value();
        for (std::size_t q = 0; q < 30; ++q)
            REQUIRE(identical(found[q], truth[q]));
        options.exact = other.exact = false;

        const SearchResult answer = collection.search(queries.view(), options).value();
        std::size_t hits = 0, wanted = 0;
        for (std::size_t q = 0; q < 30; ++q) {
            REQUIRE(answer[q].size() == truth[q].size());
            for (const Hit& hit : answer[q])
                hits += std::count(truth[q].begin(), truth[q].end(), hit) != 0 ? 1U : 0U;
            wanted += truth[q].size();
            if (exact) REQUIRE(identical(answer[q], truth[q]));
        }
        INFO(hits << " of " << wanted);
        REQUIRE(static_cast<double>(hits) >= 0.85 * static_cast<double>(wanted));

        const MatrixView first = queries.view().slice(0, 1);
        const VectorView query = vector_of(first);
        REQUIRE(identical(collection.search(query, options).value(), answer[0]));
        REQUIRE(identical(collection.search_async(query, options).get().value(), answer[0]));
        std::vector<Hit> slots(10);
        const std::size_t count = collection.search_into(query, options, slots).value();
        REQUIRE(identical(std::span(slots).first(count), answer[0]));
        check_radius(collection, number, query, filter, truth[0]);
        check_cursor(collection, number, query, filter);
    }

    void check_radius(const Collection& collection,
                      std::size_t number,
                      VectorView query,
                      const Filter& filter,
                      std::span<const Hit> nearest) const {
        if (nearest.empty()) return;
        const float radius = nearest.back().score;
        REQUIRE(identical(
            collection
                .range_search(query, radius, {.field = fields_[number].name, .filter = filter})
                .value(),
            alone_[number].range_search(query, radius, {.filter = filter}).value()));
    }

    void check_cursor(const Collection& collection,
                      std::size_t number,
                      VectorView query,
                      const Filter& filter) const {
        const Metric metric = fields_[number].metric;
        const std::size_t k = std::min<std::size_t>(kMaxK, rows_.size());
        const Hits expected =
            alone_[number].search(query, {.k = k, .filter = filter, .exact = true}).value();
        for (const bool exact : {true, false}) {
            const SearchOptions options{
                .field = fields_[number].name, .filter = filter, .exact = exact};
            SearchCursor cursor = collection.cursor(query, options).value();
            Hits all;
            while (!cursor.done()) {
                const Hits page = cursor.next(100).value();
                all.insert(all.end(), page.begin(), page.end());
            }
            // An index that is not exact brings the same rows in another order.
            if (!exact) {
                std::sort(all.begin(), all.end(), [&](const Hit& a, const Hit& b) {
                    if (a.score == b.score) return a.id < b.id;
                    return larger_is_nearer(metric) ? a.score > b.score : a.score < b.score;
                });
            }
            REQUIRE(identical(all, expected));
        }
    }

    /// View the only row of a matrix.
    static VectorView vector_of(const MatrixView& one) {
        switch (one.type()) {
            case ElementType::kInt8:
                return {one.row<std::int8_t>(0), one.dim()};
            case ElementType::kFloat16:
                return {one.row<Float16>(0), one.dim()};
            case ElementType::kBit:
                return VectorView::bits(static_cast<const std::uint8_t*>(one.data()), one.dim());
            default:
                return {one.row<float>(0), one.dim()};
        }
    }

    std::vector<VectorField> fields_;
    Database database_;
    Collection together_;
    std::vector<Collection> alone_;
    std::map<Id, std::vector<std::vector<std::byte>>> rows_;
    std::uint64_t seed_ = 0;
};

}  // namespace vecdb::test
