#pragma once

/// \file
/// A ranking that is read page by page.

#include <vecdb/export.h>
#include <vecdb/search.h>
#include <vecdb/status.h>

#include <cstddef>
#include <memory>

namespace vecdb {

namespace collection {
class CursorState;  // src/collection/query/cursor_state.h
}  // namespace collection

/// The rows nearest to a query, page by page, to the last one that is allowed: each row once, none
/// left out, whatever is written meanwhile, as it holds the rows of the moment it was made.
///
/// It goes on where it was: a graph is walked further, and what was compared is not compared again;
/// an exact index and rows without index are put in order as far as they are read. Only ivf and
/// custom indexes without Index::cursor are searched anew, for more rows each time, until comparing
/// all that are left costs less. With an exact index the pages together are the sorted rows; with
/// another one a row that was found late comes in a later page, behind farther ones.
/// SearchOptions::ef is how far a walk looks beyond the rows it brings. Holds two bits for each row
/// of a graph, and 8 bytes for each row that a walk came across or that is put in order.
///
/// Threads: single-threaded; several cursors may be used concurrently.
class VECDB_EXPORT SearchCursor {
  public:
    /// For the library's own use.
    explicit SearchCursor(std::unique_ptr<collection::CursorState> state) noexcept;
    ~SearchCursor();
    SearchCursor(const SearchCursor&) = delete;
    SearchCursor& operator=(const SearchCursor&) = delete;
    SearchCursor(SearchCursor&&) noexcept;
    SearchCursor& operator=(SearchCursor&&) noexcept;

    /// Return the next rows, nearest first: `count` of them, 0 to 16,384, fewer only at the end.
    /// Returns kInvalidArgument (count; the cursor was moved from), kOutOfMemory; the next call
    /// then goes on where this one began.
    [[nodiscard]] Result<Hits> next(std::size_t count);

    /// Tell whether all rows were returned.
    [[nodiscard]] bool done() const noexcept;

  private:
    std::unique_ptr<collection::CursorState> state_;
};

}  // namespace vecdb
