#include "collection/model/replay.h"
#include "collection/model/values.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <utility>

namespace vecdb::test {

Fault Replay::get(Random& random, const ReadHandle& rows, const ExpectedView& view) {
    const std::vector<Id> ids = some_ids(random);
    note(text_of(ids));
    const bool gone = !view.exists();
    const auto fetched = rows.get(ids, std::vector<std::string>{"word", kMirror, "number"});
    Fault fault = judge("get", fetched.status(), gone ? Errors{StatusCode::kNotFound} : Errors());
    if (!fault.empty() || gone) return fault;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const bool found = view.contains(ids[i]);
        if (fetched->found[i] != found) {
            return "id " + std::to_string(ids[i]) + (found ? " is not found" : " is found");
        }
        if (!found) continue;
        const auto values = values_of(view.rows->model.rows().at(ids[i]));
        if (fetched->columns[0].values[i] != values[2] ||
            fetched->columns[1].values[i] != values[0])
            return "id " + std::to_string(ids[i]) + " has other values";
        if (settings_.metric == Metric::kCosine) continue;
        const auto row = fetched->row(i);
        if (!std::equal(row.begin(), row.end(), view.rows->model.rows().at(ids[i]).begin())) {
            return "id " + std::to_string(ids[i]) + " has another vector";
        }
        const auto mirror = fetched->vectors[0].row(i);
        if (!std::equal(row.begin(), row.end(), mirror.rbegin(), mirror.rend())) {
            return "id " + std::to_string(ids[i]) + " has another vector in its second field";
        }
    }
    return "";
}

Fault Replay::count(Random& random, const ReadHandle& rows, const ExpectedView& view) {
    const bool gone = !view.exists();
    const std::size_t expected = view.count();
    if (rows.count() != expected) {
        return std::to_string(rows.count()) + " rows, not " + std::to_string(expected);
    }
    if (rows.stats().live_rows != expected) return "the statistics count other rows";
    const Restriction& restriction = some_restriction(random);
    const auto counted = rows.count(restriction.filter);
    Fault fault = judge("count", counted.status(), gone ? Errors{StatusCode::kNotFound} : Errors());
    if (!fault.empty() || gone) return fault;
    const std::size_t allowed = view.rows->model.count(view.within(restriction.allowed));
    if (*counted == allowed) return "";
    return std::to_string(*counted) + " rows allowed, not " + std::to_string(allowed);
}

Replay::Question Replay::some_question(Random& random, const ExpectedView& view) {
    const Restriction& restriction = some_restriction(random);
    Question question{.options = {.k = below(random, 15),
                                  .filter = restriction.filter,
                                  .threads = 1 + below(random, 2),
                                  .exact = one_in(random, 4),
                                  .nprobe = kLists / 2},
                      .view = view,
                      .allowed = restriction.allowed};
    if (one_in(random, 8)) question.options.k = settings_.ids;
    if (one_in(random, 3)) question.options.field = kMirror;
    return question;
}

/// Return queries as the field that is asked has them.
Matrix Replay::asked(const Matrix& queries, const Question& question) {
    if (question.options.field.empty()) return queries;
    note(", in '", question.options.field, "'");
    return mirrored(queries);
}

/// Ask a handle, perhaps about an earlier moment, perhaps about some partitions.
Replay::Question Replay::question_to(Random& random, const Held& target) {
    Question question = some_question(random, target.view());
    if (one_in(random, target.expected->keeps_past() ? 3 : 20)) {
        name_moment(random, target, question);
    }
    const bool known = question.view.rows != nullptr;
    if (known && !question.view.exists()) question.errors.push_back(StatusCode::kNotFound);
    if (known && !target.partition && one_in(random, 5)) name_partitions(random, question);
    return question;
}

/// Let a question be about an earlier moment, or one still to come.
void Replay::name_moment(Random& random, const Held& target, Question& question) {
    const std::uint64_t now = target.expected->sequence();
    const std::uint64_t back = below(random, 8);
    const std::uint64_t then = one_in(random, 10) ? now + 1 : now - std::min(now, back);
    question.options.as_of = Moment(then);
    question.view.rows = target.expected->at(then);
    note(", as of ", then, " of ", now);
    if (then > now) question.errors.push_back(StatusCode::kInvalidArgument);
    if (question.view.rows == nullptr) question.errors.push_back(StatusCode::kNotFound);
}

