// The batch kernels: panels, and the pairs of a tile of queries that reach their floors.

#include "simd/kernel_cases.h"
#include "support/catch.h"
#include "support/guarded_array.h"
#include "support/reservation.h"

#include <set>
#include <utility>

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'240'604;
constexpr std::size_t kCacheLine = 64;

std::size_t panels_for(std::size_t count, std::size_t tile_rows) {
    return (count + tile_rows - 1) / tile_rows;
}

std::string check_pack(const simd::KernelTable& table,
                       std::size_t dim,
                       std::size_t stride,
                       std::size_t count) {
    Random random(kSeed + dim);
    GuardedArray<float> floats(count == 0 ? 0 : (count - 1) * stride + dim);
    for (std::size_t r = 0; r < count; ++r) {
        for (std::size_t i = 0; i < dim; ++i)
            floats[r * stride + i] = draw(Data::kUniform, random);
    }
    const std::size_t width = table.tile_rows;
    const std::size_t panel_count = panels_for(count, width);
    GuardedArray<float> panels(panel_count * width * dim, Edge::kEnd, kCacheLine);
    table.pack({floats.data(), stride, dim}, count, panels.data());
    if (!panels.padding_untouched()) return sentence(table.name, ": wrote past the last panel");
    for (std::size_t row = 0; row < panel_count * width; ++row) {
        for (std::size_t d = 0; d < dim; ++d) {
            const float expected = row < count ? floats[row * stride + d] : 0.0F;
            const float got = panels[(row / width * dim + d) * width + row % width];
            if (!same_bits(got, expected)) {
                return sentence(table.name,
                                ", dim ",
                                dim,
                                ", stride ",
                                stride,
                                ", ",
                                count,
                                " rows: element ",
                                d,
                                " of row ",
                                row,
                                " is ",
                                got,
                                ", not ",
                                expected);
            }
        }
    }
    return "";
}

TEST_CASE("packing transposes rows into panels and fills the last with zeros", "[simd][quick]") {
    INFO("seed " << kSeed);
    for (const simd::KernelTable* table : simd::available_tables()) {
        REQUIRE(table->tile_rows <= simd::kMaxTileRows);
        for (const std::size_t dim : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 16U, 31U, 100U}) {
            for (std::size_t count = 0; count <= 2 * table->tile_rows + 1; ++count) {
                REQUIRE(check_pack(*table, dim, dim + count % 3, count) == "");
            }
        }
    }
}

TEST_CASE("packing of every dimension", "[simd][.slow]") {
    INFO("seed " << kSeed);
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const std::size_t dim : all_dims()) {
            for (std::size_t count = 0; count <= 70; count += dim < 40 ? 1 : 7) {
                REQUIRE(check_pack(*table, dim, dim, count) == "");
            }
        }
    }
}

TEST_CASE("packing finds rows whose offsets do not fit 32 bits", "[simd][quick]") {
    constexpr std::size_t kStride = (std::size_t{1} << 31U) + 1;
    const Reservation memory(4 * kStride * sizeof(float));
    if (memory.floats() == nullptr) {
        WARN("left out: the system gives no 32 GiB of address space");
        return;
    }
    for (std::size_t r = 0; r < 4; ++r)
        memory.floats()[r * kStride] = static_cast<float>(r + 1);
    for (const simd::KernelTable* table : simd::available_tables()) {
        CAPTURE(table->name);
        GuardedArray<float> panels(
            panels_for(4, table->tile_rows) * table->tile_rows, Edge::kEnd, kCacheLine);
        table->pack({memory.floats(), kStride, 1}, 4, panels.data());
        CHECK(std::vector<float>(panels.data(), panels.data() + 4) ==
              std::vector<float>{1.0F, 2.0F, 3.0F, 4.0F});
    }
}

/// The inputs of a tile kernel, at forbidden pages where their alignment allows it.
struct TileScene {
    TileScene(const simd::KernelTable& kernels, std::size_t dimension, std::size_t panel_count)
        : table(kernels),
          dim(dimension),
          panels_(panel_count),
          panels(panel_count * kernels.tile_rows * dimension, Edge::kEnd, kCacheLine),
          starts(panel_count * kernels.tile_rows, Edge::kEnd, kCacheLine),
          queries(dimension * kernels.tile_queries),
          floors(kernels.tile_queries) {}

