// Which kernel table serves, by CPU and by VECDB_SIMD. ctest runs the cases tagged [active] once
// per value of that variable, because it is read once per process.

#include "simd/dispatch.h"

#include "simd/cpu_features.h"
#include "support/catch.h"

#include <vecdb/database.h>
#include <vecdb/simd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb::test {
namespace {

constexpr std::string_view kLevels[] = {"scalar", "sse2", "avx2", "avx512", "avx512vnni", "neon"};

std::vector<std::string> names(std::span<const simd::KernelTable* const> tables) {
    std::vector<std::string> result;
    for (const simd::KernelTable* table : tables)
        result.emplace_back(table->name);
    return result;
}

bool contains(const std::vector<std::string>& all, std::string_view name) {
    return std::find(all.begin(), all.end(), name) != all.end();
}

void check_names_what_could_be_chosen(const Status& status, std::string_view asked) {
    CHECK_THAT(status.message(), Catch::Matchers::Contains(std::string(asked)));
    for (const std::string& name : names(simd::available_tables())) {
        CHECK_THAT(status.message(), Catch::Matchers::Contains(name));
    }
}

/// Return what the library must do when VECDB_SIMD is `name`.
StatusCode expected_code(std::string_view name) {
    if (name.empty() || contains(names(simd::available_tables()), name)) return StatusCode::kOk;
    const bool known = std::find(std::begin(kLevels), std::end(kLevels), name) != std::end(kLevels);
    return known ? StatusCode::kUnsupported : StatusCode::kInvalidArgument;
}

TEST_CASE("every level can be chosen by name where it runs and is refused elsewhere", "[simd]") {
    const std::vector<std::string> available = names(simd::available_tables());
    for (const std::string_view level : kLevels) {
        CAPTURE(level);
        const auto table = simd::choose_table(level);
        if (contains(available, level)) {
            REQUIRE(table.ok());
            CHECK(std::string_view((*table)->name) == level);
        } else {
            REQUIRE(table.status().code() == StatusCode::kUnsupported);
            check_names_what_could_be_chosen(table.status(), level);
        }
    }
}

TEST_CASE("a name of no level is an invalid argument", "[simd]") {
    for (const char* name :
         {"nonsense", "AVX2", "avx", "avx2 ", " avx2", "avx5122", "sse", "auto"}) {
        CAPTURE(name);
        const auto table = simd::choose_table(name);
        REQUIRE(table.status().code() == StatusCode::kInvalidArgument);
        check_names_what_could_be_chosen(table.status(), name);
    }
    CHECK(simd::choose_table("").status().code() == StatusCode::kInvalidArgument);
    CHECK(simd::choose_table(std::string_view("avx2\0", 5)).status().code() ==
          StatusCode::kInvalidArgument);
}

TEST_CASE("available levels are compiled ones, in the order of speed", "[simd]") {
    const std::vector<std::string> compiled = names(simd::compiled_tables());
    const std::vector<std::string> available = names(simd::available_tables());
    REQUIRE_FALSE(available.empty());
    CHECK(available.front() == "scalar");
    std::vector<std::string> in_order;
    for (const std::string& name : compiled) {
        if (contains(available, name)) in_order.push_back(name);
    }
    CHECK(available == in_order);
    std::vector<std::string> known;
    for (const std::string_view level : kLevels) {
        if (contains(compiled, level)) known.emplace_back(level);
    }
    CHECK(compiled == known);
}

TEST_CASE("available levels are those that the CPU and the system can run", "[simd]") {
    const std::vector<std::string> available = names(simd::available_tables());
    const simd::CpuFeatures& cpu = simd::cpu_features();
    CHECK(contains(available, "sse2") == cpu.sse2);
    CHECK(contains(available, "avx2") == cpu.avx2);
    CHECK(contains(available, "avx512") == cpu.avx512);
    CHECK(contains(available, "avx512vnni") == cpu.avx512vnni);
    CHECK(contains(available, "neon") == cpu.neon);
#if defined(__x86_64__)
    CHECK(cpu.sse2);
    CHECK(cpu.avx2 == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")));
    CHECK(cpu.avx512 == (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512vl")));
#endif
}

/// The pairs of metric and element type that must work.
bool served(Metric metric, ElementType type) {
    if (metric == Metric::kHamming || metric == Metric::kJaccard) return type == ElementType::kBit;
    if (metric == Metric::kCosine && type == ElementType::kInt8) return false;
    return type != ElementType::kBit;
}

TEST_CASE("tables have kernels for the pairs of metric and element type that are served",
          "[simd]") {
    for (const simd::KernelTable* table : simd::compiled_tables()) {
        for (int m = 1; m <= 5; ++m) {
            for (int t = 1; t <= 5; ++t) {
                const auto metric = static_cast<Metric>(m);
                const auto type = static_cast<ElementType>(t);
                CAPTURE(table->name, to_string(metric), to_string(type));
                const simd::DistanceKernels kernels = table->distances(metric, type);
                CHECK((kernels.range != nullptr) == served(metric, type));
                CHECK((kernels.list != nullptr) == served(metric, type));
                CHECK((table->squared_norms(type) != nullptr) == (type != ElementType::kBit));
            }
        }
    }
}

TEST_CASE("tables fill every entry", "[simd]") {
    for (const simd::KernelTable* table : simd::compiled_tables()) {
        CAPTURE(table->name);
        CHECK(table->scale != nullptr);
        CHECK((table->pack != nullptr && table->tile != nullptr));
        CHECK((table->tile_rows >= 1 && table->tile_rows <= simd::kMaxTileRows));
        CHECK((table->tile_queries >= 1 && table->tile_queries <= simd::kMaxTileQueries));
    }
}

TEST_CASE("VECDB_SIMD forces the level, and what it cannot be fails every construction",
          "[simd][active]") {
    const char* variable = std::getenv("VECDB_SIMD");
    const std::string asked = variable == nullptr ? "" : variable;
    CAPTURE(asked);
    const StatusCode code = expected_code(asked);
    const auto active = active_simd_level();
    const auto database = Database::in_memory();
    CHECK(active.status().code() == code);
    CHECK(database.status().code() == code);
    if (code == StatusCode::kOk) {
        REQUIRE(active.ok());
        CHECK(*active ==
              (asked.empty() ? available_simd_levels().back() : std::string_view(asked)));
    } else {
        check_names_what_could_be_chosen(active.status(), asked);
        CHECK(database.status().message() == active.status().message());
        CHECK(Database::in_memory().status().code() == code);
    }
}

TEST_CASE("the levels listed do not depend on VECDB_SIMD", "[simd][active]") {
    const auto same = [](const std::vector<std::string_view>& listed,
                         std::span<const simd::KernelTable* const> tables) {
        return std::vector<std::string>(listed.begin(), listed.end()) == names(tables);
    };
    CHECK(same(available_simd_levels(), simd::available_tables()));
    CHECK(same(compiled_simd_levels(), simd::compiled_tables()));
}

}  // namespace
}  // namespace vecdb::test
