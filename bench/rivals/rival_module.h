#pragma once

/// \file
/// Makes a table of C functions from a class, for use in one source file of each rival.

#include "rivals/rival.h"

#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>

namespace vecdb::bench {
namespace {

std::string& last_error() {
    static std::string error;
    return error;
}

/// Run `work`; no exception leaves it.
template <class Work>
int guarded(Work&& work) {
    try {
        work();
        return 0;
    } catch (const std::exception& error) {
        last_error() = error.what();
        return 1;
    }
}

/// Call `take(key, value)` for each word key=value.
template <class Take>
void for_each_parameter(const char* parameters, Take&& take) {
    std::istringstream words(parameters);
    for (std::string word; words >> word;) {
        const std::size_t sign = word.find('=');
        if (sign == std::string::npos) throw std::invalid_argument(word + " is not key=value");
        take(word.substr(0, sign), word.substr(sign + 1));
    }
}

[[noreturn]] inline void refuse_key(const std::string& key, const char* allowed) {
    throw std::invalid_argument(key + " is no parameter; allowed are " + allowed);
}

/// The functions every rival has. `Index` is made from (parameters, dim, metric) and has methods
/// of the functions' names.
template <class Index>
constexpr Rival table_of() {
    Rival table{};
    table.version = kRivalVersion;
    table.error = [] {
        return last_error().c_str();
    };
    table.make = [](const char* parameters, std::size_t dim, int metric) -> void* {
        Index* made = nullptr;
        guarded([&] { made = new Index(parameters, dim, metric); });
        return made;
    };
    table.destroy = [](void* index) {
        delete static_cast<Index*>(index);
    };
    table.add = [](void* index, const float* rows, std::size_t count) {
        return guarded([&] { static_cast<Index*>(index)->add(rows, count); });
    };
    table.set_threads = [](std::size_t threads) {
        return guarded([&] { Index::set_threads(threads); });
    };
    table.set = [](void* index, const char* key, double value) {
        return guarded([&] { static_cast<Index*>(index)->set(key, value); });
    };
    table.search = [](void* index,
                      const float* queries,
                      std::size_t count,
                      std::size_t k,
                      std::int64_t* ids,
                      float* scores) {
        return guarded([&] { static_cast<Index*>(index)->search(queries, count, k, ids, scores); });
    };
    table.save = [](void* index, const char* path) {
        return guarded([&] { static_cast<Index*>(index)->save(path); });
    };
    table.load = [](void* index, const char* path) {
        return guarded([&] { static_cast<Index*>(index)->load(path); });
    };
    table.memory = [](void* index) {
        return static_cast<Index*>(index)->memory();
    };
    return table;
}

}  // namespace
}  // namespace vecdb::bench
