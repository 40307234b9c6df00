#pragma once

/// \file
/// Reading and writing files of vectors and of integers in the usual interchange formats.
///
/// A file holds rows x dim items of one type. Items are little-endian; rows follow each other.
///
/// | extension              | items                  | layout                              |
/// |------------------------|------------------------|-------------------------------------|
/// | .npy                   | any ItemType           | NumPy 1.0, 2.0, 3.0; 1-d or 2-d     |
/// | .fvecs, .ivecs, .bvecs | float32, int32, uint8  | int32 dim before every row          |
/// | .fbin, .ibin           | float32, int32         | uint32 rows, uint32 dim, then items |
/// | .u8bin, .i8bin         | uint8, int8            | uint32 rows, uint32 dim, then items |
///
/// Files are not trusted: sizes are checked against the file before memory is asked for, and a file
/// that is shorter or longer than its header says is refused. Codes returned on reading:
/// kNotFound (no such file), kIoError (the system's text follows), kInvalidArgument (not a regular
/// file, unknown extension, dimension 0, items of another kind than asked for), kCorruption
/// (malformed, truncated, trailing bytes, rows of different dimension), kUnsupported (Fortran
/// order, big-endian, object or structured items, other than one or two axes), kOutOfMemory.
/// Messages name the file, what was found and what was expected.

#include <vecdb/export.h>
#include <vecdb/status.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vecdb {

/// How the items of a file are laid out.
enum class FileFormat : std::uint8_t {
    kNpy = 1,
    kFvecs = 2,
    kIvecs = 3,
    kBvecs = 4,
    kFbin = 5,
    kIbin = 6,
    kU8bin = 7,
    kI8bin = 8,
};

/// Name a format by its extension without the dot: "npy", "fvecs", ...; "unknown" otherwise.
[[nodiscard]] VECDB_EXPORT std::string_view to_string(FileFormat format) noexcept;

/// Tell a file's format by its extension, in upper or lower case. The file need not exist.
/// Returns kInvalidArgument, naming the known extensions.
[[nodiscard]] VECDB_EXPORT Result<FileFormat> file_format_of(const std::filesystem::path& path);

/// The type of one item in a file.
enum class ItemType : std::uint8_t {
    kFloat32 = 1,
    kFloat16 = 2,
    kFloat64 = 3,
    kInt8 = 4,
    kUint8 = 5,
    kBool = 6,  ///< One byte, 0 or 1.
    kInt32 = 7,
    kUint32 = 8,
    kInt64 = 9,
};

/// Name an item type: "float32", "float16", "float64", "int8", "uint8", "bool", "int32", "uint32",
/// "int64"; "unknown" otherwise.
[[nodiscard]] VECDB_EXPORT std::string_view to_string(ItemType type) noexcept;

/// Return the bytes of one item, 0 for a value that is no enumerator.
[[nodiscard]] VECDB_EXPORT std::size_t item_bytes(ItemType type) noexcept;

/// Map a C++ type to its ItemType.
template <class T>
struct ItemTypeOf;
// clang-format off
template <> struct ItemTypeOf<float>         { static constexpr ItemType kValue = ItemType::kFloat32; };
template <> struct ItemTypeOf<Float16>       { static constexpr ItemType kValue = ItemType::kFloat16; };
template <> struct ItemTypeOf<double>        { static constexpr ItemType kValue = ItemType::kFloat64; };
template <> struct ItemTypeOf<std::int8_t>   { static constexpr ItemType kValue = ItemType::kInt8; };
template <> struct ItemTypeOf<std::uint8_t>  { static constexpr ItemType kValue = ItemType::kUint8; };
template <> struct ItemTypeOf<bool>          { static constexpr ItemType kValue = ItemType::kBool; };
template <> struct ItemTypeOf<std::int32_t>  { static constexpr ItemType kValue = ItemType::kInt32; };
template <> struct ItemTypeOf<std::uint32_t> { static constexpr ItemType kValue = ItemType::kUint32; };
template <> struct ItemTypeOf<std::int64_t>  { static constexpr ItemType kValue = ItemType::kInt64; };
// clang-format on

/// A C++ type that an item of a file may be.
template <class T>
concept Item = requires {
    ItemTypeOf<std::remove_const_t<T>>::kValue;
};

