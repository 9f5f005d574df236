// Requests: mistakes in what the caller gives, and which frames their replies may be. That the bytes are right is shown
// by recorded frames (vectors_test.cpp).
#include "libs/codec/dlt645/request.h"

#include <catch2/catch.hpp>

#include "libs/base/status.h"
#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec::dlt645 {
namespace {

const Address kMeter = *ParseAddress("111111111111");

RelayRequest Trip() {
  return {RelayAction::kTrip, std::string("\x02\0\0\0", 4), std::string(4, '\0'), "2026-11-22T09:30:00"};
}

std::string Reason(const RelayRequest& request) { return base::ReasonOf(BuildRelay(kMeter, request).status()); }

bool Matches(const frame::ReplyMatcher& matcher, const std::string& frame) {
  return matcher.Matches(base::AsBytes(frame));
}

std::string Reply(absl::string_view address, uint8_t control, absl::string_view data) {
  return BuildFrame(*ParseAddress(address), control, base::AsBytes(data));
}

TEST_CASE("a relay request without whole secrets or a real expiry is refused by name") {
  CHECK(BuildRelay(kMeter, Trip()).ok());
  RelayRequest request = Trip();
  request.password = "abc";
  CHECK(Reason(request) == "BAD_PASSWORD_LENGTH");
  request = Trip();
  request.operator_code = "abcde";
  CHECK(Reason(request) == "BAD_OPERATOR_LENGTH");
  for (const char* bad : {"", "2026-11-22", "2026-11-22 09:30:00", "1999-11-22T09:30:00", "2026-13-22T09:30:00",
                          "2026-11-00T09:30:00", "2026-11-22T24:30:00", "2026-11-22T09:60:00", "2026-11-22T09:30:0x"}) {
    CAPTURE(bad);
    request = Trip();
    request.expiry = bad;
    CHECK(Reason(request) == "BAD_EXPIRY");
  }
}

TEST_CASE("the reply to a read is normal with its identifier, or abnormal") {
  const auto matcher = ReadReplyMatcher(kMeter, kReadData, 0x00010000);
  const std::string data("\0\0\1\0\x69\2\0\0", 8);
  CHECK(Matches(matcher, Reply("111111111111", 0x91, data)));
  CHECK(Matches(matcher, Reply("111111111111", 0xB1, data)));
  CHECK(Matches(matcher, Reply("111111111111", 0xD1, "\x02")));
}

TEST_CASE("an echo, another meter, another function and a late answer to another read are not the reply") {
  const auto matcher = ReadReplyMatcher(kMeter, kReadData, 0x00010000);
  const std::string data("\0\0\1\0\x69\2\0\0", 8);
  CHECK_FALSE(Matches(matcher, BuildRead(kMeter, 0x00010000)));
  CHECK_FALSE(Matches(matcher, Reply("111111111112", 0x91, data)));
  CHECK_FALSE(Matches(matcher, Reply("111111111111", 0x92, data)));
  CHECK_FALSE(Matches(matcher, Reply("111111111111", 0xD2, "\x02")));
  CHECK_FALSE(Matches(matcher, Reply("111111111111", 0x91, std::string("\0\0\2\0\x69\2\0\0", 8))));
}

TEST_CASE("a request with wildcards is answered by any meter") {
  const auto matcher = ReplyMatcherOf(*ParseAddress("AAAAAAAAAAAA"), kReadAddress);
  CHECK(Matches(matcher, Reply("201000000012", 0x93, "123456")));
  CHECK_FALSE(Matches(matcher, BuildReadAddress(*ParseAddress("AAAAAAAAAAAA"))));
}

TEST_CASE("a relay command is answered by 9C or DC of that meter") {
  const auto matcher = ReplyMatcherOf(kMeter, kRelayControl);
  CHECK(Matches(matcher, Reply("111111111111", 0x9C, "")));
  CHECK(Matches(matcher, Reply("111111111111", 0xDC, "\x04")));
  CHECK_FALSE(Matches(matcher, *BuildRelay(kMeter, Trip())));
}

}  // namespace
}  // namespace voltwell::codec::dlt645
