#pragma once

/// \file
/// The graph index: a graph of near neighbours walked on short codes, the last candidates compared
/// by their vectors.

#include "index/codes.h"
#include "index/hnsw_build.h"
#include "index/hnsw_graph.h"

#include <vecdb/index.h>
#include <vecdb/index_options.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vecdb::index {

/// Make the index that HnswOptions in `field` describe. Returns kInvalidArgument for options out of
/// range and kUnsupported for codes of elements other than float32.
[[nodiscard]] Result<std::unique_ptr<Index>> make_hnsw_index(const VectorField& field);

/// One layer of links, refined, with its rows in the order of the graph; searches enter at the
/// nearest of the first rows, so no upper layers are needed.
class HnswIndex final : public Index {
  public:
    HnswIndex(const HnswOptions& options, ElementType element_type);

    [[nodiscard]] IndexCapabilities capabilities() const noexcept override;
    [[nodiscard]] Result<std::vector<std::uint32_t>> build(const IndexRows& rows,
                                                           const IndexBuild& how) override;
    [[nodiscard]] std::size_t build_on_ratio(Metric metric) const noexcept override;
    [[nodiscard]] Result<std::vector<std::uint32_t>> build_on(const IndexRows& rows,
                                                              const Index& base,
                                                              std::span<const std::uint32_t> kept,
                                                              const IndexBuild& how) override;
    [[nodiscard]] Status add(const IndexRows& rows,
                             std::size_t first,
                             const IndexBuild& how) override;
    void search(const IndexRows& rows,
                std::span<const void* const> queries,
                const IndexSearch& how,
                std::span<TopK> best) const override;
    [[nodiscard]] std::unique_ptr<IndexCursor> cursor(const IndexRows& rows,
                                                      const void* query,
                                                      const IndexSearch& how) const override;
    [[nodiscard]] Status validate(const IndexRows& rows) const override;
    [[nodiscard]] Status save(SectionWriter& to) const override;
    [[nodiscard]] Status load(SectionReader& from, const IndexRows& rows) override;
    [[nodiscard]] std::size_t unreachable_rows() const noexcept override { return unreachable_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept override;

    [[nodiscard]] const HnswGraph& graph() const noexcept { return graph_; }
    /// Return the rows that searches enter at.
    [[nodiscard]] std::vector<std::uint32_t> entries() const;

  private:
    struct Scratch;
    struct Plan;

    [[nodiscard]] bool coded() const noexcept { return options_.codes != Codes::kNone; }
    /// The codes of all rows: those of walks, and those that a graph is built on.
    struct Codings {
        CodeTable walk;
        CodeTable finer;  ///< Empty where those of walks serve.

        [[nodiscard]] const CodeTable& compared() const noexcept {
            return finer.empty() ? walk : finer;
        }
    };

    [[nodiscard]] static Result<Codings> code(const IndexRows& rows,
                                              const CodeSpace& space,
                                              CodeLayout layout,
                                              const IndexBuild& how);
    std::vector<std::uint32_t> adopt(HnswGraph graph,
                                     const CodeTable& walk_codes,
                                     CodeSpace space,
                                     std::span<const std::uint32_t> entries);
    [[nodiscard]] HnswShape shape() const noexcept;
    [[nodiscard]] Result<CodeLayout> choose_codes(const IndexRows& rows,
                                                  const IndexBuild& how,
                                                  CodeSpace& space) const;
    /// What is compared, and for how many rows it was chosen.
    struct Choice {
        CodeSpace& space;
        CodeLayout& layout;
        std::size_t& rows;
    };
    Status choose_again(const IndexRows& rows, const IndexBuild& how, const Choice& choice) const;
    [[nodiscard]] Plan plan(const IndexRows& rows, const IndexSearch& how, const TopK& best) const;
    void search_one(const IndexRows& rows,
                    const void* query,
                    const IndexSearch& how,
                    TopK& best) const;
    std::size_t offer_found(const IndexRows& rows,
                            const void* query,
                            std::span<const WalkKey> found,
                            const IndexSearch& how,
                            TopK& best) const;
    void scan(const IndexRows& rows, const void* query, const IndexSearch& how, TopK& best) const;

    HnswOptions options_;
    HnswGraph graph_;
    std::size_t unreachable_ = 0;  ///< Counted when the graph was made.
    double lost_ = 0;              ///< Nodes left behind since it was made from nothing, a node.
    std::size_t chosen_for_ = 0;   ///< Rows for which the space was chosen.
    CodeSpace space_;
    CodeTable codes_;  ///< Empty when rows themselves are compared.
};

}  // namespace vecdb::index
