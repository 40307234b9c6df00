#pragma once

/// \file
/// Locks that clang checks with -Wthread-safety: which members a lock guards, and which functions
/// want it held. Other compilers see the standard's locks.

#include <mutex>
#include <shared_mutex>

#ifdef __clang__
#    define VECDB_THREAD_CHECK(attribute) __attribute__((attribute))
#else
#    define VECDB_THREAD_CHECK(attribute)
#endif

/// A member that is read and written with `lock` held; read with it held shared.
#define VECDB_GUARDED_BY(lock) VECDB_THREAD_CHECK(guarded_by(lock))
/// A function whose caller holds the locks.
#define VECDB_REQUIRES(...) VECDB_THREAD_CHECK(requires_capability(__VA_ARGS__))
/// A function whose caller holds the locks at least shared.
#define VECDB_REQUIRES_SHARED(...) VECDB_THREAD_CHECK(requires_shared_capability(__VA_ARGS__))
/// A function whose caller does not hold the locks, as it takes them.
#define VECDB_EXCLUDES(...) VECDB_THREAD_CHECK(locks_excluded(__VA_ARGS__))
/// A function that returns the lock.
#define VECDB_RETURNS(lock) VECDB_THREAD_CHECK(lock_returned(lock))

namespace vecdb {

/// As std::mutex.
class VECDB_THREAD_CHECK(capability("mutex")) Mutex {
  public:
    void lock() VECDB_THREAD_CHECK(acquire_capability()) { mutex_.lock(); }
    void unlock() VECDB_THREAD_CHECK(release_capability()) { mutex_.unlock(); }
    /// Say, in a function that clang cannot see being called with the lock held, that it is.
    void assert_held() const noexcept VECDB_THREAD_CHECK(assert_capability(this)) {}

  private:
    std::mutex mutex_;
};

/// As std::shared_mutex.
class VECDB_THREAD_CHECK(capability("mutex")) SharedMutex {
  public:
    void lock() VECDB_THREAD_CHECK(acquire_capability()) { mutex_.lock(); }
    void unlock() VECDB_THREAD_CHECK(release_capability()) { mutex_.unlock(); }
    void lock_shared() VECDB_THREAD_CHECK(acquire_shared_capability()) { mutex_.lock_shared(); }
    void unlock_shared() VECDB_THREAD_CHECK(release_shared_capability()) { mutex_.unlock_shared(); }

  private:
    std::shared_mutex mutex_;
};

/// Holds a Mutex as long as it lives.
class VECDB_THREAD_CHECK(scoped_lockable) Lock {
  public:
    explicit Lock(Mutex& mutex) VECDB_THREAD_CHECK(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }
    ~Lock() VECDB_THREAD_CHECK(release_capability()) { mutex_.unlock(); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

  private:
    Mutex& mutex_;
};

/// Holds a SharedMutex alone as long as it lives.
class VECDB_THREAD_CHECK(scoped_lockable) WriteLock {
  public:
    explicit WriteLock(SharedMutex& mutex) VECDB_THREAD_CHECK(acquire_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock();
    }
    ~WriteLock() VECDB_THREAD_CHECK(release_capability()) { mutex_.unlock(); }
    WriteLock(const WriteLock&) = delete;
    WriteLock& operator=(const WriteLock&) = delete;

  private:
    SharedMutex& mutex_;
};

/// Holds a SharedMutex with other readers as long as it lives.
class VECDB_THREAD_CHECK(scoped_lockable) ReadLock {
  public:
    explicit ReadLock(SharedMutex& mutex) VECDB_THREAD_CHECK(acquire_shared_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock_shared();
    }
    ~ReadLock() VECDB_THREAD_CHECK(release_generic_capability()) { mutex_.unlock_shared(); }
    ReadLock(const ReadLock&) = delete;
    ReadLock& operator=(const ReadLock&) = delete;

  private:
    SharedMutex& mutex_;
};

}  // namespace vecdb
