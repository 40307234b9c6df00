#include "collection/names.h"

#include "collection/utf8.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace vecdb::collection {
namespace {

constexpr bool is_control(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

}  // namespace

Status validate_name(std::string_view what, std::string_view name) {
    const auto bad = [&](const std::string& why) {
        return Status(StatusCode::kInvalidArgument, std::string(what) + " " + why);
    };
    if (name.empty()) return bad("is empty; 1 to 255 bytes are allowed");
    if (name.size() > kMaxNameBytes) {
        return bad("has " + std::to_string(name.size()) + " bytes; at most " +
                   std::to_string(kMaxNameBytes) + " are allowed");
    }
    for (std::size_t i = 0; i < name.size();) {
        const Character character = decode_utf8(name.substr(i));
        if (character.length == 0) return bad("is not UTF-8 at byte " + std::to_string(i));
        if (is_control(character.code)) {
            return bad("has a control character at byte " + std::to_string(i));
        }
        i += character.length;
    }
    return {};
}

}  // namespace vecdb::collection
