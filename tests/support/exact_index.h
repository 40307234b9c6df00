#pragma once

/// \file
/// An index of the tests' own: exact, and it has the rows stored the other way round, so that a
/// collection's reordering, tombstones and ids are really exercised.

#include <vecdb/index.h>
#include <vecdb/schema.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace vecdb::test {

inline constexpr const char* kExactIndex = "test-exact";

/// How often a collection called an ExactIndex against its contract.
inline std::atomic<std::size_t> exact_index_faults{0};

/// How often an ExactIndex was built on another one.
inline std::atomic<std::size_t> exact_index_continued{0};

/// Called when an ExactIndex is about to be built, if set. Set while none is.
inline std::function<void(const IndexRows&)> before_exact_build;

/// Parameters: fail = status | throw | memory | order | long_order | too_few | lost, wait = yes
/// (until the control ends the build), takes_up = yes (32 rows for a new one).
class ExactIndex final : public Index {
  public:
    explicit ExactIndex(const CustomOptions& options) {
        const auto value = [&](const char* name) {
            const auto found = options.parameters.find(name);
            return found != options.parameters.end() ? found->second : std::string();
        };
        fail_ = value("fail");
        wait_ = !value("wait").empty();
        takes_up_ = !value("takes_up").empty();
    }

    [[nodiscard]] IndexCapabilities capabilities() const noexcept override {
        return {.name = kExactIndex, .exact = true, .growable = false};
    }

    [[nodiscard]] Result<std::vector<std::uint32_t>> build(const IndexRows& rows,
                                                           const IndexBuild& how) override {
        if (how.threads == 0) ++exact_index_faults;
        if (before_exact_build) before_exact_build(rows);
        constexpr int kSteps = 10;
        for (int step = 1; step <= kSteps || wait_; ++step) {
            if (how.control != nullptr) how.control->report(std::min(step, kSteps) / 10.0);
            if (Status status = how.check(); !status.ok()) return status;
        }
        if (fail_ == "status") return Status(StatusCode::kUnsupported, "the test wants it so");
        if (fail_ == "throw") throw std::runtime_error("thrown by the test");
        if (fail_ == "memory") throw std::bad_alloc();
        if (fail_ == "too_few" && rows.count < 100) {
            return Status(StatusCode::kFailedPrecondition,
                          std::to_string(rows.count) + " rows; at least 100 are needed");
        }
        std::vector<std::uint32_t> order(rows.count);
        std::iota(order.rbegin(), order.rend(), 0U);
        if (fail_ == "order") order.front() = order.back();
        if (fail_ == "long_order") order.push_back(static_cast<std::uint32_t>(rows.count));
        for (const std::uint32_t row : order)
            ids_.push_back(row < rows.count ? rows.ids[row] : kNoId);
        return order;
    }

    [[nodiscard]] std::size_t build_on_ratio(Metric /*metric*/) const noexcept override {
        return takes_up_ ? 32 : 0;
    }

    [[nodiscard]] Result<std::vector<std::uint32_t>> build_on(const IndexRows& rows,
                                                              const Index& base,
                                                              std::span<const std::uint32_t> kept,
                                                              const IndexBuild& how) override {
        const auto& known = dynamic_cast<const ExactIndex&>(base);
        for (std::size_t i = 0; i < kept.size(); ++i) {
            if (rows.ids[i] != known.ids_[kept[i]]) ++exact_index_faults;
        }
        ++exact_index_continued;
        return build(rows, how);
    }

    void search(const IndexRows& rows,
                std::span<const void* const> queries,
                const IndexSearch& how,
                std::span<TopK> best) const override {
        check(rows, how);
        for (std::size_t q = 0; q < queries.size(); ++q) {
            each_distance(rows, queries[q], how.filter, [&](std::size_t row, float distance) {
                best[q].offer(distance, rows.ids[row]);
            });
        }
    }

    void range_search(const IndexRows& rows,
                      const void* query,
                      float radius,
                      const IndexSearch& how,
                      std::vector<Hit>& hits) const override {
        check(rows, how);
        each_distance(rows, query, how.filter, [&](std::size_t row, float distance) {
            if (distance <= radius) hits.push_back({rows.ids[row], distance});
        });
    }

    [[nodiscard]] Status validate(const IndexRows& rows) const override {
        const bool same = std::equal(ids_.begin(), ids_.end(), rows.ids, rows.ids + rows.count);
        return same ? Status() : Status(StatusCode::kCorruption, "other rows");
    }
    [[nodiscard]] Status save(SectionWriter& to) const override {
        return to.write("ids", std::as_bytes(std::span(ids_)));
    }
    [[nodiscard]] Status load(SectionReader& /*from*/, const IndexRows& rows) override {
        ids_.assign(rows.ids, rows.ids + rows.count);
        return {};
    }
    [[nodiscard]] std::size_t unreachable_rows() const noexcept override {
        return fail_ == "lost" ? 3 : 0;
    }
    [[nodiscard]] std::size_t memory_bytes() const noexcept override {
        return ids_.size() * sizeof(Id);
    }

  private:
    /// Count calls with other rows than those built over, or a wrong number of allowed rows.
    void check(const IndexRows& rows, const IndexSearch& how) const {
        std::size_t allowed = 0;
        for (std::size_t row = 0; row < rows.count; ++row)
            allowed += how.filter.test(row) ? 1U : 0U;
        const bool right = rows.count == ids_.size() && allowed == how.allowed_rows &&
                           allowed > 0 && validate(rows).ok();
        if (!right) ++exact_index_faults;
    }

    /// Call body(row, distance) for every allowed row; allocates nothing.
    template <class Body>
    static void each_distance(const IndexRows& rows,
                              const void* query,
                              const RowFilter& filter,
                              Body&& body) {
        for (std::size_t row = 0; row < rows.count; ++row) {
            if (!filter.test(row)) continue;
            const auto number = static_cast<std::uint32_t>(row);
            float distance = 0;
            rows.distances(query, {&number, 1}, {&distance, 1});
            body(row, distance);
        }
    }

    std::string fail_;
    bool takes_up_ = false;
    bool wait_ = false;
    std::vector<Id> ids_;  ///< In the order proposed.
};

/// Make an ExactIndex; refuses parameters it does not know, and dimension 13.
inline Result<std::unique_ptr<Index>> make_exact_index(const VectorField& field) {
    const auto& options = std::get<CustomOptions>(field.index);
    for (const auto& [name, value] : options.parameters) {
        if (name == "fail" || name == "wait" || name == "takes_up") continue;
        return Status(
            StatusCode::kInvalidArgument,
            "parameter '" + name + "' is " + value + "; allowed are fail, takes_up, wait");
    }
    if (field.dim == 13) {
        return Status(StatusCode::kUnsupported, "dimension 13 is not served");
    }
    return std::unique_ptr<Index>(std::make_unique<ExactIndex>(options));
}

/// Return a schema whose index is an ExactIndex, which is registered if it was not. Nothing is done
/// in the background.
inline Schema exact_schema(std::size_t dim,
                           Metric metric = Metric::kL2,
                           std::map<std::string, std::string> parameters = {}) {
    static const bool kRegistered = register_index(kExactIndex, make_exact_index).ok();
    if (!kRegistered) throw std::logic_error("the test's index is registered by others");
    Schema schema = Schema::single(dim, metric);
    schema.segments.seal_rows = 0;
    schema.vectors[0].index =
        CustomOptions{.name = kExactIndex, .parameters = std::move(parameters)};
    return schema;
}

}  // namespace vecdb::test
