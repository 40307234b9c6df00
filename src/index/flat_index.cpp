#include "index/flat_index.h"

#include "check.h"
#include "index/coded_scan.h"
#include "index/codes.h"
#include "index/crossovers.h"
#include "index/exact.h"
#include "index/flat_batch.h"
#include "index/rotation.h"
#include "index/row_ranking.h"
#include "index/sections.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vecdb::index {
namespace {

/// The part of the variance that the head of the first codes shall have.
constexpr double kHeadVariance = 0.88;
/// Rows of that many dimensions get a middle stage, over so many principal components at most.
constexpr std::size_t kLongRow = 250;
constexpr std::size_t kMiddleHead = 256;

/// The codes of a segment, in three tables.
struct FlatCodes {
    CodeSpace space;
    CodeTable blocks;
    CodeTable listed;
    CodeSpace middle_space;
    CodeTable middle;  ///< Empty for short rows.

    [[nodiscard]] static Result<FlatCodes> build(const IndexRows& rows, const IndexBuild& how);
    [[nodiscard]] Status save(SectionWriter& to) const;
    [[nodiscard]] static Result<FlatCodes> load(SectionReader& from,
                                                const IndexRows& rows,
                                                bool has_middle);

    [[nodiscard]] CodedStages stages() const noexcept {
        const bool three = !middle.empty();
        return {.space = &space,
                .blocks = &blocks,
                .listed = &listed,
                .middle_space = three ? &middle_space : nullptr,
                .middle = three ? &middle : nullptr};
    }
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return space.memory_bytes() + blocks.memory_bytes() + listed.memory_bytes() +
               middle_space.memory_bytes() + middle.memory_bytes();
    }
};

Result<FlatCodes> FlatCodes::build(const IndexRows& rows, const IndexBuild& how) {
    VECDB_ASSIGN(const PrincipalAxes axes, principal_axes(rows, how));
    FlatCodes codes;
    codes.space = CodeSpace::of(axes, {.variance = kHeadVariance}, how.seed);
    VECDB_ASSIGN(codes.blocks, CodeTable::build(rows, codes.space, CodeLayout::kBlock4, how));
    if (!codes.blocks.bounds()) return FlatCodes();  // no bound could be told
    VECDB_ASSIGN(codes.listed, CodeTable::build(rows, codes.space, CodeLayout::kRow4, how));
    if (rows.dim < kLongRow) return codes;
    const CodeSpace::Wish wish{.max_head = kMiddleHead, .variance = 1.0, .must_cut = true};
    codes.middle_space = CodeSpace::of(axes, wish, how.seed + 1);
    VECDB_ASSIGN(codes.middle, CodeTable::build(rows, codes.middle_space, CodeLayout::kRow8, how));
    return codes;
}

Status FlatCodes::save(SectionWriter& to) const {
    PrefixedWriter block_sections("blocks.", to);
    VECDB_TRY(space.save(block_sections));
    VECDB_TRY(blocks.save(block_sections));
    PrefixedWriter listed_sections("listed.", to);
    VECDB_TRY(listed.save(listed_sections));
    if (middle.empty()) return {};
    PrefixedWriter middle_sections("middle.", to);
    VECDB_TRY(middle_space.save(middle_sections));
    return middle.save(middle_sections);
}

Status corrupt(const std::string& what) {
    return {StatusCode::kCorruption, "index flat: " + what};
}

Result<FlatCodes> FlatCodes::load(SectionReader& from, const IndexRows& rows, bool has_middle) {
    FlatCodes codes;
    PrefixedReader block_sections("blocks.", from);
    VECDB_ASSIGN(codes.space, CodeSpace::load(block_sections, rows.dim));
    VECDB_ASSIGN(codes.blocks, CodeTable::load(block_sections, rows, codes.space));
    PrefixedReader listed_sections("listed.", from);
    VECDB_ASSIGN(codes.listed, CodeTable::load(listed_sections, rows, codes.space));
    if (codes.blocks.layout() != CodeLayout::kBlock4 ||
        codes.listed.layout() != CodeLayout::kRow4) {
        return corrupt("codes in another layout");
    }
    if (!has_middle) return codes;
    PrefixedReader middle_sections("middle.", from);
    VECDB_ASSIGN(codes.middle_space, CodeSpace::load(middle_sections, rows.dim));
    VECDB_ASSIGN(codes.middle, CodeTable::load(middle_sections, rows, codes.middle_space));
    if (codes.middle.layout() != CodeLayout::kRow8) return corrupt("codes in another layout");
    return codes;
}

/// What FlatIndex::save writes first.
struct About {
    std::uint32_t version = 1;
    std::uint8_t coded = 0;
    std::uint8_t has_middle = 0;
    std::uint16_t unused = 0;
    std::uint64_t rows = 0;
};

class FlatIndex final : public Index {
  public:
    explicit FlatIndex(bool coded) noexcept : wants_codes_(coded) {}

    [[nodiscard]] IndexCapabilities capabilities() const noexcept override {
        return {.name = "flat", .exact = true, .growable = !wants_codes_};
    }

    Result<std::vector<std::uint32_t>> build(const IndexRows& rows,
                                             const IndexBuild& how) override {
        VECDB_TRY(how.check());
        FlatCodes codes;
        if (wants_codes_) VECDB_TRY(build_codes(rows, how, codes));
        codes_ = std::move(codes);
        rows_ = rows.count;
        return std::vector<std::uint32_t>();
    }

