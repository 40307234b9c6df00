#include "collection/query/evaluate.h"

#include "collection/query/leaf_test.h"

#include <algorithm>
#include <array>
#include <map>

namespace vecdb::collection {
namespace {

/// Evaluates an expression over the rows of one block, a zone at a time.
class BlockEvaluation {
  public:
    BlockEvaluation(const BoundExpression& expression, const BlockColumns& columns)
        : expression_(expression) {
        prepare(expression, columns);
    }

    /// Write a word for every 64 rows of [first, first + count), of one zone; first is a multiple
    /// of
    /// 64. Bits behind the last row are 0.
    void evaluate(std::size_t first, std::size_t count, ZoneWords& words) {
        evaluate(expression_, {first, count}, words);
        if (count % 64 != 0) words[count / 64] &= (std::uint64_t{1} << (count % 64)) - 1;
    }

  private:
    void prepare(const BoundExpression& node, const BlockColumns& columns) {
        if (node.kind == BoundExpression::Kind::kLeaf)
            tests_.emplace(&node.leaf, LeafTest(node.leaf, columns));
        for (const BoundExpression& part : node.parts)
            prepare(part, columns);
    }

    void evaluate(const BoundExpression& node, const RowRange& rows, ZoneWords& words) {
        switch (node.kind) {
            case BoundExpression::Kind::kConstant:
                std::fill_n(words.begin(), rows.words(), node.value ? ~std::uint64_t{0} : 0);
                return;
            case BoundExpression::Kind::kLeaf:
                return tests_.at(&node.leaf).test(rows, words);
            case BoundExpression::Kind::kAll:
            case BoundExpression::Kind::kAny:
                return combine(node, rows, words);
        }
    }

    void combine(const BoundExpression& node, const RowRange& rows, ZoneWords& words) {
        const bool all = node.kind == BoundExpression::Kind::kAll;
        evaluate(node.parts.front(), rows, words);
        ZoneWords part;
        for (std::size_t i = 1; i < node.parts.size(); ++i) {
            // Nothing that comes can change it.
            const std::uint64_t settled = all ? 0 : ~std::uint64_t{0};
            const auto end = words.begin() + static_cast<std::ptrdiff_t>(rows.words());
            if (std::all_of(words.begin(), end, [&](auto word) { return word == settled; })) return;
            evaluate(node.parts[i], rows, part);
            for (std::size_t w = 0; w < rows.words(); ++w)
                words[w] = all ? words[w] & part[w] : words[w] | part[w];
        }
    }

    const BoundExpression& expression_;
    std::map<const Leaf*, LeafTest> tests_;
};

}  // namespace

void evaluate(const BoundExpression& expression,
              const SegmentVersion& segment,
              std::size_t first,
              Bitset& passed) {
    for (std::size_t b = first / segment.rows_per_block; b < segment.block_count(); ++b) {
        const std::size_t begin = b * segment.rows_per_block;
        const std::size_t end = std::min(begin + segment.rows_per_block, segment.rows);
        const ColumnSummary* summaries =
            segment.sealed != nullptr ? segment.sealed->summaries.data() : nullptr;
        BlockEvaluation block(expression, {segment.cells(b), summaries, end - begin});
        std::size_t row = std::max(first, begin) / 64 * 64 - begin;
        while (begin + row < end) {
            const std::size_t zone_end = (row / kZoneRows + 1) * kZoneRows;
            const std::size_t count = std::min(zone_end, end - begin) - row;
            ZoneWords words;
            block.evaluate(row, count, words);
            for (std::size_t w = 0; w * 64 < count; ++w) {
                std::uint64_t word = words[w];
                const std::size_t at = begin + row + w * 64;
                if (at < first) word &= ~std::uint64_t{0} << (first - at);
                passed.words()[at / 64] |= word;
            }
            row += count;
        }
    }
}

}  // namespace vecdb::collection
