#include "check.h"
#include "support/catch.h"

#include <vecdb/status.h>

#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace vecdb {
namespace {

constexpr StatusCode kAllCodes[] = {
    StatusCode::kOk,
    StatusCode::kInvalidArgument,
    StatusCode::kNotFound,
    StatusCode::kAlreadyExists,
    StatusCode::kFailedPrecondition,
    StatusCode::kUnsupported,
    StatusCode::kCorruption,
    StatusCode::kIoError,
    StatusCode::kOutOfMemory,
    StatusCode::kCancelled,
    StatusCode::kDeadlineExceeded,
    StatusCode::kStale,
    StatusCode::kInternal,
};

Result<int> half(int number) {
    if (number % 2 != 0) return Status(StatusCode::kInvalidArgument, "odd");
    return number / 2;
}

Status quarter(int number, int& out) {
    VECDB_ASSIGN(const int once, half(number));
    VECDB_ASSIGN(out, half(once));
    return {};
}

Status try_twice(const Status& first, int& calls) {
    VECDB_TRY(first);
    ++calls;
    return {};
}

TEST_CASE("every status code has a name of its own") {
    std::set<std::string> names;
    for (const StatusCode code : kAllCodes) {
        CHECK_FALSE(to_string(code).empty());
        names.insert(std::string(to_string(code)));
    }
    CHECK(names.size() == std::size(kAllCodes));
    CHECK(to_string(StatusCode::kInvalidArgument) == "invalid argument");
    CHECK(names.count(std::string(to_string(static_cast<StatusCode>(200)))) == 0);
}

TEST_CASE("a default status is success without a message") {
    const Status status;
    CHECK(status.ok());
    CHECK(status.code() == StatusCode::kOk);
    CHECK(status.message().empty());
    CHECK(status.to_string() == "ok");
    CHECK_NOTHROW(status.check());
}

TEST_CASE("a failed status keeps code and message") {
    const Status status(StatusCode::kNotFound, "no collection 'x'");
    CHECK_FALSE(status.ok());
    CHECK(status.code() == StatusCode::kNotFound);
    CHECK(status.message() == "no collection 'x'");
    CHECK(status.to_string() ==
          std::string(to_string(StatusCode::kNotFound)) + ": no collection 'x'");
}

TEST_CASE("check throws an error that carries the status") {
    const Status status(StatusCode::kStale, "replaced");
    try {
        status.check();
        FAIL("check did not throw");
    } catch (const Error& error) {
        CHECK(error.status().code() == StatusCode::kStale);
        CHECK(error.status().message() == "replaced");
        CHECK(std::string(error.what()) == status.to_string());
    }
}

TEST_CASE("a result holds a value or a status") {
    const Result<int> good = half(8);
    REQUIRE(good.ok());
    CHECK(static_cast<bool>(good));
    CHECK(*good == 4);
    CHECK(good.value() == 4);
    CHECK(good.status().ok());

    const Result<int> bad = half(7);
    CHECK_FALSE(bad.ok());
    CHECK_FALSE(static_cast<bool>(bad));
    CHECK(bad.status().code() == StatusCode::kInvalidArgument);
    CHECK_THROWS_AS(bad.value(), Error);
    CHECK(half(7).value_or(-1) == -1);
    CHECK(half(6).value_or(-1) == 3);
}

TEST_CASE("a result carries types that only move") {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
    REQUIRE(result.ok());
    CHECK(**result == 5);
    const std::unique_ptr<int> taken = std::move(result).value();
    CHECK(*taken == 5);
    Result<std::string> text(std::string("abc"));
    CHECK(text->size() == 3);
    text->append("d");
    CHECK(*text == "abcd");
    CHECK(*std::move(text) == "abcd");
}

TEST_CASE("status and result do not throw when they move") {
    CHECK(std::is_nothrow_move_constructible_v<Status>);
    CHECK(std::is_nothrow_move_assignable_v<Status>);
    CHECK(std::is_nothrow_move_constructible_v<Result<int>>);
}

TEST_CASE("the status macros return the first failure and nothing else") {
    int out = 0;
    CHECK(quarter(12, out).ok());
    CHECK(out == 3);
    CHECK(quarter(6, out).code() == StatusCode::kInvalidArgument);
    CHECK(quarter(5, out).message() == "odd");
    CHECK(out == 3);

    int calls = 0;
    CHECK(try_twice({}, calls).ok());
    CHECK(calls == 1);
    CHECK(try_twice(Status(StatusCode::kIoError, "disk"), calls).code() == StatusCode::kIoError);
    CHECK(calls == 1);
}

TEST_CASE("guard turns exceptions into a status") {
    const Status memory = guard([]() -> Status { throw std::bad_alloc(); });
    CHECK(memory.code() == StatusCode::kOutOfMemory);
    CHECK_FALSE(memory.message().empty());

    const Status standard = guard([]() -> Status { throw std::runtime_error("broken wheel"); });
    CHECK(standard.code() == StatusCode::kInternal);
    CHECK(standard.message().find("broken wheel") != std::string::npos);

    const Result<int> other = guard([]() -> Result<int> { throw 7; });
    CHECK(other.status().code() == StatusCode::kInternal);
    CHECK_FALSE(other.status().message().empty());
}

TEST_CASE("guard passes on what its body returns") {
    CHECK(guard([] { return Status(); }).ok());
    CHECK(guard([] { return Status(StatusCode::kStale, "s"); }).code() == StatusCode::kStale);
    CHECK(*guard([] { return half(10); }) == 5);
}

TEST_CASE("a result made from success without a value is an internal error") {
    const Result<int> result = Status();
    CHECK_FALSE(result.ok());
    CHECK(result.status().code() == StatusCode::kInternal);
}

}  // namespace
}  // namespace vecdb
