#include "libs/base/bytes.h"

#include <catch2/catch.hpp>

#include "libs/base/status.h"

using namespace voltwell;

TEST_CASE("bytes and hexadecimal round trip") {
  const std::string all = [] {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
  }();
  CHECK(base::ToHex(base::AsBytes(std::string("\x68\x0a", 2))) == "680A");
  CHECK(*base::FromHex(base::ToHex(base::AsBytes(all))) == all);
}

TEST_CASE("hexadecimal may have spaces between bytes, and either case") {
  CHECK(*base::FromHex("68 0a\nFF") == std::string("\x68\x0a\xff", 3));
}

TEST_CASE("bad hexadecimal is refused at its position") {
  const auto wrong = base::FromHex("68 0g");
  CHECK(base::ReasonOf(wrong.status()) == "BAD_HEX");
  CHECK(base::MetadataOf(wrong.status()).at("position") == "4");
  CHECK(base::ReasonOf(base::FromHex("6 8").status()) == "BAD_HEX");
  CHECK(base::ReasonOf(base::FromHex("680").status()) == "BAD_HEX");
}
