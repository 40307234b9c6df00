#include "check.h"
#include "persist/errors.h"
#include "persist/formats/file_format.h"
#include "persist/formats/npy_header.h"
#include "persist/formats/output_file.h"

#include <vecdb/dataset_io.h>

#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace vecdb {

namespace {

using persist::FormatTraits;
using persist::Layout;

Status invalid(std::string message) {
    return {StatusCode::kInvalidArgument, std::move(message)};
}

std::uint64_t max_dim(Layout layout) noexcept {
    switch (layout) {
        case Layout::kDimPerRow:
            return std::numeric_limits<std::int32_t>::max();
        case Layout::kRowsAndDim:
            return std::numeric_limits<std::uint32_t>::max();
        case Layout::kNpy:
            break;
    }
    return std::numeric_limits<std::int64_t>::max();
}

std::uint64_t max_rows(Layout layout) noexcept {
    return layout == Layout::kRowsAndDim ? std::numeric_limits<std::uint32_t>::max()
                                         : std::numeric_limits<std::int64_t>::max();
}

Status check_options(const DatasetWriterOptions& options) {
    VECDB_ASSIGN(const FormatTraits traits, persist::format_traits(options.format));
    if (item_bytes(options.item) == 0) return invalid("the item type is unknown");
    if (traits.item.value_or(options.item) != options.item) {
        return invalid("items are " + std::string(to_string(options.item)) + ", expected " +
                       std::string(to_string(*traits.item)) + " in a ." + std::string(traits.name) +
                       " file");
    }
    if (options.dim == 0 || options.dim > max_dim(traits.layout)) {
        return invalid("dimension " + std::to_string(options.dim) + ", expected 1 to " +
                       std::to_string(max_dim(traits.layout)) + " in a ." +
                       std::string(traits.name) + " file");
    }
    if (options.one_dimensional && (options.dim != 1 || traits.layout != Layout::kNpy)) {
        return invalid("one-dimensional of dimension " + std::to_string(options.dim) + " in a ." +
                       std::string(traits.name) + " file, expected dimension 1 in a .npy file");
    }
    return {};
}

Status check_items(const ItemsView& items, const DatasetWriterOptions& options) {
    if (items.type() == options.item && items.dim() == options.dim) return {};
    return invalid("rows of " + std::to_string(items.dim()) + " " +
                   std::string(to_string(items.type())) + ", expected " +
                   std::to_string(options.dim) + " " + std::string(to_string(options.item)));
}

/// Return the bytes before the first row; empty for the *vecs formats.
std::string file_header(const DatasetWriterOptions& options, Layout layout, std::uint64_t rows) {
    if (layout == Layout::kNpy) {
        return persist::format_npy_header(
            {options.item, rows, options.dim, options.one_dimensional});
    }
    if (layout == Layout::kDimPerRow) return {};
    const auto row_count = static_cast<std::uint32_t>(rows);
    const auto dim = static_cast<std::uint32_t>(options.dim);
    std::string header(persist::kFileHeaderBytes, '\0');
    std::memcpy(header.data(), &row_count, sizeof(row_count));
    std::memcpy(header.data() + sizeof(row_count), &dim, sizeof(dim));
    return header;
}

Status append_rows(OutputFile& file, const ItemsView& items, Layout layout) {
    const std::size_t bytes = items.dim() * item_bytes(items.type());
    const auto dim = static_cast<std::int32_t>(items.dim());
    for (std::size_t row = 0; row < items.rows(); ++row) {
        if (layout == Layout::kDimPerRow) {
            VECDB_TRY(file.append(std::as_bytes(std::span(&dim, 1))));
        }
        VECDB_TRY(file.append({items.row(row), bytes}));
    }
    return {};
}

Result<ItemsView> items_of(const MatrixView& rows) {
    const auto view = [&](ItemType type) {
        return ItemsView(rows.data(), type, rows.rows(), rows.dim(), rows.stride_bytes());
    };
    switch (rows.type()) {
        case ElementType::kFloat32:
            return view(ItemType::kFloat32);
        case ElementType::kFloat16:
            return view(ItemType::kFloat16);
        case ElementType::kInt8:
            return view(ItemType::kInt8);
        case ElementType::kBFloat16:
        case ElementType::kBit:
            break;
    }
    return Status(StatusCode::kUnsupported,
                  "elements are " + std::string(to_string(rows.type())) +
                      ", expected float32, float16 or int8");
}

}  // namespace

