// The envelope: addresses, what is wrong with a frame and where, and that nothing crashes.
#include "libs/codec/cjt188/frame.h"

#include <catch2/catch.hpp>

#include "libs/base/status.h"
#include "libs/codec/cjt188/body.h"
#include "libs/codec/cjt188/explain.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec::cjt188 {
namespace {

std::string Bytes(const char* hex) { return *base::FromHex(hex); }

Parsed Parse(const std::string& bytes) { return ParseFrame(base::AsBytes(bytes)); }

std::vector<std::string> AllFrames() {
  std::vector<std::string> frames;
  for (const auto& vector : vectors::Load("cjt188.vec")) {
    if (!vector.request.empty()) frames.push_back(vector.request);
    if (!vector.reply.empty()) frames.push_back(vector.reply);
  }
  return frames;
}

// Whatever the bytes are, all of them are explained, once and in order.
void CheckCovered(const std::string& bytes, const Explained& explained) {
  size_t at = 0;
  for (const Span& span : explained.spans) {
    REQUIRE(span.offset == at);
    REQUIRE(span.length > 0);
    REQUIRE_FALSE(span.meaning.empty());
    at += span.length;
  }
  REQUIRE(at == bytes.size());
  REQUIRE_FALSE(explained.summary.empty());
}

void CheckHarmless(const std::string& bytes) {
  const Parsed parsed = Parse(bytes);
  CHECK(parsed.position <= bytes.size());
  if (parsed.fault == Fault::kNone && parsed.frame.data.size() >= kHeadSize) {
    Body body;
    const WireIdentifier identifier = RecogniseIdentifier(parsed.frame.data[0], parsed.frame.data[1]);
    DecodeBody(identifier.di, Use::kReply, parsed.frame.address.type, parsed.frame.data.subspan(kHeadSize), {}, body);
  }
  for (const bool chinese : {false, true}) {
    const Explained explained = Explain(base::AsBytes(bytes), chinese);
    CheckCovered(bytes, explained);
    CHECK((explained.fault != Fault::kNone || parsed.fault == Fault::kNone));
    CHECK(explained.position <= bytes.size());
  }
}

TEST_CASE("an address is 14 digits as printed, or 16 with the meter type before them") {
  const auto address = ParseAddress("78330011223344", kHotWater);
  REQUIRE(address.ok());
  CHECK(address->type == kHotWater);
  CHECK(base::ToHex(address->wire) == "44332211003378");
  CHECK(FormatSerial(*address) == "78330011223344");
  CHECK(ParseAddress("2011110033167106", kColdWater)->type == 0x20);
  CHECK(FormatAddress(*ParseAddress("AAAAAAAAAAAAAAAA", kColdWater)) == "AAAAAAAAAAAAAAAA");
}

TEST_CASE("what is no address is refused at the digit that is wrong") {
  const auto position = [](const char* text) {
    const auto address = ParseAddress(text, kColdWater);
    CHECK(base::ReasonOf(address.status()) == "BAD_METER_ADDRESS");
    return base::MetadataOf(address.status())["position"];
  };
  CHECK(position("7833001122334") == "13");
  CHECK(position("783300112233445") == "15");
  CHECK(position("7833001122G344") == "10");
  CHECK(position("78330011223B44") == "10");
  CHECK(position("") == "0");
}

TEST_CASE("a pattern fits the meters whose other bytes are equal, whatever their type") {
  const Address own = *ParseAddress("1078330011223344", kColdWater);
  CHECK(AnswersTo(*ParseAddress("AAAAAAAAAA3344", kColdWater), own));
  CHECK(AnswersTo(*ParseAddress("78330011FFFFFF", 0x20), own));
  CHECK_FALSE(AnswersTo(*ParseAddress("AAAAAAAAAA3345", kColdWater), own));
}

TEST_CASE("a frame is parsed with its preambles and built again byte for byte") {
  for (const std::string& bytes : AllFrames()) {
    CAPTURE(base::ToHex(base::AsBytes(bytes)));
    const Parsed parsed = Parse(bytes);
    REQUIRE(parsed.fault == Fault::kNone);
    CHECK(parsed.size == bytes.size());
    CHECK(BuildFrame(parsed.frame.address, parsed.frame.control, parsed.frame.data) ==
          bytes.substr(bytes.find('\x68')));
  }
}

TEST_CASE("the first wrong byte of a broken frame is named") {
  const std::string good = Bytes("FEFE68104433221100337801031F90008016");
  const auto with = [&good](size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return Parse(bytes);
  };
  CHECK(with(2, 0x69).fault == Fault::kBadStart);
  CHECK(with(2, 0x69).position == 2);
  CHECK(with(17, 0x15).fault == Fault::kBadEnd);
  CHECK(with(17, 0x15).position == 17);
  CHECK(with(16, 0x00).fault == Fault::kBadChecksum);
  CHECK(with(16, 0x00).position == 16);
  CHECK(Parse(good.substr(0, 10)).fault == Fault::kTruncated);
  CHECK(Parse(good.substr(0, 10)).position == 10);
  CHECK(Parse("").fault == Fault::kTruncated);
}

TEST_CASE("a length that lies is told from bytes that are missing") {
  // L says 9, three bytes came, and the sum over what came is right.
  const std::string lying = Bytes("68104433221100337801091F90008616");
  CHECK(Parse(lying).fault == Fault::kBadLength);
  CHECK(Parse(lying).position == kLengthOffset);
  const std::string cut = Bytes("68104433221100337801091F90008016");
  CHECK(Parse(cut).fault == Fault::kTruncated);
}

TEST_CASE("every truncation of a recorded frame is a named fault, and all its bytes are explained") {
  for (const std::string& bytes : AllFrames()) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);
      CHECK(Parse(cut).fault != Fault::kNone);
      CheckHarmless(cut);
    }
  }
}

TEST_CASE("every flipped bit of a recorded frame is a named fault, or only lengthens its preamble") {
  for (const std::string& bytes : AllFrames()) {
    const size_t begin = bytes.find('\x68');
    for (size_t at = 0; at < bytes.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        CAPTURE(base::ToHex(base::AsBytes(flipped)));
        CHECK(Parse(flipped).fault != Fault::kNone);
        CheckHarmless(flipped);
      }
    }
    CHECK(begin != std::string::npos);
  }
}

TEST_CASE("what is explained of a key is that it is secret, and its bytes are marked") {
  for (const auto& vector : vectors::Load("cjt188.vec")) {
    if (vector.id != "write-key") continue;
    const Explained explained = Explain(base::AsBytes(vector.request), /*chinese=*/false);
    size_t secrets = 0;
    for (const Span& span : explained.spans) {
      CHECK(span.meaning.find("8B1A") == std::string::npos);
      if (span.secret) secrets += span.length;
    }
    CHECK(secrets == 8);
    CHECK(explained.summary.find("8B1A") == std::string::npos);
    return;
  }
  FAIL("no vector writes a key");
}

}  // namespace
}  // namespace voltwell::codec::cjt188
