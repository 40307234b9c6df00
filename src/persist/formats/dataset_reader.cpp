#include "check.h"
#include "persist/errors.h"
#include "persist/formats/input_file.h"
#include "persist/formats/item_type.h"
#include "persist/formats/layout.h"
#include "persist/formats/row_reader.h"

#include <vecdb/dataset_io.h>

#include <string>
#include <utility>

namespace vecdb {

namespace {

Status check_range(const DatasetInfo& info,
                   std::uint64_t first,
                   std::uint64_t rows,
                   std::size_t out_size) {
    if (first > info.rows || rows > info.rows - first) {
        return {StatusCode::kInvalidArgument,
                std::to_string(rows) + " rows from row " + std::to_string(first) +
                    " on asked for, expected them within " + std::to_string(info.rows)};
    }
    const std::uint64_t items = rows * info.dim;  // no more than the file has bytes
    if (out_size == items) return {};
    return {StatusCode::kInvalidArgument,
            "room for " + std::to_string(out_size) + " values given, expected " +
                std::to_string(items) + " for " + std::to_string(rows) + " rows"};
}

Status check_integers(const DatasetInfo& info) {
    if (persist::is_integer(info.item)) return {};
    return {StatusCode::kInvalidArgument,
            "items are " + std::string(to_string(info.item)) + ", expected integers"};
}

Result<std::unique_ptr<InputFile>> open_file(const std::filesystem::path& path) {
    auto file = InputFile::open(path);
    if (!file.ok()) return persist::in_file(path, file.status());
    return file;
}

}  // namespace

DatasetReader::DatasetReader(std::unique_ptr<InputFile> file, const DatasetInfo& info) noexcept
    : file_(std::move(file)), info_(info) {}
DatasetReader::~DatasetReader() = default;
DatasetReader::DatasetReader(DatasetReader&&) noexcept = default;
DatasetReader& DatasetReader::operator=(DatasetReader&&) noexcept = default;

Result<DatasetReader> DatasetReader::open(const std::filesystem::path& path) {
    return guard([&]() -> Result<DatasetReader> {
        VECDB_ASSIGN(const FileFormat format, file_format_of(path));
        return open(path, format);
    });
}

Result<DatasetReader> DatasetReader::open(const std::filesystem::path& path, FileFormat format) {
    return guard([&]() -> Result<DatasetReader> {
        VECDB_ASSIGN(auto file, open_file(path));
        const auto info = persist::read_layout(*file, format);
        if (!info.ok()) return persist::in_file(path, info.status());
        return DatasetReader(std::move(file), *info);
    });
}

Status DatasetReader::read_floats(std::uint64_t first,
                                  std::uint64_t rows,
                                  std::span<float> out) const {
    return guard([&]() -> Status {
        VECDB_ASSERT(file_ != nullptr);
        Status status = check_range(info_, first, rows, out.size());
        if (status.ok()) {
            status = persist::RowReader<float>(*file_, info_).read(first, rows, out.data());
        }
        return persist::in_file(file_->path(), status);
    });
}

Status DatasetReader::read_ints(std::uint64_t first,
                                std::uint64_t rows,
                                std::span<std::int64_t> out) const {
    return guard([&]() -> Status {
        VECDB_ASSERT(file_ != nullptr);
        Status status = check_integers(info_);
        if (status.ok()) status = check_range(info_, first, rows, out.size());
        if (status.ok()) {
            status = persist::RowReader<std::int64_t>(*file_, info_).read(first, rows, out.data());
        }
        return persist::in_file(file_->path(), status);
    });
}

Result<DatasetInfo> describe_dataset(const std::filesystem::path& path) {
    return guard([&]() -> Result<DatasetInfo> {
        VECDB_ASSIGN(const DatasetReader reader, DatasetReader::open(path));
        return reader.info();
    });
}

}  // namespace vecdb
