// Exchanges on real loopback sockets: what a collector sees, and what the caller gets.
#include <catch2/catch.hpp>

#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;

namespace {

Item Until(Item item, Instant not_after) {
  item.not_after = not_after;
  return item;
}

// Past the reply timeout of ReadOf and the link's time.
constexpr absl::Duration kReplyLimit = absl::Milliseconds(1500);

}  // namespace

TEST_CASE("one exchange is in flight on a bus, and each answer goes to its own question") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2, Priority::kRelay)});
  REQUIRE(collector.Receive(Ask(2).size()) == Ask(2));
  bench.Settle();
  CHECK(collector.Silent());
  collector.Send("ping" + Reply(2).substr(0, 5));
  collector.Send(Reply(2).substr(5) + "ping");
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  collector.Send(Reply(1));
  const std::vector<Result> results = sink->Await(2);
  CHECK(sink->Outcomes(2) == "1 ok, 2 ok");
  CHECK(results[0].id == 2);
  CHECK(results[0].replies == std::vector<std::vector<std::string>>{{Reply(2)}});
  CHECK(bench.metrics.noise_bytes.Value() == 0);
}

TEST_CASE("buses of one collector work side by side") {
  HubBench bench({.listen = "127.0.0.1", .port = 0, .shards = 2});
  FakeCollector first = bench.Dial("VW-1");
  FakeCollector second = bench.Dial("VW-1/2");
  const auto one = bench.Submit({ItemOf(1)}, "VW-1", 1);
  const auto two = bench.Submit({ItemOf(2)}, "VW-1", 2);
  REQUIRE(second.Receive(Ask(2).size()) == Ask(2));
  REQUIRE(first.Receive(Ask(1).size()) == Ask(1));
  second.Send(Reply(2));
  CHECK(two->Outcomes(1) == "2 ok");
  first.Send(Reply(1));
  CHECK(one->Outcomes(1) == "1 ok");
}

TEST_CASE("an answer that comes after its timeout is not taken for the next question's") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  bench.Advance(kReplyLimit);
  CHECK(sink->Outcomes(1) == "1 timeout");
  // The line must fall quiet first.
  CHECK(collector.Silent());
  bench.Advance(kQuietAfterFailure);
  REQUIRE(collector.Receive(Ask(2).size()) == Ask(2));
  collector.Send(Reply(1) + Reply(2));
  CHECK(sink->Outcomes(2) == "1 timeout, 2 ok");
  CHECK(sink->all()[1].replies == std::vector<std::vector<std::string>>{{Reply(2)}});
}

TEST_CASE("late bytes put the next question off until the line is quiet, but not for ever") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  bench.Advance(kReplyLimit);
  REQUIRE(sink->Outcomes(1) == "1 timeout");
  double bytes = bench.metrics.bytes_in.Value();
  const absl::Duration step = kQuietAfterFailure - absl::Milliseconds(1);
  for (absl::Duration waited; waited + step < kQuietWaitMax; waited += step) {
    collector.Send("x");
    REQUIRE(bench.Read(++bytes));
    bench.Advance(step);
    REQUIRE(collector.Silent());
  }
  collector.Send("x");
  REQUIRE(bench.Read(++bytes));
  bench.Advance(step);
  CHECK(collector.Receive(Ask(2).size()) == Ask(2));
}

TEST_CASE("garbage costs the exchange it comes in and not the next") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  const std::string garbage = std::string(3000, 'h') + WithBadChecksum(Reply(1));
  collector.Send(garbage);
  REQUIRE(bench.Read(static_cast<double>(4 + garbage.size())));
  bench.Advance(kReplyLimit);
  CHECK(sink->Outcomes(1) == "1 noise");
  bench.Advance(kQuietAfterFailure);
  REQUIRE(collector.Receive(Ask(2).size()) == Ask(2));
  collector.Send(Reply(2));
  CHECK(sink->Outcomes(2) == "1 noise, 2 ok");
  CHECK(bench.metrics.bad_checksums.Value() >= 1);  // Shapes in the garbage count too.
}

TEST_CASE("a line that goes mid-exchange loses that one, and what waits was never sent") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2), ItemOf(3)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  collector.Send(Reply(1).substr(0, 9));
  collector.Hang();
  CHECK(sink->Outcomes(3) == "1 lost, 2 offline, 3 offline");
  CHECK(Eventually([&] { return bench.book.Has("offline VW-1: closed by peer"); }));
  CHECK(bench.routes.size() == 0);
}

