// Dataset files that are damaged, hostile or no files: each is refused, quickly and without memory.

#include "support/catch.h"
#include "support/operator_new.h"
#include "support/temp_directory.h"

#include <vecdb/dataset_io.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace vecdb {
namespace {

using namespace std::string_literals;
using test::largest_allocation;
using test::read_bytes;
using test::TempDirectory;
using test::write_bytes;

template <class T>
std::string bytes_of(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

std::string npy_of(const std::string& dictionary, const std::string& items) {
    return "\x93NUMPY\x01\x00"s + bytes_of(static_cast<std::uint16_t>(dictionary.size())) +
           dictionary + items;
}

std::string npy_of_shape(const std::string& shape, const std::string& items) {
    return npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }", items);
}

/// Write 3 rows of 2 items in a format and return the file's bytes.
std::string small_file(const TempDirectory& directory, const std::string& name) {
    const std::string extension = name.substr(name.find('.') + 1);
    const std::vector<float> floats = {1, 2, 3, 4, 5, 6};
    const std::vector<std::int32_t> ints = {1, 2, 3, 4, 5, 6};
    const std::vector<std::uint8_t> bytes = {1, 2, 3, 4, 5, 6};
    const std::vector<std::int8_t> chars = {1, 2, 3, 4, 5, 6};
    ItemsView items(floats.data(), 3, 2);
    if (extension == "ivecs" || extension == "ibin") items = ItemsView(ints.data(), 3, 2);
    if (extension == "bvecs" || extension == "u8bin") items = ItemsView(bytes.data(), 3, 2);
    if (extension == "i8bin") items = ItemsView(chars.data(), 3, 2);
    write_dataset(directory / name, items).check();
    return read_bytes(directory / name);
}

std::string all_extensions() {
    return GENERATE("npy"s, "fvecs"s, "ivecs"s, "bvecs"s, "fbin"s, "ibin"s, "u8bin"s, "i8bin"s);
}

/// Write `bytes` under `name` and return what describing the file answers.
Status describe(const TempDirectory& directory, const std::string& name, const std::string& bytes) {
    write_bytes(directory / name, bytes);
    return describe_dataset(directory / name).status();
}

TEST_CASE("a file cut anywhere is refused") {
    const TempDirectory directory;
    const std::string extension = all_extensions();
    const std::string name = "a." + extension;
    const std::string whole = small_file(directory, name);
    const bool per_row = extension.ends_with("vecs");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        // A *vecs file does not tell its number of rows.
        if (per_row && size != 0 && size % (whole.size() / 3) == 0) continue;
        INFO(name << " of " << size << " bytes");
        const Status status = describe(directory, name, whole.substr(0, size));
        CHECK(status.code() == StatusCode::kCorruption);
        CHECK(status.message().find((directory / name).string()) != std::string::npos);
        CHECK_FALSE(read_floats(directory / name).ok());
    }
}

TEST_CASE("trailing bytes are refused") {
    const TempDirectory directory;
    const std::string name = "a." + all_extensions();
    const std::string whole = small_file(directory, name);
    for (std::size_t extra = 1; extra < 6; ++extra) {
        INFO(name << " and " << extra << " bytes");
        const Status status = describe(directory, name, whole + std::string(extra, '\0'));
        CHECK(status.code() == StatusCode::kCorruption);
    }
}

TEST_CASE("a file with any byte changed is read or refused within its size") {
    const TempDirectory directory;
    const std::string name = "a." + all_extensions();
    const std::string whole = small_file(directory, name);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
            std::string bytes = whole;
            bytes[i] = static_cast<char>(bytes[i] ^ mask);
            write_bytes(directory / name, bytes);
            largest_allocation = 0;
            const auto matrix = read_floats(directory / name);
            const auto ints = read_ints(directory / name);
            if (matrix.ok() && matrix->values.size() > whole.size()) FAIL(name << " byte " << i);
            if (ints.ok() && ints->values.size() > whole.size()) FAIL(name << " byte " << i);
            if (largest_allocation > 8 * whole.size() + 1024) FAIL(name << " byte " << i);
        }
    }
}