    void fill_all(Data data, Random& random) {
        fill(panels, data, random);
        fill(starts, data, random);
        fill(queries, data, random);
        fill(floors, data, random);
    }
    [[nodiscard]] std::size_t rows() const { return panels_ * table.tile_rows; }
    [[nodiscard]] Reference exact(std::size_t row, std::size_t query) const {
        const std::size_t width = table.tile_rows;
        const float* element = panels.data() + row / width * dim * width + row % width;
        return reference_tile(
            starts[row], queries.data() + query, table.tile_queries, element, width, dim);
    }
    /// Run the kernel; the pairs it keeps, as (query, row). Faults go to `fault`.
    [[nodiscard]] std::set<std::pair<std::size_t, std::size_t>> run(std::string& fault) const;

    const simd::KernelTable& table;
    std::size_t dim;
    std::size_t panels_;
    GuardedArray<float> panels;
    GuardedArray<float> starts;
    GuardedArray<float> queries;
    GuardedArray<float> floors;
};

std::set<std::pair<std::size_t, std::size_t>> TileScene::run(std::string& fault) const {
    const std::size_t width = table.tile_rows;
    GuardedArray<simd::TileHit> hits(panels_ * table.tile_queries);
    const simd::Tile tile = {
        panels.data(), panels_, starts.data(), queries.data(), floors.data(), dim};
    const std::size_t count = table.tile(tile, hits.data());
    std::set<std::pair<std::size_t, std::size_t>> pairs;
    if (count > hits.size()) {
        fault = "more hits than there is room for";
        return pairs;
    }
    for (std::size_t h = 0; h < count; ++h) {
        const simd::TileHit& hit = hits[h];
        if (hit.rows == 0) fault = "a hit without rows";
        if (width < 64 && (hit.rows >> width) != 0) fault = "a hit with rows outside its panel";
        if (hit.first_row % width != 0 || hit.first_row >= rows())
            fault = "first_row is no panel's";
        if (hit.query >= table.tile_queries) fault = "no such query";
        for (std::size_t r = 0; r < width; ++r) {
            if ((hit.rows >> r & 1U) == 0) continue;
            if (!pairs.emplace(hit.query, hit.first_row + r).second) fault = "a pair twice";
        }
    }
    return pairs;
}

/// Compare all pairs with their exact sums: none above floor + bound is missed, none below
/// floor - bound is kept.
std::string check_pairs(const TileScene& scene) {
    std::string fault;
    const auto kept = scene.run(fault);
    const std::string where =
        sentence(scene.table.name, ", dim ", scene.dim, ", ", scene.rows(), " rows: ");
    if (!fault.empty()) return where + fault;
    for (std::size_t q = 0; q < scene.table.tile_queries; ++q) {
        for (std::size_t row = 0; row < scene.rows(); ++row) {
            const Reference exact = scene.exact(row, q);
            if (!cannot_overflow(exact)) continue;
            const double floor = scene.floors[q];
            const bool is_kept = kept.count({q, row}) != 0;
            const bool must = exact.value - exact.bound >= floor;
            const bool must_not = exact.value + exact.bound < floor;
            if ((must && !is_kept) || (must_not && is_kept)) {
                return where + sentence("query ",
                                        q,
                                        ", row ",
                                        row,
                                        is_kept ? " kept: " : " missed: ",
                                        exact.value,
                                        " +- ",
                                        exact.bound,
                                        ", floor ",
                                        floor);
            }
        }
    }
    return "";
}

/// Put each query's floor half a bound beyond the tolerance of one row, above or below it in turn.
void set_sharp_floors(TileScene& scene, Random& random) {
    for (std::size_t q = 0; q < scene.table.tile_queries; ++q) {
        const Reference exact = scene.exact(random() % scene.rows(), q);
        const double side = (random() & 1U) != 0 ? 1.5 : -1.5;
        scene.floors[q] = static_cast<float>(exact.value + side * exact.bound);
    }
}

