#pragma once

/// \file
/// Room for offsets that do not fit 32 bits, without the memory.

#include <cstddef>

#include <sys/mman.h>

namespace vecdb::test {

/// Address space without memory behind it, or null where the system gives none.
class Reservation {
  public:
    explicit Reservation(std::size_t bytes) : bytes_(bytes) {
        void* map = mmap(nullptr,
                         bytes,
                         PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                         -1,
                         0);
        if (map != MAP_FAILED) floats_ = static_cast<float*>(map);
    }
    ~Reservation() {
        if (floats_ != nullptr) munmap(floats_, bytes_);
    }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

    [[nodiscard]] float* floats() const { return floats_; }

  private:
    std::size_t bytes_;
    float* floats_ = nullptr;
};

}  // namespace vecdb::test
