#include "index/conformance/plain_index.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace vecdb::test {
namespace {

constexpr const char* kMarks = "marks";

std::uint32_t mark(std::size_t row) {
    return static_cast<std::uint32_t>(row * 2'654'435'761U);
}

bool sound(std::span<const std::uint32_t> marks) {
    for (std::size_t i = 0; i < marks.size(); ++i) {
        if (marks[i] != mark(i)) return false;
    }
    return true;
}

}  // namespace

Result<std::vector<std::uint32_t>> PlainIndex::build(const IndexRows& rows, const IndexBuild& how) {
    marks_.clear();
    std::vector<std::uint32_t> order;
    for (std::size_t i = 0; i < rows.count; ++i)
        order.push_back(static_cast<std::uint32_t>(rows.count - 1 - i));
    const Status added = add(rows, 0, how);
    if (!added.ok()) return added;
    return order;
}

Status PlainIndex::add(const IndexRows& rows, std::size_t first, const IndexBuild& how) {
    if (const Status end = how.check(); !end.ok()) return end;
    marks_.reserve(rows.count);
    for (std::size_t i = first; i < rows.count; ++i)
        marks_.push_back(mark(i));
    if (how.control != nullptr) how.control->report(1);
    return {};
}

void PlainIndex::search(const IndexRows& rows,
                        std::span<const void* const> queries,
                        const IndexSearch& how,
                        std::span<TopK> best) const {
    for (std::size_t q = 0; q < queries.size(); ++q) {
        for (std::uint32_t row = 0; row < marks_.size(); ++row) {
            if (!how.filter.test(row)) continue;
            float distance = 0;
            rows.distances(queries[q], {&row, 1}, {&distance, 1});
            best[q].offer(distance, rows.ids[row]);
            if (how.counters != nullptr) ++how.counters->distances;
        }
    }
}

Status PlainIndex::validate(const IndexRows& rows) const {
    if (marks_.size() != rows.count || !sound(marks_)) {
        return {StatusCode::kCorruption, "marks do not belong to the rows"};
    }
    return {};
}

Status PlainIndex::save(SectionWriter& to) const {
    return to.write(kMarks, std::as_bytes(std::span(marks_)));
}

Status PlainIndex::load(SectionReader& from, const IndexRows& rows) {
    marks_.clear();
    const auto bytes = from.read(kMarks);
    if (!bytes.ok()) return bytes.status();
    if (bytes->size() != rows.count * sizeof(std::uint32_t)) {
        return {StatusCode::kCorruption,
                "marks have " + std::to_string(bytes->size()) + " bytes for " +
                    std::to_string(rows.count) + " rows"};
    }
    std::vector<std::uint32_t> marks(rows.count);
    if (!marks.empty()) std::memcpy(marks.data(), bytes->data(), bytes->size());
    if (!sound(marks)) return {StatusCode::kCorruption, "a mark is of another row"};
    marks_ = std::move(marks);
    return {};
}

}  // namespace vecdb::test