/// Let a question be about one or two partitions by name, most of which there are.
void Replay::name_partitions(Random& random, Question& question) {
    const auto rows = question.view.rows;
    std::vector<std::size_t> numbers;
    for (std::size_t n = 1 + below(random, 2); n > 0; --n) {
        const auto at = static_cast<std::ptrdiff_t>(below(random, rows->partitions.size()));
        const auto found = std::next(rows->partitions.begin(), at);
        const bool none = one_in(random, 12);
        question.options.partitions.push_back(none ? "none" : found->first);
        if (none) {
            question.errors.push_back(StatusCode::kNotFound);
        } else {
            numbers.push_back(found->second);
        }
        note(", in '", question.options.partitions.back(), "'");
    }
    question.allowed = [numbers, allowed = question.allowed](const ExpectedRows& then, Id id) {
        const auto home = then.homes.find(id);
        return home != then.homes.end() &&
               std::find(numbers.begin(), numbers.end(), home->second) != numbers.end() &&
               allowed(then, id);
    };
}

Fault Replay::check(std::span<const float> query,
                    const Question& question,
                    std::span<const Hit> hits) {
    const Model& model = question.view.rows->model;
    const Model::Allowed allowed = question.view.within(question.allowed);
    const std::size_t k = question.options.k;
    const bool exact = settings_.exact() || question.options.exact;
    if (exact && settings_.metric == Metric::kCosine) return model.fault(query, k, hits, allowed);
    const Hits truth = model.exact_search(query, k, allowed);
    if (exact) {
        const bool same = std::equal(hits.begin(), hits.end(), truth.begin(), truth.end());
        return same ? "" : "wrong hits; " + model.fault(query, k, hits, allowed);
    }
    if (hits.size() != truth.size()) {
        return std::to_string(hits.size()) + " hits, not " + std::to_string(truth.size());
    }
    if (k < settings_.ids && !hits.empty()) count_found(truth, hits);
    return model.hits_fault(query, hits, allowed);
}

/// Count how many of the nearest were found; rows as far away as the last of them are as good.
void Replay::count_found(std::span<const Hit> truth, std::span<const Hit> hits) {
    constexpr double kRounding = 1e-5;
    const double farthest = distance_of(settings_.metric, truth.back().score) + kRounding;
    wanted_ += truth.size();
    found_ += static_cast<std::size_t>(std::count_if(hits.begin(), hits.end(), [&](const Hit& hit) {
        return distance_of(settings_.metric, hit.score) <= farthest;
    }));
}

Fault Replay::search(Random& random, const ReadHandle& rows, const Question& question) {
    const Matrix query = some_rows(random, 1);
    note(", k = ", question.options.k);
    const Matrix ask = asked(query, question);
    const auto hits = rows.search(VectorView(ask.row(0)), question.options);
    Fault fault = judge("search", hits.status(), question.errors);
    if (!fault.empty() || !question.errors.empty()) return fault;
    return check(query.row(0), question, *hits);
}

Fault Replay::search_batch(Random& random, const ReadHandle& rows, const Question& question) {
    const Matrix queries = some_rows(random, 1 + below(random, 9));
    note(", ", queries.rows, " queries, k = ", question.options.k);
    const auto result = rows.search(asked(queries, question).view(), question.options);
    Fault fault = judge("search", result.status(), question.errors);
    if (!fault.empty() || !question.errors.empty()) return fault;
    for (std::size_t q = 0; q < queries.rows && fault.empty(); ++q)
        fault = check(queries.row(q), question, (*result)[q]);
    return fault;
}

