#pragma once

/// \file
/// The bytes of an input as choices of what to call and with which arguments, good ones mostly.

#include <vecdb/filter.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace vecdb::test {

/// What the elements of rows are.
enum class Elements : std::uint8_t {
    kPlain,   ///< Accepted by every collection.
    kOdd,     ///< Very large, very small or zero: accepted by some.
    kRefused  ///< Not a finite number, or a bit of no dimension.
};

/// Rows, or queries, and ids for them.
struct Batch {
    std::vector<Id> ids;
    std::vector<std::byte> bytes;
    std::size_t rows = 0;
    std::size_t dim = 0;
    ElementType type = ElementType::kFloat32;
    Elements elements = Elements::kPlain;

    [[nodiscard]] MatrixView view() const { return MatrixView::of(bytes.data(), rows, dim, type); }
    [[nodiscard]] VectorView row(std::size_t i) const;
    [[nodiscard]] std::span<const std::byte> row_bytes(std::size_t i) const {
        const std::size_t size = vector_bytes(type, dim);
        return std::span(bytes).subspan(i * size, size);
    }
};

/// A filter and what it allows where it does not throw.
struct Restriction {
    Filter filter = {};
    std::function<bool(Id)> allows = [](Id /*id*/) {
        return true;
    };
    bool throws = false;
};

/// A name and whether it is one.
struct Name {
    std::string text;
    bool valid = true;
};

/// Reads the input from its beginning. Behind its end all bytes are 0.
class Choices {
  public:
    explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    [[nodiscard]] bool over() const { return bytes_.empty(); }
    std::uint8_t byte();
    /// Choose a number less than `limit`, at most 256.
    std::size_t below(std::size_t limit) { return byte() % limit; }
    bool one_in(std::size_t many) { return below(many) == many - 1; }
    template <class T, std::size_t N>
    T one_of(const T (&values)[N]) {
        return values[below(N)];
    }
    /// Choose `good`, or now and then a number at or past a limit.
    std::size_t perhaps_wrong(std::size_t good);
    std::mt19937 random() { return std::mt19937(byte()); }

    Name name();
    Name partition_name();
    Schema schema();
    /// Choose rows for a field, now and then of another dimension or type.
    Batch batch(const VectorField& field, std::size_t most);
    /// The same for one row without id.
    Batch query(const VectorField& field);
    std::vector<Id> ids(std::size_t most);
    SearchOptions search_options();
    Restriction restriction();
    float radius();

  private:
    IndexOptions index();
    void choose_pair(VectorField& field);
    void make_rows(const VectorField& field, Batch& batch);
    void fill(Batch& batch);

    std::span<const std::uint8_t> bytes_;
};

}  // namespace vecdb::test
