// What a test asks of a Status or StatusOr, with the reason in the failure's text.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::testing {

// "OK", or "POOL_EXHAUSTED: RESOURCE_EXHAUSTED: no connection ...".
inline std::string Describe(const absl::Status& status) {
  if (status.ok()) return "OK";
  return absl::StrCat(base::ReasonOf(status), ": ", status.ToString(absl::StatusToStringMode::kWithNoExtraData));
}
template <typename T>
std::string Describe(const absl::StatusOr<T>& value) {
  return Describe(value.status());
}

inline std::string Reason(const absl::Status& status) { return base::ReasonOf(status); }
template <typename T>
std::string Reason(const absl::StatusOr<T>& value) {
  return base::ReasonOf(value.status());
}

}  // namespace voltwell::testing

#define REQUIRE_OK(...) REQUIRE(::voltwell::testing::Describe(__VA_ARGS__) == "OK")
#define CHECK_OK(...) CHECK(::voltwell::testing::Describe(__VA_ARGS__) == "OK")
// An expression with commas outside parentheses (a braced list) needs parentheses of its own.
#define CHECK_REASON(expression, reason) CHECK(::voltwell::testing::Reason(expression) == (reason))
#define REQUIRE_REASON(expression, reason) REQUIRE(::voltwell::testing::Reason(expression) == (reason))
