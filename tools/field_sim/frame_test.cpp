// Frames against bytes that others recorded (public captures and the fixtures of public implementations), never
// against a codec of ours.
#include "tools/field_sim/frame.h"

#include <catch2/catch.hpp>

#include "libs/base/bytes.h"

namespace voltwell::field_sim {
namespace {

std::string Hex(const char* hex) { return *base::FromHex(hex); }

void Append(FrameCutter* cutter, const std::string& bytes) { cutter->Append(base::AsBytes(bytes)); }

std::string Built(const char* address, const Reply& reply) {
  std::array<uint8_t, kMaxFrame> out;
  return base::ToHex(Bytes(out).first(BuildFrame(*ParseAddress(address), reply, out.data())));
}

Reply DataReply(uint32_t di, int64_t value, size_t bytes) {
  Reply reply;
  reply.control = 0x91;
  reply.PutDi(di);
  reply.PutBcd(value, bytes);
  return reply;
}

TEST_CASE("a recorded read request is cut into its address, function and data identifier") {
  FrameCutter cutter;
  Append(&cutter, Hex("68610100000000681104333434351716"));  // Android decoder's comments: voltage A of meter 161.
  Request request;
  REQUIRE(cutter.Next(&request));
  CHECK(AddressText(request.address) == "000000000161");
  CHECK(request.control == 0x11);
  CHECK(base::ToHex(request.payload()) == "00010102");
  CHECK(base::ToHex(request.frame()) == "68610100000000681104333434351716");
  CHECK_FALSE(cutter.Next(&request));
}

TEST_CASE("a recorded trip command keeps password, operator, action and expiry in their places") {
  FrameCutter cutter;
  Append(&cutter, Hex("FEFEFEFE68040028101920681C1035333333646464644D333434343434CC1F16"));
  Request request;
  REQUIRE(cutter.Next(&request));
  CHECK(AddressText(request.address) == "201910280004");
  CHECK(request.control == 0x1C);
  CHECK(base::ToHex(request.payload()) == "02000000313131311A00010101010199");
}

TEST_CASE("a request that comes in two pieces, cut at any byte, is heard once") {
  const std::string frame = Hex("68111111111111681C1033333333333333334D3357744845384B5516");
  for (size_t cut = 1; cut < frame.size(); ++cut) {
    FrameCutter cutter;
    Request request;
    Append(&cutter, frame.substr(0, cut));
    CHECK_FALSE(cutter.Next(&request));
    Append(&cutter, frame.substr(cut));
    CHECK(cutter.Next(&request));
    CHECK(request.size == 16);
  }
}

TEST_CASE("noise, a broken frame and a wrong checksum do not hide the request behind them") {
  const std::string good = Hex("68160000001520681104333435350116");
  // The second is a time broadcast whose published checksum is wrong.
  for (const char* before : {"00FFFEFE", "680100000000006808060102030703175E16", "68010000", "6868686868"}) {
    FrameCutter cutter;
    Request request;
    Append(&cutter, Hex(before) + good);
    INFO(before);
    REQUIRE(cutter.Next(&request));
    CHECK(AddressText(request.address) == "201500000016");
  }
  FrameCutter cutter;
  Request request;
  Append(&cutter, Hex("680100000000006808060102030703175E16"));
  CHECK_FALSE(cutter.Next(&request));
  CHECK(cutter.bad_frames() == 1);
}

TEST_CASE("the cutter forgets the oldest bytes beyond its limit and still finds the newest request") {
  FrameCutter cutter;
  Request request;
  Append(&cutter, std::string(kCutterBytes + 1, '\0'));
  Append(&cutter, Hex("68160000001520681104333435350116"));
  REQUIRE(cutter.Next(&request));
  CHECK(AddressText(request.address) == "201500000016");
}

TEST_CASE("replies are built byte for byte as real meters were recorded to answer") {
  CHECK(Built("000000000161", DataReply(0x02010100, 1001, 2)) == "686101000000006891063334343534431016");
  CHECK(Built("000000000161", DataReply(0x02020100, 4999, 3)) == "6861010000000068910733343535CC7C331616");
  CHECK(Built("000000000161", DataReply(0x02030000, 2512, 3)) == "68610100000000689107333336354558336B16");
  CHECK(Built("000000052086", DataReply(0x00010000, 844375, 4)) == "6886200500000068910833333433A876B733E916");
  CHECK(Built("100023669245", DataReply(0x02010100, 2233, 2)) == "684592662300106891063334343566556216");
  CHECK(Built("171118445100", DataReply(0x02800002, 5003, 2)) == "680051441811176891063533B33536834516");
  Reply refusal;
  refusal.control = 0xD1;
  refusal.Put(uint8_t{0x02});
  CHECK(Built("123456789012", refusal) == "6812907856341268D101358D16");
  Reply confirmed;
  confirmed.control = 0x9C;
  CHECK(Built("260305510009", confirmed) == "68090051050326689C00F416");
}

TEST_CASE("a negative value sets the highest bit of its highest byte") {
  Reply reply;
  reply.PutBcd(-2512, 3);
  CHECK(base::ToHex(Bytes(reply.data).first(reply.size)) == "122580");
}

TEST_CASE("AA in a requested address stands for any byte, and only for that byte") {
  const Address own = *ParseAddress("202411110002");
  CHECK(AddressMatches(*ParseAddress("AAAAAAAAAAAA"), own));
  CHECK(AddressMatches(*ParseAddress("AAAAAAAA0002"), own));
  CHECK_FALSE(AddressMatches(*ParseAddress("AAAAAAAA0003"), own));
  CHECK(HasWildcard(*ParseAddress("AAAAAAAA0002")));
  CHECK_FALSE(HasWildcard(own));
  CHECK_FALSE(ParseAddress("20241111000").has_value());
  CHECK_FALSE(ParseAddress("20241111000G").has_value());
}

}  // namespace
}  // namespace voltwell::field_sim
