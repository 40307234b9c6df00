#include "collection/query/leaf_test.h"

#include <algorithm>
#include <cmath>
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

bool passes(const StringInterval& interval, std::string_view text) {
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

bool passes(const StringList& list, std::string_view text) {
    return std::binary_search(list.values.begin(), list.values.end(), text, std::less<>()) !=
           list.negated;
}

bool passes(const StringPattern& pattern, std::string_view text) {
    return is_like(pattern, text) != pattern.negated;
}

/// Texts [begin, end) of a sealed segment, where they stand in order.
struct TextRange {
    std::uint32_t begin;
    std::uint32_t end;
};

/// Return the first text that is not before(text); those that are come first.
template <class Before>
std::uint32_t find_text(const Texts& texts, Before before) {
    TextRange left{0, texts.size()};
    while (left.begin < left.end) {
        const std::uint32_t middle = left.begin + (left.end - left.begin) / 2;
        if (before(texts[middle])) {
            left.begin = middle + 1;
        } else {
            left.end = middle;
        }
    }
    return left.begin;
}

TextRange find_range(const Texts& texts, const StringInterval& interval) {
    const auto behind = [&](const StringBound& bound, bool with_equal) {
        return find_text(texts, [&](std::string_view text) {
            const int order = text.compare(bound.value);
            return order < 0 || (order == 0 && with_equal);
        });
    };
    return {interval.low ? behind(*interval.low, !interval.low->included) : 0,
            interval.high ? behind(*interval.high, interval.high->included) : texts.size()};
}

TextRange find_prefix(const Texts& texts, std::string_view prefix) {
    return {find_text(texts, [&](std::string_view text) { return text < prefix; }),
            find_text(texts, [&](std::string_view text) {
                return text.substr(0, prefix.size()) <= prefix;
            })};
}

// Return 1 for each text of a sealed segment that passes, 0 for the others.

std::vector<std::uint8_t> passing(const StringInterval& interval, const Texts& texts) {
    std::vector<std::uint8_t> passes(texts.size());
    const TextRange range = find_range(texts, interval);
    if (range.begin < range.end)
        std::fill(passes.begin() + range.begin, passes.begin() + range.end, std::uint8_t{1});
    return passes;
}

std::vector<std::uint8_t> passing(const StringList& list, const Texts& texts) {
    std::vector<std::uint8_t> passes(texts.size(), list.negated ? 1 : 0);
    for (const std::string& value : list.values) {
        const std::uint32_t place =
            find_text(texts, [&](std::string_view text) { return text < value; });
        if (place < texts.size() && texts[place] == value) passes[place] ^= 1U;
    }
    return passes;
}

std::vector<std::uint8_t> passing(const StringPattern& pattern, const Texts& texts) {
    std::vector<std::uint8_t> passes(texts.size(), pattern.negated ? 1 : 0);
    const TextRange range = find_prefix(texts, pattern.prefix);
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
        if (is_like(pattern, texts[i])) passes[i] ^= 1U;
    }
    return passes;
}

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

/// Test sealed rows: texts first, then the rows by the numbers of theirs.
Test sealed_text_test(std::vector<std::uint8_t> passes, const Column& column) {
    if (auto bits = listed_rows(passes, column)) {
        return [bits = std::move(*bits)](const RowRange& rows, ZoneWords& words) {
            std::copy_n(bits.begin() + static_cast<std::ptrdiff_t>(rows.first / 64),
                        rows.words(),
                        words.begin());
        };
    }
    if (passes.empty()) passes.push_back(0);  // all rows are null, with the number 0
    return [passes = std::move(passes), column](const RowRange& rows, ZoneWords& words) {
        const auto* numbers = column.cells.as<std::uint32_t>() + rows.first;
        test_rows(rows, words, [&](std::size_t i) { return passes[numbers[i]] != 0; });
        take_out_nulls(column.cells, rows, words);
    };
}

/// Test growing rows. The writer adds texts meanwhile, so only those of the rows are looked at.
template <class TextTest>
Test growing_text_test(const TextTest& test, const Column& column) {
    return [&test, column](const RowRange& rows, ZoneWords& words) {
        test_rows(rows, words, [&](std::size_t i) {
            const std::size_t row = rows.first + i;
            return !column.cells.is_null(row) && passes(test, column.cells.text(row));
        });
    };
}

template <class TextTest>
Test text_test(const TextTest& test, const Column& column) {
    return column.summary != nullptr ? sealed_text_test(passing(test, *column.cells.texts), column)
                                     : growing_text_test(test, column);
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
            } else if constexpr (std::is_same_v<T, NullTest>) {
                return null_test(test, column);
            } else {
                return text_test(test, column);
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
