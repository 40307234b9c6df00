#pragma once

/// \file
/// The makers of single engines. Which of them are linked depends on what the build found.

#include "compare/engine.h"

#include <memory>

namespace vecdb::bench {

/// vecdb's exact search through its public API.
[[nodiscard]] std::unique_ptr<Engine> make_vecdb_flat();
/// Faiss's IndexFlat.
[[nodiscard]] std::unique_ptr<Engine> make_faiss_flat();

}  // namespace vecdb::bench
