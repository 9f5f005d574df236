// The cutter against what real lines do: split and glued segments, preambles, noise, broken frames, stuck lengths.
#include "libs/codec/frame/frame_cutter.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "libs/codec/frame/checksum.h"

namespace voltwell::codec::frame {
namespace {

// Captured replies: reverse energy 0.00, forward energy 2.69, and a relay acknowledgement without data.
const char* const kReply = "682000510503266891083333353333333333A216";
const char* const kReplyTwo = "68111111111111689108333334339C353333D316";
const char* const kAck = "68090051050326689C00F416";

std::string Bytes(absl::string_view hex) { return *base::FromHex(hex); }

std::vector<std::string> Cut(FrameCutter& cutter, absl::string_view bytes) {
  std::vector<std::string> frames;
  base::ByteView left = base::AsBytes(bytes);
  while (!left.empty()) {
    left = left.subspan(cutter.Push(left));
    while (const auto frame = cutter.Next()) frames.push_back(base::ToHex(*frame));
  }
  return frames;
}

std::string Frame(const std::string& data) {
  std::string frame = Bytes("68010203040506 68 91") + static_cast<char>(data.size()) + data;
  frame += static_cast<char>(Sum8(base::AsBytes(frame)));
  return frame + '\x16';
}

TEST_CASE("frames are cut wherever the stream is split") {
  const std::string stream = Bytes(std::string("FEFEFEFE") + kReply + kReplyTwo + kAck);
  for (size_t split = 0; split <= stream.size(); ++split) {
    FrameCutter cutter(FrameKind::kDlt645);
    auto frames = Cut(cutter, stream.substr(0, split));
    for (auto& frame : Cut(cutter, stream.substr(split))) frames.push_back(frame);
    REQUIRE(frames == std::vector<std::string>{kReply, kReplyTwo, kAck});
    REQUIRE(cutter.counts().noise_bytes == 0);
    REQUIRE(cutter.pending() == 0);
  }
}

TEST_CASE("a frame that comes byte by byte is cut with its last byte") {
  FrameCutter cutter(FrameKind::kDlt645);
  const std::string stream = Bytes(kReply);
  for (size_t i = 0; i + 1 < stream.size(); ++i) CHECK(Cut(cutter, stream.substr(i, 1)).empty());
  CHECK(Cut(cutter, stream.substr(stream.size() - 1)).size() == 1);
}

TEST_CASE("garbage before, between and after frames costs no frame and is counted") {
  FrameCutter cutter(FrameKind::kDlt645);
  const auto frames = Cut(cutter, Bytes(std::string("00FF6812") + kReply + "1668161616FE" + kAck + "FE00"));
  CHECK(frames == std::vector<std::string>{kReply, kAck});
  CHECK(cutter.counts().noise_bytes == 4 + 5 + 2);  // The FE before the frame is a preamble, that at the end is not.
  CHECK(cutter.counts().frames == 2);
}

TEST_CASE("preambles are no noise, however long and wherever the stream is split") {
  const std::string stream = Bytes("0000") + std::string(300, '\xFE') + Bytes(kAck) + Bytes("FEFE") + Bytes(kAck);
  for (const size_t piece : {size_t{1}, size_t{7}, stream.size()}) {
    FrameCutter cutter(FrameKind::kDlt645);
    size_t frames = 0;
    for (size_t at = 0; at < stream.size(); at += piece) frames += Cut(cutter, stream.substr(at, piece)).size();
    CHECK(frames == 2);
    CHECK(cutter.counts().noise_bytes == 2);
  }
}

TEST_CASE("a wrong checksum is counted, and the frame behind it is found") {
  FrameCutter cutter(FrameKind::kDlt645);
  std::string broken = Bytes(kReply);
  broken[12] = static_cast<char>(broken[12] ^ 0x40);
  CHECK(Cut(cutter, broken + Bytes(kAck)) == std::vector<std::string>{kAck});
  CHECK(cutter.counts().bad_checksums == 1);
  CHECK(cutter.counts().noise_bytes == broken.size());
}

TEST_CASE("public frames whose checksum fails are rejected") {
  // Time synchronisation examples of wuhuangrui/C82_DL689, StdReader.cpp: sent without the offset, CS wrong.
  for (const char* bad : {"680100000000006808060102030703175E16", "689999999999996808060102030703175E16"}) {
    FrameCutter cutter(FrameKind::kDlt645);
    CHECK(Cut(cutter, Bytes(bad)).empty());
    CHECK(cutter.counts().bad_checksums == 1);
  }
}

TEST_CASE("68H and 16H inside address, data and checksum do not end or begin a frame") {
  FrameCutter cutter(FrameKind::kDlt645);
  const std::string inside = Frame(Bytes("68161668681616686868161616166868"));
  CHECK(Cut(cutter, inside + inside).size() == 2);
  CHECK(cutter.counts().noise_bytes == 0);
}

TEST_CASE("a true frame inside a false one is found") {
  // The false 68H has a second 68H seven bytes on: the first of the true frame.
  FrameCutter cutter(FrameKind::kDlt645);
  CHECK(Cut(cutter, Bytes(std::string("68AAAAAAAAAAAA") + kReply + std::string(600, '0'))) ==
        std::vector<std::string>{kReply});
}

TEST_CASE("a corrupted length blocks the stream only until the inter-byte timeout") {
  FrameCutter cutter(FrameKind::kDlt645);
  std::string stuck = Bytes(kReply);
  stuck[9] = '\xF0';  // L points 240 bytes ahead.
  CHECK(Cut(cutter, stuck + Bytes(kAck)).empty());
  CHECK(cutter.pending() == stuck.size() + kDlt645FrameMin);
  CHECK(cutter.DropStalled());
  const auto frame = cutter.Next();
  REQUIRE(frame.has_value());
  CHECK(base::ToHex(*frame) == kAck);
  CHECK_FALSE(cutter.DropStalled());
}

TEST_CASE("the longest frame is cut, and every length below it") {
  for (size_t length = 0; length <= 255; ++length) {
    FrameCutter cutter(FrameKind::kDlt645);
    const std::string frame = Frame(std::string(length, '\x68'));
    REQUIRE(Cut(cutter, frame) == std::vector<std::string>{base::ToHex(base::AsBytes(frame))});
  }
}

TEST_CASE("the buffer takes its limit and not one byte more until frames are taken") {
  FrameCutter cutter(FrameKind::kDlt645);
  std::string stream;
  while (stream.size() < kCutterBufferMax + 1) stream += Bytes(kReply);
  CHECK(cutter.Push(base::AsBytes(stream).first(kCutterBufferMax + 1)) == kCutterBufferMax);
  CHECK(cutter.Push(base::AsBytes(stream).first(1)) == 0);
  size_t frames = 0;
  while (cutter.Next()) ++frames;
  CHECK(frames == kCutterBufferMax / 20);
  CHECK(cutter.Push(base::AsBytes(stream).first(1)) == 1);
}

TEST_CASE("bytes of an exchange that is over are forgotten") {
  FrameCutter cutter(FrameKind::kDlt645);
  CHECK(Cut(cutter, Bytes(kReply).substr(0, 15)).empty());
  cutter.Reset();
  CHECK(cutter.pending() == 0);
  CHECK(Cut(cutter, Bytes(kAck)) == std::vector<std::string>{kAck});
}

TEST_CASE("among random noise that has no 68H every frame is found") {
  std::mt19937 random(11);
  std::string stream;
  size_t sent = 0;
  for (int i = 0; i < 2000; ++i) {
    for (uint32_t n = random() % 30; n > 0; --n) {
      const auto noise = static_cast<uint8_t>(random());
      stream += static_cast<char>(noise == kDlt645Start ? 0 : noise);
    }
    std::string data(random() % 256, '\0');
    for (char& c : data) c = static_cast<char>(random());
    stream += Frame(data);
    ++sent;
  }
  FrameCutter cutter(FrameKind::kDlt645);
  CHECK(Cut(cutter, stream).size() == sent);
  CHECK(cutter.counts().bad_checksums == 0);
}

TEST_CASE("the checksum equals the plain sum for every length") {
  std::mt19937 random(3);
  std::string bytes;
  for (int length = 0; length < 3000; ++length) {
    uint8_t sum = 0;
    for (const char c : bytes) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
    REQUIRE(Sum8(base::AsBytes(bytes)) == sum);
    bytes += static_cast<char>(length < 1500 ? 0xFF : random());
  }
}

}  // namespace
}  // namespace voltwell::codec::frame
