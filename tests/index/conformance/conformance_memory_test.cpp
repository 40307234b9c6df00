// What indexes say about their memory, counted; and that searches ask for none.

#include "index/conformance/catalogue.h"
#include "index/conformance/faulty_index.h"
#include "index/conformance/subject.h"
#include "index/registry.h"
#include "simd/aligned_buffer.h"
#include "support/catch.h"
#include "support/live_memory.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vecdb::test {
namespace {

constexpr std::size_t kRows = 3'000;
constexpr std::size_t kManyRows = 40'000;  // some blocks then come from the system in large pages

struct Memory {
    double reported = 0;
    double counted = 0;

    [[nodiscard]] bool fits() const {
        // What an empty index and its allocator's pages come to is not the matter.
        return std::abs(reported - counted) <= 0.1 * counted + 1'024;
    }
};

using Make = std::function<Result<std::unique_ptr<Index>>()>;

/// Build, and return what it holds. The first of two builds leaves the thread's own memory behind.
Memory memory_of(const Make& make, const Segment& segment) {
    Memory memory;
    for (int round = 0; round < 2; ++round) {
        const std::size_t before = live_bytes;
        auto index = make().value();
        const bool built = index->build(segment.rows(), {.seed = 1}).ok();  // the order goes here
        CHECK(built);
        memory.counted = static_cast<double>(live_bytes - before);
        memory.reported = static_cast<double>(index->memory_bytes());
    }
    return memory;
}

/// Return how often single searches ask for memory after the first ones of a thread.
std::size_t allocations_in_search(const Index& index,
                                  const Segment& segment,
                                  const std::vector<Effort>& efforts) {
    const std::vector<std::uint64_t> half(segment.count() / 64 + 1, 0x5555'5555'5555'5555);
    std::vector<Hit> hits(10);
    const auto search_all = [&] {
        for (std::size_t i = 0; i < efforts.size() * 2 * segment.queries(); ++i) {
            const Effort& effort = efforts[i % efforts.size()];
            const bool masked = i % 2 == 1;
            const IndexSearch how{.filter = {masked ? half.data() : nullptr, nullptr},
                                  .allowed_rows = masked ? segment.count() / 2 : segment.count(),
                                  .ef = effort.ef,
                                  .nprobe = effort.nprobe,
                                  .rerank = effort.rerank,
                                  .bound = effort.bound};
            TopK best(hits);
            const void* const query = segment.query(i % segment.queries());
            index.search(segment.rows(), {&query, 1}, how, {&best, 1});
        }
    };
    search_all();
    search_all();
    const std::size_t before = allocations;
    search_all();
    return allocations - before;
}

/// Return the variants that this build serves over floats.
std::vector<Variant> served_variants() {
    std::vector<Variant> variants = all_variants();
    std::erase_if(variants, [](const Variant& variant) {
        VectorField field;
        field.dim = 8;
        field.index = variant.options;
        const Status status = index::make_index(field).status();
        return !variant.is_default && status.code() == StatusCode::kUnsupported;
    });
    return variants;
}

Make maker(const Variant& variant, const Segment& segment) {
    return [&variant, &segment] {
        VectorField field;
        field.dim = segment.dim();
        field.metric = segment.kind().metric;
        field.index = variant.options;
        return index::make_index(field);
    };
}

Make faulty_maker(Fault fault) {
    return [fault]() -> Result<std::unique_ptr<Index>> {
        return std::unique_ptr<Index>(std::make_unique<FaultyIndex>(fault));
    };
}

TEST_CASE("memory_bytes is within 10 % of the memory that an index holds") {
    const Segment segment = make_segment("words", {Metric::kL2}, kRows, 1);
    for (const Variant& variant : served_variants()) {
        const Memory memory = memory_of(maker(variant, segment), segment);
        CAPTURE(variant.name, memory.reported, memory.counted);
        CHECK(memory.fits());
    }
}

TEST_CASE("memory_bytes counts blocks of large pages rightly") {
    const Segment segment = make_segment("clustered", {Metric::kL2}, kManyRows, 1);
    for (const Variant& variant : served_variants()) {
        if (index::index_name(variant.options) == "hnsw") continue;  // takes long; see [soak]
        const Memory memory = memory_of(maker(variant, segment), segment);
        CAPTURE(variant.name, memory.reported, memory.counted);
        CHECK(memory.fits());
    }
}

TEST_CASE("memory_bytes counts blocks of large pages rightly: graphs", "[.][soak]") {
    const Segment segment = make_segment("clustered", {Metric::kL2}, kManyRows, 1);
    for (const Variant& variant : served_variants()) {
        const Memory memory = memory_of(maker(variant, segment), segment);
        CAPTURE(variant.name, memory.reported, memory.counted);
        CHECK(memory.fits());
    }
}

TEST_CASE("single searches of an index allocate nothing after the first ones") {
    const Segment segment = make_segment("words", {Metric::kL2}, kRows, 2);
    for (const Variant& variant : served_variants()) {
        Subject subject;
        subject.make = maker(variant, segment);
        subject.segment = &segment;
        Findings findings;
        const Built built = build(subject, findings);
        CAPTURE(variant.name, findings.texts());
        REQUIRE(built.index != nullptr);
        CHECK(allocations_in_search(*built.index, built.segment, variant.efforts) == 0);
    }
}

TEST_CASE("wrong figures and allocations are noticed") {
    const Segment segment = make_segment("words", {Metric::kL2}, kRows, 2);
    CHECK(memory_of(faulty_maker(Fault::kNone), segment).fits());
    CHECK_FALSE(memory_of(faulty_maker(Fault::kUnderstatesMemory), segment).fits());
    CHECK_FALSE(memory_of(faulty_maker(Fault::kOverstatesMemory), segment).fits());

    FaultyIndex index(Fault::kAllocatesInSearch);
    REQUIRE(index.build(segment.rows(), {}).ok());
    CHECK(allocations_in_search(index, segment, {{.name = "default"}}) > 0);

    const std::size_t before = live_bytes;
    const simd::AlignedBuffer<std::byte> small(100'000);
    const simd::AlignedBuffer<std::byte> large(5'000'000);
    CHECK(live_bytes - before >= 5'100'000);
    CHECK(live_bytes - before <= 5'100'000 + (std::size_t{2} << 20U));
}

}  // namespace
}  // namespace vecdb::test
