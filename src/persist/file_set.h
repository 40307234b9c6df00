#pragma once

/// \file
/// The files that a catalogue names, to be opened when they are needed.

#include "mutex.h"
#include "persist/catalogue.h"
#include "persist/section_file.h"

#include <vecdb/status.h>
#include <vecdb/storage.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace vecdb::persist {

/// The files of rows and indexes as a catalogue knew them at one time.
/// Threads: internally synchronised.
class FileSet {
  public:
    FileSet(std::shared_ptr<Storage> storage,
            std::string directory,
            const DatabaseId& database,
            Access access,
            std::map<std::uint64_t, StoredFile> files)
        : storage_(std::move(storage)),
          directory_(std::move(directory)),
          database_(database),
          access_(access),
          files_(std::move(files)) {}

    [[nodiscard]] const std::map<std::uint64_t, StoredFile>& files() const noexcept {
        return files_;
    }
    [[nodiscard]] std::string path(std::uint64_t number) const;

    /// Open a file. One that many share, and one that was held, is the same each time. Errors as of
    /// SectionFile::open, and kCorruption when it is not among the files.
    [[nodiscard]] Result<std::shared_ptr<SectionFile>> open(std::uint64_t number)
        VECDB_EXCLUDES(mutex_);
    /// Open all files now and keep them until each was asked for, so that it does not matter when
    /// their names go. Files that are damaged are left to open(). Returns kNotFound when one is
    /// missing.
    [[nodiscard]] Status hold_all() VECDB_EXCLUDES(mutex_);

  private:
    [[nodiscard]] Result<std::shared_ptr<SectionFile>> open_now(std::uint64_t number) const;

    const std::shared_ptr<Storage> storage_;
    const std::string directory_;
    const DatabaseId database_;
    const Access access_;
    const std::map<std::uint64_t, StoredFile> files_;
    Mutex mutex_;
    std::map<std::uint64_t, std::shared_ptr<SectionFile>> held_ VECDB_GUARDED_BY(mutex_);
};

}  // namespace vecdb::persist
