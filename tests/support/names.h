#pragma once

/// \file
/// The table of names that collections and fields are tested with.

#include <string>
#include <vector>

namespace vecdb::test {

struct NameCase {
    const char* what;
    std::string name;
    bool valid;
};

inline std::vector<NameCase> name_cases() {
    using namespace std::string_literals;
    return {
        {"one letter", "a", true},
        {"255 bytes", std::string(255, 'n'), true},
        {"spaces and punctuation", "my words, 2nd/draft", true},
        {"path-like", "../x", true},
        {"two-byte characters", "w\xC3\xB6rter", true},
        {"three-byte characters", "\xE8\xAF\x8D", true},
        {"four-byte characters", "\xF0\x9F\x98\x80", true},
        {"largest code point", "\xF4\x8F\xBF\xBF", true},
        {"255 bytes that end in a whole character", std::string(253, 'n') + "\xC3\xB6", true},

        {"empty", "", false},
        {"256 bytes", std::string(256, 'n'), false},
        {"256 bytes of two-byte characters", std::string(254, 'n') + "\xC3\xB6", false},
        {"tabulator", "a\tb", false},
        {"line feed", "a\n", false},
        {"unit separator", "a\x1F", false},
        {"delete", "a\x7F", false},
        {"control character of the second block", "a\xC2\x85", false},
        {"embedded zero", "a\0b"s, false},
        {"only a zero", "\0"s, false},
        {"continuation byte alone", "\x80", false},
        {"overlong two bytes", "\xC0\xAF", false},
        {"overlong zero", "\xC0\x80", false},
        {"overlong three bytes", "\xE0\x9F\xBF", false},
        {"overlong four bytes", "\xF0\x8F\xBF\xBF", false},
        {"lowest surrogate", "\xED\xA0\x80", false},
        {"highest surrogate", "\xED\xBF\xBF", false},
        {"past the largest code point", "\xF4\x90\x80\x80", false},
        {"byte that never occurs", "\xF8\x88\x80\x80\x80", false},
        {"0xFF", "\xFF", false},
        {"two bytes cut short", "a\xC3", false},
        {"three bytes cut short", "\xE8\xAF", false},
        {"four bytes cut short", "\xF0\x9F\x98", false},
        {"second byte is a letter", "\xC3q", false},
    };
}

}  // namespace vecdb::test
