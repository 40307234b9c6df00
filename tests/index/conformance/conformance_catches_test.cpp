// The conformance checks themselves: each is shown an index in which one thing is wrong.

#include "index/conformance/checks.h"
#include "index/conformance/faulty_index.h"
#include "support/catch.h"

#include <algorithm>
#include <memory>
#include <string>

namespace vecdb::test {
namespace {

Subject faulty(Fault fault, const Segment& segment, Effort effort) {
    Subject subject;
    subject.name = "faulty";
    subject.make = [fault]() -> Result<std::unique_ptr<Index>> {
        return std::unique_ptr<Index>(std::make_unique<FaultyIndex>(fault));
    };
    subject.segment = &segment;
    subject.efforts = {std::move(effort)};
    return subject;
}

/// Run all checks over a few segments.
Findings checked(Fault fault, const Effort& effort) {
    Findings findings;
    for (const char* const data : {"gaussian", "duplicates", "one row", "empty"}) {
        const Segment segment = make_segment(data, {}, 150, 3);
        check_all(faulty(fault, segment, effort), true, findings);
    }
    return findings;
}

struct Expected {
    Fault fault;
    const char* complaint;
};

constexpr Expected kExpected[] = {
    {Fault::kReturnsMaskedRow, "is not allowed"},
    {Fault::kReturnsRemovedRow, "is not allowed"},
    {Fault::kReturnsRowTwice, "stands twice"},
    {Fault::kReturnsWrongDistance, "has distance"},
    {Fault::kReturnsWrongId, "is of no row"},
    {Fault::kReturnsTooFew, "hits for"},
    {Fault::kMissesNearest, "not the nearest rows"},
    {Fault::kIgnoresOccupiedTopK, "of another segment"},
    {Fault::kBatchSkipsLast, "a batch answers"},
    {Fault::kCountsNothing, "nothing is counted"},
    {Fault::kSharesScratch, "when four threads search"},
    {Fault::kRangeLeavesOutEdge, "range search"},
    {Fault::kRangeIgnoresMask, "range search"},
    {Fault::kRangeClearsHits, "range search"},
    {Fault::kKeepsIds, "has distance"},
    {Fault::kOrderIsNoPermutation, "not a permutation"},
    {Fault::kAcceptsShortSection, "without its last section"},
    {Fault::kRefusesWithWrongCode, "is refused as"},
    {Fault::kBrokenAfterFailedLoad, "load after one that failed"},
    {Fault::kForgetsOnSave, "saved again gives other bytes"},
    {Fault::kDependsOnThreads, "by three threads"},
    {Fault::kDependsOnChance, "a second build gives other bytes"},
    {Fault::kIgnoresCancel, "cancelled build succeeds"},
    {Fault::kIgnoresDeadline, "late build succeeds"},
    {Fault::kBrokenAfterCancel, "left broken"},
    {Fault::kFallingProgress, "progress falls"},
    {Fault::kForgetsAddedRows, "hits for"},
    {Fault::kChangedByCancelledAdd, "a cancelled add changes"},
    {Fault::kClaimsGrowth, "does not grow"},
    {Fault::kInvalid, "validate after build"},
    {Fault::kFailsOnOneRow, "build fails"},
    {Fault::kCursorLeavesRowOut, "not the rows in their order"},
    {Fault::kCursorBringsRowTwice, "not the rows in their order"},
    {Fault::kCursorMixesOrder, "a page is not sorted"},
    {Fault::kCursorEndsEarly, "a page is short, and others follow"},
};

TEST_CASE("the conformance checks find nothing wrong with a right index") {
    const Findings findings = checked(Fault::kNone, {.name = "exact", .exact = true});
    for (const std::string& text : findings.texts())
        UNSCOPED_INFO(text);
    CHECK(findings.count() == 0);
}

TEST_CASE("the conformance checks find each fault") {
    for (const Expected& expected : kExpected) {
        const Findings findings = checked(expected.fault, {.name = "exact", .exact = true});
        CAPTURE(static_cast<int>(expected.fault), expected.complaint, findings.texts());
        CHECK(std::any_of(
            findings.texts().begin(), findings.texts().end(), [&](const std::string& text) {
                return text.find(expected.complaint) != std::string::npos;
            }));
    }
}

TEST_CASE("the conformance checks find recall below what is promised") {
    const Effort promise{.name = "near", .exact = false, .floor = 0.9};
    CHECK(checked(Fault::kNone, promise).count() == 0);
    const Findings findings = checked(Fault::kRecallTooLow, promise);
    CAPTURE(findings.texts());
    CHECK(std::any_of(findings.texts().begin(), findings.texts().end(), [](const std::string& t) {
        return t.find("recall") != std::string::npos;
    }));
}

}  // namespace
}  // namespace vecdb::test