/// What a file says of itself, checked against its size.
struct DatasetInfo {
    FileFormat format = FileFormat::kNpy;
    ItemType item = ItemType::kFloat32;
    std::uint64_t rows = 0;
    /// Items per row, at least 1; 1 for a one-dimensional .npy.
    std::uint64_t dim = 1;
    /// The file is a .npy of shape (rows,), not (rows, dim).
    bool one_dimensional = false;
    /// Where the first row begins (in the *vecs formats with its dimension).
    std::uint64_t data_offset = 0;
    std::uint64_t file_bytes = 0;
};

/// Check a file's header and size and tell what it holds; what DatasetReader::open checks.
[[nodiscard]] VECDB_EXPORT Result<DatasetInfo> describe_dataset(const std::filesystem::path& path);

class InputFile;   // src/persist/formats/input_file.h
class OutputFile;  // src/persist/formats/output_file.h

/// Read a file batch by batch, so that it may be larger than memory.
/// Threads: const methods may run concurrently.
class VECDB_EXPORT DatasetReader {
  public:
    /// Open a file by its extension and check header and size. Of a *vecs file the dimensions of
    /// the first and the last row are checked here, those of the others when they are read. Does
    /// not wait for a writer when the path is a FIFO.
    [[nodiscard]] static Result<DatasetReader> open(const std::filesystem::path& path);
    /// The same, whatever the extension.
    [[nodiscard]] static Result<DatasetReader> open(const std::filesystem::path& path,
                                                    FileFormat format);

    ~DatasetReader();
    DatasetReader(DatasetReader&&) noexcept;
    DatasetReader& operator=(DatasetReader&&) noexcept;
    DatasetReader(const DatasetReader&) = delete;
    DatasetReader& operator=(const DatasetReader&) = delete;

    [[nodiscard]] const DatasetInfo& info() const noexcept { return info_; }

    /// Read rows [first, first + rows) into `out`, rows x dim floats. Items of every type are
    /// converted to the nearest float; a float64 beyond its range becomes an infinity.
    /// Returns kInvalidArgument (rows past the end, out.size() is not rows x dim), kCorruption (a
    /// row of another dimension, the file shrank), kIoError. On failure `out` holds anything. Cost:
    /// the bytes of the rows and a buffer of at most 1 MiB.
    [[nodiscard]] Status read_floats(std::uint64_t first,
                                     std::uint64_t rows,
                                     std::span<float> out) const;

    /// Read rows of integers; bool counts as 0 and 1. As read_floats; returns kInvalidArgument when
    /// the items are floating-point numbers.
    [[nodiscard]] Status read_ints(std::uint64_t first,
                                   std::uint64_t rows,
                                   std::span<std::int64_t> out) const;

  private:
    DatasetReader(std::unique_ptr<InputFile> file, const DatasetInfo& info) noexcept;

    std::unique_ptr<InputFile> file_;
    DatasetInfo info_;
};

/// Own rows x dim floats.
struct FloatMatrix {
    std::size_t rows = 0;
    std::size_t dim = 0;
    /// Row-major.
    std::vector<float> values;
    /// Read from a .npy of shape (rows,); dim is then 1.
    bool one_dimensional = false;

    [[nodiscard]] MatrixView view() const& noexcept { return {values.data(), rows, dim}; }
    void view() const&& = delete;  // the view would dangle
};

/// Own rows x dim integers.
struct IntMatrix {
    std::size_t rows = 0;
    std::size_t dim = 0;
    /// Row-major.
    std::vector<std::int64_t> values;
    /// Read from a .npy of shape (rows,); dim is then 1.
    bool one_dimensional = false;

    /// Return row i; i < rows.
    [[nodiscard]] std::span<const std::int64_t> row(std::size_t i) const& noexcept {
        return {values.data() + i * dim, dim};
    }
    void row(std::size_t) const&& = delete;  // the span would dangle
};

/// Read a whole file as floats, converting as DatasetReader::read_floats does.
[[nodiscard]] VECDB_EXPORT Result<FloatMatrix> read_floats(const std::filesystem::path& path);

/// Read a whole file of integers. Returns kInvalidArgument for items that are not.
[[nodiscard]] VECDB_EXPORT Result<IntMatrix> read_ints(const std::filesystem::path& path);

/// Read one yes or no per row from a file of bool or uint8 items and dimension 1.
/// Returns bytes of 1 (the item was not 0) and 0; kInvalidArgument for another type or dimension.
[[nodiscard]] VECDB_EXPORT Result<std::vector<std::uint8_t>> read_mask(
    const std::filesystem::path& path);

