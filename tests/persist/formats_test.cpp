// What dataset files hold; formats_hostile_test.cpp has the bad ones.

#include "support/catch.h"
#include "support/temp_directory.h"

#include <vecdb/dataset_io.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using namespace std::string_literals;
using test::read_bytes;
using test::TempDirectory;
using test::write_bytes;

const std::vector<float> kFloats = {1.0F, -2.5F, 0.0F, 3.0e38F, 1.0e-40F, 7.0F};

// 2 x 3 float32: 1, -2.5, 0 / 3, 4, 5, as numpy.save writes it.
std::string numpy_like_file() {
    std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    text.resize(117, ' ');
    return "\x93NUMPY\x01\x00\x76\x00"s + text + "\n" +
           "\x00\x00\x80\x3f\x00\x00\x20\xc0\x00\x00\x00\x00"s +
           "\x00\x00\x40\x40\x00\x00\x80\x40\x00\x00\xa0\x40"s;
}

/// Some items of a type, the first all zero bits and the others all different.
template <class T>
std::vector<T> some_items() {
    std::vector<T> items(12);
    for (std::size_t i = 0; i < items.size(); ++i) {
        if constexpr (std::is_same_v<T, Float16>) {
            items[i].bits = static_cast<std::uint16_t>(i * 0x0411U);
        } else {
            items[i] = static_cast<T>(i * 9);
        }
    }
    return items;
}

TEST_CASE("a .npy file as numpy writes it is read and written byte by byte") {
    const TempDirectory directory;
    write_bytes(directory / "a.npy", numpy_like_file());

    const auto info = describe_dataset(directory / "a.npy");
    REQUIRE(info.status().to_string() == "ok");
    CHECK(info->format == FileFormat::kNpy);
    CHECK(info->item == ItemType::kFloat32);
    CHECK(info->rows == 2);
    CHECK(info->dim == 3);
    CHECK_FALSE(info->one_dimensional);
    CHECK(info->data_offset == 128);
    CHECK(info->file_bytes == 152);

    const auto matrix = read_floats(directory / "a.npy");
    REQUIRE(matrix.ok());
    CHECK(matrix->values == std::vector<float>{1.0F, -2.5F, 0.0F, 3.0F, 4.0F, 5.0F});
    REQUIRE(write_dataset(directory / "b.npy", matrix->view()).ok());
    CHECK(read_bytes(directory / "b.npy") == numpy_like_file());
}

TEST_CASE("each format has these bytes") {
    const TempDirectory directory;
    const std::vector<float> floats = {1.0F, -2.0F, 0.5F, 4.0F};
    const std::string first = "\x00\x00\x80\x3f\x00\x00\x00\xc0"s;
    const std::string second = "\x00\x00\x00\x3f\x00\x00\x80\x40"s;
    const std::vector<std::int32_t> ints = {1, -1, 256, 2};
    const std::vector<std::uint8_t> bytes = {1, 2, 254, 255};
    const std::vector<std::int8_t> chars = {1, 2, -128, -1};
    const std::string two = "\x02\x00\x00\x00"s;
    struct Golden {
        std::string name;
        ItemsView items;
        std::string bytes;
    };
    const std::string int_first = "\x01\x00\x00\x00\xff\xff\xff\xff"s;
    const std::string int_second = "\x00\x01\x00\x00\x02\x00\x00\x00"s;
    const Golden goldens[] = {
        {"a.fvecs", {floats.data(), 2, 2}, two + first + two + second},
        {"a.fbin", {floats.data(), 2, 2}, two + two + first + second},
        {"a.ivecs", {ints.data(), 2, 2}, two + int_first + two + int_second},
        {"a.ibin", {ints.data(), 2, 2}, two + two + int_first + int_second},
        {"a.bvecs", {bytes.data(), 2, 2}, two + "\x01\x02"s + two + "\xfe\xff"s},
        {"a.u8bin", {bytes.data(), 2, 2}, two + two + "\x01\x02\xfe\xff"s},
        {"a.i8bin", {chars.data(), 2, 2}, two + two + "\x01\x02\x80\xff"s},
    };
    for (const Golden& golden : goldens) {
        INFO(golden.name);
        REQUIRE(write_dataset(directory / golden.name, golden.items).to_string() == "ok");
        CHECK(read_bytes(directory / golden.name) == golden.bytes);
    }
    REQUIRE(write_dataset(directory / "mask.npy", ItemsView::column(bytes)).ok());
    std::string text = "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }";
    text.resize(117, ' ');
    CHECK(read_bytes(directory / "mask.npy") ==
          "\x93NUMPY\x01\x00\x76\x00"s + text + "\n\x01\x02\xfe\xff"s);
}