Fault Replay::search_radius(Random& random, const ReadHandle& rows, const Question& question) {
    const Matrix query = some_rows(random, 1);
    const auto level = static_cast<float>(below(random, 30));
    const float radius = settings_.metric == Metric::kCosine ? 1.0F - level / 60.0F
                         : settings_.metric == Metric::kL2   ? level
                                                             : 30.0F - level;
    note(", radius ", radius);
    const Matrix ask = asked(query, question);
    const auto hits = rows.range_search(VectorView(ask.row(0)), radius, question.options);
    Fault fault = judge("range_search", hits.status(), question.errors);
    if (!fault.empty() || !question.errors.empty()) return fault;
    const Model::Allowed allowed = question.view.within(question.allowed);
    return question.view.rows->model.range_fault(query.row(0), radius, *hits, allowed);
}

/// Group by the words of the rows, some of which have none.
Fault Replay::search_groups(Random& random, const ReadHandle& rows, Question question) {
    const Matrix query = some_rows(random, 1);
    question.options.group_by = "word";
    question.options.offset = below(random, 3);
    note(", k = ", question.options.k, ", offset ", question.options.offset);
    const Matrix ask = asked(query, question);
    const auto hits = rows.search(VectorView(ask.row(0)), question.options);
    Fault fault = judge("search", hits.status(), question.errors);
    if (!fault.empty() || !question.errors.empty()) return fault;

    const Model& model = question.view.rows->model;
    const Model::Allowed allowed = question.view.within(question.allowed);
    const auto word = [&](Id id) {
        return values_of(model.rows().at(id))[2];
    };
    Hits nearest;
    std::set<Scalar> words;
    for (const Hit& hit : model.exact_search(query.row(0), model.rows().size(), allowed)) {
        if (words.insert(word(hit.id)).second) nearest.push_back(hit);
    }
    const std::size_t passed = std::min(question.options.offset, nearest.size());
    nearest.erase(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(passed));
    nearest.resize(std::min(nearest.size(), question.options.k));
    if (hits->size() != nearest.size()) {
        return std::to_string(hits->size()) + " groups, not " + std::to_string(nearest.size());
    }
    std::set<Scalar> found;
    for (const Hit& hit : *hits)
        found.insert(word(hit.id));
    if (found.size() != hits->size()) return "two hits are of one group";
    const bool exact = settings_.exact() || question.options.exact;
    if (exact && settings_.metric != Metric::kCosine && *hits != nearest) {
        return "other groups than the nearest";
    }
    return model.hits_fault(query.row(0), *hits, allowed);
}

/// Read all rows in pages of any size.
Fault Replay::read_pages(Random& random, const ReadHandle& rows, Question question) {
    const Matrix query = some_rows(random, 1);
    question.options.offset = below(random, 4);
    const std::size_t page = 1 + below(random, 20);
    note(", pages of ", page, " from ", question.options.offset, " on");
    const Matrix ask = asked(query, question);
    auto cursor = rows.cursor(VectorView(ask.row(0)), question.options);
    Fault fault = judge("cursor", cursor.status(), question.errors);
    if (!fault.empty() || !question.errors.empty()) return fault;
    Hits hits;
    while (!cursor->done()) {
        const auto next = cursor->next(page);
        if (!next.ok()) return next.status().to_string();
        if (next->size() < page && !cursor->done()) return "a page is short";
        hits.insert(hits.end(), next->begin(), next->end());
    }
    const Model& model = question.view.rows->model;
    const Model::Allowed allowed = question.view.within(question.allowed);
    Hits all = model.exact_search(query.row(0), model.rows().size(), allowed);
    const std::size_t passed = std::min(question.options.offset, all.size());
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(passed));
    if (hits.size() != all.size()) {
        return std::to_string(hits.size()) + " rows in all pages, not " +
               std::to_string(all.size());
    }
    std::set<Id> ids;
    for (const Hit& hit : hits) {
        if (!model.contains(hit.id) || !allowed(hit.id)) return "a row that is not allowed";
        ids.insert(hit.id);
    }
    if (ids.size() != hits.size()) return "a row is in two pages";
    const bool exact = settings_.exact() || question.options.exact;
    const bool same = !exact || settings_.metric == Metric::kCosine || hits == all;
    return same ? "" : "the pages are not the ranking";
}

}  // namespace vecdb::test
