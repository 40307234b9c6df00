// How dataset files come to be: whole, in batches, or not at all.

#include "support/catch.h"
#include "support/temp_directory.h"

#include <vecdb/dataset_io.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace vecdb {
namespace {

using test::read_bytes;
using test::TempDirectory;
using test::write_bytes;

const std::vector<float> kFloats = {1.0F, -2.5F, 0.0F, 3.0e38F, 1.0e-40F, 7.0F};

TEST_CASE("rows farther apart than they are long are written packed") {
    const TempDirectory directory;
    REQUIRE(write_dataset(directory / "a.fvecs", MatrixView(kFloats.data(), 2, 2, 3)).ok());
    CHECK(read_floats(directory / "a.fvecs")->values ==
          std::vector<float>{1.0F, -2.5F, 3.0e38F, 1.0e-40F});
}

TEST_CASE("a writer fills a file batch by batch") {
    const TempDirectory directory;
    for (const FileFormat format : {FileFormat::kNpy, FileFormat::kFvecs, FileFormat::kFbin}) {
        const auto path = directory / ("a." + std::string(to_string(format)));
        auto writer = DatasetWriter::create(path, {.format = format, .dim = 2});
        REQUIRE(writer.ok());
        std::vector<float> all;
        for (int batch = 0; batch < 300; ++batch) {
            REQUIRE(writer->append(MatrixView(kFloats, 2)).ok());
            all.insert(all.end(), kFloats.begin(), kFloats.end());
        }
        CHECK(writer->append(MatrixView(kFloats, 3)).code() == StatusCode::kInvalidArgument);
        CHECK(writer->rows() == 900);
        CHECK_FALSE(std::filesystem::exists(path));
        REQUIRE(writer->commit().to_string() == "ok");
        CHECK(read_floats(path)->values == all);
        CHECK(writer->commit().code() == StatusCode::kFailedPrecondition);
    }
    CHECK(directory.entries() == 3);
}

TEST_CASE("a writer that is dropped leaves the old file and nothing else") {
    const TempDirectory directory;
    write_bytes(directory / "a.npy", "old");
    {
        auto writer = DatasetWriter::create(directory / "a.npy", {.dim = 2});
        REQUIRE(writer.ok());
        REQUIRE(writer->append(MatrixView(kFloats, 2)).ok());
        CHECK(directory.entries() == 2);
    }
    CHECK(read_bytes(directory / "a.npy") == "old");
    CHECK(directory.entries() == 1);
}

TEST_CASE("a write that fails leaves the old file and names path and reason") {
    const TempDirectory directory;
    write_bytes(directory / "a.npy", "old");
    rlimit old_limit = {};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
    const rlimit small = {100'000, old_limit.rlim_max};
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::vector<float> floats(1'000'000);
    const Status status = write_dataset(directory / "a.npy", MatrixView(floats, 100));
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &old_limit) == 0);
    std::signal(SIGXFSZ, old_handler);
    CHECK(status.code() == StatusCode::kIoError);
    CHECK(status.message().find((directory / "a.npy").string()) != std::string::npos);
    CHECK(status.message().find("File too large") != std::string::npos);
    CHECK(read_bytes(directory / "a.npy") == "old");
    CHECK(directory.entries() == 1);
}

TEST_CASE("a symbolic link stays and the file it names is replaced") {
    const TempDirectory directory;
    write_bytes(directory / "real.npy", "old");
    std::filesystem::create_symlink("real.npy", directory / "link.npy");
    REQUIRE(write_dataset(directory / "link.npy", MatrixView(kFloats, 2)).to_string() == "ok");
    CHECK(std::filesystem::is_symlink(directory / "link.npy"));
    CHECK(read_floats(directory / "real.npy")->values == kFloats);
}

TEST_CASE("what a format cannot hold is refused before anything is written") {
    const TempDirectory directory;
    const auto code = [&](const std::string& name, const auto& items) {
        return write_dataset(directory / name, items).code();
    };
    const std::vector<std::int32_t> ints(4);
    const std::vector<BFloat16> brains(4);
    const std::vector<std::uint8_t> bits(4);
    CHECK(code("a.fvecs", ItemsView(ints.data(), 2, 2)) == StatusCode::kInvalidArgument);
    CHECK(code("a.ibin", MatrixView(kFloats, 2)) == StatusCode::kInvalidArgument);
    CHECK(code("a.npy", MatrixView(kFloats.data(), 1, 0)) == StatusCode::kInvalidArgument);
    CHECK(code("a.npy", MatrixView(brains, 2)) == StatusCode::kUnsupported);
    CHECK(code("a.npy", MatrixView::bits(bits.data(), 2, 16)) == StatusCode::kUnsupported);
    CHECK(code("a.csv", MatrixView(kFloats, 2)) == StatusCode::kInvalidArgument);
    CHECK(code("a", MatrixView(kFloats, 2)) == StatusCode::kInvalidArgument);
    CHECK(code("none/a.npy", MatrixView(kFloats, 2)) == StatusCode::kIoError);
    const auto create = [&](const DatasetWriterOptions& options) {
        return DatasetWriter::create(directory / "a", options).status().code();
    };
    const std::uint64_t big = std::uint64_t{1} << 31U;
    CHECK(create({.format = FileFormat::kFvecs, .dim = big}) == StatusCode::kInvalidArgument);
    CHECK(create({.format = FileFormat::kFvecs, .dim = big - 1}) == StatusCode::kOk);
    CHECK(create({.format = FileFormat::kFbin, .dim = big * 2}) == StatusCode::kInvalidArgument);
    CHECK(create({.dim = 2, .one_dimensional = true}) == StatusCode::kInvalidArgument);
    CHECK(create({.format = FileFormat{99}, .dim = 2}) == StatusCode::kInvalidArgument);
    CHECK(create({.item = ItemType{99}, .dim = 2}) == StatusCode::kInvalidArgument);
    CHECK(directory.entries() == 0);
}

}  // namespace
}  // namespace vecdb