TEMPLATE_TEST_CASE("every item type makes the round trip through .npy",
                   "",
                   float,
                   Float16,
                   double,
                   std::int8_t,
                   std::uint8_t,
                   std::int32_t,
                   std::uint32_t,
                   std::int64_t) {
    const TempDirectory directory;
    const std::vector<TestType> items = some_items<TestType>();
    REQUIRE(write_dataset(directory / "a.npy", ItemsView(items.data(), 4, 3)).ok());
    const auto info = describe_dataset(directory / "a.npy");
    REQUIRE(info.status().to_string() == "ok");
    CHECK(info->item == ItemTypeOf<TestType>::kValue);
    CHECK(info->rows == 4);
    CHECK(info->dim == 3);

    const auto floats = read_floats(directory / "a.npy");
    REQUIRE(floats.ok());
    REQUIRE(write_dataset(directory / "b.npy", ItemsView(items.data(), 4, 3)).ok());
    CHECK(read_bytes(directory / "a.npy") == read_bytes(directory / "b.npy"));
    const auto ints = read_ints(directory / "a.npy");
    if constexpr (std::is_integral_v<TestType>) {
        CHECK(floats->values == std::vector<float>(items.begin(), items.end()));
        CHECK(ints->values == std::vector<std::int64_t>(items.begin(), items.end()));
        CHECK(ints->row(1)[2] == 45);
    } else {
        CHECK(ints.status().code() == StatusCode::kInvalidArgument);
        if constexpr (std::is_floating_point_v<TestType>) {
            CHECK(floats->values == std::vector<float>(items.begin(), items.end()));
        }
    }
}

TEST_CASE("bool items are read as 0 and 1 whatever the byte") {
    const TempDirectory directory;
    const bool items[] = {true, false, true};
    REQUIRE(write_dataset(directory / "a.npy", ItemsView::column(std::span(items))).ok());
    CHECK(read_ints(directory / "a.npy")->values == std::vector<std::int64_t>{1, 0, 1});
    std::string bytes = read_bytes(directory / "a.npy");
    bytes.back() = '\x7f';
    write_bytes(directory / "a.npy", bytes);
    CHECK(read_ints(directory / "a.npy")->values == std::vector<std::int64_t>{1, 0, 1});
    CHECK(read_floats(directory / "a.npy")->values == std::vector<float>{1.0F, 0.0F, 1.0F});
    CHECK(*read_mask(directory / "a.npy") == std::vector<std::uint8_t>{1, 0, 1});
}

TEST_CASE("floats make the round trip through every format that holds them") {
    const TempDirectory directory;
    for (const char* name : {"a.npy", "a.fvecs", "a.fbin", "A.NPY"}) {
        INFO(name);
        REQUIRE(write_dataset(directory / name, MatrixView(kFloats, 2)).to_string() == "ok");
        const auto back = read_floats(directory / name);
        REQUIRE(back.status().to_string() == "ok");
        CHECK(back->rows == 3);
        CHECK(back->dim == 2);
        CHECK(back->values == kFloats);
        CHECK(back->view().rows() == 3);
    }
}

TEST_CASE("integers make the round trip through every format that holds them") {
    const TempDirectory directory;
    const auto check = [&](const std::string& name, const auto& items) {
        INFO(name);
        REQUIRE(write_dataset(directory / name, ItemsView(items.data(), 3, 4)).to_string() == "ok");
        const auto back = read_ints(directory / name);
        REQUIRE(back.status().to_string() == "ok");
        CHECK(back->rows == 3);
        CHECK(back->dim == 4);
        CHECK(back->values == std::vector<std::int64_t>(items.begin(), items.end()));
        CHECK(read_floats(directory / name)->values ==
              std::vector<float>(items.begin(), items.end()));
    };
    check("a.ivecs", some_items<std::int32_t>());
    check("a.ibin", some_items<std::int32_t>());
    check("a.bvecs", some_items<std::uint8_t>());
    check("a.u8bin", some_items<std::uint8_t>());
    check("a.i8bin", some_items<std::int8_t>());
}

