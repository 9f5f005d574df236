// Boxes that register and keep alive by a dialect, on real loopback sockets.
#include <catch2/catch.hpp>

#include "libs/testing/status.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;

namespace {

BusEntryPtr Talker() {
  BusEntry entry = *EntryOf("1001");
  auto dialect = ParseDialect("talker",
                              "title t\nregistration LOGIN:{id}\\r\\n\nanswer OK:{id}\\r\\n\nanswers every\n"
                              "heartbeat PING\\r\\n\nheartbeat-answer PONG\\r\\n\n");
  VW_CHECK(dialect.ok());
  entry.dialect = std::make_shared<const Dialect>(*dialect);
  return std::make_shared<const BusEntry>(entry);
}

struct Talk {
  Talk() {
    bench.Publish({Talker(), EntryOf("VW-1")});
    collector.Connect(bench.hub.port());
    collector.Send("LOGIN:1001\r\n");
  }
  HubBench bench;
  FakeCollector collector;
};

const std::string kWelcome = "OK:1001\r\n";

}  // namespace

TEST_CASE("a box that waits for an answer to its registration gets it, at once and each time it asks") {
  Talk talk;
  CHECK(talk.collector.Receive(kWelcome.size()) == kWelcome);
  CHECK(talk.bench.routes.Find({"1001", 1}).has_value());
  talk.collector.Send("LOGIN:1001\r\n");
  CHECK(talk.collector.Receive(kWelcome.size()) == kWelcome);
  CHECK(talk.bench.metrics.noise_bytes.Value() == 0);
  CHECK(talk.bench.metrics.dialect_answers.Value() == 2);
}

TEST_CASE("each heartbeat is answered, also one that comes in pieces, and its bytes are no noise") {
  Talk talk;
  REQUIRE(talk.collector.Receive(kWelcome.size()) == kWelcome);
  talk.collector.Send("PING\r\nPING\r\n");
  CHECK(talk.collector.Receive(12) == "PONG\r\nPONG\r\n");
  const std::string heartbeat = "PING\r\n";
  for (size_t cut = 1; cut < heartbeat.size(); ++cut) {
    const double read = talk.bench.metrics.bytes_in.Value();
    talk.collector.Send(heartbeat.substr(0, cut));
    REQUIRE(talk.bench.Read(read + static_cast<double>(cut)));
    talk.collector.Send(heartbeat.substr(cut));
    CHECK(talk.collector.Receive(6) == "PONG\r\n");
  }
  CHECK(talk.bench.metrics.noise_bytes.Value() == 0);
}

TEST_CASE("one heartbeat beyond the limit in one read is not answered") {
  Talk talk;
  REQUIRE(talk.collector.Receive(kWelcome.size()) == kWelcome);
  std::string heartbeats;
  std::string answers;
  for (int i = 0; i < kHeartbeatAnswersMax; ++i) {
    heartbeats += "PING\r\n";
    answers += "PONG\r\n";
  }
  talk.collector.Send(heartbeats + "PING\r\n");
  CHECK(talk.collector.Receive(answers.size()) == answers);
  talk.bench.Settle();
  CHECK(talk.collector.Silent());
  CHECK(talk.bench.metrics.noise_bytes.Value() == 0);
}

TEST_CASE("a trace shows what a dialect answers, and what came glued to the registration") {
  HubBench bench;
  bench.Publish({Talker()});
  REQUIRE_OK(bench.hub.traces().Start("1001", 1, "t1", kTraceDefault, 0, bench.clock.Monotonic()));
  FakeCollector collector(bench.hub.port());
  collector.Send("LOGIN:1001\r\nPING\r\n");
  REQUIRE(collector.Receive(kWelcome.size() + 6) == kWelcome + "PONG\r\n");
  bench.Settle();
  const Trace trace = *bench.hub.traces().Find("1001", 1, bench.clock.Monotonic());
  std::string told;
  for (const TraceFrame& frame : trace.frames) told += (frame.up ? "<" : ">") + frame.data;
  CHECK(told == ">" + kWelcome + "<PING\r\n>PONG\r\n");
}

