// Connections from their first byte to their last, on real loopback sockets.
#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;

TEST_CASE("a collector registers with its id and is routed by collector and bus") {
  HubBench bench;
  FakeCollector first = bench.Dial("VW-1");
  FakeCollector second = bench.Dial("VW-1/2");
  CHECK(bench.routes.Find({"VW-1", 1})->entry->registration == "VW-1");
  CHECK(bench.routes.Find({"VW-1", 2})->entry->registration == "VW-1/2");
  CHECK(bench.book.notes() == std::vector<std::string>{"online VW-1", "online VW-1/2"});
  CHECK(first.Silent());
  CHECK(bench.metrics.sessions.Value() == 2);
}

TEST_CASE("a registration that comes byte by byte counts as a whole") {
  HubBench bench;
  FakeCollector collector(bench.hub.port());
  double sent = 0;
  for (const char* byte : {"V", "W", "-", "1", "/", "2"}) {
    collector.Send(byte);
    REQUIRE(bench.Read(++sent));
    bench.Advance(kRegistrationGap / 2);  // Never quiet for long enough: VW-1 is not taken on the way.
  }
  CHECK(bench.routes.size() == 0);
  bench.Advance(kRegistrationGap);
  REQUIRE(Eventually([&] { return bench.routes.size() == 1; }));
  CHECK(bench.routes.Find({"VW-1", 2}).has_value());
}

TEST_CASE("an unknown id is recorded once, sent nothing, and closed after five seconds") {
  HubBench bench;
  FakeCollector stranger(bench.hub.port());
  stranger.Send("VX-99");
  REQUIRE(bench.Read(5));
  bench.Advance(kRegistrationGap);
  REQUIRE(Eventually([&] { return bench.book.Has("quarantined VX-99"); }));
  stranger.Send("more");
  REQUIRE(bench.Read(9));
  bench.Advance(kUnknownIdGrace - kRegistrationGap - absl::Milliseconds(1));
  CHECK(stranger.Silent());
  bench.Advance(absl::Milliseconds(1));
  CHECK(stranger.Receive(1).empty());
  CHECK(stranger.Closed());
  CHECK(bench.book.notes().size() == 1);
  CHECK(bench.metrics.Refused(Refusal::kUnknownId).Value() == 1);
}

TEST_CASE("who says nothing is closed after ten seconds") {
  HubBench bench;
  FakeCollector silent(bench.hub.port());
  REQUIRE(Eventually([&] { return bench.metrics.unregistered.Value() == 1; }));
  bench.Advance(kRegistrationTimeout - absl::Milliseconds(1));
  CHECK(silent.Silent());
  bench.Advance(absl::Milliseconds(1));
  CHECK(silent.Closed());
  bench.Settle();
  CHECK(bench.metrics.unregistered.Value() == 0);
}

TEST_CASE("where first heartbeats come late, connections may be given more time") {
  HubBench bench({.listen = "127.0.0.1", .port = 0, .registration_timeout = absl::Minutes(2)});
  FakeCollector late(bench.hub.port());
  REQUIRE(Eventually([&] { return bench.metrics.unregistered.Value() == 1; }));
  bench.Advance(absl::Minutes(2) - absl::Milliseconds(1));
  late.Send("VW-1\r\n");
  CHECK(Eventually([&] { return bench.routes.size() == 1; }));
}

TEST_CASE("of a flood before registration only a little is kept") {
  HubBench bench;
  FakeCollector stranger(bench.hub.port());
  stranger.Send(std::string(kRegistrationBytesMax * 4, 'x'));
  REQUIRE(bench.Read(static_cast<double>(kRegistrationBytesMax * 4)));
  bench.Advance(kRegistrationGap);
  CHECK(Eventually([&] { return bench.book.Has("quarantined " + std::string(kRegistrationBytesMax, 'x')); }));
}

TEST_CASE("while the directory is absent nobody is unknown, and who waits registers when it is back") {
  HubBench bench;
  bench.Publish({EntryOf("VW-1")}, /*usable=*/false);
  FakeCollector known = bench.Dial("VW-1");
  FakeCollector late(bench.hub.port());
  late.Send("VW-3");
  REQUIRE(bench.Read(8));
  bench.Advance(kUnknownIdGrace * 2);
  CHECK(late.Silent());
  CHECK(known.Silent());
  bench.Publish({EntryOf("VW-1"), EntryOf("VW-3")});
  CHECK(Eventually([&] { return bench.routes.size() == 2; }));
  CHECK(bench.book.notes() == std::vector<std::string>{"online VW-1", "online VW-3"});
}

