#pragma once

/// \file
/// The simplest index that keeps the whole contract: every allowed row is compared. It asks for the
/// rows in reverse, grows, and saves a mark for each row, so that there are bytes to damage.

#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::test {

/// Threads: as Index.
class PlainIndex : public Index {
  public:
    [[nodiscard]] IndexCapabilities capabilities() const noexcept override {
        return {.name = "plain", .exact = true, .growable = true};
    }
    [[nodiscard]] Result<std::vector<std::uint32_t>> build(const IndexRows& rows,
                                                           const IndexBuild& how) override;
    [[nodiscard]] Status add(const IndexRows& rows,
                             std::size_t first,
                             const IndexBuild& how) override;
    void search(const IndexRows& rows,
                std::span<const void* const> queries,
                const IndexSearch& how,
                std::span<TopK> best) const override;
    [[nodiscard]] Status validate(const IndexRows& rows) const override;
    [[nodiscard]] Status save(SectionWriter& to) const override;
    [[nodiscard]] Status load(SectionReader& from, const IndexRows& rows) override;
    [[nodiscard]] std::size_t memory_bytes() const noexcept override {
        return sizeof(*this) + marks_.capacity() * sizeof(std::uint32_t);
    }

  private:
    std::vector<std::uint32_t> marks_;  ///< One per row: its number, hashed.
};

}  // namespace vecdb::test
