#include "fuzz/calls/caller.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace vecdb::test {
namespace {

constexpr std::size_t kMostPins = 4;

bool same(const Hit& a, const Hit& b) {
    return a.id == b.id &&
           std::bit_cast<std::uint32_t>(a.score) == std::bit_cast<std::uint32_t>(b.score);
}

bool same(std::span<const Hit> a, std::span<const Hit> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Hit& x, const Hit& y) {
        return same(x, y);
    });
}

std::string text(std::span<const Hit> hits) {
    std::string text;
    for (const Hit& hit : hits)
        text += ' ' + std::to_string(hit.id) + '=' + std::to_string(hit.score);
    return text;
}

}  // namespace

void Caller::on_reads() {
    const std::size_t kind = choices_.below(16);
    if (kind == 15) {
        restrictions_[choices_.below(restrictions_.size())] = choices_.restriction();
        return;
    }
    if (kind == 14 && !pins_.empty()) {
        const KeptPin& kept = pins_[choices_.below(pins_.size())];
        return read(kept.pin, kept.view, true);
    }
    Held* held = target();
    if (held == nullptr) return create_collection();
    if (kind == 13) {
        const ExpectedView now{std::make_shared<ExpectedCollection>(*held->expected), held->number};
        if (pins_.size() == kMostPins) pins_.erase(pins_.begin());
        pins_.push_back({held->rows().pin(), now});
        return;
    }
    if (kind == 12) {
        const Retention retention{
            .window = std::chrono::milliseconds(choices_.one_in(4) ? -1 : 3'600'000),
            .max_writes = choices_.perhaps_wrong(5)};
        ended_as(
            "set_retention", held->collection.set_retention(retention), retention.validate().ok());
        return;
    }
    read(held->rows(), held->view(), false);
}

void Caller::read(const ReadHandle& handle, const ExpectedView& view, bool pinned) {
    const std::size_t kind = choices_.below(10);
    if (kind == 0) return get(handle, view);
    if (kind == 1) return count(handle, view);
    const Question asked = question(handle, view, pinned);
    switch (kind) {
        case 2:
        case 3:
        case 4:
            return search(handle, asked);
        case 5:
        case 6:
            return search_batch(handle, asked);
        case 7:
            return search_into(handle, asked);
        default:
            return search_radius(handle, asked);
    }
}

void Caller::get(const ReadHandle& handle, const ExpectedView& view) {
    const std::vector<Id> ids = choices_.ids(64);
    const auto fetched = handle.get(ids);
    if (!ended_as("get", fetched.status(), view.exists())) return;
    require(fetched->found.size() == ids.size(), "get has another number of rows");
    for (std::size_t i = 0; i < ids.size(); ++i) {
        require(fetched->found[i] == view.contains(ids[i]), "get finds other rows");
        if (!fetched->found[i] || view.collection->field().metric == Metric::kCosine) continue;
        const auto& bytes = view.collection->rows.at(ids[i]).bytes;
        const auto begin = fetched->bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes.size());
        require(std::equal(bytes.begin(), bytes.end(), begin), "get has another vector");
    }
}

void Caller::count(const ReadHandle& handle, const ExpectedView& view) {
    const std::size_t all = view.count([](Id /*id*/) { return true; });
    require(handle.count() == all && handle.stats().live_rows == all, "another number of rows");
    const Restriction restriction = choices_.restriction();
    const auto counted = handle.count(restriction.filter);
    if (restriction.throws) {
        ended("count", counted.status(), true);
    } else if (ended_as("count", counted.status(), view.exists())) {
        require(*counted == view.count(restriction.allows), "another number of rows is allowed");
    }
}