TEST_CASE("sessions of removed ids and of ids that now mean another bus are closed, others stay") {
  HubBench bench;
  FakeCollector removed = bench.Dial("VW-1");
  FakeCollector moved = bench.Dial("VW-2");
  FakeCollector kept = bench.Dial("VW-1/2");
  bench.Publish({EntryOf("VW-2", "t2"), EntryOf("VW-1/2", "t1", 2)});
  CHECK(removed.Closed());
  CHECK(moved.Closed());
  CHECK(kept.Silent());
  bench.Settle();
  CHECK(bench.book.Has("offline VW-1: removed from the directory"));
  CHECK(bench.book.Has("offline VW-2: moved in the directory"));
  CHECK(bench.routes.size() == 1);
}

TEST_CASE("what the directory changes about a bus at work holds as soon as its exchange has ended") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  BusEntry changed = *EntryOf("VW-1");
  changed.heartbeat = "beat";
  bench.Publish({std::make_shared<const BusEntry>(changed)});
  bench.Settle();
  collector.Send("ping" + Reply(1));  // Still by the old entry.
  CHECK(sink->Outcomes(1) == "1 ok");
  const double read = bench.metrics.bytes_in.Value();
  collector.Send("beatbeat");
  REQUIRE(bench.Read(read + 8));
  bench.Settle();
  CHECK(bench.metrics.noise_bytes.Value() == 0);
  CHECK(bench.routes.Find({"VW-1", 1})->entry->heartbeat == "beat");
}

TEST_CASE("a collector that dials again wins; the old connection ends and nobody hears that it is offline") {
  HubBench bench;
  FakeCollector old = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2)});
  REQUIRE(old.Receive(Ask(1).size()) == Ask(1));
  FakeCollector again = bench.Dial("VW-1");
  CHECK(old.Closed());
  CHECK(sink->Outcomes(2) == "1 lost, 2 offline");
  CHECK(bench.book.notes() == std::vector<std::string>{"online VW-1", "online VW-1"});

  const auto next = bench.Submit({ItemOf(3)});
  REQUIRE(again.Receive(Ask(3).size()) == Ask(3));
  again.Send(Reply(3));
  CHECK(next->Outcomes(1) == "3 ok");
}

TEST_CASE("a collector that dials from another network than its own is refused") {
  HubBench bench;
  bench.Publish({EntryOf("VW-1", "t1", 1, "10.8.0.0/16")});
  FakeCollector collector(bench.hub.port());
  collector.Send("VW-1");
  REQUIRE(bench.Read(4));
  bench.Advance(kRegistrationGap);
  CHECK(collector.Closed());
  bench.Settle();
  CHECK(bench.routes.size() == 0);
  CHECK(bench.metrics.Refused(Refusal::kWrongNetwork).Value() == 1);
}

TEST_CASE("one unregistered connection beyond the limit closes the oldest") {
  HubBench bench({.listen = "127.0.0.1", .port = 0, .unregistered_max = 2});
  FakeCollector registered = bench.Dial("VW-1");
  FakeCollector first(bench.hub.port());
  REQUIRE(Eventually([&] { return bench.metrics.accepted.Value() == 2; }));
  FakeCollector second(bench.hub.port());
  REQUIRE(Eventually([&] { return bench.metrics.accepted.Value() == 3; }));
  CHECK(first.Silent());
  FakeCollector third(bench.hub.port());
  CHECK(first.Closed());
  CHECK(second.Silent());
  CHECK(third.Silent());
  CHECK(registered.Silent());
  CHECK(bench.metrics.Refused(Refusal::kCrowdedOut).Value() == 1);
}

TEST_CASE("while there is no directory more connections may wait, and all of them register when it is there") {
  HubBench bench({.listen = "127.0.0.1", .port = 0, .unregistered_max = 1});
  bench.Publish({}, false);
  bench.Settle();
  FakeCollector first(bench.hub.port());
  first.Send("VW-1\r\n");
  FakeCollector second(bench.hub.port());
  second.Send("VW-2\r\n");
  REQUIRE(bench.Read(12));
  bench.Settle();
  CHECK(bench.metrics.Refused(Refusal::kCrowdedOut).Value() == 0);
  bench.Publish({EntryOf("VW-1"), EntryOf("VW-2")});
  REQUIRE(Eventually([&] {
    bench.Advance(kRegistrationGap);
    return bench.routes.size() == 2;
  }));
  CHECK(first.Silent());
  CHECK(second.Silent());
}

