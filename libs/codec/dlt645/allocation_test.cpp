// The hot paths allocate nothing for a frame: encoding a read, cutting a stream, decoding a reply.
#include <array>
#include <catch2/catch.hpp>

#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645/request.h"
#include "libs/codec/frame/frame_cutter.h"
#include "libs/testing/allocations.h"

namespace voltwell::codec::dlt645 {
namespace {

TEST_CASE("a read is encoded into the caller's buffer as it is built, without an allocation") {
  const Address meter = *ParseAddress("202411110002");
  for (const auto& [edition, di] : {std::pair{Edition::k2007, 0x0001FF01U}, {Edition::k1997, 0x901FU}}) {
    std::array<uint8_t, kReadRequestMax> buffer;
    const size_t before = testing::allocations;
    const size_t size = EncodeRead(edition, meter, di, buffer);
    CHECK(testing::allocations == before);
    std::string data;
    AppendIdentifier(data, di, edition);
    const uint8_t function = edition == Edition::k2007 ? kReadData : kReadData1997;
    CHECK(base::ToString(base::ByteView(buffer).first(size)) == BuildFrame(meter, function, base::AsBytes(data)));
  }
  CHECK(base::ToHex(base::AsBytes(BuildRead(*ParseAddress("111111111111"), 0x00010000))) ==
        "68111111111111681104333334331816");
}

TEST_CASE("a reply is cut from its stream and decoded to an exact value without an allocation") {
  const std::string stream = *base::FromHex("FEFE6812907856341268910833333433896745335416");
  frame::FrameCutter cutter(frame::FrameKind::kDlt645);
  std::vector<Field> fields;
  fields.reserve(4);
  REQUIRE(FindByDi(Edition::k2007, 0x00010000));  // The index is made when it is first used.
  const size_t before = testing::allocations;
  const size_t pushed = cutter.Push(base::AsBytes(stream));
  const auto frame = cutter.Next();
  const bool decoded = frame.has_value() && DecodeReadReply(*frame, fields);
  const size_t after = testing::allocations;
  CHECK(after == before);
  CHECK(pushed == stream.size());
  REQUIRE(decoded);
  CHECK(fields[0].value.number.ToString() == "1234.56");
}

}  // namespace
}  // namespace voltwell::codec::dlt645