    Status add(const IndexRows& rows, std::size_t first, const IndexBuild& how) override {
        if (wants_codes_) return Index::add(rows, first, how);
        VECDB_ASSERT(first == rows_);
        VECDB_TRY(how.check());
        rows_ = rows.count;
        return {};
    }

    void search(const IndexRows& rows,
                std::span<const void* const> queries,
                const IndexSearch& how,
                std::span<TopK> best) const override {
        if (queries.empty() || how.allowed_rows == 0) return;
        if (!coded()) return search_plainly(rows, queries, how, best);
        search_coded(rows, queries, how, best);
    }

    void range_search(const IndexRows& rows,
                      const void* query,
                      float radius,
                      const IndexSearch& how,
                      std::vector<Hit>& hits) const override {
        if (!coded()) return Index::range_search(rows, query, radius, how, hits);
        range_coded(codes_.stages(),
                    rows,
                    static_cast<const float*>(query),
                    radius,
                    how.filter,
                    hits,
                    how.counters);
    }

    [[nodiscard]] std::unique_ptr<IndexCursor> cursor(const IndexRows& rows,
                                                      const void* query,
                                                      const IndexSearch& how) const override {
        const CodedStages stages = coded() ? codes_.stages() : CodedStages();
        return std::make_unique<RowRanking>(stages, rows, query, how);
    }

    [[nodiscard]] Status validate(const IndexRows& rows) const override {
        const bool agree =
            !coded() || (codes_.blocks.rows() == rows.count && codes_.listed.rows() == rows.count &&
                         codes_.space.dim() == rows.dim);
        if (rows_ == rows.count && agree) return {};
        return corrupt(std::to_string(rows_) + " rows for a segment of " +
                       std::to_string(rows.count));
    }

    [[nodiscard]] Status save(SectionWriter& to) const override {
        About about;
        about.coded = coded() ? 1 : 0;
        about.has_middle = codes_.middle.empty() ? 0 : 1;
        about.rows = rows_;
        VECDB_TRY(to.write("flat", std::as_bytes(std::span(&about, 1))));
        return coded() ? codes_.save(to) : Status();
    }

    Status load(SectionReader& from, const IndexRows& rows) override {
        VECDB_ASSIGN(const std::span<const std::byte> bytes, from.read("flat"));
        About about;
        if (bytes.size() != sizeof(about)) return corrupt("a heading of another size");
        std::memcpy(&about, bytes.data(), sizeof(about));
        if (about.version != 1) {
            return corrupt("version " + std::to_string(about.version) + "; this library reads 1");
        }
        if (about.rows != rows.count || about.coded > 1 || about.has_middle > about.coded ||
            (about.coded != 0 && !wants_codes_)) {
            return corrupt("a heading for " + std::to_string(about.rows) +
                           " rows; the segment has " + std::to_string(rows.count));
        }
        FlatCodes codes;
        if (about.coded != 0) {
            VECDB_ASSIGN(codes, FlatCodes::load(from, rows, about.has_middle != 0));
        }
        codes_ = std::move(codes);
        rows_ = rows.count;
        return {};
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept override {
        return codes_.memory_bytes();
    }

  private:
    static Status build_codes(const IndexRows& rows, const IndexBuild& how, FlatCodes& codes) {
        VECDB_ASSIGN(codes, FlatCodes::build(rows, how));
        return {};
    }

    [[nodiscard]] bool coded() const noexcept { return !codes_.blocks.empty(); }

    void search_coded(const IndexRows& rows,
                      std::span<const void* const> queries,
                      const IndexSearch& how,
                      std::span<TopK> best) const {
        if (how.allowed_rows <= std::max(kFewRows, best[0].capacity()))
            return search_plainly(rows, queries, how, best);
        const CodedStages stages = codes_.stages();
        if (how.allowed_rows >= rows.count / kListedShare)
            return scan_all_coded(stages, rows, queries, how.filter, best, how.counters);
        for (std::size_t q = 0; q < queries.size(); ++q) {
            const auto* const query = static_cast<const float*>(queries[q]);
            scan_listed_coded(
                stages, rows, query, how.filter, how.allowed_rows, best[q], how.counters);
        }
    }

    static void search_plainly(const IndexRows& rows,
                               std::span<const void* const> queries,
                               const IndexSearch& how,
                               std::span<TopK> best) {
        if (how.counters != nullptr)
            how.counters->add_compared(SearchPlan::kRows, queries.size() * how.allowed_rows);
        if (rows.element_type == ElementType::kFloat32) {
            return scan_rows(rows, 0, queries, how.filter, best);
        }
        for (std::size_t q = 0; q < queries.size(); ++q)
            scan_allowed(rows, queries[q], how.filter, best[q]);
    }

    bool wants_codes_;
    FlatCodes codes_;
    std::size_t rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<Index>> make_flat_index(const VectorField& field) {
    const auto* const options = std::get_if<FlatOptions>(&field.index);
    if (options == nullptr) {
        return Status(StatusCode::kInvalidArgument, "field '" + field.name + "' is not flat");
    }
    VECDB_TRY(options->validate());
    const bool floats = field.element_type == ElementType::kFloat32;
    if (options->codes == Codes::kSq4 && !floats) {
        return Status(StatusCode::kUnsupported,
                      "field '" + field.name + "': codes are for float32, not for " +
                          std::string(to_string(field.element_type)));
    }
    return std::unique_ptr<Index>(
        std::make_unique<FlatIndex>(floats && options->codes != Codes::kNone));
}

}  // namespace vecdb::index
