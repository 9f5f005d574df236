// What may come as a target, and what is refused.
#include "libs/http/uri.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "libs/http/response_text.h"

namespace voltwell::http {

TEST_CASE("escapes are decoded, and a wrong one is refused") {
  CHECK(PercentDecode("a%20b%E7%94%B5", false) == "a b电");
  CHECK(PercentDecode("a+b", false) == "a+b");
  CHECK(PercentDecode("a+b", true) == "a b");
  CHECK_FALSE(PercentDecode("%", false).has_value());
  CHECK_FALSE(PercentDecode("%4", false).has_value());
  CHECK_FALSE(PercentDecode("%4g", false).has_value());
  CHECK_FALSE(PercentDecode("a%00b", false).has_value());
}

TEST_CASE("a query is a list of decoded names and values in order") {
  const auto query = ParseQuery("connect=v1&message=%7B%7D&base64&x==1");
  REQUIRE(query.has_value());
  REQUIRE(query->size() == 4);
  CHECK((*query)[1] == std::pair<std::string, std::string>("message", "{}"));
  CHECK((*query)[2] == std::pair<std::string, std::string>("base64", ""));
  CHECK((*query)[3] == std::pair<std::string, std::string>("x", "=1"));
  CHECK_FALSE(ParseQuery("a=%zz").has_value());
}

TEST_CASE("a query with one parameter too many is refused") {
  std::string query;
  for (size_t i = 0; i < kQueryParametersMax; ++i) absl::StrAppend(&query, "&a=1");
  REQUIRE(ParseQuery(query).has_value());
  CHECK_FALSE(ParseQuery(query + "&a=1").has_value());
}

TEST_CASE("a target is split into a decoded path and a query") {
  const auto target = ParseTarget("/a%2Fb/c?x=%41?");
  REQUIRE(target.has_value());
  CHECK(target->path == "/a/b/c");
  CHECK(target->query == "x=%41?");
  CHECK(ParseTarget("http://host:80/x")->path == "/x");
  CHECK(ParseTarget("*")->path == "*");
  CHECK_FALSE(ParseTarget("").has_value());
  CHECK_FALSE(ParseTarget("x").has_value());
  CHECK_FALSE(ParseTarget("http://host").has_value());
  CHECK_FALSE(ParseTarget("/%").has_value());
}

TEST_CASE("a field's value cannot add a field") {
  const std::string head = ResponseHead({200, {{"x-a", "1\r\nset-cookie: b"}}}, {.length = 0});
  CHECK(head == "HTTP/1.1 200 OK\r\nx-a: 1  set-cookie: b\r\ncontent-length: 0\r\n\r\n");
}

}  // namespace voltwell::http
