// The level chosen on another CPU: an emulator's script says which one it must be.

#include "simd/dispatch.h"
#include "support/catch.h"

#include <cstdlib>

namespace vecdb::test {
namespace {

TEST_CASE("the level in use is the one that VECDB_EXPECT_SIMD names", "[simd][quick][level]") {
    const char* expected = std::getenv("VECDB_EXPECT_SIMD");
    if (expected == nullptr) return;  // nobody knows what this CPU can do
    const auto table = simd::active_table();
    REQUIRE(table.ok());
    CHECK(std::string_view((*table)->name) == expected);
    if (std::getenv("VECDB_SIMD") == nullptr) {
        CHECK(std::string_view(simd::available_tables().back()->name) == expected);
    }
}

}  // namespace
}  // namespace vecdb::test
