#include "collection/query/leaf_test.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace vecdb::collection {
namespace {

/// Texts whose rows are listed are looked up in the lists if those are at most this part of the
/// rows; more are found faster by a scan of the texts' numbers.
constexpr std::size_t kListedPart = 8;

/// Set bit i of the words where pass(i) is true, for the rows of a range counted from its first.
template <class Pass>
void test_rows(const RowRange& rows, ZoneWords& words, Pass pass) {
    for (std::size_t w = 0; w < rows.words(); ++w) {
        const std::size_t count = std::min<std::size_t>(64, rows.count - w * 64);
        std::uint64_t word = 0;
        if (count == 64) {  // a known number of rows is much the faster
            for (std::size_t i = 0; i < 64; ++i)
                word |= static_cast<std::uint64_t>(pass(w * 64 + i)) << i;
        } else {
            for (std::size_t i = 0; i < count; ++i)
                word |= static_cast<std::uint64_t>(pass(w * 64 + i)) << i;
        }
        words[w] = word;
    }
}

void take_out_nulls(const Cells& cells, const RowRange& rows, ZoneWords& words) {
    if (cells.nulls.size() == 0) return;
    const std::uint8_t* nulls = cells.nulls.data() + rows.first;
    ZoneWords null_words;
    test_rows(rows, null_words, [&](std::size_t i) { return nulls[i] != 0; });
    for (std::size_t w = 0; w < rows.words(); ++w)
        words[w] &= ~null_words[w];
}

void fill(const RowRange& rows, bool value, ZoneWords& words) {
    std::fill_n(words.begin(), rows.words(), value ? ~std::uint64_t{0} : 0);
}

std::int64_t ordered(std::int64_t value) {
    return value;
}
std::int64_t ordered(double value) {
    return ordered_bits(value);
}

/// What a zone says about the numbers from low to high.
enum class Overlap : std::uint8_t { kNone, kSome, kAll };

Overlap overlap(const ColumnSummary* summary,
                const RowRange& rows,
                std::int64_t low,
                std::int64_t high) {
    if (summary == nullptr) return Overlap::kSome;
    const Zone& zone = summary->zones[rows.first / kZoneRows];
    if (zone.low > zone.high || zone.high < low || zone.low > high) return Overlap::kNone;
    return low <= zone.low && zone.high <= high ? Overlap::kAll : Overlap::kSome;
}

/// A field of a block.
struct Column {
    const Cells& cells;
    const ColumnSummary* summary;  ///< Null: not sealed.
    std::size_t rows;
};

using Test = std::function<void(const RowRange&, ZoneWords&)>;

// Numbers -----------------------------------------------------------------------------------------

template <class T>
Test interval_test(const Interval<T>& interval, const Column& column) {
    return [interval, column](const RowRange& rows, ZoneWords& words) {
        const auto seen =
            overlap(column.summary, rows, ordered(interval.low), ordered(interval.high));
        if (seen == Overlap::kSome) {
            const T* values = column.cells.as<T>() + rows.first;
            const T low = interval.low;
            const T high = interval.high;
            test_rows(rows, words, [&](std::size_t i) {
                return static_cast<bool>(static_cast<int>(values[i] >= low) &
                                         static_cast<int>(values[i] <= high));
            });
        } else {
            fill(rows, seen == Overlap::kAll, words);
        }
        take_out_nulls(column.cells, rows, words);
    };
}

template <class T>
Test list_test(const ValueList<T>& list, const Column& column) {
    return [&list, column](const RowRange& rows, ZoneWords& words) {
        const auto seen = overlap(
            column.summary, rows, ordered(list.values.front()), ordered(list.values.back()));
        if (seen == Overlap::kNone) {
            fill(rows, list.negated, words);
        } else {
            const T* values = column.cells.as<T>() + rows.first;
            test_rows(rows, words, [&](std::size_t i) {
                return std::binary_search(list.values.begin(), list.values.end(), values[i]) !=
                       list.negated;
            });
        }
        take_out_nulls(column.cells, rows, words);
    };
}

Test bool_test(const BoolTest& test, const Column& column) {
    return [wanted = test.wanted, column](const RowRange& rows, ZoneWords& words) {
        const auto* values = column.cells.as<std::uint8_t>() + rows.first;
        test_rows(rows, words, [&](std::size_t i) { return (values[i] != 0) == wanted; });
        take_out_nulls(column.cells, rows, words);
    };
}

Test null_test(const NullTest& test, const Column& column) {
    return [negated = test.negated, column](const RowRange& rows, ZoneWords& words) {
        fill(rows, true, words);
        take_out_nulls(column.cells, rows, words);
        if (negated) return;
        for (std::size_t w = 0; w < rows.words(); ++w)
            words[w] = ~words[w];
    };
}

// Texts -------------------------------------------------------------------------------------------

/// Which texts of a sealed segment pass; they are in order.
class PassingTexts {
  public:
    template <class TextTest>
    PassingTexts(const TextTest& test, const Texts& texts) : passes_(texts.size()) {
        for (std::uint32_t i = 0; i < texts.size(); ++i)
            passes_[i] = test(texts[i]) ? 1 : 0;
    }

    [[nodiscard]] bool operator[](std::uint32_t number) const noexcept {
        return passes_[number] != 0;
    }
    [[nodiscard]] const std::vector<std::uint8_t>& all() const noexcept { return passes_; }

