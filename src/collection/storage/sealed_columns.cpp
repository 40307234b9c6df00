#include "collection/storage/sealed_columns.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <numeric>

namespace vecdb::collection {
namespace {

/// Rows of a text, on average, from which on they are listed: then a list of them is shorter than
/// what a scan reads.
constexpr std::size_t kRowsPerListedText = 16;

template <class Value>
std::vector<Zone> zones_of(const Cells& cells, std::size_t rows, Value value) {
    std::vector<Zone> zones(
        (rows + kZoneRows - 1) / kZoneRows,
        {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()});
    for (std::size_t row = 0; row < rows; ++row) {
        if (cells.is_null(row)) continue;
        Zone& zone = zones[row / kZoneRows];
        const std::int64_t found = value(row);
        zone.low = std::min(zone.low, found);
        zone.high = std::max(zone.high, found);
    }
    return zones;
}

/// List the rows of each text by counting.
void list_rows(const Cells& cells, std::size_t rows, ColumnSummary& summary) {
    const std::size_t texts = cells.texts->size();
    if (texts == 0 || rows / texts < kRowsPerListedText) return;
    const auto* numbers = cells.as<std::uint32_t>();
    summary.first.assign(texts + 1, 0);
    for (std::size_t row = 0; row < rows; ++row) {
        if (!cells.is_null(row)) ++summary.first[numbers[row] + 1];
    }
    std::partial_sum(summary.first.begin(), summary.first.end(), summary.first.begin());
    std::vector<std::uint32_t> next = summary.first;
    summary.rows.resize(summary.first.back());
    for (std::size_t row = 0; row < rows; ++row) {
        if (!cells.is_null(row))
            summary.rows[next[numbers[row]]++] = static_cast<std::uint32_t>(row);
    }
}

}  // namespace

std::int64_t ordered_bits(double value) noexcept {
    const auto bits = std::bit_cast<std::int64_t>(value == 0.0 ? 0.0 : value);
    return bits >= 0 ? bits : std::numeric_limits<std::int64_t>::min() - bits;
}

void sort_texts(std::span<Cells> cells, std::size_t rows) {
    for (Cells& each : cells) {
        if (each.type != ScalarType::kString) continue;
        std::vector<std::uint32_t> order(each.texts->size());
        std::iota(order.begin(), order.end(), 0U);
        const Texts& unordered = *each.texts;
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return unordered[a] < unordered[b];
        });
        auto ordered = std::make_shared<Texts>();
        std::vector<std::uint32_t> number_of(order.size());
        for (const std::uint32_t old : order)
            number_of[old] = ordered->add(unordered[old]);
        auto* numbers = each.as<std::uint32_t>();
        for (std::size_t row = 0; row < rows; ++row) {
            if (!each.is_null(row)) numbers[row] = number_of[numbers[row]];
        }
        each.texts = std::move(ordered);
    }
}

std::vector<ColumnSummary> summarise(std::span<const Cells> cells, std::size_t rows) {
    std::vector<ColumnSummary> summaries(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const Cells& each = cells[i];
        if (each.type == ScalarType::kInt64) {
            summaries[i].zones =
                zones_of(each, rows, [&](std::size_t row) { return each.as<std::int64_t>()[row]; });
        } else if (each.type == ScalarType::kDouble) {
            summaries[i].zones = zones_of(
                each, rows, [&](std::size_t row) { return ordered_bits(each.as<double>()[row]); });
        } else if (each.type == ScalarType::kString) {
            list_rows(each, rows, summaries[i]);
        }
    }
    return summaries;
}

}  // namespace vecdb::collection
