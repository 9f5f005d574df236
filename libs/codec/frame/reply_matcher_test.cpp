// Patterns pick the answer among late, foreign and echoed frames.
#include "libs/codec/frame/reply_matcher.h"

#include <catch2/catch.hpp>

namespace voltwell::codec::frame {
namespace {

std::string Bytes(absl::string_view hex) { return *base::FromHex(hex); }
bool Matches(const ReplyMatcher& matcher, absl::string_view hex) { return matcher.Matches(base::AsBytes(Bytes(hex))); }

// To a read of 00010000 from meter 111111111111: address, reply bit and function, data identifier; or an error word.
ReplyMatcher ReadReply() {
  ReplyPattern address;
  for (uint16_t i = 1; i <= 6; ++i) address.push_back({i, 0xFF, 0x11});
  ReplyPattern normal = address;
  normal.push_back({8, 0xDF, 0x91});
  const uint8_t di[] = {0x33, 0x33, 0x34, 0x33};
  for (uint16_t i = 0; i < 4; ++i) normal.push_back({static_cast<uint16_t>(10 + i), 0xFF, di[i]});
  ReplyPattern abnormal = address;
  abnormal.push_back({8, 0xFF, 0xD1});
  return {{normal, abnormal}};
}

TEST_CASE("the answer matches, normal, with more to follow, and abnormal") {
  CHECK(Matches(ReadReply(), "68111111111111689108333334339C353333D316"));
  CHECK(Matches(ReadReply(), "6811111111111168B108333334339C353333F316"));
  CHECK(Matches(ReadReply(), "68111111111111 68D10135 6E16"));
}

TEST_CASE("an echo, another meter's answer and the answer to an earlier read do not match") {
  CHECK_FALSE(Matches(ReadReply(), "68111111111111681104333334331816"));
  CHECK_FALSE(Matches(ReadReply(), "68111111111112689108333334339C353333D416"));
  CHECK_FALSE(Matches(ReadReply(), "68111111111111689108333335339C353333D416"));
}

TEST_CASE("a pattern beyond the frame's end does not match, and no pattern matches nothing") {
  CHECK_FALSE(Matches(ReplyPattern{{20, 0x00, 0x00}}, base::AsBytes("short")));
  CHECK_FALSE(ReplyMatcher{}.Matches(base::AsBytes("anything")));
  CHECK(Matches(ReplyPattern{}, base::AsBytes("anything")));
}

}  // namespace
}  // namespace voltwell::codec::frame
