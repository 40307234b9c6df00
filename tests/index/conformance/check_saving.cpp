#include "index/conformance/checks.h"
#include "index/conformance/sections.h"

#include <algorithm>

namespace vecdb::test {
namespace {

Sections saved(const Index& index, Findings& findings) {
    SectionCollector to;
    findings.expect(index.save(to), "save");
    return std::move(to.sections);
}

Status load(Index& index, const Sections& sections, const IndexRows& rows) {
    SectionSource from(sections);
    return index.load(from, rows);
}

/// Search a few times and return all hits.
std::vector<Hit> sample(const Subject& subject, const Index& index, const Segment& segment) {
    std::vector<Hit> all;
    for (const Mask& mask : make_masks(segment.count(), subject.seed + 40)) {
        for (const Effort& effort : subject.efforts) {
            const IndexSearch how{.filter = mask.filter(),
                                  .allowed_rows = mask.allowed_rows,
                                  .ef = effort.ef,
                                  .nprobe = effort.nprobe,
                                  .rerank = effort.rerank,
                                  .bound = effort.bound};
            for (std::size_t q = 0; q < segment.queries(); q += 3) {
                const auto hits = ask(index, segment.rows(), segment.query(q), how, 10);
                all.insert(all.end(), hits.begin(), hits.end());
                index.range_search(
                    segment.rows(), segment.query(q), hits.empty() ? 0 : hits[0].score, how, all);
            }
        }
    }
    return all;
}

/// Load damaged bytes: they are refused with the right code, or searched without harm.
void try_damaged(const Subject& subject,
                 const Built& built,
                 const Sections& damaged,
                 const std::string& what,
                 Findings& findings) {
    auto index = make(subject, findings);
    if (index == nullptr) return;
    const Status status = load(*index, damaged, built.segment.rows());
    if (!status.ok()) {
        findings.expect(status.code() == StatusCode::kCorruption && !status.message().empty(),
                        what + " is refused as " + status.to_string());
        return;
    }
    (void)index->validate(built.segment.rows());
    (void)sample(subject, *index, built.segment);
}

/// After a load that failed the index can still be loaded or built.
void check_after_failure(const Subject& subject,
                         const Built& built,
                         const Sections& whole,
                         Findings& findings) {
    Sections damaged = whole;
    damaged.erase(std::prev(damaged.end()));
    auto index = make(subject, findings);
    if (index == nullptr) return;
    const Status status = load(*index, damaged, built.segment.rows());
    if (!findings.expect(!status.ok(), "a load without its last section succeeds")) return;
    findings.expect(load(*index, whole, built.segment.rows()), "load after one that failed");
    findings.expect(
        sample(subject, *index, built.segment) == sample(subject, *built.index, built.segment),
        "answers differ after a load that failed");

    auto again = make(subject, findings);
    if (again == nullptr) return;
    (void)load(*again, damaged, built.segment.rows());
    const Built rebuilt = build_with(
        std::move(again), subject, subject.segment->count(), {.seed = subject.seed}, findings);
    if (rebuilt.index == nullptr) return;
    findings.expect(saved(*rebuilt.index, findings) == whole,
                    "a build after a load that failed gives other bytes");
}

void check_cuts(const Subject& subject,
                const Built& built,
                const Sections& whole,
                Findings& findings) {
    for (const auto& [name, bytes] : whole) {
        Sections damaged = whole;
        damaged.erase(name);
        try_damaged(subject, built, damaged, "section " + name + " removed", findings);
        for (const std::size_t size : {std::size_t{0},
                                       std::size_t{1},
                                       std::size_t{7},
                                       std::size_t{8},
                                       bytes.size() / 2,
                                       bytes.size() - std::min<std::size_t>(bytes.size(), 1),
                                       bytes.size() + 1,
                                       bytes.size() + 64}) {
            damaged[name] = bytes;
            damaged[name].resize(size);
            try_damaged(subject,
                        built,
                        damaged,
                        "section " + name + " cut to " + std::to_string(size) + " of " +
                            std::to_string(bytes.size()) + " bytes",
                        findings);
        }
    }
}

/// Change single bytes; every second time among the first 64, where sizes stand.
void check_flips(const Subject& subject,
                 const Built& built,
                 const Sections& whole,
                 Findings& findings) {
    constexpr std::size_t kFlips = 80;
    Random random(subject.seed + 50);
    for (const auto& [name, bytes] : whole) {
        if (bytes.empty()) continue;
        for (std::size_t i = 0; i < kFlips; ++i) {
            Sections damaged = whole;
            const std::size_t reach =
                i % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 64);
            const std::size_t at = random() % reach;
            const auto change = i % 3 == 0 ? std::byte{0xFF} : std::byte{1} << (random() % 8);
            damaged[name][at] ^= change;
            try_damaged(subject,
                        built,
                        damaged,
                        "section " + name + " with byte " + std::to_string(at) + " changed",
                        findings);
        }
    }
}

}  // namespace

void check_saving(const Subject& subject, const Built& built, Findings& findings) {
    const IndexRows rows = built.segment.rows();
    findings.expect(built.index->validate(rows), "validate after build");
    const Sections whole = saved(*built.index, findings);
    findings.expect(saved(*built.index, findings) == whole, "a second save gives other bytes");
    auto index = make(subject, findings);
    if (index == nullptr || !findings.expect(load(*index, whole, rows), "load")) return;
    findings.expect(index->validate(rows), "validate after load");
    findings.expect(saved(*index, findings) == whole, "loaded and saved again gives other bytes");
    findings.expect(
        sample(subject, *index, built.segment) == sample(subject, *built.index, built.segment),
        "answers differ after save and load");
    const std::size_t before = built.index->memory_bytes();
    const std::size_t after = index->memory_bytes();
    findings.expect(after <= before + before / 10 + 4'096,
                    "memory_bytes is " + std::to_string(after) + " after load, " +
                        std::to_string(before) + " before");
}

void check_damage(const Subject& subject, const Built& built, Findings& findings) {
    const Sections whole = saved(*built.index, findings);
    if (whole.empty()) return;
    check_cuts(subject, built, whole, findings);
    check_flips(subject, built, whole, findings);
    check_after_failure(subject, built, whole, findings);
}

void check_repeatable(const Subject& subject, Findings& findings) {
    const std::size_t rows = subject.segment->count();
    const auto bytes = [&](const IndexBuild& how) {
        const Built built = build(subject, rows, how, findings);
        return built.index == nullptr ? Sections() : saved(*built.index, findings);
    };
    const Sections one = bytes({.threads = 1, .seed = subject.seed});
    findings.expect(bytes({.threads = 1, .seed = subject.seed}) == one,
                    "a second build gives other bytes");
    findings.expect(bytes({.threads = 3, .seed = subject.seed}) == one,
                    "a build by three threads gives other bytes than by one");
    const Built other = build(subject, rows, {.seed = subject.seed + 1}, findings);
    if (other.index != nullptr) {
        findings.expect(other.index->validate(other.segment.rows()), "validate, another seed");
    }
}

}  // namespace vecdb::test
