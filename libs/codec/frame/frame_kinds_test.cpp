// The cutter on CJ/T 188 and M-Bus lines: other shapes, the same promises as for DL/T 645.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_cutter.h"

namespace voltwell::codec::frame {
namespace {

// EN 13757-2: acknowledge, SND_NKE to FD, REQ_UD2 of 4, application error 8 of meter 1.
const char* const kAck = "E5";
const char* const kReset = "1040FD3D16";
const char* const kRequest = "105B045F16";
const char* const kBusy = "68040468080170088116";
const char* const kControl = "680303685301B10516";

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

std::string Water(const std::string& data, char type = '\x10') {
  std::string frame = std::string("\x68") + type + Bytes("78563412001111 81") + static_cast<char>(data.size()) + data;
  frame += static_cast<char>(Sum8(base::AsBytes(frame)));
  return frame + '\x16';
}

std::string Long(const std::string& user) {
  const auto length = static_cast<char>(user.size());
  std::string frame = {'\x68', length, length, '\x68'};
  frame += user;
  frame += static_cast<char>(Sum8(base::AsBytes(user)));
  return frame + '\x16';
}

std::string HexOf(const std::string& bytes) { return base::ToHex(base::AsBytes(bytes)); }

// Cuts the stream in two at every place, and byte by byte: always the same frames.
void CheckEverySplit(FrameKind kind, const std::string& stream, const std::vector<std::string>& expected) {
  for (size_t split = 0; split <= stream.size(); ++split) {
    FrameCutter cutter(kind);
    auto frames = Cut(cutter, stream.substr(0, split));
    for (auto& frame : Cut(cutter, stream.substr(split))) frames.push_back(frame);
    REQUIRE(frames == expected);
    REQUIRE(cutter.counts().noise_bytes == 0);
    REQUIRE(cutter.pending() == 0);
  }
  FrameCutter cutter(kind);
  std::vector<std::string> frames;
  for (size_t i = 0; i < stream.size(); ++i) {
    for (auto& frame : Cut(cutter, stream.substr(i, 1))) frames.push_back(frame);
  }
  CHECK(frames == expected);
}

TEST_CASE("frames of CJ/T 188 are cut wherever the stream is split, glued, with preambles") {
  const std::string one = Water(Bytes("901F00 00660000 2C 00660000 2C 00000000000000 0000"));
  const std::string two = Water("", '\x20');
  CheckEverySplit(FrameKind::kCjt188, Bytes("FEFEFE") + one + two + Bytes("FE") + one,
                  {HexOf(one), HexOf(two), HexOf(one)});
}

TEST_CASE("frames of M-Bus are cut wherever the stream is split, glued") {
  const std::string longest = Long(std::string(255, '\x68'));
  CheckEverySplit(FrameKind::kMbus,
                  Bytes(kAck) + Bytes(kReset) + Bytes(kBusy) + longest + Bytes(kRequest) + Bytes(kControl),
                  {kAck, kReset, kBusy, HexOf(longest), kRequest, kControl});
}

TEST_CASE("the published CJ/T 188 frame whose checksum was never right is refused") {
  const std::string bytes = Bytes("FEFEFE6810785634120011118116901F0000660000002C006600002C0000000000000000000816");
  FrameCutter cutter(FrameKind::kCjt188);
  CHECK(Cut(cutter, bytes).empty());
}

TEST_CASE("every length of every kind is cut") {
  for (size_t length = 0; length <= 255; ++length) {
    const std::string water = Water(std::string(length, '\x68'));
    FrameCutter cjt188(FrameKind::kCjt188);
    REQUIRE(Cut(cjt188, water) == std::vector<std::string>{HexOf(water)});
    if (length < kMbusLengthMin) continue;
    const std::string user = Long(std::string(length, '\x10'));
    FrameCutter mbus(FrameKind::kMbus);
    REQUIRE(Cut(mbus, user) == std::vector<std::string>{HexOf(user)});
  }
}

TEST_CASE("a wrong checksum of CJ/T 188 and M-Bus is counted, and the frame behind it is found") {
  const std::string good = Water(Bytes("901F00"));
  std::string broken = good;
  broken[12] = static_cast<char>(broken[12] ^ 0x40);
  FrameCutter cjt188(FrameKind::kCjt188);
  CHECK(Cut(cjt188, broken + good) == std::vector<std::string>{HexOf(good)});
  CHECK(cjt188.counts().bad_checksums == 1);
  CHECK(cjt188.counts().noise_bytes == broken.size());

  FrameCutter mbus(FrameKind::kMbus);
  CHECK(Cut(mbus, Bytes("68040468080170088216") + Bytes("105B046016") + Bytes(kBusy)) ==
        std::vector<std::string>{kBusy});
  CHECK(mbus.counts().bad_checksums == 2);
}

TEST_CASE("a corrupted length of CJ/T 188 and M-Bus blocks the stream only until the inter-byte timeout") {
  const std::string good = Water(Bytes("901F00"));
  std::string stuck = good;
  stuck[10] = '\xF0';
  FrameCutter cjt188(FrameKind::kCjt188);
  CHECK(Cut(cjt188, stuck + good).empty());
  std::vector<std::string> found;
  while (found.empty() && cjt188.DropStalled()) {
    while (const auto frame = cjt188.Next()) found.push_back(base::ToHex(*frame));
  }
  CHECK(found == std::vector<std::string>{HexOf(good)});

  // M-Bus says its length twice: one broken byte is seen at once; both broken the same way block.
  FrameCutter once(FrameKind::kMbus);
  CHECK(Cut(once, Bytes("68F004") + Bytes(kBusy)) == std::vector<std::string>{kBusy});
  FrameCutter twice(FrameKind::kMbus);
  CHECK(Cut(twice, Bytes("68F0F068080170088116") + Bytes(kBusy)).empty());
  CHECK(twice.DropStalled());
  const auto frame = twice.Next();
  REQUIRE(frame.has_value());
  CHECK(base::ToHex(*frame) == kBusy);
}

TEST_CASE("noise around and between M-Bus frames costs none of them") {
  FrameCutter cutter(FrameKind::kMbus);
  const auto frames =
      Cut(cutter, Bytes(std::string("00FF10FF6802") + kBusy + "16681010" + kRequest + "FCFD" + kAck + "00"));
  CHECK(frames == std::vector<std::string>{kBusy, kRequest, kAck});
  CHECK(cutter.counts().noise_bytes == 6 + 4 + 2 + 1);
}

TEST_CASE("start bytes inside M-Bus frames begin none") {
  FrameCutter cutter(FrameKind::kMbus);
  const std::string inside = Long(Bytes("0801 E5 10 5B 04 5F 16 68 03 03 68"));
  CHECK(Cut(cutter, inside + inside) == std::vector<std::string>{HexOf(inside), HexOf(inside)});
  CHECK(cutter.counts().noise_bytes == 0);
}

TEST_CASE("a true M-Bus frame behind a false start is found") {
  // 68 68 68 68: the first three each look like a start with a length of 68H; only the timeout can tell.
  FrameCutter cutter(FrameKind::kMbus);
  CHECK(Cut(cutter, std::string("\x68\x10") + Bytes(kBusy)) == std::vector<std::string>{kBusy});
  std::vector<std::string> found = Cut(cutter, Bytes("680B0B68") + Bytes(kBusy));
  while (found.empty() && cutter.DropStalled()) {
    while (const auto frame = cutter.Next()) found.push_back(base::ToHex(*frame));
  }
  CHECK(found == std::vector<std::string>{kBusy});
}

TEST_CASE("each kind finds its own frames only") {
  const std::string reply645 = Bytes("682000510503266891083333353333333333A216");
  const auto count = [](FrameKind kind, const std::string& stream) {
    FrameCutter cutter(kind);
    size_t frames = Cut(cutter, stream).size();
    while (cutter.DropStalled()) {
      while (cutter.Next()) ++frames;
    }
    return frames;
  };
  CHECK(count(FrameKind::kDlt645, Bytes(kAck) + Bytes(kReset) + Bytes(kBusy)) == 0);
  CHECK(count(FrameKind::kCjt188, Bytes(kAck) + Bytes(kReset) + Bytes(kBusy)) == 0);
  CHECK(count(FrameKind::kMbus, reply645) == 0);
  CHECK(count(FrameKind::kCjt188, reply645) == 0);
  CHECK(count(FrameKind::kDlt645, Water(Bytes("901F00"))) == 0);
}

TEST_CASE("what the buffer leaves unfinished always fits: no kind's frame exceeds the longest") {
  CHECK(kFrameMax >= kDlt645FrameMax);
  CHECK(kFrameMax >= kMbusFrameMax);
  CHECK(kCutterBufferMax > 2 * kFrameMax);
}

TEST_CASE("random noise with frames of each kind between never loses count of a byte") {
  std::mt19937 random(5);
  for (const FrameKind kind : {FrameKind::kCjt188, FrameKind::kMbus}) {
    std::string stream;
    for (int i = 0; i < 3000; ++i) {
      for (uint32_t n = random() % 30; n > 0; --n) stream += static_cast<char>(random());
      std::string data(3 + random() % 60, '\0');
      for (char& c : data) c = static_cast<char>(random());
      stream += kind == FrameKind::kCjt188 ? Water(data) : Long(data);
    }
    FrameCutter cutter(kind);
    size_t frame_bytes = 0;
    for (const std::string& frame : Cut(cutter, stream)) frame_bytes += frame.size() / 2;
    CHECK(frame_bytes > stream.size() / 4);
    CHECK(frame_bytes + cutter.counts().noise_bytes + cutter.pending() <= stream.size());
  }
}

}  // namespace
}  // namespace voltwell::codec::frame
