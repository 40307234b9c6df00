#pragma once

/// \file
/// Work on several threads. The only place that starts threads or enters an OpenMP region.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace vecdb::index {

/// Refer to a callable `void(task, worker)` that outlives the reference.
class TaskRef {
  public:
    // NOLINTBEGIN(google-explicit-constructor, bugprone-forwarding-reference-overload): a parameter
    template <class Body>
    requires(!std::is_same_v<std::remove_cvref_t<Body>, TaskRef>) TaskRef(Body&& body)
    noexcept
        : body_(const_cast<void*>(static_cast<const void*>(std::addressof(body)))),
          call_([](void* target, std::size_t task, std::size_t worker) {
              (*static_cast<std::remove_reference_t<Body>*>(target))(task, worker);
          }) {}
    // NOLINTEND(google-explicit-constructor, bugprone-forwarding-reference-overload)

    void operator()(std::size_t task, std::size_t worker) const { call_(body_, task, worker); }

  private:
    void* body_;
    void (*call_)(void*, std::size_t, std::size_t);
};

/// Who works. Both give the same answers.
enum class Team : std::uint8_t {
    kPool,     ///< OpenMP's threads, kept between calls: for builds and batches. Threads without
               ///< OpenMP.
    kThreads,  ///< Threads of this call alone, which do not spin when idle: for single queries.
};

/// Call body(task, worker) once for each task in [0, tasks), worker in [0, threads), tasks handed
/// out in order as workers come free. The calling thread is one of the workers; with threads <= 1
/// it is the only one and no parallel region is entered. The first exception is rethrown after all
/// workers have ended; tasks not yet begun are then left out.
void parallel_for(std::size_t tasks, std::size_t threads, TaskRef body, Team team = Team::kPool);

/// While it lives, parallel regions that other libraries enter from this thread have one thread.
/// Without OpenMP there are none.
class SerialRegions {
  public:
    SerialRegions() noexcept;
    ~SerialRegions();
    SerialRegions(const SerialRegions&) = delete;
    SerialRegions& operator=(const SerialRegions&) = delete;

  private:
    int before_;
};

/// Return the number of threads the machine runs at once, at least 1.
[[nodiscard]] std::size_t machine_threads() noexcept;

}  // namespace vecdb::index