  private:
    std::vector<std::uint8_t> passes_;
};

/// Return the rows of the texts that pass out of their lists, a bit for each row; nothing when a
/// scan finds them faster.
std::optional<std::vector<std::uint64_t>> listed_rows(const std::vector<std::uint8_t>& passes,
                                                      const Column& column) {
    const ColumnSummary& summary = *column.summary;
    if (summary.first.empty()) return std::nullopt;
    std::size_t listed = 0;
    for (std::size_t i = 0; i < passes.size(); ++i)
        listed += passes[i] != 0 ? summary.first[i + 1] - summary.first[i] : 0;
    if (listed > column.rows / kListedPart) return std::nullopt;
    std::vector<std::uint64_t> bits((column.rows + 63) / 64);
    for (std::size_t i = 0; i < passes.size(); ++i) {
        if (passes[i] == 0) continue;
        for (std::uint32_t at = summary.first[i]; at < summary.first[i + 1]; ++at) {
            const std::uint32_t row = summary.rows[at];
            bits[row / 64] |= std::uint64_t{1} << (row % 64);
        }
    }
    return bits;
}

/// Test sealed rows: every text is looked at once.
template <class TextTest>
Test sealed_text_test(const TextTest& test, const Column& column) {
    auto passes = std::make_shared<const PassingTexts>(test, *column.cells.texts);
    if (auto bits = listed_rows(passes->all(), column)) {
        return [bits = std::move(*bits)](const RowRange& rows, ZoneWords& words) {
            std::copy_n(bits.begin() + static_cast<std::ptrdiff_t>(rows.first / 64),
                        rows.words(),
                        words.begin());
        };
    }
    return [passes, column](const RowRange& rows, ZoneWords& words) {
        const auto* numbers = column.cells.as<std::uint32_t>() + rows.first;
        const auto* nulls =
            column.cells.nulls.size() != 0 ? column.cells.nulls.data() + rows.first : nullptr;
        const auto& all = passes->all();
        if (all.empty()) return fill(rows, false, words);  // all are null
        test_rows(rows, words, [&](std::size_t i) {
            return static_cast<bool>(all[numbers[i]] & (nulls == nullptr ? 1 : 1 - nulls[i]));
        });
    };
}

/// Test growing rows. The writer adds texts meanwhile, so only those of the rows are looked at.
template <class TextTest>
Test growing_text_test(const TextTest& test, const Column& column) {
    return [test, column](const RowRange& rows, ZoneWords& words) {
        test_rows(rows, words, [&](std::size_t i) {
            const std::size_t row = rows.first + i;
            return !column.cells.is_null(row) && test(column.cells.text(row));
        });
    };
}

template <class TextTest>
Test text_test(const TextTest& test, const Column& column) {
    return column.summary != nullptr ? sealed_text_test(test, column)
                                     : growing_text_test(test, column);
}

bool is_inside(const StringInterval& interval, std::string_view text) {
    if (interval.low) {
        const int order = text.compare(interval.low->value);
        if (order < 0 || (order == 0 && !interval.low->included)) return false;
    }
    if (interval.high) {
        const int order = text.compare(interval.high->value);
        if (order > 0 || (order == 0 && !interval.high->included)) return false;
    }
    return true;
}

bool is_like(const StringPattern& pattern, std::string_view text) {
    if (text.size() < pattern.prefix.size() + pattern.suffix.size() ||
        !text.starts_with(pattern.prefix) || !text.ends_with(pattern.suffix))
        return false;
    text.remove_prefix(pattern.prefix.size());
    text.remove_suffix(pattern.suffix.size());
    for (const std::string& part : pattern.middle) {
        const std::size_t at = text.find(part);
        if (at == std::string_view::npos) return false;
        text.remove_prefix(at + part.size());
    }
    return true;
}

Test make_test(const Leaf& leaf, const Column& column) {
    return std::visit(
        [&](const auto& test) -> Test {
            using T = std::decay_t<decltype(test)>;
            if constexpr (std::is_same_v<T, BoolTest>) {
                return bool_test(test, column);
            } else if constexpr (std::is_same_v<T, Int64Interval> ||
                                 std::is_same_v<T, DoubleInterval>) {
                return interval_test(test, column);
            } else if constexpr (std::is_same_v<T, Int64List> || std::is_same_v<T, DoubleList>) {
                return list_test(test, column);
            } else if constexpr (std::is_same_v<T, StringInterval>) {
                return text_test([&test](std::string_view text) { return is_inside(test, text); },
                                 column);
            } else if constexpr (std::is_same_v<T, StringList>) {
                return text_test(
                    [&test](std::string_view text) {
                        return std::binary_search(
                                   test.values.begin(), test.values.end(), text, std::less<>()) !=
                               test.negated;
                    },
                    column);
            } else if constexpr (std::is_same_v<T, StringPattern>) {
                return text_test(
                    [&test](std::string_view text) { return is_like(test, text) != test.negated; },
                    column);
            } else {
                return null_test(test, column);
            }
        },
        leaf.test);
}

}  // namespace

LeafTest::LeafTest(const Leaf& leaf, const BlockColumns& columns)
    : test_(make_test(leaf,
                      {columns.cells[leaf.field],
                       columns.summaries != nullptr ? columns.summaries + leaf.field : nullptr,
                       columns.rows})) {}

void LeafTest::test(const RowRange& rows, ZoneWords& words) {
    test_(rows, words);
}

}  // namespace vecdb::collection
