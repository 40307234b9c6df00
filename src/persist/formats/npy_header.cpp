#include "persist/formats/npy_header.h"

#include "check.h"
#include "persist/formats/item_type.h"

#include <limits>
#include <vector>

namespace vecdb::persist {

namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Read the subset of Python's literals that NumPy writes.
class LiteralReader {
  public:
    explicit LiteralReader(std::string_view text) noexcept : text_(text) {}

    /// Pass over white space, then over `token` if it follows.
    bool accept(std::string_view token) noexcept {
        skip_space();
        if (!text_.substr(position_).starts_with(token)) return false;
        position_ += token.size();
        return true;
    }

    [[nodiscard]] Status expect(std::string_view token) {
        if (accept(token)) return {};
        return malformed("'" + std::string(token) + "'");
    }

    [[nodiscard]] Result<std::string_view> read_string() {
        const char quote = accept("'") ? '\'' : '"';
        if (quote == '"' && !accept("\"")) return malformed("a quoted string");
        const std::size_t end = text_.find(quote, position_);
        if (end == std::string_view::npos) return malformed("a closing quote");
        const std::string_view content = text_.substr(position_, end - position_);
        if (content.find_first_of("\\\n") != std::string_view::npos) {
            return malformed("a string without escapes");
        }
        position_ = end + 1;
        return content;
    }

    [[nodiscard]] Result<bool> read_bool() {
        if (accept("True")) return true;
        if (accept("False")) return false;
        return malformed("True or False");
    }

    [[nodiscard]] Result<std::uint64_t> read_number() {
        constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
        skip_space();
        if (!next_is_digit()) return malformed("a number");
        std::uint64_t value = 0;
        for (; next_is_digit(); ++position_) {
            const auto digit = static_cast<std::uint64_t>(text_[position_] - '0');
            if (value > (kMax - digit) / 10) return malformed("a number below 2^64");
            value = value * 10 + digit;
        }
        accept("L");  // as Python 2 wrote it
        return value;
    }

    [[nodiscard]] Result<std::vector<std::uint64_t>> read_tuple() {
        std::vector<std::uint64_t> axes;
        VECDB_TRY(expect("("));
        while (!accept(")")) {
            VECDB_ASSIGN(const std::uint64_t axis, read_number());
            axes.push_back(axis);
            if (accept(",")) continue;
            // One number in parentheses is no tuple.
            if (axes.size() == 1) return malformed("','");
            VECDB_TRY(expect(")"));
            break;
        }
        return axes;
    }

    [[nodiscard]] Status expect_end() {
        skip_space();
        return position_ == text_.size() ? Status() : malformed("nothing after the dictionary");
    }

    [[nodiscard]] Status malformed(const std::string& expected) const {
        return {StatusCode::kCorruption,
                "malformed .npy header at its byte " + std::to_string(position_) + ", expected " +
                    expected};
    }

  private:
    void skip_space() noexcept {
        while (position_ < text_.size() &&
               (text_[position_] == ' ' || text_[position_] == '\n' || text_[position_] == '\t')) {
            ++position_;
        }
    }
    [[nodiscard]] bool next_is_digit() const noexcept {
        return position_ < text_.size() && is_digit(text_[position_]);
    }

    std::string_view text_;
    std::size_t position_ = 0;
};

Status unsupported(const std::string& found, const std::string& expected) {
    return {StatusCode::kUnsupported, ".npy " + found + ", expected " + expected};
}

Result<ItemType> parse_descr(LiteralReader& reader) {
    const std::string expected = "one of <f4 <f2 <f8 |i1 |u1 |b1 <i4 <u4 <i8";
    if (reader.accept("[")) return unsupported("items are structures", expected);
    VECDB_ASSIGN(const std::string_view descr, reader.read_string());
    const std::string found = "items are '" + std::string(descr) + "'";
    if (descr.empty()) return unsupported(found, expected);
    const auto type = item_type_of(descr.substr(1));
    if (!type) return unsupported(found, expected);
    const bool one_byte = item_bytes(*type) == 1;
    if (descr[0] == '<' || (one_byte && (descr[0] == '|' || descr[0] == '>'))) return *type;
    if (descr[0] == '>') return unsupported(found + " (big-endian)", expected);
    return unsupported(found, expected);
}

Status parse_order(LiteralReader& reader) {
    VECDB_ASSIGN(const bool fortran_order, reader.read_bool());
    if (!fortran_order) return {};
    return unsupported("items are in Fortran order", "C order (numpy.ascontiguousarray makes it)");
}

Status parse_shape(LiteralReader& reader, NpyHeader& header) {
    VECDB_ASSIGN(const std::vector<std::uint64_t> axes, reader.read_tuple());
    if (axes.empty() || axes.size() > 2) {
        return unsupported("shape has " + std::to_string(axes.size()) + " axes", "1 or 2");
    }
    header.rows = axes[0];
    header.one_dimensional = axes.size() == 1;
    header.dim = header.one_dimensional ? 1 : axes[1];
    return {};
}

/// Which keys of the dictionary have been read.
struct Seen {
    bool descr = false;
    bool order = false;
    bool shape = false;
};

Status parse_entry(LiteralReader& reader, NpyHeader& header, Seen& seen) {
    VECDB_ASSIGN(const std::string_view key, reader.read_string());
    VECDB_TRY(reader.expect(":"));
    if (key == "descr" && !seen.descr) {
        seen.descr = true;
        VECDB_ASSIGN(header.item, parse_descr(reader));
        return {};
    }
    if (key == "fortran_order" && !seen.order) {
        seen.order = true;
        return parse_order(reader);
    }
    if (key == "shape" && !seen.shape) {
        seen.shape = true;
        return parse_shape(reader, header);
    }
    return reader.malformed("each of the keys descr, fortran_order, shape once");
}

}  // namespace

Result<NpyHeader> parse_npy_header(std::string_view text) {
    LiteralReader reader(text);
    NpyHeader header;
    Seen seen;
    VECDB_TRY(reader.expect("{"));
    while (!reader.accept("}")) {
        VECDB_TRY(parse_entry(reader, header, seen));
        if (reader.accept(",")) continue;
        VECDB_TRY(reader.expect("}"));
        break;
    }
    if (!seen.descr || !seen.order || !seen.shape) {
        return reader.malformed("all of the keys descr, fortran_order, shape");
    }
    VECDB_TRY(reader.expect_end());
    return header;
}

std::string format_npy_header(const NpyHeader& header) {
    const char order = item_bytes(header.item) == 1 ? '|' : '<';
    const std::string dim = header.one_dimensional ? "" : " " + std::to_string(header.dim);
    std::string text = "{'descr': '";
    text += order;
    text += npy_code(header.item);
    text +=
        "', 'fortran_order': False, 'shape': (" + std::to_string(header.rows) + "," + dim + "), }";
    constexpr std::size_t kTextBytes = kNpyWrittenHeaderBytes - kNpyVersionEnd - 2;
    VECDB_ASSERT(text.size() < kTextBytes);
    text.resize(kTextBytes - 1, ' ');
    text += '\n';

    std::string bytes(kNpyMagic);
    bytes += std::string_view("\x01\x00", 2);
    bytes += static_cast<char>(kTextBytes % 256);
    bytes += static_cast<char>(kTextBytes / 256);
    return bytes + text;
}

}  // namespace vecdb::persist
