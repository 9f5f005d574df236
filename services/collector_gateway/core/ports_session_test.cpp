// Several buses over one connection, on real loopback sockets.
#include <catch2/catch.hpp>
#include <thread>

#include "libs/testing/status.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;

namespace {

constexpr char kHello[] = "BOX:1001\r\n";
// ReadOf's reply timeout and EntryOf's link time.
constexpr absl::Duration kReplyLimit = absl::Milliseconds(1500);

DialectPtr Ports(const std::string& packet) {
  auto dialect = ParseDialect("ports",
                              "title t\nregistration BOX:{id}\\r\\n\nanswer OK\\r\\n\nheartbeat HB\\r\\n\n"
                              "heartbeat-answer echo\npacket " +
                                  packet + "\n");
  VW_CHECK(dialect.ok());
  return std::make_shared<const Dialect>(*dialect);
}

BusEntryPtr Bus(const DialectPtr& dialect, int bus, int port) {
  BusEntry entry = *EntryOf(bus == 1 ? "1001" : "1001/" + std::to_string(bus), "t1", bus);
  entry.dialect = dialect;
  entry.port = port;
  return std::make_shared<const BusEntry>(entry);
}

// A box with bus 1 at port 1 and bus 2 at port 0, connected.
struct Box {
  explicit Box(const std::string& packet = "{port}{length:2}", HubConfig config = {.listen = "127.0.0.1", .port = 0})
      : bench(std::move(config)), dialect(Ports(packet)) {
    bench.Publish({Bus(dialect, 1, 1), Bus(dialect, 2, 0), EntryOf("VW-1")});
    Dial(collector);
  }
  void Dial(FakeCollector& one) {
    const double registered = bench.metrics.registrations.Value();
    one.Connect(bench.hub.port());
    one.Send(kHello);
    REQUIRE(one.Receive(4) == "OK\r\n");
    REQUIRE(bench.metrics.registrations.Value() == registered + 1);
    bench.Settle();
  }
  std::string Packet(int port, const std::string& bytes) const {
    return dialect->packet.Write(static_cast<uint8_t>(port), bytes.size()) + bytes;
  }
  std::shared_ptr<RememberingSink> Submit(int bus, std::vector<Item> items) {
    return bench.Submit(std::move(items), "1001", bus);
  }
  void Send(const std::string& bytes) {
    const double before = bench.metrics.bytes_in.Value();
    collector.Send(bytes);
    REQUIRE(bench.Read(before + static_cast<double>(bytes.size())));
    bench.Settle();
  }
  HubBench bench;
  DialectPtr dialect;
  FakeCollector collector;
};

}  // namespace

TEST_CASE("each bus of a connection has its own exchange in flight, and its own answers") {
  for (const char* const packet : {"{port}", "{port}{length:2}", "\\xAA\\x55{length:1}{port}"}) {
    Box box(packet);
    INFO(packet);
    CHECK(box.bench.routes.size() == 2);
    CHECK(box.bench.metrics.sessions.Value() == 2);
    const auto first = box.Submit(1, {ItemOf(7), ItemOf(8)});
    const std::string asked = box.Packet(1, Ask(7));
    REQUIRE(box.collector.Receive(asked.size()) == asked);
    const auto second = box.Submit(2, {ItemOf(7)});
    REQUIRE(box.collector.Receive(asked.size()) == box.Packet(0, Ask(7)));
    box.bench.Settle();
    CHECK(box.collector.Silent());  // One in flight on each.
    // The same meter address on both lines, the same question: only the port tells whose answer it is.
    box.collector.Send(box.Packet(0, Reply(7, "DDDD", "two.")));
    REQUIRE(second->Outcomes(1) == "7 ok");
    CHECK(second->all()[0].replies == std::vector<std::vector<std::string>>{{Reply(7, "DDDD", "two.")}});
    CHECK(first->all().empty());
    box.collector.Send(box.Packet(1, Reply(7, "DDDD", "one.")));
    REQUIRE(first->Outcomes(1) == "7 ok");
    CHECK(first->all()[0].replies == std::vector<std::vector<std::string>>{{Reply(7, "DDDD", "one.")}});
    REQUIRE(box.collector.Receive(asked.size()) == box.Packet(1, Ask(8)));
    box.collector.Send(box.Packet(1, Reply(8)));
    CHECK(first->Outcomes(2) == "7 ok, 8 ok");
  }
}

TEST_CASE("an answer under another port, under none or under one that the box has not is nobody's") {
  Box box;
  const auto sink = box.Submit(1, {ItemOf(7)});
  REQUIRE(box.collector.Receive(3 + Ask(7).size()) == box.Packet(1, Ask(7)));
  box.Send(box.Packet(0, Reply(7)));
  box.Send(box.Packet(9, Reply(7)));
  CHECK(box.bench.metrics.unknown_ports.Value() == 1);
  box.Send(Reply(7));
  CHECK(sink->all().empty());
  CHECK(box.bench.metrics.port_noise_bytes.Value() == static_cast<double>(3 + 2 * Reply(7).size()));
  box.bench.Advance(kReplyLimit);
  CHECK(sink->Outcomes(1) == "7 timeout");
  // After the pause all is as before.
  box.bench.Advance(kQuietAfterFailure);
  const auto next = box.Submit(1, {ItemOf(8)});
  REQUIRE(box.collector.Receive(3 + Ask(8).size()) == box.Packet(1, Ask(8)));
  box.collector.Send(box.Packet(1, Reply(8)));
  CHECK(next->Outcomes(1) == "8 ok");
}

