#pragma once

/// \file
/// The checks that every index must pass. Each says in `findings` what is wrong.

#include "index/conformance/subject.h"
#include "index/conformance/truth.h"

namespace vecdb::test {

/// Answers to single queries under every mask and k, with every effort: see Truth::fault; as many
/// as there are allowed rows, up to k; the recall that the effort promises.
void check_search(const Subject& subject, const Built& built, Findings& findings);
/// The same of an index over the first rows of the segment; memory holds the others too.
void check_search_of(const Subject& subject,
                     const Built& built,
                     std::size_t rows,
                     Findings& findings);

/// Range searches: the filtered truth, at radii on, between and outside the distances.
void check_range(const Subject& subject, const Built& built, Findings& findings);

/// Cursors, read in pages of any size, bring every allowed row once, with its distance; in the true
/// order with an exact effort, else the first with the recall that the effort promises.
void check_cursors(const Subject& subject, const Built& built, Findings& findings);

/// Batches answer as single searches do; hits of another segment already in the top-k stay or are
/// displaced rightly; counters count and change nothing.
void check_company(const Subject& subject, const Built& built, Findings& findings);

/// Four threads at once get the same answers as one.
void check_concurrent(const Subject& subject, const Built& built, Findings& findings);

/// validate() finds nothing; saved, loaded and saved again gives equal bytes and answers.
void check_saving(const Subject& subject, const Built& built, Findings& findings);

/// Damaged sections are refused with kCorruption and the index is as new, or are searched without
/// harm.
void check_damage(const Subject& subject, const Built& built, Findings& findings);

/// Two builds have equal bytes, also with more threads; another seed still works.
void check_repeatable(const Subject& subject, Findings& findings);

/// Builds that are cancelled or late, at the start and on the way, say so and leave the index as
/// new.
void check_control(const Subject& subject, Findings& findings);

/// An index that grows, built over none or half of the rows and given the rest in steps, passes
/// what the whole one does; one that does not says kUnsupported.
void check_growth(const Subject& subject, Findings& findings);

/// Run all of the above. `thorough` leaves out nothing; otherwise search and range only.
void check_all(const Subject& subject, bool thorough, Findings& findings);

}  // namespace vecdb::test
