// Files of the operating system: private, never through links, locked for one holder.

#include "support/catch.h"
#include "support/temp_directory.h"

#include <vecdb/storage.h>

#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace vecdb {
namespace {

using Catch::Matchers::Contains;
using test::read_bytes;
using test::TempDirectory;
using test::write_bytes;

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

std::string content(const ReadableFile& file) {
    std::string text(file.size(), ' ');
    file.read_at(0, std::as_writable_bytes(std::span(text))).check();
    return text;
}

unsigned mode_of(const std::filesystem::path& path) {
    struct stat about = {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777U;
}

}  // namespace

TEST_CASE("files are written, resumed and read", "[persist]") {
    const TempDirectory directory;
    Storage& storage = posix_storage();
    const std::string path = (directory / "file").string();
    {
        auto file = storage.create(path).value();
        file->append(bytes_of("one two")).check();
        file->sync().check();
    }
    CHECK(storage.create(path).status().code() == StatusCode::kAlreadyExists);
    storage.resume(path, 4).value()->append(bytes_of("three")).check();
    const auto file = storage.open(path).value();
    CHECK(content(*file) == "one three");
    CHECK(storage.resume(path, 10).status().code() == StatusCode::kInvalidArgument);

    const auto mapped = file->map().value();
    CHECK(std::string(reinterpret_cast<const char*>(mapped.data()), mapped.size()) == "one three");
    CHECK(file->map().value().data() == mapped.data());
    std::byte more[2];
    CHECK(file->read_at(8, more).code() == StatusCode::kCorruption);

    storage.rename(path, path + "2").check();
    CHECK(storage.open(path).status().code() == StatusCode::kNotFound);
    storage.link(path + "2", path + "3").check();
    CHECK(storage.link(path + "2", path + "3").code() == StatusCode::kAlreadyExists);
    storage.sync_directory(directory.path().string()).check();
    CHECK(storage.list(directory.path().string()).value() ==
          std::vector<std::string>{"file2", "file3"});
    storage.remove(path + "2").check();
    CHECK(storage.remove(path + "2").code() == StatusCode::kNotFound);
    CHECK(content(*storage.open(path + "3").value()) == "one three");
    CHECK(content(*file) == "one three");
}

TEST_CASE("files and directories are private", "[persist]") {
    const TempDirectory directory;
    const ::mode_t before = ::umask(0);
    const std::string folder = (directory / "folder").string();
    posix_storage().make_directory(folder).check();
    posix_storage().make_directory(folder).check();
    static_cast<void>(posix_storage().create(folder + "/file").value());
    static_cast<void>(posix_storage().lock(folder + "/LOCK").value());
    ::umask(before);
    CHECK(mode_of(folder) == 0700U);
    CHECK(mode_of(folder + "/file") == 0600U);
    CHECK(mode_of(folder + "/LOCK") == 0600U);
    const Status taken = posix_storage().make_directory(folder + "/file");
    CHECK(taken.code() == StatusCode::kAlreadyExists);
}

TEST_CASE("what is no regular file is not opened", "[persist]") {
    const TempDirectory directory;
    write_bytes(directory / "target", "x");
    std::filesystem::create_symlink(directory / "target", directory / "link");
    std::filesystem::create_directory(directory / "folder");
    REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
    Storage& storage = posix_storage();
    for (const std::string name : {"link", "folder", "fifo"}) {
        const std::string path = (directory / name).string();
        INFO(name);
        const Status status = storage.open(path).status();
        CHECK(status.code() == StatusCode::kInvalidArgument);
        CHECK_THAT(status.message(), Contains(path));
        CHECK_FALSE(storage.resume(path, 0).ok());
        CHECK_FALSE(storage.create(path).ok());
        CHECK_FALSE(storage.lock(path).ok());
    }
    CHECK(read_bytes(directory / "target") == "x");
}

TEST_CASE("paths are checked", "[persist]") {
    Storage& storage = posix_storage();
    const std::string zero("/tmp/a\0b", 8);
    for (const std::string& path : {std::string(), zero}) {
        CHECK(storage.open(path).status().code() == StatusCode::kInvalidArgument);
        CHECK(storage.create(path).status().code() == StatusCode::kInvalidArgument);
        CHECK(storage.remove(path).code() == StatusCode::kInvalidArgument);
        CHECK(storage.rename(path, "/tmp/x").code() == StatusCode::kInvalidArgument);
        CHECK(storage.list(path).status().code() == StatusCode::kInvalidArgument);
        CHECK(storage.lock(path).status().code() == StatusCode::kInvalidArgument);
    }
    CHECK(storage.open("/nowhere/at/all").status().code() == StatusCode::kNotFound);
    CHECK(storage.list("/nowhere/at/all").status().code() == StatusCode::kNotFound);
    CHECK_FALSE(storage.sync_directory("/nowhere/at/all").ok());
}

TEST_CASE("a lock has one holder", "[persist]") {
    const TempDirectory directory;
    const std::string path = (directory / "LOCK").string();
    auto held = posix_storage().lock(path).value();
    const Status second = posix_storage().lock(path).status();
    CHECK(second.code() == StatusCode::kFailedPrecondition);
    CHECK_THAT(second.message(), Contains("another writer"));
    held.reset();
    CHECK(std::filesystem::exists(path));
    CHECK(posix_storage().lock(path).ok());
}

TEST_CASE("an empty file is mapped to nothing", "[persist]") {
    const TempDirectory directory;
    write_bytes(directory / "empty", "");
    CHECK(posix_storage().open((directory / "empty").string()).value()->map().value().empty());
}

}  // namespace vecdb
