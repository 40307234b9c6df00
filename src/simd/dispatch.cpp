#include "simd/dispatch.h"

#include "simd/cpu_features.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace vecdb::simd {

extern const KernelTable kScalarTable;
extern const KernelTable kSse2Table;
extern const KernelTable kAvx2Table;
extern const KernelTable kAvx512Table;
extern const KernelTable kAvx512VnniTable;
extern const KernelTable kNeonTable;

namespace {

/// A level of this build, slowest first. CMake defines VECDB_HAS_<LEVEL> for the arch files built.
struct Level {
    const KernelTable* table;
    bool (*runs)(const CpuFeatures&);
};

constexpr Level kLevels[] = {
    {&kScalarTable,
     [](const CpuFeatures&) {
         return true;
     }},
#if defined(VECDB_HAS_SSE2)
    {&kSse2Table,
     [](const CpuFeatures& cpu) {
         return cpu.sse2;
     }},
#endif
#if defined(VECDB_HAS_AVX2)
    {&kAvx2Table,
     [](const CpuFeatures& cpu) {
         return cpu.avx2;
     }},
#endif
#if defined(VECDB_HAS_AVX512)
    {&kAvx512Table,
     [](const CpuFeatures& cpu) {
         return cpu.avx512;
     }},
#endif
#if defined(VECDB_HAS_AVX512VNNI)
    {&kAvx512VnniTable,
     [](const CpuFeatures& cpu) {
         return cpu.avx512vnni;
     }},
#endif
#if defined(VECDB_HAS_NEON)
    {&kNeonTable,
     [](const CpuFeatures& cpu) {
         return cpu.neon;
     }},
#endif
};
constexpr std::size_t kLevelCount = std::size(kLevels);

struct TableList {
    std::array<const KernelTable*, kLevelCount> tables{};
    std::size_t count = 0;

    [[nodiscard]] std::span<const KernelTable* const> view() const noexcept {
        return {tables.data(), count};
    }
};

TableList list_tables(bool only_available) noexcept {
    TableList list;
    for (const Level& level : kLevels) {
        if (!only_available || level.runs(cpu_features())) list.tables[list.count++] = level.table;
    }
    return list;
}

std::string join_names(std::span<const KernelTable* const> tables) {
    std::string names;
    for (const KernelTable* table : tables) {
        if (!names.empty()) names += ", ";
        names += table->name;
    }
    return names;
}

Result<const KernelTable*> table_from_environment() {
    const char* name = std::getenv("VECDB_SIMD");  // NOLINT(concurrency-mt-unsafe): read once
    if (name == nullptr || *name == '\0') return available_tables().back();
    return choose_table(name);
}

}  // namespace

std::span<const KernelTable* const> compiled_tables() noexcept {
    static const TableList list = list_tables(false);
    return list.view();
}

std::span<const KernelTable* const> available_tables() noexcept {
    static const TableList list = list_tables(true);
    return list.view();
}

Result<const KernelTable*> choose_table(std::string_view name) {
    for (const KernelTable* table : available_tables()) {
        if (name == table->name) return table;
    }
    const std::string asked = "VECDB_SIMD=" + std::string(name);
    for (const std::string_view level :
         {"scalar", "sse2", "avx2", "avx512", "avx512vnni", "neon"}) {
        if (name != level) continue;
        return Status(StatusCode::kUnsupported,
                      asked + " cannot run on this machine or is not in this build; available: " +
                          join_names(available_tables()));
    }
    return Status(
        StatusCode::kInvalidArgument,
        asked + " names no instruction set; available: " + join_names(available_tables()));
}

Result<const KernelTable*> active_table() {
    static const Result<const KernelTable*> table = table_from_environment();
    return table;
}

const KernelTable& table_in_use() noexcept {
    static const Result<const KernelTable*> table = active_table();
    return table.ok() ? **table : *available_tables().front();
}

}  // namespace vecdb::simd
