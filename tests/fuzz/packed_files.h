#pragma once

/// \file
/// Several files as one input of a fuzzer, and changes to them behind checksums that stay right.

#include "persist/little_endian.h"
#include "support/memory_storage.h"
#include "support/reseal.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* bytes, std::size_t size, std::size_t most);

namespace vecdb::test {

/// Each file as u8 bytes of its name, the name, u32 bytes, and the bytes.
inline std::vector<std::uint8_t> pack(const MemoryStorage& files) {
    std::vector<std::uint8_t> packed;
    const auto put = [&](const auto* from, std::size_t count) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(from);
        packed.insert(packed.end(), bytes, bytes + count);
    };
    for (const std::string& name : files.names()) {
        const MemoryStorage::Bytes bytes = files.content(name);
        const auto length = static_cast<std::uint8_t>(name.size());
        const auto size = static_cast<std::uint32_t>(bytes.size());
        put(&length, sizeof(length));
        put(name.data(), name.size());
        put(&size, sizeof(size));
        put(bytes.data(), bytes.size());
    }
    return packed;
}

/// Return the files of an input, up to where it is none.
inline std::shared_ptr<MemoryStorage> unpack(std::span<const std::uint8_t> packed) {
    auto files = std::make_shared<MemoryStorage>();
    while (!packed.empty()) {
        const std::size_t length = packed[0];
        if (packed.size() < 1 + length + sizeof(std::uint32_t)) break;
        const std::string name(reinterpret_cast<const char*>(packed.data()) + 1, length);
        packed = packed.subspan(1 + length);
        const std::size_t size = std::min<std::size_t>(
            persist::load<std::uint32_t>(std::as_bytes(packed), 0), packed.size() - 4);
        const auto bytes = std::as_bytes(packed.subspan(4, size));
        files->bytes(name).assign(bytes.begin(), bytes.end());
        packed = packed.subspan(4 + size);
    }
    return files;
}

using FuzzRandom = std::minstd_rand;

/// Change some bytes, leaving their number, as fuzzers do or to a number that programs trip over.
inline void mutate(std::span<std::byte> bytes, FuzzRandom& random) {
    if (bytes.empty()) return;
    const std::size_t at = random() % bytes.size();
    const std::size_t room = bytes.size() - at;
    if (random() % 2 == 0) {
        constexpr std::uint64_t kNumbers[] = {0,
                                              1,
                                              0x7F,
                                              0xFF,
                                              0x7FFF'FFFF,
                                              0x8000'0000,
                                              0xFFFF'FFFF,
                                              std::uint64_t{1} << 32U,
                                              std::uint64_t{1} << 63U,
                                              ~std::uint64_t{0} - 1,
                                              ~std::uint64_t{0}};
        const std::uint64_t number = kNumbers[random() % std::size(kNumbers)];
        const std::size_t width = std::size_t{1} << random() % 4;
        std::memcpy(bytes.data() + at, &number, std::min(width, room));
        return;
    }
    const std::size_t count = std::min<std::size_t>(room, 1 + random() % 16);
    LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data() + at), count, count);
}

/// Change one file, mostly without its length, and make the checksums of all right.
inline void mutate(MemoryStorage& files, FuzzRandom& random) {
    const std::vector<std::string> names = files.names();
    if (names.empty()) return;
    const std::string& name = names[random() % names.size()];
    MemoryStorage::Bytes& bytes = files.bytes(name);
    for (std::size_t times = 1 + random() % 3; times > 0; --times)
        mutate(bytes, random);
    if (random() % 16 == 0) bytes.resize(random() % (bytes.size() + 64));
    // As if the database had not been closed: then no end is known.
    if (random() % 8 == 0 && files.bytes("d/CURRENT").size() == 128)
        persist::store(files.bytes("d/CURRENT"), 72, std::uint64_t{0});
    if (random() % 32 != 0) Resealer::reseal(files);
}

}  // namespace vecdb::test
