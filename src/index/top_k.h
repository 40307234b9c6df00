#pragma once

/// \file
/// The name of the public TopK inside index/.

#include <vecdb/top_k.h>

namespace vecdb::index {

using vecdb::nearer;
using vecdb::TopK;

}  // namespace vecdb::index