Caller::Question Caller::question(const ReadHandle& handle, const ExpectedView& view, bool pinned) {
    Question asked{choices_.search_options(), view, restrictions_[choices_.below(3)]};
    if (choices_.one_in(4)) asked.restriction = {};
    asked.options.filter = asked.restriction.filter;
    asked.refused = !view.exists();
    if (choices_.one_in(8)) name_moment(handle, pinned, asked);
    if (asked.options.partitions.empty()) return asked;
    if (view.partition) {
        asked.refused = true;
        return asked;
    }
    std::set<std::size_t> numbers;
    for (const std::string& name : asked.options.partitions) {
        const auto found = view.collection->partitions.find(name);
        if (found != view.collection->partitions.end()) {
            numbers.insert(found->second);
        } else if (!asked.past) {
            asked.refused = true;
        }
    }
    asked.restriction.allows = [numbers, allows = asked.restriction.allows, rows = view.collection](
                                   Id id) {
        const auto row = rows->rows.find(id);
        return row != rows->rows.end() && numbers.count(row->second.partition) != 0 && allows(id);
    };
    return asked;
}

/// Let a question be about another moment.
void Caller::name_moment(const ReadHandle& handle, bool pinned, Question& asked) {
    const std::uint64_t now = handle.sequence();
    using std::chrono::system_clock;
    const Moment kMoments[] = {now,
                               now + 1,
                               now - std::min<std::uint64_t>(now, choices_.below(4)),
                               std::numeric_limits<std::uint64_t>::max(),
                               system_clock::now(),
                               system_clock::time_point::min(),
                               system_clock::time_point::max()};
    const std::size_t which = choices_.below(std::size(kMoments));
    asked.options.as_of = kMoments[which];
    asked.refused = asked.refused || pinned || which == 1 || which == 3;
    // Then there may have been other rows and partitions, and now a clock may have been set back.
    const bool present = which == 0 || which == 6;
    if (present || asked.refused) return;
    asked.past = true;
}

/// Judge how a search ended.
bool Caller::answered(const char* what,
                      const Status& status,
                      const Question& asked,
                      const Batch& queries) {
    const VectorField& field = asked.view.collection->field();
    // The type of no rows is looked at too.
    const bool fits = queries.dim == field.dim && queries.type == field.element_type;
    const bool refused = asked.refused || !asked.options.validate().ok() || !fits ||
                         (queries.elements == Elements::kRefused && queries.rows > 0);
    const bool unsure =
        asked.past || asked.restriction.throws || queries.elements == Elements::kOdd;
    if (refused || unsure) {
        const bool succeeded = ended(what, status, asked.restriction.throws);
        require(!succeeded || !refused, std::string(what) + " is not refused");
        return succeeded;
    }
    return ended_as(what, status, true);
}

Hits Caller::truth(const ReadHandle& handle, const Question& asked, VectorView query) {
    SearchOptions options = asked.options;
    options.k = kMaxK;
    options.exact = true;
    const auto found = handle.search(query, options);
    require(found.ok(), "exact search: " + found.status().to_string());
    const bool down = larger_is_nearer(asked.view.collection->field().metric);
    std::set<Id> seen;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const Hit& hit = (*found)[i];
        require(!std::isnan(hit.score), "a score is not a number");
        require(hit.id >= 0 && seen.insert(hit.id).second, "an id is found twice");
        if (i == 0) continue;
        const Hit& before = (*found)[i - 1];
        const bool nearer = down ? before.score > hit.score : before.score < hit.score;
        require(nearer || (before.score == hit.score && before.id < hit.id),
                "hits are out of order");
    }
    if (asked.past) return *found;
    const auto& allows = asked.restriction.allows;
    require(found->size() == asked.view.count(allows), "exact search finds another number of rows");
    for (const Hit& hit : *found)
        require(asked.view.contains(hit.id) && allows(hit.id), "a hit is no allowed row");
    return *found;
}

/// Tell whether the answer is the true one.
bool Caller::exact(const Question& asked) {
    return asked.options.exact ||
           std::holds_alternative<FlatOptions>(asked.view.collection->field().index);
}

/// Tell whether the same answer comes again: the background may rewrite segments meanwhile.
bool Caller::repeats(const Question& asked) {
    const bool rewritten = asked.view.collection->schema.segments.seal_rows != 0;
    return !asked.past && (exact(asked) || !rewritten);
}

