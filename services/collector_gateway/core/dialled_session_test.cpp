// Connections that we made, as sessions: real loopback sockets.
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>

#include "libs/testing/status.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;

namespace {

BusEntryPtr Dialled(const std::string& target = "10.20.0.7:4001") {
  BusEntry entry = *EntryOf("VW-1");
  entry.dial_target = target;
  return std::make_shared<const BusEntry>(entry);
}

// The hub has dialled VW-1; `serial` is the other end.
struct Line {
  Line() {
    bench.Publish({Dialled()});
    std::array<int, 2> ends = {};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    serial = FakeCollector::Of(ends[0]);
    bench.hub.AdoptDialled(ends[1], {ParseNetwork("10.20.0.7")->address, 4001}, Dialled());
  }
  HubBench bench;
  FakeCollector serial{};
};

}  // namespace

TEST_CASE("a line that we dialled is registered at once, is sent nothing by itself, and carries exchanges") {
  Line line;
  REQUIRE(Eventually([&] { return line.bench.book.Has("online VW-1"); }));
  CHECK(ToText(line.bench.routes.Find({"VW-1", 1})->peer) == "10.20.0.7:4001");
  CHECK(line.serial.Silent());
  const auto sink = line.bench.Submit({ItemOf(7)});
  REQUIRE(line.serial.Receive(Ask(7).size()) == Ask(7));
  line.serial.Send(Reply(7));
  CHECK(sink->Outcomes(1) == "7 ok");
  // What it sends to register is no noise.
  line.serial.Send("VW-1");
  REQUIRE(line.bench.Read(static_cast<double>(Reply(7).size() + 4)));
  CHECK(line.bench.metrics.babble_bytes.Value() == 0);
  line.serial.Hang();
  CHECK(Eventually([&] { return line.bench.book.Has("offline VW-1: closed by peer"); }));
}

TEST_CASE("nobody becomes a collector that is dialled by knowing its id") {
  Line line;
  REQUIRE(Eventually([&] { return line.bench.routes.size() == 1; }));
  FakeCollector stranger(line.bench.hub.port());
  stranger.Send("VW-1\r\n");
  CHECK(stranger.Closed());
  CHECK(line.bench.metrics.Refused(Refusal::kDialled).Value() == 1);
  CHECK(line.serial.Silent());
  CHECK(line.bench.routes.size() == 1);
}

TEST_CASE("a line is hung up when the directory has another target, or none; and is not taken in any more") {
  for (const std::string target : {"10.20.0.8:4001", ""}) {
    Line line;
    REQUIRE(Eventually([&] { return line.bench.routes.size() == 1; }));
    line.bench.Publish({Dialled(target)});
    CHECK(line.serial.Closed());
    CHECK(Eventually([&] { return line.bench.routes.size() == 0; }));
    std::array<int, 2> ends = {};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const FakeCollector late = FakeCollector::Of(ends[0]);
    line.bench.hub.AdoptDialled(ends[1], {}, Dialled());
    CHECK(late.Closed());
  }
}
