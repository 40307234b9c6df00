#pragma once

/// \file
/// Sections of an index under a prefix, for parts of which an index has several.

#include <vecdb/index.h>
#include <vecdb/status.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vecdb::index {

/// Write sections to another writer, under `prefix` and their names.
class PrefixedWriter final : public SectionWriter {
  public:
    PrefixedWriter(std::string_view prefix, SectionWriter& to) : prefix_(prefix), to_(to) {}

    Status write(std::string_view name, std::span<const std::byte> bytes) override {
        return to_.write(prefix_ + std::string(name), bytes);
    }

  private:
    std::string prefix_;
    SectionWriter& to_;
};

/// Read what a PrefixedWriter of the same prefix wrote.
class PrefixedReader final : public SectionReader {
  public:
    PrefixedReader(std::string_view prefix, SectionReader& from) : prefix_(prefix), from_(from) {}

    Result<std::span<const std::byte>> read(std::string_view name) override {
        return from_.read(prefix_ + std::string(name));
    }

  private:
    std::string prefix_;
    SectionReader& from_;
};

}  // namespace vecdb::index