TEST_CASE("float16 items become the float of equal value") {
    const TempDirectory directory;
    std::vector<Float16> items(65'536);
    for (std::size_t i = 0; i < items.size(); ++i)
        items[i].bits = static_cast<std::uint16_t>(i);
    REQUIRE(write_dataset(directory / "a.npy", MatrixView(items, 256)).ok());
    const auto floats = read_floats(directory / "a.npy");
    REQUIRE(floats.ok());
    for (int bits = 0; bits < 65'536; ++bits) {
        const float found = floats->values[static_cast<std::size_t>(bits)];
        const int exponent = (bits >> 10) & 31;
        const int fraction = bits & 1023;
        const double magnitude =
            exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
        const bool negative = (bits & 0x8000) != 0;
        if (exponent == 31 && fraction != 0) {
            if (!std::isnan(found)) FAIL(bits);
        } else if (exponent == 31) {
            if (!std::isinf(found) || std::signbit(found) != negative) FAIL(bits);
        } else if (std::abs(found) != magnitude || std::signbit(found) != negative) {
            FAIL(bits << " became " << found);
        }
    }
}

TEST_CASE("float64 items are rounded to the nearest float") {
    const TempDirectory directory;
    const std::vector<double> items = {0.1, 1e300, -1e300, 16'777'217.0};
    REQUIRE(write_dataset(directory / "a.npy", ItemsView::column(items)).ok());
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(read_floats(directory / "a.npy")->values ==
          std::vector<float>{0.1F, infinity, -infinity, 16'777'216.0F});
}

TEST_CASE("a one-dimensional .npy has dimension 1 and says so") {
    const TempDirectory directory;
    REQUIRE(write_dataset(directory / "a.npy", ItemsView::column(kFloats)).ok());
    const auto matrix = read_floats(directory / "a.npy");
    REQUIRE(matrix.ok());
    CHECK(matrix->one_dimensional);
    CHECK(matrix->rows == 6);
    CHECK(matrix->dim == 1);
    CHECK_FALSE(read_floats(directory / "a.npy")->values.empty());
}

TEST_CASE(".npy of versions 2 and 3, in other orders and spacings, is read") {
    const TempDirectory directory;
    const std::string dictionary = R"({"shape": (2L,3L) ,'descr':'|i1',  'fortran_order' : False})";
    const std::string length = static_cast<char>(dictionary.size()) + "\0\0\0"s;
    for (const std::string& version : {"\x02\x00"s, "\x03\x00"s}) {
        write_bytes(directory / "a.npy",
                    "\x93NUMPY"s + version + length + dictionary + "\1\2\3\4\5\6");
        const auto ints = read_ints(directory / "a.npy");
        REQUIRE(ints.status().to_string() == "ok");
        CHECK(ints->dim == 3);
        CHECK(ints->values == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
    }
}

TEST_CASE("a file of no rows keeps its dimension") {
    const TempDirectory directory;
    for (const char* name : {"a.npy", "a.fbin"}) {
        REQUIRE(write_dataset(directory / name, MatrixView(kFloats.data(), 0, 7)).ok());
        const auto matrix = read_floats(directory / name);
        REQUIRE(matrix.status().to_string() == "ok");
        CHECK(matrix->rows == 0);
        CHECK(matrix->dim == 7);
        CHECK(matrix->values.empty());
    }
    const Status status = write_dataset(directory / "a.fvecs", MatrixView(kFloats.data(), 0, 7));
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(directory.entries() == 2);
}

TEST_CASE("rows are read in batches, also rows longer than the buffer") {
    const TempDirectory directory;
    const std::size_t dim = GENERATE(as<std::size_t>(), 3, 70'000, 300'000);
    const std::size_t rows = dim == 3 ? 200'000 : 5;
    std::vector<std::int32_t> items(rows * dim);
    for (std::size_t i = 0; i < items.size(); ++i)
        items[i] = static_cast<std::int32_t>(i * 7 % 9973);
    for (const char* name : {"a.ivecs", "a.ibin", "a.npy"}) {
        INFO(name << ", dimension " << dim);
        REQUIRE(write_dataset(directory / name, ItemsView(items.data(), rows, dim)).ok());
        const auto reader = DatasetReader::open(directory / name);
        REQUIRE(reader.ok());
        std::vector<float> floats((rows - 2) * dim);
        REQUIRE(reader->read_floats(1, rows - 2, floats).to_string() == "ok");
        CHECK(floats == std::vector<float>(items.begin() + static_cast<std::ptrdiff_t>(dim),
                                           items.end() - static_cast<std::ptrdiff_t>(dim)));
        std::vector<std::int64_t> ints(dim);
        REQUIRE(reader->read_ints(rows - 1, 1, ints).ok());
        CHECK(std::equal(ints.begin(), ints.end(), items.end() - static_cast<std::ptrdiff_t>(dim)));
    }
}

TEST_CASE("a batch past the end or of another size is refused") {
    const TempDirectory directory;
    REQUIRE(write_dataset(directory / "a.fbin", MatrixView(kFloats, 2)).ok());
    const auto reader = DatasetReader::open(directory / "a.fbin");
    REQUIRE(reader.ok());
    constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
    std::vector<float> out(4);
    CHECK(reader->read_floats(1, 2, out).ok());
    CHECK(reader->read_floats(3, 0, {}).ok());
    CHECK(reader->read_floats(2, 2, out).code() == StatusCode::kInvalidArgument);
    CHECK(reader->read_floats(4, 0, {}).code() == StatusCode::kInvalidArgument);
    CHECK(reader->read_floats(1, kHuge, out).code() == StatusCode::kInvalidArgument);
    CHECK(reader->read_floats(kHuge, 2, out).code() == StatusCode::kInvalidArgument);
    CHECK(reader->read_floats(0, 1, out).code() == StatusCode::kInvalidArgument);
    std::vector<std::int64_t> ints(4);
    CHECK(reader->read_ints(0, 2, ints).code() == StatusCode::kInvalidArgument);
}

TEST_CASE("a mask is 0 or 1 per row and refuses what is none") {
    const TempDirectory directory;
    std::vector<std::uint8_t> bytes(100'000);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = i % 3 == 0 ? 0 : std::uint8_t{200};
    REQUIRE(write_dataset(directory / "a.npy", ItemsView::column(bytes)).ok());
    const auto mask = read_mask(directory / "a.npy");
    REQUIRE(mask.ok());
    REQUIRE(mask->size() == bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if ((*mask)[i] != (i % 3 == 0 ? 0 : 1)) FAIL(i);
    }
    REQUIRE(write_dataset(directory / "two.npy", ItemsView(bytes.data(), 2, 2)).ok());
    CHECK(read_mask(directory / "two.npy").status().code() == StatusCode::kInvalidArgument);
    REQUIRE(write_dataset(directory / "f.npy", ItemsView::column(kFloats)).ok());
    CHECK(read_mask(directory / "f.npy").status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("formats and item types have names") {
    CHECK(to_string(FileFormat::kU8bin) == "u8bin");
    CHECK(to_string(FileFormat{0}) == "unknown");
    CHECK(to_string(ItemType::kBool) == "bool");
    CHECK(to_string(ItemType{0}) == "unknown");
    CHECK(item_bytes(ItemType::kFloat64) == 8);
    CHECK(*file_format_of("/a.b/c.I8BIN") == FileFormat::kI8bin);
    const auto unknown = file_format_of("words.txt");
    CHECK(unknown.status().code() == StatusCode::kInvalidArgument);
    CHECK(unknown.status().message() ==
          "\"words.txt\": extension \".txt\", expected one of .npy, .fvecs, .ivecs, .bvecs, .fbin, "
          ".ibin, .u8bin, .i8bin");
}

}  // namespace
}  // namespace vecdb
