#pragma once

/// \file
/// The command lines of small benches: a file, and numbers by name.

#include <cstddef>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace vecdb::bench {

/// Set the numbers that are named on the command line; returns the argument that is no option.
inline std::string read_arguments(
    int count,
    char** values,
    std::initializer_list<std::pair<std::string_view, std::size_t*>> numbers) {
    std::string file;
    for (int i = 1; i < count; ++i) {
        bool known = false;
        for (const auto& [name, number] : numbers) {
            if (name != values[i] || i + 1 == count) continue;
            *number = std::strtoull(values[++i], nullptr, 10);
            known = true;
            break;
        }
        if (!known) file = values[i];
    }
    return file;
}

}  // namespace vecdb::bench