TEST_CASE("a heartbeat between question and answer is answered, and the answer is still the meter's") {
  Talk talk;
  REQUIRE(talk.collector.Receive(kWelcome.size()) == kWelcome);
  const auto sink = talk.bench.Submit({ItemOf(1)}, "1001");
  REQUIRE(talk.collector.Receive(Ask(1).size()) == Ask(1));
  talk.collector.Send("PING\r\n" + Reply(1));
  CHECK(sink->Outcomes(1) == "1 ok");
  CHECK(talk.collector.Receive(6) == "PONG\r\n");
}

TEST_CASE("the bytes of a heartbeat inside a frame are data and are not answered") {
  Talk talk;
  REQUIRE(talk.collector.Receive(kWelcome.size()) == kWelcome);
  const auto sink = talk.bench.Submit({ItemOf(1)}, "1001");
  REQUIRE(talk.collector.Receive(Ask(1).size()) == Ask(1));
  talk.collector.Send(Reply(1, "DDDD", "PING\r\n"));
  CHECK(sink->Outcomes(1) == "1 ok");
  talk.bench.Settle();
  CHECK(talk.collector.Silent());
}

TEST_CASE("a registration packet before every packet is taken off before frames are cut") {
  HubBench bench;
  BusEntry entry = *EntryOf("20170700");
  entry.dialect =
      std::make_shared<const Dialect>(*ParseDialect("prefix", "title t\nregistration CTRL:&{id}!\nid digits 4-24"));
  bench.Publish({std::make_shared<const BusEntry>(entry)});
  FakeCollector collector(bench.hub.port());
  collector.Send("CTRL:&20170700!");
  REQUIRE(Eventually([&] { return bench.routes.size() == 1; }));
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2)}, "20170700");
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  collector.Send("CTRL:&20170700!" + Reply(1));
  REQUIRE(collector.Receive(Ask(2).size()) == Ask(2));
  const std::string packet = "CTRL:&20170700!" + Reply(2);
  for (const char byte : packet) collector.Send(std::string(1, byte));
  CHECK(sink->Outcomes(2) == "1 ok, 2 ok");
  CHECK(bench.metrics.noise_bytes.Value() == 0);
}

TEST_CASE("bytes that are two collectors by two dialects are refused by name") {
  HubBench bench;
  bench.Publish({Talker(), EntryOf("LOGIN:1001", "t2")});
  FakeCollector collector(bench.hub.port());
  collector.Send("LOGIN:1001\r\n");
  CHECK(collector.Closed());
  bench.Settle();
  CHECK(bench.metrics.Refused(Refusal::kClash).Value() == 1);
  CHECK(bench.routes.size() == 0);
}

TEST_CASE("one idle half of a heartbeat beyond the limit counts as noise and grows nothing") {
  HubBench bench;
  std::vector<BusEntryPtr> entries;
  for (size_t i = 0; i <= kIdleTailsMax; ++i) {
    BusEntry entry = *Talker();
    entry.registration = entry.registration_id = entry.collector = std::to_string(1000 + i);
    entries.push_back(std::make_shared<const BusEntry>(entry));
  }
  bench.Publish(entries);
  std::vector<FakeCollector> collectors;
  for (size_t i = 0; i <= kIdleTailsMax; ++i) {
    collectors.emplace_back(bench.hub.port());
    const double read = bench.metrics.bytes_in.Value();
    collectors.back().Send("LOGIN:" + std::to_string(1000 + i) + "\r\n");
    REQUIRE(bench.Read(read + 12));
    collectors.back().Send("PI");
    REQUIRE(bench.Read(read + 14));
  }
  bench.Settle();
  CHECK(bench.metrics.noise_bytes.Value() == 2);
}
