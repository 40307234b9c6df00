// Any bytes as a file of sections: all of it read as rows and as the index of rows, or refused.

#include "collection/builtin_indexes.h"
#include "collection/storage/stored_segment.h"
#include "collection/version.h"
#include "packed_files.h"
#include "persist/section_file.h"
#include "support/small_database.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

namespace persist = vecdb::persist;
using vecdb::test::MemoryStorage;

constexpr const char* kPath = "d/file";

void require(bool condition) {
    if (!condition) std::abort();
}

/// The fields of the rows of one collection.
struct Fields {
    std::vector<vecdb::VectorField> vectors;
    std::shared_ptr<const vecdb::collection::ScalarFields> scalars;
};

std::vector<Fields> fields() {
    std::vector<Fields> fields;
    const vecdb::test::SmallDatabase small(1, true);
    const auto database = vecdb::Database::open(
        "d", vecdb::test::small_options(small.files, vecdb::OpenMode::kReadOnly));
    for (const std::string& name : database->list_collections()) {
        const vecdb::Schema schema = database->collection(name)->schema();
        fields.push_back({schema.vectors, vecdb::collection::share_scalars(schema)});
    }
    return fields;
}

void read_as_database(const std::shared_ptr<persist::SectionFile>& file) {
    static const std::vector<Fields> kFields = fields();
    static std::shared_ptr<vecdb::collection::SealedSegment> rows;
    for (const Fields& each : kFields) {
        auto loaded = vecdb::collection::load_rows(file, {each.vectors, each.scalars});
        if (loaded.ok()) {
            require((*loaded)->rows > 0 && (*loaded)->map.find((*loaded)->store.id(0)) == 0U);
            break;
        }
    }
    if (rows == nullptr) {
        // Rows as those that the indexes of the corpus were made of.
        const auto ids = vecdb::test::sequential_ids(10);
        const auto matrix = vecdb::test::normal_rows(10, vecdb::test::kSmallDim, 1);
        rows = std::make_shared<vecdb::collection::SealedSegment>(
            vecdb::collection::VectorFormat{vecdb::test::kSmallDim, vecdb::ElementType::kFloat32},
            10);
        for (std::size_t row = 0; row < 10; ++row) {
            rows->store.id(row) = ids[row];
            rows->store.norm(row) = 1;
            std::memcpy(
                rows->store.vector(row), matrix.row(row).data(), matrix.row(row).size_bytes());
        }
    }
    for (const Fields& each : kFields) {
        const std::span field(each.vectors.data(), 1);
        rows->indexes[0] = nullptr;
        const vecdb::Status loaded = vecdb::collection::load_indexes(*file, field, *rows);
        if (!loaded.ok()) continue;
        require(rows->indexes[0]->validate(vecdb::collection::index_rows(field[0], *rows)).ok());
    }
    rows->indexes[0] = nullptr;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* bytes,
                                               std::size_t size,
                                               std::size_t most,
                                               unsigned seed) {
    vecdb::test::FuzzRandom random(seed);
    if (random() % 8 == 0) size = LLVMFuzzerMutate(bytes, size, most);
    const auto view = std::as_bytes(std::span(bytes, size));
    MemoryStorage::Bytes file(view.begin(), view.end());
    vecdb::test::mutate(file, random);
    if (random() % 32 != 0) vecdb::test::Resealer::reseal(file);
    std::memcpy(bytes, file.data(), size);
    return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    vecdb::collection::register_builtin();
    MemoryStorage files;
    const auto view = std::as_bytes(std::span(bytes, size));
    files.bytes(kPath).assign(view.begin(), view.end());
    if (size < persist::kHeaderBytes) return 0;
    const auto header = persist::FileHeader::decode(view.first<persist::kHeaderBytes>());
    if (!header.ok()) return 0;
    auto file = persist::SectionFile::open(files, kPath, *header, nullptr, persist::Access::kRead);
    if (!file.ok()) return 0;
    bool good = true;
    std::size_t total = 0;
    for (const persist::Section& section : (*file)->sections()) {
        const auto content = (*file)->read(section.name);
        good = good && content.ok();
        if (content.ok()) total += content->size();
    }
    require(total <= size && (*file)->verify().ok() == good);
    read_as_database(*file);
    return 0;
}