std::string check_tile(const simd::KernelTable& table,
                       std::size_t dim,
                       std::size_t panels,
                       Data data) {
    Random random(kSeed + 10 * dim + panels);
    TileScene scene(table, dim, panels);
    scene.fill_all(data, random);
    for (int repeat = 0; repeat < 3; ++repeat) {
        if (panels > 0) set_sharp_floors(scene, random);
        const std::string fault = check_pairs(scene);
        if (!fault.empty()) return fault;
    }
    return "";
}

TEST_CASE("the tile kernel keeps what reaches its floor within the documented bound",
          "[simd][quick]") {
    INFO("seed " << kSeed);
    for (const simd::KernelTable* table : simd::available_tables()) {
        REQUIRE(table->tile_queries <= simd::kMaxTileQueries);
        for (const std::size_t dim : {1U, 2U, 3U, 4U, 5U, 8U, 15U, 16U, 17U, 33U, 100U}) {
            REQUIRE(check_tile(*table, dim, 0, Data::kUniform) == "");
            REQUIRE(check_tile(*table, dim, 1, Data::kUniform) == "");
            REQUIRE(check_tile(*table, dim, 3, Data::kUniform) == "");
            REQUIRE(check_tile(*table, dim, 1, Data::kWide) == "");
            REQUIRE(check_tile(*table, dim, 1, Data::kTiny) == "");
            REQUIRE(check_tile(*table, dim, 1, Data::kExtreme) == "");
        }
    }
}

TEST_CASE("the tile kernel of every dimension", "[simd][.slow]") {
    INFO("seed " << kSeed);
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const std::size_t dim : all_dims()) {
            for (const std::size_t panels : {1U, 2U, 5U}) {
                REQUIRE(check_tile(*table, dim, panels, Data::kUniform) == "");
            }
            REQUIRE(check_tile(*table, dim, 2, Data::kExtreme) == "");
        }
    }
}

TEST_CASE("the tile kernel keeps sums equal to the floor", "[simd][quick]") {
    for (const simd::KernelTable* table : simd::available_tables()) {
        CAPTURE(table->name);
        TileScene scene(*table, 3, 2);
        std::fill(scene.panels.begin(), scene.panels.end(), 2.0F);
        std::fill(scene.queries.begin(), scene.queries.end(), 0.5F);
        for (std::size_t row = 0; row < scene.rows(); ++row) {
            scene.starts[row] = static_cast<float>(row);
        }
        for (std::size_t q = 0; q < table->tile_queries; ++q) {
            scene.floors[q] = static_cast<float>(3 + q);  // row q has start q and sum q + 3
        }
        std::string fault;
        const auto kept = scene.run(fault);
        CHECK(fault.empty());
        for (std::size_t q = 0; q < table->tile_queries; ++q) {
            for (std::size_t row = 0; row < scene.rows(); ++row) {
                CAPTURE(q, row);
                REQUIRE((kept.count({q, row}) != 0) == (row >= q));
            }
        }
    }
}

TEST_CASE("the tile kernel keeps sums that are not a number and honours infinite floors",
          "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    for (const simd::KernelTable* table : simd::available_tables()) {
        CAPTURE(table->name);
        TileScene scene(*table, 5, 2);
        scene.fill_all(Data::kUniform, random);
        const std::size_t width = table->tile_rows;
        std::fill(scene.floors.begin(), scene.floors.end(), kInfinity);
        scene.panels[0] = kNaN;              // row 0
        scene.starts[2 * width - 1] = kNaN;  // the last row
        std::string fault;
        std::set<std::pair<std::size_t, std::size_t>> expected;
        for (std::size_t q = 0; q < table->tile_queries; ++q) {
            expected.insert({q, 0});
            expected.insert({q, 2 * width - 1});
        }
        CHECK((scene.run(fault) == expected));
        std::fill(scene.floors.begin(), scene.floors.end(), -kInfinity);
        CHECK(scene.run(fault).size() == scene.rows() * table->tile_queries);
        std::fill(scene.floors.begin(), scene.floors.end(), kNaN);
        CHECK(scene.run(fault).size() == scene.rows() * table->tile_queries);
        CHECK(fault.empty());
    }
}

}  // namespace
}  // namespace vecdb::test
