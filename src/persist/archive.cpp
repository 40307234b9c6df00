#include "persist/archive.h"

namespace vecdb::persist {

void ArchiveWriter::text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    raw(std::as_bytes(std::span(text)));
}

std::string ArchiveReader::text(std::size_t most) {
    const auto size = number<std::uint32_t>();
    if (size > most) {
        fail("a text of " + std::to_string(size) + " bytes, at most " + std::to_string(most));
        return {};
    }
    const auto bytes = take(size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> ArchiveReader::take(std::uint64_t count) {
    if (!ok()) return {};
    if (count > left_.size()) {
        fail(std::to_string(count) + " bytes where " + std::to_string(left_.size()) + " are left");
        return {};
    }
    const auto taken = left_.first(static_cast<std::size_t>(count));
    left_ = left_.subspan(static_cast<std::size_t>(count));
    return taken;
}

void ArchiveReader::fail(const std::string& what) {
    if (ok()) status_ = Status(StatusCode::kCorruption, what);
}

Status ArchiveReader::finish() {
    if (ok() && !left_.empty()) fail(std::to_string(left_.size()) + " bytes too many");
    return status_;
}

}  // namespace vecdb::persist
