#pragma once

/// \file
/// Collections for tests, and comparisons of what they answer.

#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vecdb::test {

inline constexpr Metric kAllMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

/// Make an empty collection whose database is gone and allows more threads than the machine may
/// have. Throws Error on failure.
inline Collection make_collection(const Schema& schema) {
    Database database = Database::in_memory({.threads = 8}).value();
    return database.create_collection("rows", schema).value();
}

/// The same without work in the background, so that a test knows which rows are sealed and when.
inline Collection make_collection(std::size_t dim, Metric metric = Metric::kL2) {
    Schema schema = Schema::single(dim, metric);
    schema.segments.seal_rows = 0;
    return make_collection(schema);
}

/// Make a collection of the given rows. Throws Error on failure.
inline Collection make_collection(Metric metric, std::span<const Id> ids, const Matrix& rows) {
    Collection collection = make_collection(rows.dim, metric);
    collection.insert(ids, rows.view()).check();
    return collection;
}

/// Return the elements of fetched float32 rows.
inline std::vector<float> floats(const FetchedRows& fetched) {
    const std::span<const float> elements = fetched.elements();
    return {elements.begin(), elements.end()};
}

/// Tell whether two answers have the same ids and the same scores bit by bit.
inline bool identical(std::span<const Hit> a, std::span<const Hit> b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].id != b[i].id) return false;
        if (std::bit_cast<std::uint32_t>(a[i].score) != std::bit_cast<std::uint32_t>(b[i].score)) {
            return false;
        }
    }
    return true;
}

/// Return the ids of an answer in its order.
inline std::vector<Id> ids_of(std::span<const Hit> hits) {
    std::vector<Id> ids;
    for (const Hit& hit : hits)
        ids.push_back(hit.id);
    return ids;
}

/// Tell whether a message contains `number` in digits, with or without thousands separators.
inline bool names(const Status& status, const std::string& part) {
    std::string message;
    for (const char c : status.message()) {
        if (c != ',') message += c;
    }
    return message.find(part) != std::string::npos;
}

}  // namespace vecdb::test
