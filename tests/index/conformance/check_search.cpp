#include "index/conformance/checks.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iterator>
#include <limits>
#include <thread>

namespace vecdb::test {
namespace {

/// One search to be asked: which rows, how, and for how many.
struct Question {
    const Mask& mask;
    const Effort& effort;
    std::size_t k;

    [[nodiscard]] IndexSearch how() const {
        return {.filter = mask.filter(),
                .allowed_rows = mask.allowed_rows,
                .ef = effort.ef,
                .nprobe = effort.nprobe,
                .rerank = effort.rerank,
                .bound = effort.bound};
    }
    [[nodiscard]] std::string name() const {
        return "mask " + mask.name + ", k " + std::to_string(k) + ", " + effort.name;
    }
};

bool equal_bits(std::span<const Hit> a, std::span<const Hit> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// Return what is wrong with one answer, or nothing.
std::string fault_of(const Truth& truth,
                     std::size_t query,
                     const Question& question,
                     std::span<const Hit> answer,
                     std::span<const Hit> expected) {
    std::string fault = truth.fault(query, question.mask, answer);
    if (!fault.empty()) return fault;
    if (answer.size() != expected.size()) {
        return std::to_string(answer.size()) + " hits for " + std::to_string(expected.size());
    }
    if (question.effort.exact && !equal_bits(answer, expected)) return "not the nearest rows";
    return {};
}

/// Ask for all queries; returns the mean recall.
double check_question(const Built& built,
                      const Truth& truth,
                      const Question& question,
                      Findings& findings) {
    double sum = 0;
    for (std::size_t q = 0; q < built.segment.queries(); ++q) {
        const auto answer = ask(*built.index,
                                built.segment.rows(truth.rows()),
                                built.segment.query(q),
                                question.how(),
                                question.k);
        const auto expected = truth.nearest(q, question.mask, question.k);
        const std::string fault = fault_of(truth, q, question, answer, expected);
        findings.expect(fault.empty(),
                        question.name() + ", query " + std::to_string(q) + ": " + fault);
        sum += recall(answer, expected);
    }
    return sum / static_cast<double>(built.segment.queries());
}

/// Return radii that lie on a distance, between two, below and above all.
std::vector<float> radii(const Truth& truth, std::size_t query, const Mask& all) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    std::vector<float> result = {-kInfinity, 0.0F, kInfinity};
    const auto hits = truth.nearest(query, all, truth.rows());
    for (const std::size_t at : {std::size_t{0}, hits.size() / 10, hits.size() / 2}) {
        if (at >= hits.size()) continue;
        result.push_back(hits[at].score);
        result.push_back(std::nextafter(hits[at].score, -kInfinity));
    }
    return result;
}

/// Return the answers to all queries at once.
std::vector<std::vector<Hit>> ask_together(const Built& built,
                                           const IndexSearch& how,
                                           std::size_t k) {
    std::vector<std::vector<Hit>> answers(built.segment.queries(), std::vector<Hit>(k));
    std::vector<const void*> queries;
    std::vector<TopK> best;
    for (std::size_t q = 0; q < answers.size(); ++q) {
        queries.push_back(built.segment.query(q));
        best.emplace_back(answers[q]);
    }
    built.index->search(built.segment.rows(), queries, how, best);
    for (std::size_t q = 0; q < answers.size(); ++q)
        answers[q].resize(best[q].sort().size());
    return answers;
}

void check_batch(const Built& built, const Question& question, Findings& findings) {
    const auto together = ask_together(built, question.how(), question.k);
    SearchCounters counters;
    for (std::size_t q = 0; q < together.size(); ++q) {
        IndexSearch how = question.how();
        const auto one =
            ask(*built.index, built.segment.rows(), built.segment.query(q), how, question.k);
        findings.expect(equal_bits(together[q], one),
                        question.name() + ": a batch answers query " + std::to_string(q) +
                            " otherwise than a single search");
        how.counters = &counters;
        const auto counted =
            ask(*built.index, built.segment.rows(), built.segment.query(q), how, question.k);
        findings.expect(equal_bits(counted, one), question.name() + ": counters change an answer");
    }
    const bool counts = counters.visited + counters.distances + counters.rescored > 0;
    findings.expect(counts || question.mask.allowed_rows == 0,
                    question.name() + ": nothing is counted");
}

/// Read a cursor to its end. Tells in `fault` what is wrong with a page.
std::vector<Hit> read(IndexCursor& cursor, std::size_t page, std::string& fault) {
    std::vector<Hit> all = {{-7, 0.5F}};  // what is there already stays
    for (;;) {
        const std::size_t before = all.size();
        cursor.next(page, all);
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(before);
        if (all.size() > before + page) fault = "a page is too long";
        if (!std::is_sorted(first, all.end(), nearer)) fault = "a page is not sorted";
        if (all.size() >= before + page) continue;
        std::vector<Hit> none;
        cursor.next(page, none);
        if (!none.empty()) fault = "a page is short, and others follow";
        break;
    }
    if (all.front() != Hit{-7, 0.5F}) fault = "hits that were there before are gone";
    all.erase(all.begin());
    return all;
}

/// Read all rows; returns how many of the first are right.
double check_cursor(const Built& built,
                    const Truth& truth,
                    const Question& question,
                    std::size_t query,
                    Findings& findings) {
    constexpr std::size_t kPage = 10;
    const auto cursor = built.index->cursor(
        built.segment.rows(truth.rows()), built.segment.query(query), question.how());
    std::string fault;
    std::vector<Hit> all = read(*cursor, question.k, fault);
    const auto expected = truth.nearest(query, question.mask, truth.rows());
    std::vector<Hit> first(all.begin(),
                           all.begin() + static_cast<std::ptrdiff_t>(std::min(kPage, all.size())));
    if (question.effort.exact && fault.empty() && all != expected)
        fault = "not the rows in their order";
    std::sort(all.begin(), all.end(), nearer);
    if (fault.empty()) fault = fault_of(truth, query, question, all, expected);
    findings.expect(
        fault.empty(),
        "cursor, " + question.name() + ", query " + std::to_string(query) + ": " + fault);
    std::sort(first.begin(), first.end(), nearer);
    return recall(first, truth.nearest(query, question.mask, kPage));
}

/// Search into a top-k that holds hits of another segment.
void check_occupied(const Built& built,
                    const Truth& truth,
                    const Question& question,
                    std::size_t query,
                    Findings& findings) {
    const auto expected = truth.nearest(query, question.mask, question.k);
    if (expected.empty()) return;
    const Hit foreign{1'000'000'007, expected[expected.size() / 2].score};
    std::vector<Hit> hits(question.k);
    TopK best(hits);
    best.offer(foreign.score, foreign.id);
    const void* const asked = built.segment.query(query);
    built.index->search(built.segment.rows(), {&asked, 1}, question.how(), {&best, 1});
    hits.resize(best.sort().size());

    const std::size_t wanted = std::min(question.k, question.mask.allowed_rows + 1);
    findings.expect(hits.size() == wanted,
                    question.name() + ": " + std::to_string(hits.size()) +
                        " hits beside one of another segment");
    if (!question.effort.exact) return;
    std::vector<Hit> merged = expected;
    merged.insert(std::lower_bound(merged.begin(), merged.end(), foreign, nearer), foreign);
    merged.resize(std::min(merged.size(), question.k));
    findings.expect(equal_bits(hits, merged),
                    question.name() + ": a hit of another segment is merged wrongly");
}

}  // namespace

void check_search(const Subject& subject, const Built& built, Findings& findings) {
    check_search_of(subject, built, built.segment.count(), findings);
}

void check_search_of(const Subject& subject,
                     const Built& built,
                     std::size_t rows,
                     Findings& findings) {
    const Truth truth(built.segment, rows);
    const std::size_t ks[] = {1, 10, 100, rows + 5};
    for (const Mask& mask : make_masks(rows, subject.seed)) {
        for (const Effort& effort : subject.efforts) {
            double sum = 0;
            for (const std::size_t k : ks)
                sum += check_question(built, truth, {mask, effort, k}, findings);
            const double mean = sum / static_cast<double>(std::size(ks));
            findings.expect(
                mean >= effort.floor,
                "mask " + mask.name + ", " + effort.name + ": recall " + std::to_string(mean));
        }
    }
}

void check_range(const Subject& subject, const Built& built, Findings& findings) {
    const Truth truth(built.segment, built.segment.count());
    const auto masks = make_masks(truth.rows(), subject.seed + 9);
    for (const Mask& mask : masks) {
        const IndexSearch how{.filter = mask.filter(), .allowed_rows = mask.allowed_rows};
        for (std::size_t q = 0; q < built.segment.queries(); q += 2) {
            for (const float radius : radii(truth, q, masks.front())) {
                std::vector<Hit> hits = {{-7, 0.5F}};  // what is there already stays
                built.index->range_search(
                    built.segment.rows(), built.segment.query(q), radius, how, hits);
                const bool appended = !hits.empty() && hits.front() == Hit{-7, 0.5F};
                if (appended) hits.erase(hits.begin());
                std::sort(hits.begin(), hits.end(), nearer);
                findings.expect(appended && equal_bits(hits, truth.within(q, mask, radius)),
                                "range search, mask " + mask.name + ", radius " +
                                    std::to_string(radius) + ": " + std::to_string(hits.size()) +
                                    " hits for " +
                                    std::to_string(truth.within(q, mask, radius).size()));
            }
        }
    }
}

void check_cursors(const Subject& subject, const Built& built, Findings& findings) {
    const Truth truth(built.segment, built.segment.count());
    if (built.index->cursor(built.segment.rows(), built.segment.query(0), {}) == nullptr) return;
    for (const Mask& mask : make_masks(truth.rows(), subject.seed + 15)) {
        for (const Effort& effort : subject.efforts) {
            double sum = 0;
            const std::size_t pages[] = {3, 100, truth.rows() + 5};
            for (std::size_t q = 0; q < built.segment.queries(); ++q)
                sum += check_cursor(built, truth, {mask, effort, pages[q % 3]}, q, findings);
            const double mean = sum / static_cast<double>(built.segment.queries());
            findings.expect(mean >= effort.floor,
                            "cursor, mask " + mask.name + ", " + effort.name + ": recall " +
                                std::to_string(mean));
        }
    }
}

void check_company(const Subject& subject, const Built& built, Findings& findings) {
    const Truth truth(built.segment, built.segment.count());
    for (const Mask& mask : make_masks(truth.rows(), subject.seed + 20)) {
        for (const Effort& effort : subject.efforts) {
            for (const std::size_t k : {std::size_t{1}, std::size_t{10}}) {
                const Question question{mask, effort, k};
                check_batch(built, question, findings);
                for (std::size_t q = 0; q < built.segment.queries(); ++q)
                    check_occupied(built, truth, question, q, findings);
            }
        }
    }
}

void check_concurrent(const Subject& subject, const Built& built, Findings& findings) {
    constexpr std::size_t kThreads = 4, kRounds = 5;
    const auto masks = make_masks(built.segment.count(), subject.seed + 30);
    const Question questions[] = {{masks[0], subject.efforts.front(), 10},
                                  {masks[2], subject.efforts.back(), 10}};
    const auto answer = [&](std::size_t i) {
        const Question& question = questions[i % 2];
        return ask(*built.index,
                   built.segment.rows(),
                   built.segment.query(i % built.segment.queries()),
                   question.how(),
                   question.k);
    };
    std::vector<std::vector<Hit>> expected;
    for (std::size_t i = 0; i < 2 * built.segment.queries(); ++i)
        expected.push_back(answer(i));
    std::atomic<std::size_t> wrong{0};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < kRounds * expected.size(); ++i) {
                const std::size_t at = (i + t * 3) % expected.size();
                if (!equal_bits(answer(at), expected[at])) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    findings.expect(wrong == 0, std::to_string(wrong) + " answers differ when four threads search");
}

}  // namespace vecdb::test