/// Check hits against all rows that may be found.
void Caller::check_hits(const Question& asked,
                        std::span<const Hit> truth,
                        std::span<const Hit> hits) {
    require(hits.size() == std::min(asked.options.k, truth.size()), "another number of hits");
    if (exact(asked))
        return require(same(truth.first(hits.size()), hits), "hits are not the nearest");
    // Each is a row with its own score, in the order of all.
    std::size_t place = 0;
    for (const Hit& hit : hits) {
        while (place < truth.size() && !same(truth[place], hit))
            ++place;
        require(place < truth.size(), "a hit is no row, has another score or is out of order");
        ++place;
    }
}

void Caller::search(const ReadHandle& handle, const Question& asked) {
    const Batch queries = choices_.query(asked.view.collection->field());
    const VectorView query = queries.row(0);
    const bool later = choices_.one_in(4);
    const auto hits = handle.search(query, asked.options);
    if (later) {
        const auto answer = handle.search_async(query, asked.options).get();
        require(answer.ok() == hits.ok() || asked.past, "search_async ends in another way");
        const bool both = answer.ok() && hits.ok();
        require(!both || !repeats(asked) || same(*answer, *hits),
                "search_async has another answer");
    }
    if (answered("search", hits.status(), asked, queries))
        check_hits(asked, truth(handle, asked, query), *hits);
}

void Caller::search_batch(const ReadHandle& handle, const Question& asked) {
    const Batch queries = choices_.batch(asked.view.collection->field(), 12);
    const auto result = handle.search(queries.view(), asked.options);
    if (!answered("search of a batch", result.status(), asked, queries)) return;
    require(result->queries() == queries.rows, "another number of answers");
    for (std::size_t q = 0; q < queries.rows; ++q) {
        check_hits(asked, truth(handle, asked, queries.row(q)), (*result)[q]);
        const auto one = handle.search(queries.row(q), asked.options);
        require(one.ok(), "a query of the batch: " + one.status().to_string());
        require(!repeats(asked) || same(*one, (*result)[q]),
                "query " + std::to_string(q) + " is answered with" + text((*result)[q]) +
                    " in a batch, and alone with" + text(*one));
    }
}

void Caller::search_into(const ReadHandle& handle, const Question& asked) {
    const Batch queries = choices_.query(asked.view.collection->field());
    const std::size_t k = asked.options.k;
    const bool narrow = choices_.one_in(8) && k > 0;
    Hits room(narrow ? std::min<std::size_t>(k, 100) - 1 : std::min(k, kMaxK) + choices_.below(3));
    const auto found = handle.search_into(queries.row(0), asked.options, room);
    if (narrow) return require(!ended("search_into", found.status()), "there was no room");
    if (!answered("search_into", found.status(), asked, queries)) return;
    require(*found <= k, "more hits than wanted");
    check_hits(asked, truth(handle, asked, queries.row(0)), std::span(room).first(*found));
    for (const Hit& hit : std::span(room).subspan(*found))
        require(hit.id == kNoId && std::isinf(hit.score), "room is left as it was");
}

void Caller::search_radius(const ReadHandle& handle, const Question& asked) {
    const Batch queries = choices_.query(asked.view.collection->field());
    const float radius = choices_.radius();
    const bool down = larger_is_nearer(asked.view.collection->field().metric);
    const bool good = down ? radius < std::numeric_limits<float>::infinity() : radius >= 0.0F;
    Question judged = asked;
    judged.options.k = 0;  // which is not used
    judged.refused = judged.refused || !good;
    const auto hits = handle.range_search(queries.row(0), radius, asked.options);
    if (!answered("range_search", hits.status(), judged, queries)) return;
    Hits within = truth(handle, judged, queries.row(0));
    std::erase_if(within,
                  [&](const Hit& hit) { return down ? hit.score < radius : hit.score > radius; });
    require(same(within, *hits), "other rows are within the radius");
}

}  // namespace vecdb::test
