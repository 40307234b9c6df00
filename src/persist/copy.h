#pragma once

/// \file
/// Copies of all files of a database.

#include "persist/catalogue.h"
#include "persist/journal.h"

#include <vecdb/status.h>
#include <vecdb/storage.h>

#include <string>

namespace vecdb::persist {

/// Give a file that never changes a second name or, where that is not possible, copy it. Returns
/// kNotFound, kAlreadyExists, kIoError.
[[nodiscard]] Status link_or_copy(Storage& storage, const std::string& from, const std::string& to);

/// What is to be copied.
struct Copied {
    const DatabaseId& database;
    const Catalogue& catalogue;
    /// Where the log that the catalogue names ends.
    JournalEnd closed_log;
};

/// Make `to`, an empty directory, a database that was closed: the files that a catalogue names,
/// which stay where they are meanwhile, and its log. Files that never change are linked where that
/// is possible. CURRENT comes last, so that before the end there is no database. Returns kIoError
/// and what opening the files returns. Throws std::bad_alloc.
[[nodiscard]] Status copy_database(Storage& storage,
                                   const std::string& from,
                                   const std::string& to,
                                   const Copied& copied);

}  // namespace vecdb::persist
