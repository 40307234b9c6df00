// The distance kernels of halves, bfloat16, bytes and bits: every one against the exact number.

#include "simd/typed_rows.h"
#include "support/catch.h"

#include <numeric>

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'240'611;
constexpr Bits kKinds[] = {Bits::kUsual, Bits::kTiny, Bits::kExtreme};

std::string describe(const simd::KernelTable& table,
                     const DistanceKernels& kernels,
                     const TypedScene& scene) {
    return sentence(
        table.name, " ", kernels.metric, ", dim ", scene.dim, ", stride ", scene.stride, ": ");
}

std::string compare(const Pairs& got, const std::vector<Reference>& expected) {
    if (!got.fault.empty()) return got.fault;
    if (got.rows.size() != expected.size()) return sentence("kept ", got.rows.size(), " rows");
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (got.rows[i] != i) return sentence("row ", got.rows[i], " at place ", i);
        if (!accepts(expected[i], got.distances[i])) {
            return sentence("row ",
                            i,
                            ": ",
                            got.distances[i],
                            " for ",
                            expected[i].value,
                            " +- ",
                            expected[i].bound);
        }
    }
    return "";
}

bool same(const Pairs& a, const Pairs& b) {
    return a.fault.empty() && b.fault.empty() && a.rows == b.rows &&
           std::equal(a.distances.begin(),
                      a.distances.end(),
                      b.distances.begin(),
                      b.distances.end(),
                      same_bits);
}

/// Run both kernels of all levels on the last rows of a scene, and with a threshold.
std::string check_distance(const TypedScene& scene, const DistanceKernels& kernels) {
    std::vector<Reference> exact;
    for (std::size_t r = 0; r < scene.row_count; ++r) {
        exact.push_back(
            exact_distance(kernels, scene.query.data(), scene.rows().row(r), scene.dim));
    }
    GuardedArray<std::uint32_t> list(scene.row_count);
    std::iota(list.begin(), list.end(), 0U);
    const void* query = scene.query.data();
    const std::size_t count = scene.row_count;
    for (const simd::KernelTable* table : simd::available_tables()) {
        const Pairs range = run_range(*table, kernels, query, scene.rows(), count);
        std::string fault = compare(range, exact);
        if (fault.empty() &&
            !same(run_list(*table, kernels, query, scene.rows(), list.data(), count), range)) {
            fault = "the list kernel answers otherwise than the range kernel";
        }
        if (fault.empty() && count > 0) {
            const float threshold = range.distances[count / 2];
            Pairs near;
            for (std::size_t i = 0; i < count; ++i) {
                if (!(range.distances[i] <= threshold)) continue;
                near.rows.push_back(range.rows[i]);
                near.distances.push_back(range.distances[i]);
            }
            if (!same(run_range(*table, kernels, query, scene.rows(), count, threshold), near)) {
                fault = "the threshold keeps other rows";
            }
        }
        if (!fault.empty()) return describe(*table, kernels, scene) + fault;
    }
    return "";
}

