#pragma once

/// \file
/// What a Filter holds: the ids it allows, and the rows that they are.

#include "collection/version.h"

#include <vecdb/bitset.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace vecdb {

/// Rows of one numbering that a filter allows; removed rows are not taken out.
/// Threads: immutable.
struct FilterRows {
    std::size_t rows = 0;  ///< Rows looked at: at least those of the version asked for.
    Bitset allowed;
};

/// An immutable test of ids with a memory of its answers per numbering of rows.
/// Threads: internally synchronised.
class FilterState {
  public:
    FilterState() = default;
    virtual ~FilterState() = default;
    FilterState(const FilterState&) = delete;
    FilterState& operator=(const FilterState&) = delete;

    /// Return the rows of `version` that are allowed, testing only those not seen before. Throws
    /// std::bad_alloc and what a predicate throws.
    [[nodiscard]] std::shared_ptr<const FilterRows> rows(const collection::Version& version) const;

  private:
    struct Entry {
        std::weak_ptr<const void> numbering;
        const void* key;
        std::shared_ptr<const FilterRows> rows;
    };

    /// Tell whether `id` is allowed.
    [[nodiscard]] virtual bool allows(Id id) const = 0;

    [[nodiscard]] std::shared_ptr<const FilterRows> recall(const void* key) const;
    void remember(const collection::RowNumbering& numbering,
                  const std::shared_ptr<const FilterRows>& rows) const;

    mutable std::mutex mutex_;
    mutable std::vector<Entry> entries_;  // guarded by mutex_
};

}  // namespace vecdb
