#include "collection/query/query_rows.h"

#include <algorithm>
#include <cstdint>

namespace vecdb::collection {
namespace {

/// Where a row is.
struct FoundRow {
    Id id;
    const SegmentVersion* segment;
    std::size_t row;

    friend bool operator<(const FoundRow& a, const FoundRow& b) noexcept { return a.id < b.id; }
};

/// The rows with the smallest ids, the largest of them at the front when there are as many as
/// wanted.
class SmallestIds {
  public:
    explicit SmallestIds(std::size_t wanted) : wanted_(wanted) {}

    void offer(const FoundRow& row) {
        if (rows_.size() < wanted_) {
            rows_.push_back(row);
            if (rows_.size() == wanted_) std::make_heap(rows_.begin(), rows_.end());
        } else if (wanted_ != 0 && row < rows_.front()) {
            std::pop_heap(rows_.begin(), rows_.end());
            rows_.back() = row;
            std::push_heap(rows_.begin(), rows_.end());
        }
    }
    /// Return them by ascending id.
    [[nodiscard]] std::vector<FoundRow> take() {
        std::sort(rows_.begin(), rows_.end());
        return std::move(rows_);
    }

  private:
    const std::size_t wanted_;
    std::vector<FoundRow> rows_;
};

}  // namespace

QueriedRows query_rows(std::span<const SegmentTarget> segments,
                       const QueryOptions& options,
                       std::span<const std::size_t> fields) {
    SmallestIds smallest(options.limit);
    for (const SegmentTarget& target : segments) {
        target.for_each_row([&](std::size_t row) {
            const Id id = target.segment->id(row);
            if (!options.after || id > *options.after) smallest.offer({id, target.segment, row});
        });
    }
    QueriedRows answer;
    for (const std::string& name : options.fields)
        answer.columns.push_back({name, {}});
    for (const FoundRow& found : smallest.take()) {
        answer.ids.push_back(found.id);
        const std::size_t block = found.row / found.segment->rows_per_block;
        const std::size_t offset = found.row % found.segment->rows_per_block;
        const auto cells = found.segment->cells(block);
        for (std::size_t i = 0; i < fields.size(); ++i)
            answer.columns[i].values.push_back(cells[fields[i]].value(offset));
    }
    return answer;
}

}  // namespace vecdb::collection