TEST_CASE("sizes that the file does not have are refused without asking for memory") {
    const TempDirectory directory;
    const std::string items(24, 'x');
    const std::string big31 = bytes_of(std::int32_t{-2'147'483'647 - 1});
    const std::string max31 = bytes_of(std::numeric_limits<std::int32_t>::max());
    const std::string max32 = bytes_of(~std::uint32_t{0});
    const std::string two = bytes_of(std::uint32_t{2});
    std::vector<std::pair<std::string, std::string>> files = {
        {"a.fvecs", big31 + items},
        {"b.fvecs", max31 + items},
        {"c.bvecs", max31 + items},
        {"d.ivecs", max32 + items},
        {"a.fbin", max32 + max32 + items},
        {"b.u8bin", max32 + two + items},
        {"c.i8bin", two + max32 + items},
        {"d.ibin", big31 + big31 + items},
    };
    const std::string shapes[] = {
        "2147483648, 3",
        "3, 2147483648",
        "4294967296, 4294967296",
        "9223372036854775808, 1",
        "9223372036854775808, 2",
        "4611686018427387904, 4",
        "4611686018427387905, 6",
        "6, 4611686018427387905",
        "18446744073709551615, 18446744073709551615",
        "18446744073709551616, 1",
        "99999999999999999999999999999999999999, 2",
        "0, 4611686018427387904",
        "4611686018427387910,",
    };
    for (const std::string& shape : shapes) {
        files.emplace_back("s" + std::to_string(files.size()) + ".npy", npy_of_shape(shape, items));
    }
    files.emplace_back("wraps.npy", npy_of_shape("18446744073709551616, 1", ""));
    for (const auto& [name, bytes] : files) {
        INFO(name << ": " << bytes);
        write_bytes(directory / name, bytes);
        largest_allocation = 0;
        const auto matrix = read_floats(directory / name);
        CHECK(largest_allocation < 4096);
        CHECK(matrix.status().code() == StatusCode::kCorruption);
    }
}

TEST_CASE("a long .npy header is refused without asking for memory") {
    const TempDirectory directory;
    const std::string start = "\x93NUMPY\x02\x00"s;
    largest_allocation = 0;
    Status status = describe(directory, "a.npy", start + bytes_of(~std::uint32_t{0}) + "{");
    CHECK(status.code() == StatusCode::kCorruption);
    CHECK(largest_allocation < 16'384);  // the stream that wrote the file has a buffer

    const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }";
    const auto padded = [&](std::uint32_t size) {
        std::string text = dictionary;
        text.resize(size, ' ');
        return start + bytes_of(size) + text;
    };
    CHECK(describe(directory, "a.npy", padded(65'536)).to_string() == "ok");
    CHECK(describe(directory, "a.npy", padded(65'537)).code() == StatusCode::kCorruption);
}

TEST_CASE("a dimension of zero is refused") {
    const TempDirectory directory;
    const std::string zero = bytes_of(std::uint32_t{0});
    const auto code = [&](const std::string& name, const std::string& bytes) {
        const Status status = describe(directory, name, bytes);
        CHECK(status.message().find("dimension 0") != std::string::npos);
        return status.code();
    };
    CHECK(code("a.npy", npy_of_shape("5, 0", "")) == StatusCode::kInvalidArgument);
    CHECK(code("a.fbin", bytes_of(5) + zero) == StatusCode::kInvalidArgument);
    CHECK(code("a.fvecs", zero + zero) == StatusCode::kInvalidArgument);
}

TEST_CASE("rows of different dimension are refused") {
    const TempDirectory directory;
    std::string bytes = small_file(directory, "a.fvecs");
    const std::size_t row_bytes = bytes.size() / 3;
    bytes[2 * row_bytes] = 3;
    CHECK(describe(directory, "a.fvecs", bytes).code() == StatusCode::kCorruption);
    bytes[2 * row_bytes] = 2;
    bytes[row_bytes] = 3;  // a middle row: seen when it is read
    CHECK(describe(directory, "a.fvecs", bytes).ok());
    const Status status = read_floats(directory / "a.fvecs").status();
    CHECK(status.code() == StatusCode::kCorruption);
    CHECK(status.message().find("row 1 has dimension 3, expected 2") != std::string::npos);
    const auto reader = DatasetReader::open(directory / "a.fvecs");
    std::vector<float> row(2);
    CHECK(reader->read_floats(2, 1, row).ok());
    CHECK_FALSE(reader->read_floats(1, 1, row).ok());
}

TEST_CASE("known .npy files that are not served say what is expected") {
    const TempDirectory directory;
    const auto message = [&](const std::string& dictionary) {
        const Status status = describe(directory, "a.npy", npy_of(dictionary, "12345678"));
        CHECK(status.code() == StatusCode::kUnsupported);
        return status.message();
    };
    const auto with = [](const std::string& descr, const std::string& shape) {
        return "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }";
    };
    using Catch::Matchers::Contains;
    CHECK_THAT(message("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }"),
               Contains("Fortran order"));
    CHECK_THAT(message(with("'>f4'", "(1, 2)")), Contains("big-endian"));
    CHECK_THAT(message(with("'|O'", "(1, 2)")), Contains("'|O'"));
    CHECK_THAT(message(with("'<U2'", "(1, 2)")), Contains("'<U2'"));
    CHECK_THAT(message(with("'<c8'", "(1,)")), Contains("expected one of <f4"));
    CHECK_THAT(message(with("''", "(1,)")), Contains("expected one of <f4"));
    CHECK_THAT(message(with("[('x', '<f4'), ('y', '<f4')]", "(1,)")), Contains("structures"));
    CHECK_THAT(message(with("'<f4'", "()")), Contains("0 axes"));
    CHECK_THAT(message(with("'<f4'", "(1, 1, 2)")), Contains("3 axes"));
    const Status version = describe(directory, "a.npy", "\x93NUMPY\x04\x00\x01\x00{}"s);
    CHECK(version.code() == StatusCode::kUnsupported);
}

TEST_CASE("a malformed .npy dictionary is refused and the place named") {
    const TempDirectory directory;
    const std::string dictionaries[] = {
        "",
        "{",
        "{}",
        "[]",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\0"s,
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
        "{'descr': <f4, 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
        "{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}",
        "{descr: '<f4', 'fortran_order': False, 'shape': (2,)}",
    };
    for (const std::string& dictionary : dictionaries) {
        INFO(dictionary);
        const Status status = describe(directory, "a.npy", npy_of(dictionary, "12345678"));
        CHECK(status.code() == StatusCode::kCorruption);
        CHECK(status.message().find("at its byte") != std::string::npos);
    }
}

TEST_CASE("what is no regular file is refused without waiting") {
    const TempDirectory directory;
    const auto code = [](const std::filesystem::path& path) {
        const Status status = describe_dataset(path).status();
        CHECK(status.message().find(path.string()) != std::string::npos);
        return status.code();
    };
    CHECK(code(directory / "none.npy") == StatusCode::kNotFound);
    write_bytes(directory / "file", "x");
    CHECK(code(directory / "file/a.npy") == StatusCode::kNotFound);

    std::filesystem::create_directory(directory / "dir.npy");
    CHECK(code(directory / "dir.npy") == StatusCode::kInvalidArgument);
    REQUIRE(::mkfifo((directory / "fifo.npy").c_str(), 0600) == 0);
    CHECK(code(directory / "fifo.npy") == StatusCode::kInvalidArgument);
    std::filesystem::create_symlink("/dev/zero", directory / "zero.npy");
    CHECK(code(directory / "zero.npy") == StatusCode::kInvalidArgument);
    std::filesystem::create_symlink("loop.npy", directory / "loop.npy");
    CHECK(code(directory / "loop.npy") == StatusCode::kIoError);

    CHECK(code("") == StatusCode::kInvalidArgument);
    CHECK(code(std::string("a\0.npy", 6)) == StatusCode::kInvalidArgument);
    CHECK(describe_dataset(std::string(5000, 'a') + ".npy").status().code() ==
          StatusCode::kIoError);

    const std::vector<float> floats = {1.0F};
    for (const char* name : {"dir.npy", "fifo.npy", "zero.npy"}) {
        const Status status = write_dataset(directory / name, MatrixView(floats, 1));
        CHECK(status.code() == StatusCode::kInvalidArgument);
    }
    CHECK(directory.entries() == 5);
}

TEST_CASE("a file that shrinks while it is read is refused") {
    const TempDirectory directory;
    for (const char* name : {"a.npy", "a.fvecs", "a.u8bin"}) {
        const std::string whole = small_file(directory, name);
        const auto reader = DatasetReader::open(directory / name);
        REQUIRE(reader.ok());
        std::filesystem::resize_file(directory / name, whole.size() - 1);
        std::vector<float> floats(6);
        CHECK(reader->read_floats(0, 3, floats).code() == StatusCode::kCorruption);
    }
}

}  // namespace
}  // namespace vecdb