/// View rows x dim items that somebody else owns, to be written.
/// Threads: a value; the viewed items must not change during the call it is passed to.
class ItemsView {
  public:
    /// View packed rows: `data` holds rows x dim items.
    template <Item T>
    constexpr ItemsView(const T* data, std::size_t rows, std::size_t dim) noexcept
        : ItemsView(data, ItemTypeOf<T>::kValue, rows, dim, dim * sizeof(T)) {}
    /// View rows of `type` that start `stride_bytes` apart, stride_bytes >= dim x item_bytes(type).
    constexpr ItemsView(const void* data,
                        ItemType type,
                        std::size_t rows,
                        std::size_t dim,
                        std::size_t stride_bytes) noexcept
        : data_(data), rows_(rows), dim_(dim), stride_bytes_(stride_bytes), type_(type) {}

    /// View one item per row; a .npy written of it alone has shape (rows,).
    template <Item T, std::size_t N>
    [[nodiscard]] static constexpr ItemsView column(std::span<T, N> items) noexcept {
        ItemsView view(items.data(), items.size(), 1);
        view.one_dimensional_ = true;
        return view;
    }
    template <Item T>
    [[nodiscard]] static ItemsView column(const std::vector<T>& items) noexcept {
        return column(std::span<const T>(items));
    }
    template <Item T>
    static ItemsView column(const std::vector<T>&&) = delete;  // the view would dangle

    [[nodiscard]] constexpr ItemType type() const noexcept { return type_; }
    [[nodiscard]] constexpr std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] constexpr std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] constexpr bool one_dimensional() const noexcept { return one_dimensional_; }
    /// Return the bytes of row i; i < rows().
    [[nodiscard]] const std::byte* row(std::size_t i) const noexcept {
        return static_cast<const std::byte*>(data_) + i * stride_bytes_;
    }

  private:
    const void* data_ = nullptr;
    std::size_t rows_ = 0;
    std::size_t dim_ = 0;
    std::size_t stride_bytes_ = 0;
    ItemType type_ = ItemType::kFloat32;
    bool one_dimensional_ = false;
};

/// Write all rows to a file whose format the extension tells. The rows go to a temporary file in
/// the same directory, which is synced and then renamed: a failed write leaves what was there
/// before. A symbolic link is followed.
/// Returns kInvalidArgument (unknown extension, dimension 0, items that the format does not hold,
/// more rows or dimensions than its header can tell, no rows in a *vecs file, the path is there and
/// not a regular file), kUnsupported (bfloat16 and bit elements), kIoError (the system's text
/// follows). Messages name the path.
[[nodiscard]] VECDB_EXPORT Status write_dataset(const std::filesystem::path& path,
                                                const ItemsView& items);
[[nodiscard]] VECDB_EXPORT Status write_dataset(const std::filesystem::path& path,
                                                const MatrixView& rows);

/// What a DatasetWriter writes.
struct DatasetWriterOptions {
    FileFormat format = FileFormat::kNpy;
    ItemType item = ItemType::kFloat32;
    /// Items per row, 1 or more.
    std::uint64_t dim = 0;
    /// Give a .npy the shape (rows,); dim must be 1, and the format kNpy.
    bool one_dimensional = false;
};

/// Write a file batch by batch, when not all rows are at hand at once. The number of rows is not
/// needed beforehand. Temporary file, rename and errors as write_dataset.
/// Threads: needs exclusive access.
class VECDB_EXPORT DatasetWriter {
  public:
    /// Begin a file. Nothing appears under `path` before commit().
    [[nodiscard]] static Result<DatasetWriter> create(const std::filesystem::path& path,
                                                      const DatasetWriterOptions& options);

    /// Drop the file unless commit() succeeded.
    ~DatasetWriter();
    DatasetWriter(DatasetWriter&&) noexcept;
    DatasetWriter& operator=(DatasetWriter&&) noexcept;
    DatasetWriter(const DatasetWriter&) = delete;
    DatasetWriter& operator=(const DatasetWriter&) = delete;

    /// Append rows of the item type and dimension that the writer was made with. After a failure
    /// other than kInvalidArgument the writer can only be destroyed.
    [[nodiscard]] Status append(const ItemsView& items);
    [[nodiscard]] Status append(const MatrixView& rows);

    /// Return the number of rows appended.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

    /// Complete the header and put the file in its place. No other call may follow.
    [[nodiscard]] Status commit();

  private:
    DatasetWriter(std::unique_ptr<OutputFile> file, const DatasetWriterOptions& options) noexcept;

    std::unique_ptr<OutputFile> file_;
    DatasetWriterOptions options_;
    std::uint64_t rows_ = 0;
};

}  // namespace vecdb
