// Addresses: order on the wire, wildcards, mistakes.
#include "libs/codec/dlt645/address.h"

#include <catch2/catch.hpp>

#include "libs/base/status.h"

namespace voltwell::codec::dlt645 {
namespace {

TEST_CASE("an address goes out with its low digits first") {
  const auto address = ParseAddress("202411110002");
  REQUIRE(address.ok());
  CHECK(base::ToHex(address->wire) == "020011112420");
  CHECK(FormatAddress(*address) == "202411110002");
}

TEST_CASE("missing high digits are zeros, and bytes that are no BCD are kept") {
  CHECK(FormatAddress(*ParseAddress("161")) == "000000000161");
  CHECK(FormatAddress(*ParseAddress("0332313a")) == "00000332313A");
}

TEST_CASE("a wrong address is refused with the position of the mistake") {
  const auto reason = [](absl::string_view text) { return base::ReasonOf(ParseAddress(text).status()); };
  CHECK(reason("") == "BAD_METER_ADDRESS");
  CHECK(reason("1234567890123") == "BAD_METER_ADDRESS");
  CHECK(reason("12 4") == "BAD_METER_ADDRESS");
  CHECK(base::MetadataOf(ParseAddress("12x4").status())["position"] == "2");
}

TEST_CASE("wildcard bytes accept any meter, all others must be equal") {
  const Address meter = *ParseAddress("202411110002");
  CHECK(AnswersTo(*ParseAddress("AAAAAAAAAAAA"), meter));
  CHECK(AnswersTo(*ParseAddress("AAAAAAAA0002"), meter));
  CHECK_FALSE(AnswersTo(*ParseAddress("AAAAAAAA0003"), meter));
  CHECK_FALSE(AnswersTo(*ParseAddress("202411110003"), meter));
}

}  // namespace
}  // namespace voltwell::codec::dlt645