TEST_CASE("what is not here is moved when another pod holds it, else offline; nothing is sent") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  CHECK(bench.Submit({ItemOf(1)}, "VW-2")->Outcomes(1) == "1 offline");
  CHECK(bench.Submit({ItemOf(2)}, "VW-1", 3)->Outcomes(1) == "2 offline");
  const auto moved = bench.Submit({ItemOf(3)}, "VW-ELSEWHERE");
  CHECK(moved->Outcomes(1) == "3 moved");
  CHECK(moved->all()[0].moved_to == "gateway-7");
  CHECK(collector.Silent());
}

TEST_CASE("another tenant's collector is as good as not there") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  CHECK(bench.Submit({ItemOf(1)}, "VW-1", 1, "t2")->Outcomes(1) == "1 offline");
  bench.Settle();
  CHECK(collector.Silent());
}

TEST_CASE("a full bus queue answers busy at once and loses nothing that it holds") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto in_flight = bench.Submit({ItemOf(1)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  std::vector<Item> items;
  for (uint32_t i = 0; i <= kBusQueueMax; ++i) items.push_back(ItemOf(i));
  const auto sink = bench.Submit(std::move(items));
  CHECK(sink->Outcomes(1) == "256 busy");
  bench.Settle();
  CHECK(sink->all().size() == 1);
}

TEST_CASE("what may no longer be sent is answered expired and never goes out, also while the bus is busy") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const Instant now = bench.clock.Monotonic();
  const auto sink = bench.Submit({ItemOf(1), Until(ItemOf(2), now + absl::Milliseconds(100))});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  bench.Advance(absl::Milliseconds(100));
  CHECK(sink->all().empty());
  bench.Advance(absl::Milliseconds(1));
  CHECK(sink->Outcomes(1) == "2 expired");
  collector.Send(Reply(1));
  CHECK(sink->Outcomes(2) == "1 ok, 2 expired");
  bench.Settle();
  CHECK(collector.Silent());

  CHECK(bench.Submit({Until(ItemOf(3), bench.clock.Monotonic() - absl::Nanoseconds(1))})->Outcomes(1) == "3 expired");
  bench.Settle();
  CHECK(collector.Silent());
}

TEST_CASE("a call that goes away takes along what waits; what is on the bus ends there") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto gone = bench.Submit({ItemOf(1), ItemOf(2), ItemOf(3)});
  const auto other = bench.Submit({ItemOf(4)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  bench.hub.Drop(gone);
  bench.Settle();
  collector.Send(Reply(1));
  REQUIRE(collector.Receive(Ask(4).size()) == Ask(4));
  collector.Send(Reply(4));
  CHECK(other->Outcomes(1) == "4 ok");
  CHECK(gone->all().size() == 1);
}

TEST_CASE("results of planned reads gather for a few milliseconds; one that somebody waits for goes up at once") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto planned =
      bench.Submit({ItemOf(1, Priority::kScheduled), ItemOf(2, Priority::kScheduled), ItemOf(3, Priority::kScheduled)});
  for (const uint8_t meter : {1, 2}) {
    REQUIRE(collector.Receive(Ask(meter).size()) == Ask(meter));
    collector.Send(Reply(meter));
  }
  REQUIRE(collector.Receive(Ask(3).size()) == Ask(3));
  CHECK(planned->all().empty());
  bench.Advance(kFlushAfter);
  CHECK(planned->Outcomes(2) == "1 ok, 2 ok");
  CHECK(planned->deliveries() == 1);

  const auto waited_for = bench.Submit({ItemOf(4), ItemOf(5)});
  collector.Send(Reply(3));
  CHECK(planned->Outcomes(3) == "1 ok, 2 ok, 3 ok");  // The last of a call does not wait either.
  REQUIRE(collector.Receive(Ask(4).size()) == Ask(4));
  collector.Send(Reply(4));
  CHECK(waited_for->Outcomes(1) == "4 ok");
}

TEST_CASE("counts of a session tell what its line did") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1), ItemOf(2)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  collector.Send("zz" + Reply(1));
  REQUIRE(collector.Receive(Ask(2).size()) == Ask(2));
  bench.Advance(absl::Milliseconds(250));

  std::vector<SessionFacts> facts;
  std::atomic<bool> told = false;
  bench.hub.Describe(bench.routes.All(), [&](std::vector<SessionFacts> sessions) {
    facts = std::move(sessions);
    told = true;
  });
  REQUIRE(Eventually([&] { return told.load(); }));
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].queued == 1);
  CHECK(facts[0].counts.exchanges_ok == 1);
  CHECK(facts[0].counts.noise_bytes == 2);
  CHECK(facts[0].counts.bytes_in == static_cast<int64_t>(4 + 2 + Reply(1).size()));
  CHECK(facts[0].counts.bytes_out == static_cast<int64_t>(2 * Ask(1).size()));
  CHECK(facts[0].idle == absl::Milliseconds(250));
}
