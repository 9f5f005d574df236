#include "libs/base/status.h"

#include <catch2/catch.hpp>

using namespace voltwell;

namespace {

absl::StatusOr<int> Half(int number) {
  if (number % 2 != 0) return base::InvalidArgument("NOT_EVEN", "cannot be halved");
  return number / 2;
}

absl::StatusOr<int> Quarter(int number) {
  VW_ASSIGN_OR_RETURN(const int half, Half(number));
  VW_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

}  // namespace

TEST_CASE("an error keeps its code, reason, message and metadata") {
  const auto status = base::ResourceExhausted("BUS_QUEUE_FULL", "the bus queue is full", {{"bus", "1"}, {"limit", ""}});
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(base::ReasonOf(status) == "BUS_QUEUE_FULL");
  CHECK(base::MetadataOf(status) == base::ErrorMetadata{{"bus", "1"}, {"limit", ""}});
  CHECK(status.message() == "the bus queue is full");
}

TEST_CASE("a zero byte in metadata cannot forge another key") {
  const auto status = base::NotFound("X", "x", {{"id", std::string("a\0tenant\0b", 10)}});
  CHECK(base::MetadataOf(status) == base::ErrorMetadata{{"id", "a?tenant?b"}});
}

TEST_CASE("a status that was not made here has no reason") {
  CHECK(base::ReasonOf(absl::OkStatus()).empty());
  CHECK(base::ReasonOf(absl::InternalError("foreign")).empty());
  CHECK(base::MetadataOf(absl::InternalError("foreign")).empty());
}

TEST_CASE("the first failure ends a chain of assignments") {
  CHECK(*Quarter(12) == 3);
  CHECK(base::ReasonOf(Quarter(6).status()) == "NOT_EVEN");
}
