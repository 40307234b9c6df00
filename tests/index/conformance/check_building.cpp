#include "index/conformance/checks.h"
#include "index/conformance/sections.h"

#include <algorithm>
#include <chrono>

namespace vecdb::test {
namespace {

Sections saved_bytes(const Index& index, Findings& findings) {
    SectionCollector to;
    findings.expect(index.save(to), "save");
    return std::move(to.sections);
}

/// Build under a control that ends it, then again without.
void check_ended(const Subject& subject,
                 const Control& control,
                 StatusCode code,
                 const std::string& what,
                 Findings& findings) {
    auto index = make(subject, findings);
    if (index == nullptr) return;
    const std::size_t rows = subject.segment->count();
    const auto order = index->build(subject.segment->rows(),
                                    {.threads = 2, .seed = subject.seed, .control = &control});
    findings.expect(!order.ok(), what + " build succeeds");
    if (order.ok()) return;
    findings.expect(order.status().code() == code,
                    what + " build ends with " + order.status().to_string());
    const Built again =
        build_with(std::move(index), subject, rows, {.seed = subject.seed}, findings);
    const Built fresh = build(subject, findings);
    if (again.index == nullptr || fresh.index == nullptr) return;
    findings.expect(saved_bytes(*again.index, findings) == saved_bytes(*fresh.index, findings),
                    "a build after one that was " + what + " gives other bytes");
}

/// Cancel when a given part is done. A build that never reports is not cancelled on the way.
void check_cancelled_at(const Subject& subject, double part, Findings& findings) {
    CancelToken token;
    double last = 0;
    bool falls = false;
    bool strange = false;
    Control control{.cancel = token};
    control.progress = [&](double done) {
        falls = falls || done < last;
        strange = strange || !(done >= 0 && done <= 1);
        last = std::max(last, done);
        if (done >= part) token.cancel();
    };
    auto index = make(subject, findings);
    if (index == nullptr) return;
    const auto order = index->build(subject.segment->rows(),
                                    {.threads = 2, .seed = subject.seed, .control = &control});
    findings.expect(!falls, "progress falls");
    findings.expect(!strange, "progress leaves 0 to 1");
    if (order.ok()) return;  // the rest was too short to look
    findings.expect(order.status().code() == StatusCode::kCancelled,
                    "a build cancelled on the way ends with " + order.status().to_string());
    const Built again = build_with(
        std::move(index), subject, subject.segment->count(), {.seed = subject.seed}, findings);
    if (again.index != nullptr) check_search(subject, again, findings);
}

/// Build over `first` rows, add the rest in two steps, and check what came of it.
void check_growth_from(const Subject& subject, std::size_t first, Findings& findings) {
    const std::size_t rows = subject.segment->count();
    Built built = build(subject, first, {.seed = subject.seed}, findings);
    if (built.index == nullptr) return;
    check_search_of(subject, built, first, findings);
    const std::size_t middle = first + (rows - first) / 3;
    for (const auto& [from, to] : {std::pair{first, middle}, std::pair{middle, rows}}) {
        const Status added = built.index->add(built.segment.rows(to), from, {.seed = subject.seed});
        const std::string what =
            "add of rows " + std::to_string(from) + " to " + std::to_string(to);
        if (!findings.expect(added, what)) return;
        findings.expect(built.index->validate(built.segment.rows(to)), "validate after " + what);
        Segment moved = built.segment;  // rows lie elsewhere from call to call
        built.segment.spoil();
        built.segment = std::move(moved);
    }
    check_search(subject, built, findings);
    check_range(subject, built, findings);
    check_cursors(subject, built, findings);
    check_saving(subject, built, findings);
}

/// An add that is cancelled leaves the index over the rows it had.
void check_cancelled_add(const Subject& subject, Findings& findings) {
    const std::size_t rows = subject.segment->count();
    if (rows < 4) return;
    Built built = build(subject, rows / 2, {.seed = subject.seed}, findings);
    if (built.index == nullptr) return;
    CancelToken token;
    token.cancel();
    const Control control{.cancel = token};
    const Sections before = saved_bytes(*built.index, findings);
    const Status added = built.index->add(
        built.segment.rows(), rows / 2, {.seed = subject.seed, .control = &control});
    findings.expect(added.code() == StatusCode::kCancelled,
                    "a cancelled add ends with " + added.to_string());
    findings.expect(saved_bytes(*built.index, findings) == before,
                    "a cancelled add changes the index");
}

}  // namespace

void check_control(const Subject& subject, Findings& findings) {
    if (subject.segment->count() == 0) return;  // nothing to end
    CancelToken token;
    token.cancel();
    check_ended(subject, {.cancel = token}, StatusCode::kCancelled, "cancelled", findings);
    const auto past = std::chrono::steady_clock::now() - std::chrono::seconds(1);
    check_ended(subject, {.deadline = past}, StatusCode::kDeadlineExceeded, "late", findings);
    for (const double part : {0.0, 0.5, 0.95})
        check_cancelled_at(subject, part, findings);
}

void check_growth(const Subject& subject, Findings& findings) {
    const std::size_t rows = subject.segment->count();
    const auto probe = make(subject, findings);
    if (probe == nullptr) return;
    if (probe->capabilities().growable) {
        check_growth_from(subject, rows / 2, findings);
        check_growth_from(subject, 0, findings);
        check_cancelled_add(subject, findings);
        return;
    }
    const Built built = build(subject, rows / 2, {.seed = subject.seed}, findings);
    if (built.index == nullptr) return;
    const Status added = built.index->add(built.segment.rows(), rows / 2, {.seed = subject.seed});
    findings.expect(added.code() == StatusCode::kUnsupported,
                    "add to an index that does not grow ends with " + added.to_string());
}

void check_all(const Subject& subject, bool thorough, Findings& findings) {
    const Built built = build(subject, findings);
    if (built.index == nullptr) return;
    check_search(subject, built, findings);
    check_range(subject, built, findings);
    check_cursors(subject, built, findings);
    check_saving(subject, built, findings);
    if (!thorough) return;
    check_company(subject, built, findings);
    check_concurrent(subject, built, findings);
    check_damage(subject, built, findings);
    check_repeatable(subject, findings);
    check_control(subject, findings);
    check_growth(subject, findings);
}

}  // namespace vecdb::test
