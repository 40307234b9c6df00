#pragma once

/// \file
/// All of vecdb, for quick starts. Larger programs include what they use.

#include <vecdb/bitset.h>
#include <vecdb/build_options.h>
#include <vecdb/collection.h>
#include <vecdb/control.h>
#include <vecdb/database.h>
#include <vecdb/database_options.h>
#include <vecdb/dataset_io.h>
#include <vecdb/executor.h>
#include <vecdb/expression.h>
#include <vecdb/fetched_rows.h>
#include <vecdb/filter.h>
#include <vecdb/fusion.h>
#include <vecdb/half.h>
#include <vecdb/handles.h>
#include <vecdb/health.h>
#include <vecdb/hybrid_search.h>
#include <vecdb/index.h>
#include <vecdb/index_options.h>
#include <vecdb/merge_hits.h>
#include <vecdb/open_options.h>
#include <vecdb/rebuild.h>
#include <vecdb/retention.h>
#include <vecdb/scalar.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/segments.h>
#include <vecdb/simd.h>
#include <vecdb/status.h>
#include <vecdb/storage.h>
#include <vecdb/top_k.h>
#include <vecdb/types.h>
#include <vecdb/version.h>
#include <vecdb/views.h>
