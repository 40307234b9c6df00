#pragma once

/// \file
/// Makes the checksums of changed files right again, so that what is checked behind them is
/// reached.

#include "persist/archive.h"
#include "persist/catalogue.h"
#include "persist/checksum.h"
#include "persist/file_header.h"
#include "persist/little_endian.h"
#include "persist/section_file.h"
#include "support/memory_storage.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace vecdb::test {

/// Recomputes the checksums of files, wherever their fields lead: what leads nowhere is left as it
/// is. Lengths and counts stay as they are.
class Resealer {
  public:
    using Bytes = std::vector<std::byte>;

    /// Reseal one file; what others know of it is wrong then.
    static void reseal(Bytes& bytes) {
        if (bytes.size() < persist::kHeaderBytes) return;
        put(bytes, 56, persist::checksum(std::span(bytes).first(56)));
        switch (static_cast<persist::FileKind>(get<std::uint32_t>(bytes, 16))) {
            case persist::FileKind::kCurrent:
                if (bytes.size() == 128)
                    put(bytes, 120, persist::checksum(std::span(bytes).first(120)));
                break;
            case persist::FileKind::kManifest:
            case persist::FileKind::kLog:
                reseal_journal(bytes);
                break;
            default:
                reseal_sections(bytes);
        }
    }

    /// Reseal all files, and let manifests know the files of sections as they are now.
    static void reseal(MemoryStorage& files) {
        std::map<std::uint64_t, persist::FileStamp> stamps;
        for (const std::string& path : files.names()) {
            Bytes& bytes = files.bytes(path);
            reseal(bytes);
            if (has_sections(bytes))
                stamps[get<std::uint64_t>(bytes, 40)] = {
                    .bytes = bytes.size(),
                    .checksum = get<std::uint64_t>(bytes, bytes.size() - 32)};
        }
        for (const std::string& path : files.names()) {
            Bytes& bytes = files.bytes(path);
            if (!is_journal(bytes)) continue;
            for_each_record(bytes, [&](std::span<std::byte> payload) { restamp(payload, stamps); });
            reseal(bytes);
        }
    }

    /// Call show(payload) for the records of a journal, as far as their lengths lead.
    template <class Show>
    static void for_each_record(Bytes& bytes, Show show) {
        for (std::size_t at = persist::kHeaderBytes; bytes.size() - at >= kHead;) {
            const auto length = get<std::uint64_t>(bytes, at);
            if (length > bytes.size() - at - kHead) return;
            show(std::span(bytes).subspan(at + kHead, static_cast<std::size_t>(length)));
            at += kHead + persist::padded(static_cast<std::size_t>(length), std::size_t{8});
            if (at > bytes.size()) return;
        }
    }
    static bool is_journal(const Bytes& bytes) {
        if (bytes.size() < persist::kHeaderBytes) return false;
        const auto kind = static_cast<persist::FileKind>(get<std::uint32_t>(bytes, 16));
        return kind == persist::FileKind::kManifest || kind == persist::FileKind::kLog;
    }
    static bool has_sections(const Bytes& bytes) {
        if (bytes.size() < kLeast) return false;
        const auto kind = static_cast<persist::FileKind>(get<std::uint32_t>(bytes, 16));
        return kind == persist::FileKind::kRows || kind == persist::FileKind::kIndex ||
               kind == persist::FileKind::kGrowing;
    }

  private:
    static constexpr std::size_t kHead = 48;        // of a record
    static constexpr std::size_t kTail = 64;        // footer and entries
    static constexpr std::size_t kLeast = 64 + 64;  // of a file of sections

    template <class T>
    static T get(const Bytes& bytes, std::size_t at) {
        return persist::load<T>(bytes, at);
    }
    template <class T>
    static void put(Bytes& bytes, std::size_t at, T value) {
        persist::store(bytes, at, value);
    }

    /// Return the seed that readers use: that of the header they look for.
    static std::uint64_t seed_of(const Bytes& bytes) {
        persist::FileHeader header{.kind = get<persist::FileKind>(bytes, 16),
                                   .database = get<persist::DatabaseId>(bytes, 24),
                                   .number = get<std::uint64_t>(bytes, 40)};
        return header.seed();
    }

