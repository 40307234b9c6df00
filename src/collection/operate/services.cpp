#include "collection/operate/services.h"

#include "index/parallel.h"

namespace vecdb::collection {
namespace {

std::size_t thread_limit(const DatabaseOptions& options) noexcept {
    return options.threads == 0 ? index::machine_threads() : options.threads;
}

}  // namespace

Services::Services(const DatabaseOptions& options) : helpers(thread_limit(options) - 1) {}

}  // namespace vecdb::collection
