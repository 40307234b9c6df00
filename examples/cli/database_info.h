#pragma once

/// \file
/// What a database in a directory holds.

#include "output.h"

#include <string>

namespace vecdb::cli {

/// Read a database, every byte of it, and write to `output` what was found when it was opened, and
/// its collections, partitions and aliases. Throws CommandError.
void show_database(const Output& output, const std::string& directory);

}  // namespace vecdb::cli
