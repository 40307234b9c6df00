#include <vecdb/search_report.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vecdb {
namespace {

/// Return the number with `digits` digits behind the point, whatever the program's locale.
std::string fixed(double value, int digits) {
    std::array<char, 400> text{};  // the largest double has 309 digits
    const auto end = std::to_chars(
        text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits);
    return {text.data(), end.ptr};
}

/// Writes one JSON object, member by member.
/// Threads: single-threaded.
class JsonObject {
  public:
    JsonObject& add(std::string_view name, std::string_view text) {
        begin(name);
        append_text(text);
        return *this;
    }
    JsonObject& add(std::string_view name, std::uint64_t number) {
        return add_raw(name, std::to_string(number));
    }
    JsonObject& add(std::string_view name, double number) {
        return add_raw(name, fixed(number, 3));
    }
    /// Add a value that is JSON already.
    JsonObject& add_raw(std::string_view name, std::string_view json) {
        begin(name);
        text_ += json;
        return *this;
    }
    [[nodiscard]] std::string take() { return std::move(text_) + '}'; }

  private:
    void begin(std::string_view name) {
        if (text_.size() > 1) text_ += ',';
        append_text(name);
        text_ += ':';
    }
    void append_text(std::string_view text) {
        text_ += '"';
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                text_ += '\\';
                text_ += c;
            } else if (byte < 0x20) {
                constexpr std::string_view kDigits = "0123456789abcdef";
                text_ += "\\u00";
                text_ += kDigits[byte / 16];
                text_ += kDigits[byte % 16];
            } else {
                text_ += c;
            }
        }
        text_ += '"';
    }

    std::string text_ = "{";
};

std::string segment_json(const SegmentReport& segment) {
    return JsonObject()
        .add("partition", segment.partition)
        .add("index", segment.index)
        .add("rows", segment.rows)
        .add("live_rows", segment.live_rows)
        .add("allowed_rows", segment.allowed_rows)
        .add("plan", to_string(segment.plan))
        .add("reason", segment.reason)
        .add("visited", segment.counters.visited)
        .add("distances", segment.counters.distances)
        .add("rescored", segment.counters.rescored)
        .add("microseconds", segment.microseconds)
        .take();
}

void append_stage(std::string& text, std::string_view name, double microseconds) {
    text += "  ";
    text += name;
    text.append(10 - name.size(), ' ');
    text += fixed(microseconds, 1) + " us\n";
}

}  // namespace

std::string SearchReport::to_json() const {
    std::string list = "[";
    for (const SegmentReport& segment : segments) {
        if (list.size() > 1) list += ',';
        list += segment_json(segment);
    }
    list += ']';
    return JsonObject()
        .add("field", field)
        .add("metric", metric)
        .add("simd_level", simd_level)
        .add("queries", queries)
        .add("k", k)
        .add("hits", hits)
        .add("threads", threads)
        .add("rounds", rounds)
        .add("live_rows", live_rows)
        .add("allowed_rows", allowed_rows)
        .add("prepare_us", prepare_us)
        .add("filter_us", filter_us)
        .add("index_us", index_us)
        .add("scan_us", scan_us)
        .add("finish_us", finish_us)
        .add("total_us", total_us)
        .add_raw("segments", list)
        .take();
}

std::string SearchReport::to_text() const {
    std::string text = std::to_string(queries) + (queries == 1 ? " query" : " queries") + ", k " +
                       std::to_string(k) + ", " + std::to_string(hits) + " hits, field '" + field +
                       "', " + metric + ", kernels " + simd_level + ", threads " +
                       std::to_string(threads);
    if (rounds > 1) text += ", rounds " + std::to_string(rounds);
    text += "\nallowed " + std::to_string(allowed_rows) + " of " + std::to_string(live_rows) +
            " rows\n";
    append_stage(text, "prepare", prepare_us);
    append_stage(text, "filter", filter_us);
    append_stage(text, "indexes", index_us);
    append_stage(text, "scan", scan_us);
    append_stage(text, "finish", finish_us);
    append_stage(text, "total", total_us);
    for (const SegmentReport& segment : segments) {
        text += "partition '" + segment.partition + "', " +
                (segment.index.empty() ? "no index" : "index " + segment.index) + ", allowed " +
                std::to_string(segment.allowed_rows) + " of " + std::to_string(segment.live_rows) +
                " rows\n  plan " + std::string(to_string(segment.plan)) + ": " + segment.reason +
                "\n  visited " + std::to_string(segment.counters.visited) + ", distances " +
                std::to_string(segment.counters.distances) + ", rescored " +
                std::to_string(segment.counters.rescored) + ", " + fixed(segment.microseconds, 1) +
                " us\n";
    }
    return text;
}

}  // namespace vecdb
