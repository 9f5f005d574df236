// Packets of several ports on one connection: every way to cut them, and whatever is none.
#include "services/collector_gateway/domain/port_stream.h"

#include <catch2/catch.hpp>
#include <string>

#include "libs/base/status.h"
#include "services/collector_gateway/testing/frames.h"

using namespace voltwell::gateway;  // NOLINT
namespace base = voltwell::base;
using voltwell::gateway::testing::Reply;
using voltwell::gateway::testing::WithBadChecksum;

namespace {

PacketHeader Header(const std::string& text) {
  auto header = PacketHeader::Parse(text);
  INFO(header.status().ToString());
  REQUIRE(header.ok());
  return *header;
}

struct Line {
  explicit Line(const std::string& text) : header(Header(text)), stream(std::bitset<kPortsMax>("10000110")) {}

  // "1:aabb 7:cc heartbeat registration noise3 unknown5" of what these bytes bring.
  std::string Hear(const std::string& bytes, absl::Duration after = absl::ZeroDuration()) {
    now += after;
    stream.Push(base::AsBytes(bytes), now);
    std::string told;
    for (;;) {
      const PortStream::Piece piece = stream.Next(header, keepalives);
      using Kind = PortStream::Piece::Kind;
      switch (piece.kind) {
        case Kind::kNone:
          return told;
        case Kind::kData:
          told += std::to_string(piece.port) + ":" + base::ToString(piece.bytes) + " ";
          break;
        case Kind::kHeartbeat:
          told += "heartbeat ";
          break;
        case Kind::kRegistration:
          told += "registration ";
          break;
        case Kind::kNoise:
          told += "noise" + std::to_string(piece.bytes.size()) + " ";
          break;
        case Kind::kUnknownPort:
          told += "unknown" + std::to_string(piece.bytes.size()) + " ";
          break;
      }
    }
  }
  std::string Packet(uint8_t port, const std::string& data) const { return header.Write(port, data.size()) + data; }

  PacketHeader header;
  Keepalives keepalives{base::AsBytes("HB\r\n"), base::AsBytes("VW-1")};
  PortStream stream;  // Ports 1, 2 and 7.
  Instant now = absl::Seconds(100);
};

const char* const kHeaders[] = {"{port}", "{port}{length:2}", "\\xAA{length:2le}{port}", "{length:1}\\x7E{port}"};

}  // namespace

TEST_CASE("packets come out whole and under their port, wherever the stream is cut") {
  for (const char* const text : kHeaders) {
    const Line form(text);
    const std::string first = Reply(5), second = "\xFE\xFE" + Reply(6);
    const std::string all = form.Packet(1, first) + "HB\r\n" + form.Packet(7, second) + "VW-1" + form.Packet(2, first);
    const std::string wanted = "1:" + first + " heartbeat 7:" + second + " registration 2:" + first + " ";
    for (size_t cut = 0; cut <= all.size(); ++cut) {
      Line line(text);
      INFO(text << " cut at " << cut);
      const std::string first_part = line.Hear(all.substr(0, cut));
      CHECK(first_part + line.Hear(all.substr(cut)) == wanted);
    }
    Line bytewise(text);
    std::string told;
    for (const char byte : all) told += bytewise.Hear(std::string(1, byte));
    CHECK(told == wanted);
  }
}

TEST_CASE("a packet of a port that the collector has not is noise as a whole, and the next one is heard") {
  Line line("{port}{length:2}");
  CHECK(line.Hear(line.Packet(3, Reply(5)) + line.Packet(2, "x") + line.Packet(1, "")) ==
        "unknown" + std::to_string(3 + Reply(5).size()) + " 2:x unknown3 ");
  // Where nothing tells the length all is lost until the line has paused.
  Line bare("{port}");
  const std::string frame = Reply(5);
  CHECK(bare.Hear("\x03" + frame + "\x01" + frame) == "noise" + std::to_string(2 * frame.size() + 2) + " ");
  CHECK(bare.Hear("\x01" + frame, kPortPause - absl::Milliseconds(1)) ==
        "noise" + std::to_string(frame.size() + 1) + " ");
  CHECK(bare.Hear("\x01" + frame, kPortPause) == "1:" + frame + " ");
}

TEST_CASE("without a length nothing but a whole frame right behind its port is anybody's answer") {
  const std::string frame = Reply(5);
  // Noise, a wrong checksum or a lost byte before another port's frame: it would be found if one looked inside.
  for (const std::string& spoilt :
       {"\x01x\x02" + frame, "\x01" + WithBadChecksum(frame) + "\x02" + frame,
        "\x01" + frame.substr(1) + "\x02" + frame, "\x02" + frame.substr(0, 4) + frame + "\x01" + frame}) {
    Line line("{port}");
    const std::string told = line.Hear(spoilt);
    CHECK(told.find(':') == std::string::npos);
    CHECK(line.Hear("\x07" + frame, kPortPacketTimeout).find("7:" + frame) != std::string::npos);
  }
}

TEST_CASE("all three protocols are cut behind a bare port") {
  const auto summed = [](std::string frame, size_t from) {
    uint8_t sum = 0;
    for (size_t i = from; i < frame.size(); ++i) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(frame[i]));
    return frame + static_cast<char>(sum) + '\x16';
  };
  const std::string cjt188 = summed(std::string("\x68\x10\x01\x02\x03\x04\x05\x06\x07\x81\x02zz", 13), 0);
  const std::string mbus_long = summed(std::string("\x68\x03\x03\x68\x08\x05\x72", 7), 4);
  const std::string mbus_short = summed(std::string("\x10\x40\x05", 3), 1);
  Line line("{port}");
  CHECK(line.Hear("\x01" + cjt188 + "\x02" + mbus_long + "\x07" + mbus_short + "\x01\xE5\x02" + Reply(5)) ==
        "1:" + cjt188 + " 2:" + mbus_long + " 7:" + mbus_short + " 1:\xE5 2:" + Reply(5) + " ");
}

TEST_CASE("a packet that never ends is given up, and what follows the pause is heard") {
  for (const char* const text : kHeaders) {
    Line line(text);
    const std::string half = line.Packet(1, Reply(5)).substr(0, 9);
    CHECK(line.Hear(half).empty());
    CHECK(line.Hear(line.Packet(2, Reply(6)), kPortPacketTimeout) == "noise9 2:" + Reply(6) + " ");
    CHECK(line.stream.pending() == 0);
  }
}

TEST_CASE("a packet of the greatest length is taken, one byte more is none") {
  Line line("{port}{length:2}");
  const std::string most(kPortPacketMax, 'm');
  CHECK(line.Hear(line.Packet(1, most)) == "1:" + most + " ");
  CHECK(line.Hear(line.Packet(1, most + "m")) == "noise" + std::to_string(kPortPacketMax + 4) + " ");
}

TEST_CASE("a header that says too little or too much is refused") {
  const auto why = [](const std::string& text) { return base::MetadataOf(PacketHeader::Parse(text).status())["why"]; };
  CHECK(why("\\xAA") == "{port} is missing");
  CHECK(why("{length:2}") == "{port} is missing");
  CHECK(why("{port}{port}") == "in braces stands port, length:1, length:2 or length:2le, each once");
  CHECK(why("{port}{length:3}") == "in braces stands port, length:1, length:2 or length:2le, each once");
  CHECK(why("{port") == "a brace that is not closed");
  CHECK(why("{port}" + std::string(15, 'h')).empty());
  CHECK(why("{port}" + std::string(16, 'h')) == "more than 16 bytes");
  CHECK(why("{port}\\q") == "an escape that is not known");
}
