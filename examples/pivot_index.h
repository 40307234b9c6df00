#pragma once

// An index of your own, as custom_index.cpp registers it. This one keeps a few rows as pivots and
// puts every row on the list of its nearest pivot; a search looks through the lists of the pivots
// nearest to the query. vecdb::IvfOptions does the same much better: here it shows what an index
// has to do, and how little that is. The contract stands in vecdb/index.h.

#include <vecdb/vecdb.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pivots {

using vecdb::Status;
using vecdb::StatusCode;

class PivotIndex : public vecdb::Index {
  public:
    PivotIndex(std::size_t pivots, std::size_t dim) : wanted_(pivots), dim_(dim) {}

    vecdb::IndexCapabilities capabilities() const noexcept override { return {.name = "pivots"}; }

    // The rows are lent for the call: copy what must stay. The order that is returned is how the
    // collection will keep the rows, so here each list becomes one range of rows.
    vecdb::Result<std::vector<std::uint32_t>> build(const vecdb::IndexRows& rows,
                                                    const vecdb::IndexBuild& how) override {
        Numbers order;
        count_up(order, 0, rows.count);
        std::shuffle(order.begin(), order.end(), std::mt19937_64(how.seed));
        std::vector<float> pivots;
        for (std::size_t p = 0; p < std::min(wanted_, rows.count); ++p) {
            const auto* row = static_cast<const float*>(rows.row(order[p]));
            pivots.insert(pivots.end(), row, row + dim_);
        }
        Numbers list_of(rows.count);
        for (std::size_t i = 0; i < rows.count; ++i) {
            if (const Status end = how.check(); !end.ok()) return end;  // nothing has changed yet
            list_of[i] = by_distance(pivots, rows, rows.row(i)).front();
        }
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return std::pair(list_of[a], a) < std::pair(list_of[b], b);
        });
        starts_.assign(pivots.size() / dim_ + 1, 0);
        for (const std::uint32_t list : list_of)
            ++starts_[list + 1];
        std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
        pivots_ = std::move(pivots);
        return order;
    }

    // Only allowed rows may be offered, and k of them must be if there are so many.
    void search(const vecdb::IndexRows& rows,
                std::span<const void* const> queries,
                const vecdb::IndexSearch& how,
                std::span<vecdb::TopK> best) const override {
        for (std::size_t q = 0; q < queries.size(); ++q) {
            const std::size_t enough = std::min(best[q].capacity(), how.allowed_rows);
            std::size_t lists_left = how.nprobe != 0 ? how.nprobe : 8;
            std::size_t offered = 0;
            for (const std::uint32_t list : by_distance(pivots_, rows, queries[q])) {
                if (lists_left == 0 && offered >= enough) break;
                if (lists_left > 0) --lists_left;
                offered += offer_list(rows, queries[q], list, how, best[q]);
            }
        }
    }

    Status validate(const vecdb::IndexRows& rows) const override {
        const bool fits = starts_.size() == pivots_.size() / dim_ + 1 && starts_.front() == 0 &&
                          starts_.back() == rows.count &&
                          std::is_sorted(starts_.begin(), starts_.end());
        if (fits) return {};
        return {StatusCode::kCorruption, "pivots: the lists do not cover the rows"};
    }

    Status save(vecdb::SectionWriter& to) const override {
        const Status saved = to.write("pivots", std::as_bytes(std::span(pivots_)));
        if (!saved.ok()) return saved;
        return to.write("starts", std::as_bytes(std::span(starts_)));
    }

    // Do not trust the bytes: check before use, and change nothing unless all is well.
    Status load(vecdb::SectionReader& from, const vecdb::IndexRows& rows) override {
        PivotIndex loaded(wanted_, dim_);
        if (Status read = read_section(from, "pivots", loaded.pivots_); !read.ok()) return read;
        if (Status read = read_section(from, "starts", loaded.starts_); !read.ok()) return read;
        if (Status sound = loaded.validate(rows); !sound.ok()) return sound;
        std::swap(pivots_, loaded.pivots_);
        std::swap(starts_, loaded.starts_);
        return {};
    }

    std::size_t memory_bytes() const noexcept override {
        return pivots_.capacity() * sizeof(float) + starts_.capacity() * sizeof(std::uint32_t);
    }

  private:
    using Numbers = std::vector<std::uint32_t>;

    static void count_up(Numbers& list, std::size_t first, std::size_t last) {
        list.resize(last - first);
        std::iota(list.begin(), list.end(), static_cast<std::uint32_t>(first));
    }

    // Distances come from IndexRows: right for every metric, and fast. Lower is nearer. Memory that
    // a search needs stays with the thread, so that later searches ask for none.
    const Numbers& by_distance(const std::vector<float>& pivots,
                               const vecdb::IndexRows& rows,
                               const void* query) const {
        thread_local Numbers lists;
        thread_local std::vector<float> distances;
        vecdb::IndexRows view = rows;  // the same metric over other memory
        view.base = pivots.data();
        view.stride = dim_ * sizeof(float);
        view.count = pivots.size() / dim_;
        view.norms = nullptr;
        count_up(lists, 0, view.count);
        distances.resize(view.count);
        view.distances(query, lists, distances);
        std::sort(lists.begin(), lists.end(), [](std::uint32_t a, std::uint32_t b) {
            return distances[a] < distances[b];
        });
        return lists;
    }

    std::size_t offer_list(const vecdb::IndexRows& rows,
                           const void* query,
                           std::uint32_t list,
                           const vecdb::IndexSearch& how,
                           vecdb::TopK& best) const {
        thread_local Numbers allowed;
        thread_local std::vector<float> distances;
        count_up(allowed, starts_[list], starts_[list + 1]);
        std::erase_if(allowed, [&](std::uint32_t row) { return !how.filter.test(row); });
        distances.resize(allowed.size());
        rows.distances(query, allowed, distances);
        for (std::size_t i = 0; i < allowed.size(); ++i)
            best.offer(distances[i], rows.ids[allowed[i]]);
        if (how.counters != nullptr) {
            ++how.counters->visited;
            how.counters->distances += allowed.size();
        }
        return allowed.size();
    }

    template <class T>
    static Status read_section(vecdb::SectionReader& from, const char* name, std::vector<T>& to) {
        const auto bytes = from.read(name);
        if (!bytes.ok()) return bytes.status();
        if (bytes->size() % sizeof(T) != 0) {
            return {StatusCode::kCorruption, std::string(name) + " has a broken size"};
        }
        to.resize(bytes->size() / sizeof(T));
        if (!to.empty()) std::memcpy(to.data(), bytes->data(), bytes->size());
        return {};
    }

    std::size_t wanted_;
    std::size_t dim_;
    std::vector<float> pivots_;  // dim_ floats each
    Numbers starts_{0U};         // list p: rows [starts_[p], starts_[p + 1])
};

// Called for every field that asks for "pivots". It checks the parameters and says what it serves.
inline vecdb::Result<std::unique_ptr<vecdb::Index>> make_pivot_index(
    const vecdb::VectorField& field) {
    if (field.element_type != vecdb::ElementType::kFloat32) {
        return Status(StatusCode::kUnsupported, "pivots: only float32 is served");
    }
    const auto& parameters = std::get<vecdb::CustomOptions>(field.index).parameters;
    const auto pivots = parameters.find("pivots");
    const long count =
        pivots == parameters.end() ? 100 : std::strtol(pivots->second.c_str(), nullptr, 10);
    if (count < 1 || count > 65'536) {
        return Status(StatusCode::kInvalidArgument, "pivots: not a number from 1 to 65536");
    }
    return std::unique_ptr<vecdb::Index>(
        std::make_unique<PivotIndex>(static_cast<std::size_t>(count), field.dim));
}

}  // namespace pivots
