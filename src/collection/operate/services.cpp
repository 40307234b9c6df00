#include "collection/operate/services.h"

#include "collection/operate/task_pool.h"
#include "index/parallel.h"

#include <utility>

namespace vecdb::collection {
namespace {

std::size_t thread_limit(const DatabaseOptions& options) noexcept {
    return options.threads == 0 ? index::machine_threads() : options.threads;
}

}  // namespace

Services::Services(const DatabaseOptions& options, std::shared_ptr<Store> files)
    : store(std::move(files)),
      helpers(std::make_shared<ThreadBudget>(thread_limit(options) - 1)),
      executor(options.executor != nullptr ? options.executor
                                           : std::make_shared<TaskPool>(helpers)),
      helper_executor(options.executor.get()) {}

}  // namespace vecdb::collection
