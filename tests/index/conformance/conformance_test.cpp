// Every registered index, with every metric, element type, data set, mask and k, keeps the contract
// of vecdb/index.h. The plain run takes a sample of the combinations, [quick] a few, [soak] all.

#include "index/conformance/catalogue.h"
#include "index/conformance/checks.h"
#include "index/registry.h"
#include "support/catch.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'240'601;

VectorField field_of(const Variant& variant, Segment::Kind kind, std::size_t dim) {
    VectorField field;
    field.dim = dim;
    field.metric = kind.metric;
    field.element_type = kind.type;
    field.index = variant.options;
    return field;
}

/// Tell whether a schema with such a field is refused. All indexes must serve float32 with the
/// metrics for it, and default options.
bool refuses(const Variant& variant, Segment::Kind kind, std::size_t dim) {
    Schema schema;
    schema.vectors = {field_of(variant, kind, dim)};
    const Status status = schema.validate();
    if (status.ok()) return false;
    const bool allowed = status.code() == StatusCode::kUnsupported &&
                         (kind.type != ElementType::kFloat32 || !variant.is_default);
    if (!allowed) {
        FAIL_CHECK(variant.name << ", " << to_string(kind) << ": " << status.to_string());
    }
    return true;
}

/// Check one combination. Returns false when the index does not serve it.
bool run(const Variant& variant, const Segment& segment, bool thorough) {
    if (refuses(variant, segment.kind(), segment.dim())) return false;
    Subject subject;
    subject.name = variant.name + ", " + to_string(segment.kind()) + ", " + segment.name() + ", " +
                   std::to_string(segment.count()) + " rows, seed " + std::to_string(kSeed);
    subject.make = [&] {
        return index::make_index(field_of(variant, segment.kind(), segment.dim()));
    };
    subject.segment = &segment;
    subject.efforts = variant.efforts;
    subject.may_want_more_rows = variant.may_want_more_rows;
    subject.seed = kSeed;
    const auto made = subject.make();
    for (Effort& effort : subject.efforts)
        effort.exact = effort.exact || (*made)->capabilities().exact;

    INFO(subject.name);  // shown when an index crashes
    Findings findings;
    check_all(subject, thorough, findings);
    for (const std::string& text : findings.texts())
        UNSCOPED_INFO(text);
    CHECK(findings.count() == 0);
    return true;
}

/// Counts what was run.
struct Tally {
    std::size_t run = 0;
    std::size_t refused = 0;

    void count(bool served) { ++(served ? run : refused); }
    void print(const char* what) const {
        std::printf("%s: %zu combinations, %zu more not served, seed %llu\n",
                    what,
                    run,
                    refused,
                    static_cast<unsigned long long>(kSeed));
        CHECK(run > 0);
    }
};

/// Segments are made once for all variants that ask for them.
template <class Wanted>
void run_grid(std::size_t rows, bool thorough, const char* what, Wanted&& wanted) {
    const auto variants = all_variants();
    const auto kinds = all_kinds();
    Tally tally;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        for (std::size_t d = 0; d < data_names().size(); ++d) {
            const Segment segment = make_segment(data_names()[d], kinds[k], rows, kSeed + d);
            for (std::size_t v = 0; v < variants.size(); ++v) {
                if (wanted(variants[v], v, kinds[k], k, d))
                    tally.count(run(variants[v], segment, thorough));
            }
        }
    }
    tally.print(what);
}

TEST_CASE("every index answers rightly: a sample") {
    // Defaults see all float32 data; other options and types take turns.
    run_grid(1'500,
             false,
             "answers",
             [](const Variant& variant, std::size_t v, Segment::Kind kind, std::size_t k, auto d) {
                 if (kind.type == ElementType::kFloat32)
                     return variant.is_default || (v + d) % 3 == k;
                 return variant.is_default && (v + d) % 4 == k % 4;
             });
}

TEST_CASE("every index is built, grown, ended, saved and loaded rightly: a sample") {
    run_grid(240,
             true,
             "everything",
             [](const Variant& variant, std::size_t v, Segment::Kind kind, std::size_t k, auto d) {
                 if (kind.type == ElementType::kFloat32) return (v + k) % 8 == d;
                 return variant.is_default && (v + k) % 4 == d;
             });
}

TEST_CASE("every index keeps its contract: a few", "[.][quick]") {
    run_grid(1'200,
             false,
             "answers",
             [](const Variant& variant, std::size_t v, Segment::Kind, std::size_t k, auto d) {
                 return (variant.is_default || variant.in_small) && d == (v + k) % 4;
             });
    run_grid(150,
             true,
             "everything",
             [](const Variant& variant, std::size_t v, Segment::Kind, std::size_t k, auto d) {
                 return (variant.is_default || variant.in_small) && k == v % 3 && d == 2;
             });
}

TEST_CASE("every index answers rightly: everything", "[.][soak]") {
    run_grid(2'500, false, "answers", [](auto&&...) { return true; });
}

TEST_CASE("every index is built, grown, ended, saved and loaded rightly: everything", "[.][slow]") {
    run_grid(600, true, "everything", [](auto&&...) { return true; });
}

}  // namespace
}  // namespace vecdb::test
