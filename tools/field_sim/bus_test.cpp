// The bus: time on the wire, collisions, and each fault by itself.
#include "tools/field_sim/bus.h"

#include <catch2/catch.hpp>

#include "tools/field_sim/testing.h"

namespace voltwell::field_sim {
namespace {

using testing::After;
using testing::kMorning;

constexpr int64_t kMs = 1'000'000;
const char kFirst[] = "202411110002";
const char kSecond[] = "202411110103";

struct Line {
  Line() {
    config.heartbeat = "VWHB";
    config.registration = config.registration_id = "VW-1";
    config.wire_time = false;
    for (const char* address : {kFirst, kSecond}) {
      ParkMeter meter;
      meter.address = *ParseAddress(address);
      meter.forward_centi_kwh = {0, 0, 123456, 0};
      meter.power_w = 0;
      config.meters.push_back(meter);
    }
  }
  void Start() { bus = std::make_unique<Bus>(config, LoadSettings(), kMorning); }
  // What leaves at once.
  std::string Say(const std::string& bytes, double seconds = 0) {
    if (bus == nullptr) Start();
    std::string out;
    bus->Receive(base::AsBytes(bytes), After(kMorning, seconds), &out);
    return out;
  }
  std::string Read(const char* address, double seconds = 0) {
    return Say(testing::RequestFrame(address, 0x11, "00000100"), seconds);
  }
  // The next waiting segment and how long after kMorning it leaves.
  std::pair<std::string, int64_t> Next() {
    const int64_t due = bus->due();
    std::string segment;
    if (!bus->TakeDue(due, &segment)) return {"", 0};
    return {segment, due - kMorning.mono_ns};
  }
  ParkBus config;
  std::unique_ptr<Bus> bus;
};

const char kTruth[] = "91:0000010056341200";

// The clean answer of the first meter.
std::string Clean() {
  Line line;
  return line.Read(kFirst);
}

TEST_CASE("without wire time an answer leaves at once, and a meter of another bus is silent") {
  Line line;
  CHECK(testing::Summary(line.Read(kFirst)) == kTruth);
  CHECK(line.Read("000000000001").empty());
  CHECK(line.bus->counts().requests == 2);
  CHECK(line.bus->counts().unanswered == 1);
}

TEST_CASE("meters of two protocols share a bus, and each hears its own requests only") {
  Line line;
  ParkMeter water;
  water.protocol = MeterProtocol::kCjt188;
  water.address_text = "1000112233445566";
  water.fluid.start_litres = 123'450;
  line.config.meters.push_back(water);
  const std::string asked = *base::FromHex("FEFEFE68106655443322110001031F90019116");
  for (int i = 0; i < 5; ++i) {
    CHECK(testing::Summary(line.Read(kFirst, i * 0.02)) == kTruth);
    const std::string answer = base::ToHex(base::AsBytes(line.Say(asked, i * 0.02 + 0.01)));
    CHECK(answer.substr(0, 28) ==
          "6810665544332211008116"
          "1F9001");
    CHECK(answer.substr(28, 10) == "452301002C");
  }
  CHECK(line.bus->counts().requests == 10);
  CHECK(line.bus->counts().unanswered == 0);
}

TEST_CASE("on a wire of 2400 baud an answer takes eleven bits a byte both ways, turnaround and packet gap") {
  Line line;
  line.config.wire_time = true;
  CHECK(line.Read(kFirst).empty());
  const auto [segment, after_ns] = line.Next();
  CHECK(testing::Summary(segment) == kTruth);
  // 16 bytes of request and 20 of answer are 396 bits, 165 ms; 30 ms turnaround, 20 ms gap.
  CHECK(after_ns / kMs == 214);
}

TEST_CASE("a request into an answer on the wire collides: it is not heard and the answer is spoilt") {
  Line line;
  line.config.wire_time = true;
  line.Read(kFirst);
  line.Read(kSecond, 0.12);  // The answer is on the wire from 103 ms to 195 ms.
  CHECK(line.bus->counts().collisions == 1);
  CHECK(line.bus->counts().requests == 1);
  const auto [segment, after_ns] = line.Next();
  CHECK(segment.size() == 20);
  CHECK(segment != Clean());
  CHECK(line.bus->due() == INT64_MAX);
  line.Read(kSecond, 1.0);
  CHECK(testing::Summary(line.Next().first) == kTruth);
}

TEST_CASE("a request in two TCP segments on a slow wire is one request") {
  Line line;
  line.config.wire_time = true;
  const std::string frame = testing::RequestFrame(kFirst, 0x11, "00000100");
  line.Say(frame.substr(0, 7));
  line.Say(frame.substr(7), 0.001);
  CHECK(line.bus->counts().requests == 1);
  CHECK(line.bus->counts().collisions == 0);
}

TEST_CASE("half a request is given up after a pause of half a second") {
  Line line;
  const std::string frame = testing::RequestFrame(kFirst, 0x11, "00000100");
  line.Say(frame.substr(0, 12));
  CHECK(line.Say(frame.substr(12), 0.6).empty());
  CHECK(testing::Summary(line.Read(kFirst, 0.7)) == kTruth);
}

TEST_CASE("an echoing bus returns the request in front of the answer") {
  Line line;
  line.config.echo = true;
  const std::string frame = testing::RequestFrame(kFirst, 0x11, "00000100");
  CHECK(line.Say("\xFE\xFE" + frame) == "\xFE\xFE" + frame + Clean());
}

TEST_CASE("a pattern that fits one meter is answered, one that fits two gives bytes that are no frame") {
  Line line;
  CHECK(testing::Summary(line.Read("AAAAAAAA0002")) == kTruth);
  const std::string both = line.Read("AAAAAAAAAAAA");
  CHECK(both.size() == 20);
  CHECK(both != Clean());
  FrameCutter cutter;
  Request request;
  cutter.Append(base::AsBytes(both));
  CHECK_FALSE(cutter.Next(&request));
}

TEST_CASE("faults that take or replace an answer") {
  Line line;
  Faults& faults = line.config.meters[0].faults;
  const std::string clean = Clean();
  SECTION("silence") {
    faults.silence_rate = 1;
    CHECK(line.Read(kFirst).empty());
    CHECK(line.bus->devices()[0]->counts().requests == 0);
  }
  SECTION("an answer that is lost after the meter acted") {
    faults.drop_reply_rate = 1;
    CHECK(line.Read(kFirst).empty());
    CHECK(line.bus->devices()[0]->counts().requests == 1);
  }
  SECTION("noise inside") {
    faults.noise_inside_rate = 1;
    CHECK(line.Read(kFirst).size() == clean.size() + 1);
  }
  SECTION("wrong checksum") {
    faults.bad_checksum_rate = 1;
    const std::string answer = line.Read(kFirst);
    CHECK(answer.substr(0, answer.size() - 2) == clean.substr(0, clean.size() - 2));
    CHECK(answer[answer.size() - 2] != clean[clean.size() - 2]);
  }
  SECTION("garbage") {
    faults.garbage_rate = 1;
    CHECK(line.Read(kFirst) != clean);
    CHECK(line.Read(kFirst).size() == clean.size());
  }
}

TEST_CASE("faults that dress an answer up, delay or divide it") {
  Line line;
  Faults& faults = line.config.meters[0].faults;
  const std::string clean = Clean();
  SECTION("preamble") {
    faults.leading_fe = 4;
    CHECK(line.Read(kFirst) == "\xFE\xFE\xFE\xFE" + clean);
  }
  SECTION("noise in front") {
    faults.noise_before_rate = 1;
    faults.noise_bytes = 5;
    const std::string answer = line.Read(kFirst);
    CHECK(answer.size() == clean.size() + 5);
    CHECK(answer.substr(5) == clean);
  }
  SECTION("a valid answer of a neighbour") {
    faults.wrong_address_rate = 1;
    FrameCutter cutter;
    Request answer;
    cutter.Append(base::AsBytes(line.Read(kFirst)));
    REQUIRE(cutter.Next(&answer));
    CHECK(AddressText(answer.address) == "202411110003");
  }
  SECTION("the previous answer glued in front") {
    faults.glue_rate = 1;
    CHECK(line.Read(kFirst) == clean);
    CHECK(line.Read(kFirst) == clean + clean);
  }
  SECTION("the heartbeat glued in front") {
    faults.heartbeat_glue_rate = 1;
    CHECK(line.Read(kFirst) == "VWHB" + clean);
  }
  SECTION("late") {
    faults.late_rate = 1;
    faults.late_ms = 700;
    CHECK(line.Read(kFirst).empty());
    CHECK(line.Next() == std::make_pair(clean, 700 * kMs));
  }
  SECTION("three segments") {
    faults.split_segments = 3;
    faults.split_gap_ms = 15;
    CHECK(line.Read(kFirst).empty());
    CHECK(line.Next() == std::make_pair(clean.substr(0, 6), int64_t{0}));
    CHECK(line.Next() == std::make_pair(clean.substr(6, 7), 15 * kMs));
    CHECK(line.Next() == std::make_pair(clean.substr(13), 30 * kMs));
  }
}

TEST_CASE("faults that add to an answer, hold it back or take it apart") {
  Line line;
  Faults& faults = line.config.meters[0].faults;
  const std::string clean = Clean();
  SECTION("twice") {
    faults.double_rate = 1;
    CHECK(line.Read(kFirst) == clean + clean);
  }
  SECTION("noise behind") {
    faults.noise_after_rate = 1;
    faults.noise_bytes = 5;
    const std::string answer = line.Read(kFirst);
    CHECK(answer.size() == clean.size() + 5);
    CHECK(answer.substr(0, clean.size()) == clean);
  }
  SECTION("late by one exchange, whoever is asked next") {
    faults.late_exchange_rate = 1;
    CHECK(line.Read(kFirst).empty());
    const std::string both = line.Read(kSecond);
    CHECK(both.substr(0, clean.size()) == clean);
    CHECK(both.size() > clean.size());
    CHECK(line.Read(kSecond).size() == both.size() - clean.size());
  }
  SECTION("at each byte") {
    faults.split_segments = 300;
    line.Read(kFirst);
    for (const char byte : clean) CHECK(line.Next().first == std::string(1, byte));
    CHECK(line.Next().first.empty());
  }
}

TEST_CASE("a rate of one half spoils about half of the answers, the same ones in each run") {
  const auto run = [] {
    Line line;
    line.config.meters[0].faults.silence_rate = 0.5;
    std::string heard;
    for (int i = 0; i < 1000; ++i) heard += line.Read(kFirst).empty() ? '.' : 'x';
    return heard;
  };
  const std::string heard = run();
  const auto answers = std::count(heard.begin(), heard.end(), 'x');
  CHECK(answers > 430);
  CHECK(answers < 570);
  CHECK(run() == heard);
}

TEST_CASE("a bus keeps the newest waiting segments up to its limit") {
  Line line;
  line.config.meters[0].faults.late_rate = 1;
  for (size_t i = 0; i <= kMaxPendingSegments; ++i) line.Read(kFirst);
  size_t waiting = 0;
  while (!line.Next().first.empty()) ++waiting;
  CHECK(waiting == kMaxPendingSegments);
}

TEST_CASE("what waited for a connection that is gone is lost with it") {
  Line line;
  line.config.wire_time = true;
  line.Read(kFirst);
  line.bus->Reset();
  CHECK(line.bus->due() == INT64_MAX);
}

TEST_CASE("a box with ports puts the port, and where it is so the length, before each packet of a bus") {
  Line line;
  const std::string clean = Clean();
  line.config.port = 7;
  line.config.ports = PortHeader::kByte;
  CHECK(line.Read(kFirst) == "\x07" + clean);
  line.config.ports = PortHeader::kByteAndLength;
  CHECK(line.Read(kFirst) == std::string("\x07\x00", 2) + static_cast<char>(clean.size()) + clean);
}

TEST_CASE("a box that registers before each packet does so before each answer") {
  Line line;
  line.config.registration_each = true;
  CHECK(line.Read(kFirst) == "VW-1" + Clean());
}

}  // namespace
}  // namespace voltwell::field_sim