TEST_CASE("an answer in packets of its own, with heartbeats between, is put together again") {
  Box box;
  const auto sink = box.Submit(2, {ItemOf(7)});
  REQUIRE(box.collector.Receive(3 + Ask(7).size()) == box.Packet(0, Ask(7)));
  const std::string reply = Reply(7);
  box.Send(box.Packet(0, reply.substr(0, 5)) + "HB\r\n" + box.Packet(0, reply.substr(5, 6)));
  CHECK(box.collector.Receive(4) == "HB\r\n");
  box.Send(box.Packet(0, reply.substr(11)));
  CHECK(sink->Outcomes(1) == "7 ok");
  CHECK(box.bench.metrics.port_noise_bytes.Value() == 0);
}

TEST_CASE("the end of the connection is the end of all its buses") {
  Box box;
  const auto first = box.Submit(1, {ItemOf(7), ItemOf(8)});
  const auto second = box.Submit(2, {ItemOf(9)});
  box.collector.Receive(2 * (3 + Ask(7).size()));
  box.collector.Hang();
  CHECK(first->Outcomes(2) == "7 lost, 8 offline");
  CHECK(second->Outcomes(1) == "9 lost");
  CHECK(Eventually([&] {
    return box.bench.book.Has("offline 1001: closed by peer") && box.bench.book.Has("offline 1001/2: closed by peer");
  }));
  CHECK(box.bench.routes.size() == 0);
  CHECK(box.bench.metrics.sessions.Value() == 0);
  FakeCollector again;
  box.Dial(again);
  CHECK(box.bench.routes.size() == 2);
}

TEST_CASE("who closes one bus closes the connection") {
  Box box;
  const std::optional<Route> route = box.bench.routes.Find({"1001", 2});
  REQUIRE(route.has_value());
  box.bench.hub.Close(route->session, "closed by an operator");
  CHECK(box.collector.Closed());
  CHECK(Eventually([&] { return box.bench.book.Has("offline 1001: closed by an operator"); }));
  CHECK(box.bench.routes.size() == 0);
}

TEST_CASE("a box that dials again takes over all its buses at once") {
  Box box;
  FakeCollector again;
  box.Dial(again);
  CHECK(box.collector.Closed());
  CHECK(box.bench.routes.size() == 2);
  CHECK(box.bench.metrics.replaced.Value() == 2);
  const auto sink = box.Submit(2, {ItemOf(7)});
  REQUIRE(again.Receive(3 + Ask(7).size()) == box.Packet(0, Ask(7)));
  again.Send(box.Packet(0, Reply(7)));
  CHECK(sink->Outcomes(1) == "7 ok");
}

TEST_CASE("a bus that the directory adds, takes away or gives another port ends the connection; other changes do not") {
  for (const int change : {0, 1, 2}) {
    Box box;
    std::vector<BusEntryPtr> entries = {Bus(box.dialect, 1, 1)};
    if (change == 0) entries.push_back(Bus(box.dialect, 2, 5));
    if (change == 2) entries.insert(entries.end(), {Bus(box.dialect, 2, 0), Bus(box.dialect, 3, 3)});
    box.bench.Publish(entries);
    CHECK(box.collector.Closed());
    CHECK(Eventually([&] { return box.bench.routes.size() == 0; }));
  }
  Box box;
  BusEntry faster = *Bus(box.dialect, 2, 0);
  faster.timing.baud = 9600;
  box.bench.Publish({Bus(box.dialect, 1, 1), std::make_shared<const BusEntry>(faster)});
  box.bench.Settle();
  CHECK(box.collector.Silent());
  CHECK(box.bench.routes.Find({"1001", 2})->entry->timing.baud == 9600);
}

TEST_CASE("a trace of one bus shows its bytes and no other's, without headers") {
  Box box;
  REQUIRE_OK(box.bench.hub.traces().Start("1001", 2, "t1", kTraceDefault, 0, box.bench.clock.Monotonic()));
  const auto first = box.Submit(1, {ItemOf(7)});
  const auto second = box.Submit(2, {ItemOf(9)});
  box.collector.Receive(2 * (3 + Ask(7).size()));
  box.Send(box.Packet(1, Reply(7)) + box.Packet(0, Reply(9)));
  CHECK(second->Outcomes(1) == "9 ok");
  const auto trace = box.bench.hub.traces().Find("1001", 2, box.bench.clock.Monotonic());
  REQUIRE(trace.has_value());
  REQUIRE(trace->frames.size() == 2);
  CHECK(trace->frames[0].data == Ask(9));
  CHECK(trace->frames[1].data == Reply(9));
}

TEST_CASE("a drained gateway lets each bus of a connection finish its exchange") {
  Box box;
  const auto sink = box.Submit(2, {ItemOf(7)});
  REQUIRE(box.collector.Receive(3 + Ask(7).size()) == box.Packet(0, Ask(7)));
  std::thread draining([&] { box.bench.hub.Drain(absl::Seconds(30)); });
  // Bus 1 is idle: its time to close comes first.
  REQUIRE(Eventually([&] { return box.bench.hub.port() > 0; }));
  for (int i = 0; i < 3; ++i) box.bench.Advance(absl::Milliseconds(400));
  CHECK(box.collector.Silent());
  box.collector.Send(box.Packet(0, Reply(7)));
  CHECK(sink->Outcomes(1) == "7 ok");
  for (int i = 0; i < 20; ++i) box.bench.Advance(absl::Milliseconds(400));
  draining.join();
  CHECK(box.collector.Closed());
}
