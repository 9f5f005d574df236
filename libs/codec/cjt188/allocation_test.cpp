// A reply is cut from its stream and read into exact values without an allocation.
#include <catch2/catch.hpp>

#include "libs/codec/cjt188/body.h"
#include "libs/codec/frame/frame_cutter.h"
#include "libs/testing/allocations.h"

namespace voltwell::codec::cjt188 {
namespace {

void CheckReading(const char* hex, const char* value, Reg reg) {
  const std::string stream = *base::FromHex(hex);
  frame::FrameCutter cutter(frame::FrameKind::kCjt188);
  const BodyOptions options;
  Body body;
  const size_t before = testing::allocations;
  const size_t pushed = cutter.Push(base::AsBytes(stream));
  const auto frame = cutter.Next();
  const Parsed parsed = frame.has_value() ? ParseFrame(*frame) : Parsed();
  const base::ByteView data = parsed.frame.data;
  const bool decoded =
      data.size() > kHeadSize && DecodeBody(RecogniseIdentifier(data[0], data[1]).di, Use::kReply,
                                            parsed.frame.address.type, data.subspan(kHeadSize), options, body);
  const size_t after = testing::allocations;
  CHECK(after == before);
  CHECK(pushed == stream.size());
  REQUIRE(decoded);
  CHECK(body.Find(reg)->number.ToString() == value);
}

TEST_CASE("a water meter's reply is cut from its stream and read without an allocation") {
  CheckReading("FEFE68104433221100337881161F9000007766552C007766552C3101221105152021841316", "556677.00", Reg::kVolume);
}

TEST_CASE("a heat meter's reply is cut from its stream and read without an allocation") {
  CheckReading(
      "682512192418273100812E1F900311740200058827440505000000001700000000350856710"
      "02C7926006426006647071152170309252000052A16",
      "54427.88", Reg::kHeat);
}

}  // namespace
}  // namespace voltwell::codec::cjt188