/// Bits have as many more dimensions as an element has bits.
std::vector<std::size_t> dims_of(ElementType type) {
    std::vector<std::size_t> dims = quick_dims();
    if (type == ElementType::kBit) {
        for (std::size_t bytes = 1; bytes <= 130; bytes += 1 + bytes / 16)
            dims.push_back(8 * bytes + bytes % 8);
    }
    for (const std::size_t dim : {200U, 300U, 384U, 509U, 768U, 1'025U})
        dims.push_back(dim);
    return dims;
}

TEST_CASE("distances of every element type are within the documented tolerance",
          "[simd][types][quick]") {
    INFO("seed " << kSeed);
    for (const DistanceKernels& kernels : kTypedDistances) {
        for (const std::size_t dim : dims_of(kernels.type)) {
            for (const std::size_t count : {1U, 2U, 3U, 4U, 5U, 9U}) {
                const TypedScene packed(
                    kernels.type, dim, 0, count, Bits::kUsual, Edge::kEnd, kSeed);
                REQUIRE(check_distance(packed, kernels) == "");
            }
            const TypedScene padded(kernels.type, dim, 6, 7, Bits::kUsual, Edge::kStart, kSeed);
            REQUIRE(check_distance(padded, kernels) == "");
        }
    }
}

TEST_CASE("distances of tiny and extreme elements of every type", "[simd][types][quick]") {
    INFO("seed " << kSeed);
    for (const DistanceKernels& kernels : kTypedDistances) {
        for (const Bits kind : {Bits::kTiny, Bits::kExtreme}) {
            for (const std::size_t dim : {1U, 7U, 8U, 15U, 16U, 17U, 31U, 33U, 64U, 100U, 131U}) {
                const TypedScene scene(kernels.type, dim, 2, 6, kind, Edge::kEnd, kSeed);
                REQUIRE(check_distance(scene, kernels) == "");
            }
        }
    }
}

TEST_CASE("distances of every element type at every dimension", "[simd][types][.slow]") {
    INFO("seed " << kSeed);
    for (const DistanceKernels& kernels : kTypedDistances) {
        for (std::size_t dim = 1; dim <= 1'100; dim += 1 + dim / 300) {
            for (const Bits kind : kKinds) {
                const TypedScene ends(kernels.type, dim, 0, 11, kind, Edge::kEnd, kSeed);
                REQUIRE(check_distance(ends, kernels) == "");
                const TypedScene starts(kernels.type, dim, 4, 11, kind, Edge::kStart, kSeed);
                REQUIRE(check_distance(starts, kernels) == "");
            }
        }
    }
}

TEST_CASE("the largest sums of bytes and bits are exact", "[simd][types][quick]") {
    constexpr std::size_t kDim = kMaxDimension;
    const std::vector<std::int8_t> low(kDim, -128);
    const std::vector<std::int8_t> high(kDim, 127);
    const std::vector<std::uint8_t> ones(kDim / 8, 0xFF);
    const std::vector<std::uint8_t> zeros(kDim / 8, 0);
    for (const simd::KernelTable* table : simd::available_tables()) {
        CAPTURE(table->name);
        const auto distance = [&](Metric metric, ElementType type, const void* q, const void* x) {
            const DistanceKernels kernels{"", metric, nullptr, type};
            return run_range(*table, kernels, q, {x, vector_bytes(type, kDim), kDim}, 1)
                .distances.at(0);
        };
        constexpr ElementType kInt8 = ElementType::kInt8;
        constexpr ElementType kBit = ElementType::kBit;
        CHECK(distance(Metric::kL2, kInt8, low.data(), high.data()) == 255.0F * 255.0F * 0x1p15F);
        CHECK(distance(Metric::kInnerProduct, kInt8, low.data(), low.data()) == -0x1p29F);
        CHECK(distance(Metric::kInnerProduct, kInt8, low.data(), high.data()) ==
              128.0F * 127.0F * 0x1p15F);
        CHECK(distance(Metric::kInnerProduct, kInt8, high.data(), low.data()) ==
              128.0F * 127.0F * 0x1p15F);
        CHECK(distance(Metric::kHamming, kBit, ones.data(), zeros.data()) == 0x1p15F);
        CHECK(distance(Metric::kHamming, kBit, ones.data(), ones.data()) == 0.0F);
        CHECK(distance(Metric::kJaccard, kBit, ones.data(), zeros.data()) == 1.0F);
        CHECK(distance(Metric::kJaccard, kBit, ones.data(), ones.data()) == 0.0F);
        CHECK(distance(Metric::kJaccard, kBit, zeros.data(), zeros.data()) == 0.0F);
    }
}

/// Multiply 1 by every half there is and compare with the definition.
template <class ValueOf>
void check_all_halves(ElementType type, std::uint16_t one, ValueOf&& value_of) {
    constexpr std::size_t kCount = 65'536;
    const std::size_t dim = GENERATE(1U, 16U);
    std::vector<std::uint16_t> rows(kCount * dim, 0);
    for (std::size_t r = 0; r < kCount; ++r)
        rows[r * dim + r % dim] = static_cast<std::uint16_t>(r);
    const std::vector<std::uint16_t> query(dim, one);
    const DistanceKernels ip{"ip", Metric::kInnerProduct, nullptr, type};
    for (const simd::KernelTable* table : simd::available_tables()) {
        CAPTURE(table->name, dim);
        const Pairs got = run_range(*table, ip, query.data(), {rows.data(), dim, dim}, kCount);
        REQUIRE(got.distances.size() == kCount);
        std::size_t wrong = 0;
        for (std::size_t r = 0; r < kCount; ++r) {
            const double value = value_of(static_cast<std::uint16_t>(r));
            const double expected =
                std::isnan(value) ? static_cast<double>(kInfinity) : 0.0 - value;
            wrong += static_cast<double>(got.distances[r]) == expected ? 0 : 1;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("every half is widened exactly, infinities and NaN too", "[simd][types][quick]") {
    check_all_halves(ElementType::kFloat16, 0x3C00, half_value);
}

TEST_CASE("every bfloat16 is widened exactly, infinities and NaN too", "[simd][types][quick]") {
    check_all_halves(ElementType::kBFloat16, 0x3F80, bfloat_value);
}

/// Put the rows of a scene at `offset` bytes past a cache line and compare with `expected`.
std::string check_placement(const simd::KernelTable& table,
                            const DistanceKernels& kernels,
                            const TypedScene& scene,
                            std::size_t offset,
                            const Pairs& expected) {
    const std::size_t bytes = vector_bytes(scene.type, scene.dim);
    const std::size_t stride = bytes + 2 * (offset % 3);
    std::vector<std::uint8_t> memory(scene.row_count * stride + 256, 0xFF);
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    std::uint8_t* base = memory.data() + (64 - address % 64) + offset;
    for (std::size_t r = 0; r < scene.row_count; ++r)
        std::memcpy(base + r * stride, scene.rows().row(r), bytes);
    const simd::Rows rows(static_cast<const void*>(base), stride, scene.dim);
    const Pairs got = run_range(table, kernels, scene.query.data(), rows, scene.row_count);
    return same(got, expected)
               ? ""
               : describe(table, kernels, scene) + sentence("another number at offset ", offset);
}

TEST_CASE("a pair of any type has one number whatever its place", "[simd][types][quick]") {
    INFO("seed " << kSeed);
    for (const DistanceKernels& kernels : kTypedDistances) {
        for (const std::size_t dim : {1U, 13U, 16U, 31U, 50U, 100U, 129U, 400U}) {
            const TypedScene scene(kernels.type, dim, 0, 9, Bits::kUsual, Edge::kEnd, kSeed);
            for (const simd::KernelTable* table : simd::available_tables()) {
                const Pairs expected =
                    run_range(*table, kernels, scene.query.data(), scene.rows(), 9);
                for (std::size_t offset = 0; offset < 64; offset += 2) {
                    REQUIRE(check_placement(*table, kernels, scene, offset, expected) == "");
                }
                std::vector<std::uint32_t> list = {8, 0, 0, 5, 3, 8, 1};
                Pairs listed;
                for (const std::uint32_t row : list) {
                    listed.rows.push_back(row);
                    listed.distances.push_back(expected.distances.at(row));
                }
                REQUIRE(same(run_list(*table,
                                      kernels,
                                      scene.query.data(),
                                      scene.rows(),
                                      list.data(),
                                      list.size()),
                             listed));
            }
        }
    }
}

TEST_CASE("distances of bytes and bits are the same number on every level",
          "[simd][types][quick]") {
    INFO("seed " << kSeed);
    for (const DistanceKernels& kernels : kTypedDistances) {
        if (kernels.type != ElementType::kInt8 && kernels.type != ElementType::kBit) continue;
        const TypedScene scene(kernels.type, 777, 0, 20, Bits::kUsual, Edge::kEnd, kSeed);
        const simd::KernelTable& first = *simd::available_tables().front();
        const Pairs expected = run_range(first, kernels, scene.query.data(), scene.rows(), 20);
        for (const simd::KernelTable* table : simd::available_tables()) {
            CAPTURE(table->name, kernels.metric);
            CHECK(same(run_range(*table, kernels, scene.query.data(), scene.rows(), 20), expected));
        }
    }
}

TEST_CASE("squared norms of any number type are minus ip of a row with itself",
          "[simd][types][quick]") {
    INFO("seed " << kSeed);
    for (const DistanceKernels& kernels : kTypedDistances) {
        if (kernels.value != Metric::kInnerProduct) continue;
        for (const std::size_t dim : {1U, 9U, 16U, 37U, 64U, 100U, 300U}) {
            const TypedScene scene(kernels.type, dim, 2, 5, Bits::kExtreme, Edge::kEnd, kSeed);
            for (const simd::KernelTable* table : simd::available_tables()) {
                CAPTURE(table->name, kernels.metric, dim);
                GuardedArray<float> norms(5);
                table->squared_norms(kernels.type)(scene.rows(), 5, norms.data());
                for (std::size_t r = 0; r < 5; ++r) {
                    const simd::Rows row = scene.rows().from(r);
                    const float self = run_range(*table, kernels, row.base, row, 1).distances.at(0);
                    CHECK(norms[r] == -self);
                    CHECK(accepts(exact_distance(kernels, row.base, row.base, dim), -norms[r]));
                }
            }
        }
    }
}

}  // namespace
}  // namespace vecdb::test