    static void reseal_journal(Bytes& bytes) {
        const std::uint64_t seed = seed_of(bytes);
        for (std::size_t at = persist::kHeaderBytes;
             at <= bytes.size() && bytes.size() - at >= kHead;) {
            const auto length = get<std::uint64_t>(bytes, at);
            const std::size_t room = bytes.size() - at - kHead;
            const bool fits = length <= room && persist::padded(length, std::uint64_t{8}) <= room;
            const std::size_t size =
                fits ? persist::padded(static_cast<std::size_t>(length), std::size_t{8}) : 0;
            if (fits) {
                put(bytes,
                    at + 32,
                    persist::checksum(std::span(bytes).subspan(at + kHead, size), seed));
            }
            put(bytes, at + 40, persist::checksum(std::span(bytes).subspan(at, 40), seed));
            if (!fits) return;
            at += kHead + size;
        }
    }

    static void reseal_sections(Bytes& bytes) {
        if (bytes.size() < kLeast) return;
        const std::size_t footer = bytes.size() - kTail;
        const auto entries = get<std::uint64_t>(bytes, footer + 8);
        const auto blocks = get<std::uint64_t>(bytes, footer + 16);
        const std::size_t room = footer - persist::kHeaderBytes;
        if (entries <= room / kTail && blocks <= room / 8) {
            const std::size_t sums =
                persist::padded(static_cast<std::size_t>(blocks) * 8, std::size_t{64});
            const std::size_t tables = sums + static_cast<std::size_t>(entries) * kTail;
            if (tables <= room) {
                const std::size_t begin = footer - tables;
                reseal_blocks(bytes, begin, static_cast<std::size_t>(blocks), begin + sums, footer);
                put(bytes,
                    footer + 32,
                    persist::checksum(std::span(bytes).subspan(begin, tables), seed_of(bytes)));
            }
        }
        put(bytes, footer + 56, persist::checksum(std::span(bytes).subspan(footer, 56)));
    }

    /// Reseal the blocks of the sections whose entries lie in [entry, end).
    static void reseal_blocks(
        Bytes& bytes, std::size_t sums, std::size_t blocks, std::size_t entry, std::size_t end) {
        for (; entry < end; entry += kTail) {
            const auto offset = get<std::uint64_t>(bytes, entry + 40);
            const auto size = get<std::uint64_t>(bytes, entry + 48);
            const auto first = get<std::uint64_t>(bytes, entry + 56);
            if (offset > sums || size > sums - offset || first > blocks) continue;
            const std::uint64_t padded = persist::padded(size, std::uint64_t{64});
            if (padded > sums - offset) continue;
            for (std::uint64_t at = 0, block = first; at < padded && block < blocks; ++block) {
                const std::uint64_t count = std::min(persist::kBlockBytes, padded - at);
                put(bytes,
                    sums + static_cast<std::size_t>(block) * 8,
                    persist::checksum(std::span(bytes).subspan(
                        static_cast<std::size_t>(offset + at), static_cast<std::size_t>(count))));
                at += count;
            }
        }
    }

    /// Replace what the changes in `payload` know of files, if they can be read.
    static void restamp(std::span<std::byte> payload,
                        const std::map<std::uint64_t, persist::FileStamp>& stamps) {
        std::vector<persist::Change> changes;
        persist::ArchiveReader from(payload);
        const Status read = persist::read_changes(from, [&](const persist::Change& change) {
            changes.push_back(change);
            return Status();
        });
        if (!read.ok() || !from.finish().ok()) return;
        for (persist::Change& change : changes) {
            auto* added = std::get_if<persist::AddFile>(&change);
            if (added == nullptr) continue;
            const auto stamp = stamps.find(added->number);
            if (stamp != stamps.end()) added->file.stamp = stamp->second;
        }
        persist::ArchiveWriter to;
        persist::write_changes(to, changes);
        if (to.bytes().size() == payload.size())
            std::copy(to.bytes().begin(), to.bytes().end(), payload.begin());
    }
};

}  // namespace vecdb::test
