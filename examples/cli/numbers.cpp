#include "numbers.h"

#include "exit_code.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace vecdb::cli {
namespace {

template <class T>
bool read_all(const std::string& text, T& value) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && rest == end;
}

}  // namespace

std::size_t parse_count(const std::string& what, const std::string& text) {
    std::size_t value = 0;
    if (!read_all(text, value)) {
        throw CommandError(ExitCode::kUsage, what + '=' + text + " is not a whole number");
    }
    return value;
}

double parse_real(const std::string& what, const std::string& text) {
    double value = 0;
    if (!read_all(text, value) || !std::isfinite(value)) {
        throw CommandError(ExitCode::kUsage, what + '=' + text + " is not a number");
    }
    return value;
}

}  // namespace vecdb::cli
