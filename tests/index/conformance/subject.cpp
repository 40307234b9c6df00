#include "index/conformance/subject.h"

#include <numeric>
#include <utility>

namespace vecdb::test {
namespace {

bool is_permutation(std::span<const std::uint32_t> order, std::size_t rows) {
    if (order.size() != rows) return false;
    std::vector<bool> seen(rows);
    for (const std::uint32_t row : order) {
        if (row >= rows || seen[row]) return false;
        seen[row] = true;
    }
    return true;
}

/// Tell whether a refusal for too few rows says what the index wants.
bool names_a_number(const Status& status) {
    return status.message().find_first_of("0123456789") != std::string::npos;
}

}  // namespace

std::unique_ptr<Index> make(const Subject& subject, Findings& findings) {
    auto made = subject.make();
    if (!findings.expect(made.status(), "make")) return nullptr;
    return *std::move(made);
}

Built build_with(std::unique_ptr<Index> index,
                 const Subject& subject,
                 std::size_t rows,
                 const IndexBuild& how,
                 Findings& findings) {
    Segment given = *subject.segment;
    const auto order = index->build(given.rows(rows), how);
    if (!order.ok()) {
        const bool clear = subject.may_want_more_rows && rows < 1'000 &&
                           (order.status().code() == StatusCode::kFailedPrecondition ||
                            order.status().code() == StatusCode::kInvalidArgument) &&
                           names_a_number(order.status());
        if (!clear) findings.complain("build fails: " + order.status().to_string());
        return {};
    }
    given.spoil();
    if (order->empty()) return {std::move(index), *subject.segment};
    if (!findings.expect(is_permutation(*order, rows), "the order is not a permutation")) return {};
    return {std::move(index), subject.segment->reordered(*order)};
}

Built build(const Subject& subject, std::size_t rows, const IndexBuild& how, Findings& findings) {
    auto index = make(subject, findings);
    if (index == nullptr) return {};
    return build_with(std::move(index), subject, rows, how, findings);
}

Built build(const Subject& subject, Findings& findings) {
    return build(subject, subject.segment->count(), {.seed = subject.seed}, findings);
}

}  // namespace vecdb::test
