#pragma once

/// \file
/// What a Filter holds: which rows it allows, and which of them it has found.

#include "collection/version.h"
#include "mutex.h"

#include <vecdb/bitset.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace vecdb {

/// Rows of one numbering that a filter allows; removed rows are not taken out.
/// Threads: immutable but for what in_order() remembers, which is internally synchronised.
class FilterRows {
  public:
    std::size_t rows = 0;  ///< Rows looked at: at least those of the segment asked for.
    Bitset allowed;

    /// Return `found`, rows of the segment, in the order of a vector field. The first call for a
    /// field that has one costs a step for each row allowed. Throws std::bad_alloc.
    [[nodiscard]] static std::shared_ptr<const FilterRows> in_order(
        std::shared_ptr<const FilterRows> found,
        const collection::SegmentVersion& segment,
        std::size_t field);

  private:
    mutable Mutex mutex_;
    // By vector field, as far as it was asked for.
    mutable std::vector<std::shared_ptr<const FilterRows>> ordered_ VECDB_GUARDED_BY(mutex_);
};

/// The answer to a search: rows allowed, and how many of them are there and not removed.
struct AllowedRows {
    std::shared_ptr<const FilterRows> rows;
    std::size_t live = 0;
};

/// An immutable test of rows with a memory of its answers per numbering of rows.
/// Threads: internally synchronised.
class FilterState {
  public:
    FilterState() = default;
    virtual ~FilterState() = default;
    FilterState(const FilterState&) = delete;
    FilterState& operator=(const FilterState&) = delete;

    /// Return the rows of `segment` that are allowed, testing only those not seen before and
    /// counting only when rows were added or removed. Throws std::bad_alloc and what a predicate
    /// throws.
    [[nodiscard]] AllowedRows rows(const collection::SegmentVersion& segment) const;

    /// Check that rows of these fields, null if there are none, can be tested. Returns
    /// kInvalidArgument. Throws std::bad_alloc.
    [[nodiscard]] virtual Status check(
        const std::shared_ptr<const collection::ScalarFields>& fields) const {
        (void)fields;
        return {};
    }

  private:
    /// A number of live allowed rows and the state of the segment that it holds for.
    struct Count {
        std::weak_ptr<const collection::Tombstones> tombstones;
        const collection::Tombstones* key = nullptr;
        std::size_t rows = 0;
        std::size_t live = 0;
    };
    struct Entry {
        std::weak_ptr<const void> numbering;  ///< Keeps the address, which is the key, from reuse.
        std::shared_ptr<const FilterRows> rows;
        Count count;
    };

    /// Set the bits of the rows of [first, segment.rows) that are allowed. `allowed` has a bit for
    /// each row of the segment, which is clear from `first` on.
    virtual void test(const collection::SegmentVersion& segment,
                      std::size_t first,
                      Bitset& allowed) const = 0;

    [[nodiscard]] std::shared_ptr<const FilterRows> test_rows(
        const collection::SegmentVersion& segment,
        const std::shared_ptr<const FilterRows>& known) const;
    /// Return what is known of the numbering, its count cleared unless it holds for `segment`.
    [[nodiscard]] Entry recall(const collection::SegmentVersion& segment) const;
    void remember(const void* key, Entry found) const;

    mutable Mutex mutex_;
    mutable std::unordered_map<const void*, Entry> entries_ VECDB_GUARDED_BY(mutex_);
    // Dead entries are looked for when there are this many.
    mutable std::size_t sweep_at_ VECDB_GUARDED_BY(mutex_) = 4;
};

}  // namespace vecdb
