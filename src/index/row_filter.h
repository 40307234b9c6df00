#pragma once

/// \file
/// Which rows may be returned: the only place where a filter's rows and the removed rows meet.

#include <vecdb/index.h>

namespace vecdb::index {

using vecdb::RowFilter;

}  // namespace vecdb::index
