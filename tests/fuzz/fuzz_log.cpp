// Any bytes as the records of a log: read and applied, or refused, and never another number of them
// than there are.

#include "packed_files.h"
#include "persist/journal.h"
#include "persist/log.h"
#include "persist/manifest.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <variant>

namespace {

using vecdb::Status;
using vecdb::test::MemoryStorage;
namespace persist = vecdb::persist;

constexpr const char* kPath = "d/log-0000000000000001";
const persist::FileHeader kHeader{.kind = persist::FileKind::kLog, .database = {}, .number = 1};

void require(bool condition) {
    if (!condition) std::abort();
}

/// Return a log whose records are `bytes`.
MemoryStorage::Bytes log_of(const std::uint8_t* bytes, std::size_t size) {
    const auto header = kHeader.encode();
    MemoryStorage::Bytes log(header.begin(), header.end());
    const auto records = std::as_bytes(std::span(bytes, size));
    log.insert(log.end(), records.begin(), records.end());
    return log;
}

/// Read an entry and look at all of it.
Status look_at(const persist::JournalRecord& record, persist::Catalogue& catalogue) {
    auto entry = persist::read_entry(record);
    if (!entry.ok()) return entry.status();
    if (const auto* changes = std::get_if<persist::LoggedChanges>(&*entry)) {
        for (const persist::Change& change : *changes) {
            const Status applied = catalogue.apply(change);
            if (!applied.ok()) return applied;
        }
    }
    if (const auto* rows = std::get_if<persist::LoggedRows>(&*entry)) {
        require(!rows->ids.empty() && rows->vectors.size() % rows->ids.size() == 0);
        require(rows->ids.size_bytes() + rows->vectors.size() <= record.payload.size());
    }
    return {};
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* bytes,
                                               std::size_t size,
                                               std::size_t most,
                                               unsigned seed) {
    vecdb::test::FuzzRandom random(seed);
    if (random() % 4 == 0) size = LLVMFuzzerMutate(bytes, size, most);
    MemoryStorage::Bytes log = log_of(bytes, size);
    vecdb::test::mutate(std::span(log).subspan(persist::kHeaderBytes), random);
    if (random() % 32 != 0) vecdb::test::Resealer::reseal(log);
    std::memcpy(bytes, log.data() + persist::kHeaderBytes, size);
    return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    MemoryStorage files;
    files.bytes(kPath) = log_of(bytes, size);
    persist::Catalogue catalogue;
    std::uint64_t records = 0;
    const auto show = [&](const persist::JournalRecord& record) {
        require(record.sequence == ++records);
        return look_at(record, catalogue);
    };
    const auto tail = persist::read_journal(files, kPath, kHeader, 1, std::nullopt, show);
    (void)catalogue.validate();
    if (!tail.ok()) return 0;
    require(tail->end.sequence == records);
    require(tail->end.bytes + tail->torn_bytes == persist::kHeaderBytes + size);
    // Where it ends now it ends when that is known, too.
    const persist::KnownEnd known{.end = tail->end, .cut = true};
    const auto ignore = [](const persist::JournalRecord& /*record*/) {
        return Status();
    };
    require(persist::read_journal(files, kPath, kHeader, 1, known, ignore).ok());
    return 0;
}