TEST_CASE("one session beyond the limit is refused") {
  HubBench bench({.listen = "127.0.0.1", .port = 0, .sessions_max = 2});
  FakeCollector first = bench.Dial("VW-1");
  FakeCollector second = bench.Dial("VW-2");
  FakeCollector third(bench.hub.port());
  CHECK(third.Closed());
  CHECK(bench.metrics.Refused(Refusal::kFull).Value() == 1);
  second.Hang();
  REQUIRE(Eventually([&] { return bench.routes.size() == 1; }));
  FakeCollector fourth = bench.Dial("VW-2");
}

TEST_CASE("silent dialers keep no collector out of a full gateway") {
  HubBench bench({.listen = "127.0.0.1", .port = 0, .sessions_max = 2});
  FakeCollector first = bench.Dial("VW-1");
  FakeCollector silent(bench.hub.port());
  REQUIRE(Eventually([&] { return bench.metrics.accepted.Value() == 2; }));
  FakeCollector second = bench.Dial("VW-2");
  CHECK(silent.Closed());
  CHECK(first.Silent());
  CHECK(bench.routes.size() == 2);
  CHECK(bench.metrics.Refused(Refusal::kCrowdedOut).Value() == 1);
  CHECK(bench.metrics.Refused(Refusal::kFull).Value() == 0);
}

TEST_CASE("of all connections at most a quarter is left to who has not registered") {
  HubBench bench({.listen = "127.0.0.1", .port = 0, .sessions_max = 2 * static_cast<int>(kUnregisteredShare)});
  FakeCollector first(bench.hub.port());
  FakeCollector second(bench.hub.port());
  REQUIRE(Eventually([&] { return bench.metrics.unregistered.Value() == 2; }));
  CHECK(first.Silent());
  FakeCollector third(bench.hub.port());
  CHECK(first.Closed());
  CHECK(second.Silent());
  CHECK(bench.metrics.Refused(Refusal::kCrowdedOut).Value() == 1);
}

TEST_CASE("without file descriptors accepting pauses and goes on later") {
  HubBench bench;
  FakeCollector collector;
  rlimit before = {};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(collector.fd()) + 1;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  collector.Connect(bench.hub.port());
  const bool paused = Eventually([&] { return bench.metrics.accept_pauses.Value() == 1; });
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(paused);
  CHECK(bench.metrics.accepted.Value() == 0);
  bench.Advance(kAcceptPause);
  CHECK(Eventually([&] { return bench.metrics.accepted.Value() == 1; }));
}

TEST_CASE("draining finishes what is on the bus, answers what waits, and closes every connection") {
  HubBench bench;
  FakeCollector busy = bench.Dial("VW-1");
  FakeCollector idle = bench.Dial("VW-2");
  FakeCollector unregistered(bench.hub.port());
  REQUIRE(Eventually([&] { return bench.metrics.unregistered.Value() == 1; }));
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2)});
  REQUIRE(busy.Receive(Ask(1).size()) == Ask(1));

  bench.hub.Drain(absl::ZeroDuration());
  CHECK(unregistered.Closed());
  CHECK(sink->Outcomes(1) == "2 offline");
  bench.Advance(kDrainJitter);
  CHECK(idle.Closed());
  CHECK(busy.Silent());
  busy.Send(Reply(1));
  CHECK(sink->Outcomes(2) == "1 ok, 2 offline");
  bench.Advance(kDrainJitter);
  CHECK(busy.Closed());
  bench.Settle();
  CHECK(bench.book.Has("offline VW-1: gateway drained"));
  CHECK(bench.book.Has("offline VW-2: gateway drained"));
}

TEST_CASE("what is still on a bus when draining has lasted too long is closed and answered") {
  HubBench bench;
  FakeCollector busy = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2)});
  REQUIRE(busy.Receive(Ask(1).size()) == Ask(1));
  bench.hub.Drain(absl::ZeroDuration());
  CHECK(bench.hub.CloseAll());
  CHECK(busy.Closed());
  CHECK(sink->Outcomes(2) == "1 lost, 2 offline");
  CHECK(bench.book.Has("offline VW-1: gateway drained"));
}

TEST_CASE("heartbeats of an idle collector are neither noise nor answered") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  collector.Send("pingping");
  REQUIRE(bench.Read(12));
  bench.Settle();
  CHECK(bench.metrics.noise_bytes.Value() == 0);
  collector.Send("xxping");
  REQUIRE(bench.Read(18));
  bench.Settle();
  CHECK(bench.metrics.noise_bytes.Value() == 2);
  CHECK(collector.Silent());
}