DatasetWriter::DatasetWriter(std::unique_ptr<OutputFile> file,
                             const DatasetWriterOptions& options) noexcept
    : file_(std::move(file)), options_(options) {}
DatasetWriter::~DatasetWriter() = default;
DatasetWriter::DatasetWriter(DatasetWriter&&) noexcept = default;
DatasetWriter& DatasetWriter::operator=(DatasetWriter&&) noexcept = default;

Result<DatasetWriter> DatasetWriter::create(const std::filesystem::path& path,
                                            const DatasetWriterOptions& options) {
    return guard([&]() -> Result<DatasetWriter> {
        VECDB_TRY(persist::in_file(path, check_options(options)));
        auto file = OutputFile::create(path);
        if (!file.ok()) return persist::in_file(path, file.status());
        VECDB_ASSIGN(const FormatTraits traits, persist::format_traits(options.format));
        const std::string header = file_header(options, traits.layout, 0);
        VECDB_TRY(persist::in_file(path, (*file)->append(std::as_bytes(std::span(header)))));
        return DatasetWriter(*std::move(file), options);
    });
}

Status DatasetWriter::append(const ItemsView& items) {
    return guard([&]() -> Status {
        if (file_ == nullptr) return {StatusCode::kFailedPrecondition, "the writer has ended"};
        VECDB_TRY(persist::in_file(file_->path(), check_items(items, options_)));
        VECDB_ASSIGN(const FormatTraits traits, persist::format_traits(options_.format));
        if (items.rows() > max_rows(traits.layout) - rows_) {
            return persist::in_file(
                file_->path(),
                invalid("more than " + std::to_string(max_rows(traits.layout)) + " rows"));
        }
        VECDB_TRY(persist::in_file(file_->path(), append_rows(*file_, items, traits.layout)));
        rows_ += items.rows();
        return {};
    });
}

Status DatasetWriter::append(const MatrixView& rows) {
    return guard([&]() -> Status {
        if (file_ == nullptr) return {StatusCode::kFailedPrecondition, "the writer has ended"};
        const auto items = items_of(rows);
        if (!items.ok()) return persist::in_file(file_->path(), items.status());
        return append(*items);
    });
}

Status DatasetWriter::commit() {
    return guard([&]() -> Status {
        if (file_ == nullptr) return {StatusCode::kFailedPrecondition, "the writer has ended"};
        VECDB_ASSIGN(const FormatTraits traits, persist::format_traits(options_.format));
        if (rows_ == 0 && traits.layout == Layout::kDimPerRow) {
            return persist::in_file(
                file_->path(),
                invalid("no rows, expected 1 or more in a ." + std::string(traits.name) + " file"));
        }
        const std::string header = file_header(options_, traits.layout, rows_);
        Status status = file_->rewrite_start(std::as_bytes(std::span(header)));
        if (status.ok()) status = file_->commit();
        VECDB_TRY(persist::in_file(file_->path(), status));
        file_.reset();
        return {};
    });
}

Status write_dataset(const std::filesystem::path& path, const ItemsView& items) {
    return guard([&]() -> Status {
        VECDB_ASSIGN(const FileFormat format, file_format_of(path));
        const bool one_dimensional = items.one_dimensional() && format == FileFormat::kNpy;
        VECDB_ASSIGN(
            DatasetWriter writer,
            DatasetWriter::create(path, {format, items.type(), items.dim(), one_dimensional}));
        VECDB_TRY(writer.append(items));
        return writer.commit();
    });
}

Status write_dataset(const std::filesystem::path& path, const MatrixView& rows) {
    return guard([&]() -> Status {
        const auto items = items_of(rows);
        if (!items.ok()) return persist::in_file(path, items.status());
        return write_dataset(path, *items);
    });
}

}  // namespace vecdb
