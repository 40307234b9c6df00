#pragma once

/// \file
/// Sections of files as lists of items.

#include "check.h"
#include "persist/section_file.h"

#include <vecdb/status.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vecdb::collection {

/// Say what is wrong with a file: kCorruption.
[[nodiscard]] inline Status corrupt(const persist::SectionFile& file, const std::string& what) {
    return {StatusCode::kCorruption, '"' + file.path() + "\": " + what};
}

/// View a section that must have `count` items.
template <class T>
[[nodiscard]] Result<std::span<const T>> read_items(persist::SectionFile& file,
                                                    std::string_view name,
                                                    std::size_t count) {
    VECDB_ASSIGN(const auto bytes, file.read(name));
    if (bytes.size() != count * sizeof(T)) {
        return corrupt(file,
                       "section '" + std::string(name) + "' has " + std::to_string(bytes.size()) +
                           " bytes, expected " + std::to_string(count * sizeof(T)));
    }
    return std::span(reinterpret_cast<const T*>(bytes.data()), count);
}

}  // namespace vecdb::collection
