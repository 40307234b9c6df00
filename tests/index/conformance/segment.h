#pragma once

/// \file
/// The rows of one segment as an index sees them, made on purpose unpleasant: not aligned, with
/// bytes between the rows that must not be read, ids in no order.

#include "support/random_data.h"

#include <vecdb/index.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vecdb::test {

/// Own rows, ids, norms and queries.
/// Threads: const methods may run concurrently.
class Segment {
  public:
    /// What the elements are and how they are compared.
    struct Kind {
        Metric metric = Metric::kL2;
        ElementType type = ElementType::kFloat32;
    };

    Segment() = default;
    /// Turn floats into rows and queries of a kind; under cosine they get length 1 first. Norms are
    /// there for float32, but not under cosine, and not for every second seed.
    Segment(
        std::string name, Kind kind, const Matrix& rows, const Matrix& queries, std::uint64_t seed);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::size_t count() const noexcept { return ids_.size(); }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    [[nodiscard]] std::span<const Id> ids() const noexcept { return ids_; }

    /// View all rows, or the first ones.
    [[nodiscard]] IndexRows rows() const noexcept { return rows(count()); }
    [[nodiscard]] IndexRows rows(std::size_t count) const noexcept;

    [[nodiscard]] std::size_t queries() const noexcept { return queries_.size(); }
    [[nodiscard]] const void* query(std::size_t i) const noexcept { return queries_[i].data(); }

    /// Copy to other memory with the first order.size() rows in that order, a permutation.
    [[nodiscard]] Segment reordered(std::span<const std::uint32_t> order) const;
    /// Overwrite every row, as if its memory had gone to somebody else.
    void spoil();

  private:
    [[nodiscard]] std::byte* place(std::size_t row) noexcept;

    std::string name_;
    Kind kind_;
    std::size_t dim_ = 0;
    std::size_t stride_ = 0;
    std::vector<std::byte> bytes_;
    std::vector<Id> ids_;
    std::vector<float> norms_;
    std::vector<std::vector<std::byte>> queries_;
};

/// Names of the data that segments are made of: "gaussian", "clustered", "duplicates" (more than 16
/// equal vectors), "integers", "words", "two rows", "one row", "empty".
[[nodiscard]] std::span<const std::string> data_names();

/// Make a segment of the named data. `rows` bounds the larger ones.
[[nodiscard]] Segment make_segment(const std::string& data,
                                   Segment::Kind kind,
                                   std::size_t rows,
                                   std::uint64_t seed);

/// Return every pair of metric and element type that types.h lists.
[[nodiscard]] std::vector<Segment::Kind> all_kinds();

/// Name a pair: "cosine float32".
[[nodiscard]] std::string to_string(Segment::Kind kind);

}  // namespace vecdb::test
