#pragma once

/// \file
/// What a program prints.

#include <cstdio>

#include <unistd.h>

namespace vecdb::test {

/// Everything written to a file descriptor while this lives.
class Capture {
  public:
    explicit Capture(int descriptor) : descriptor_(descriptor), before_(dup(descriptor)) {
        file_ = std::tmpfile();
        dup2(fileno(file_), descriptor);
    }
    ~Capture() { std::fclose(file_); }
    /// End and return how many bytes came.
    long bytes() {
        std::fflush(nullptr);
        dup2(before_, descriptor_);
        close(before_);
        std::fseek(file_, 0, SEEK_END);
        return std::ftell(file_);
    }

  private:
    int descriptor_;
    int before_;
    std::FILE* file_;
};

}  // namespace vecdb::test
