// Who is let in, held off, refused and taken over, on real loopback sockets.
#include <catch2/catch.hpp>

#include "libs/base/status.h"
#include "services/collector_gateway/core/tcp_liveness.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;

namespace {

std::string ProxyHeaderOf(const std::string& address_hex) {
  return *voltwell::base::FromHex("0D0A0D0A000D0A515549540A2111000C" + address_hex + "7F000001C8221DDD");
}

// A box at 127.0.0.`host` that has sent its id, and the pause behind it is over.
struct Newcomer {
  Newcomer(HubBench& bench, int host, const std::string& id = "VW-1") {
    const double before = bench.metrics.bytes_in.Value();
    collector.ConnectFrom(host, bench.hub.port());
    collector.Send(id);
    VW_CHECK(bench.Read(before + static_cast<double>(id.size())));
    bench.Advance(kRegistrationGap);
  }
  FakeCollector collector;
};

}  // namespace

TEST_CASE("beyond the burst connections wait in the kernel and come in when time has passed") {
  HubConfig config = {.listen = "127.0.0.1", .port = 0};
  config.admission = {.accepts_per_second = 1, .accept_burst = 2};
  HubBench bench(config);
  FakeCollector first(bench.hub.port());
  FakeCollector second(bench.hub.port());
  FakeCollector third(bench.hub.port());
  REQUIRE(Eventually([&] { return bench.metrics.accept_throttled.Value() >= 1; }));
  CHECK(bench.metrics.accepted.Value() == 2);
  CHECK(third.Silent());  // Not refused.
  bench.Advance(absl::Milliseconds(1001));
  CHECK(Eventually([&] { return bench.metrics.accepted.Value() == 3; }));
}

TEST_CASE("one connection beyond a network's limit is refused at once, and one that ends makes room") {
  HubConfig config = {.listen = "127.0.0.1", .port = 0};
  config.admission.network_connections_max = 2;
  HubBench bench(config);
  FakeCollector first = bench.Dial("VW-1");
  FakeCollector second = bench.Dial("VW-2");
  FakeCollector third(bench.hub.port());
  CHECK(third.Closed());
  CHECK(bench.metrics.Refused(Refusal::kNetworkFull).Value() == 1);
  second.Hang();
  REQUIRE(Eventually([&] { return bench.routes.size() == 1; }));
  FakeCollector fourth = bench.Dial("VW-2");
}

TEST_CASE("a network that dials too fast is refused at once") {
  HubConfig config = {.listen = "127.0.0.1", .port = 0};
  config.admission = {.network_accepts_per_second = 1, .network_accept_burst = 1};
  HubBench bench(config);
  FakeCollector first = bench.Dial("VW-1");
  FakeCollector second(bench.hub.port());
  CHECK(second.Closed());
  CHECK(bench.metrics.Refused(Refusal::kNetworkTooFast).Value() == 1);
}

TEST_CASE("an id that flaps is held off for a while, others are not, and then it registers again") {
  HubBench bench;
  for (int i = 0; i <= kFlapsFree; ++i) {
    FakeCollector flapper = bench.Dial("VW-1");
    flapper.Hang();
    REQUIRE(Eventually([&] { return bench.routes.size() == 0; }));
  }
  const size_t notes = bench.book.notes().size();
  Newcomer held(bench, 1);
  CHECK(held.collector.Closed());
  bench.Settle();
  CHECK(bench.metrics.Refused(Refusal::kFlapping).Value() == 1);
  CHECK(bench.book.notes().size() == notes);  // Redis hears nothing of it.
  FakeCollector other = bench.Dial("VW-2");
  bench.Advance(2 * kHoldOffFirst);
  FakeCollector back = bench.Dial("VW-1");
  CHECK(bench.routes.size() == 2);
}

TEST_CASE("a second connection from elsewhere is refused while the first one lives, which loses nothing by it") {
  const int shards = GENERATE(1, 2);
  HubBench bench({.listen = "127.0.0.1", .port = 0, .shards = shards});
  FakeCollector holder = bench.Dial("VW-1");
  const auto sink = bench.Submit({ItemOf(1, Priority::kInteractive, {ReadOf(1, "DDDD", absl::Minutes(1))})});
  REQUIRE(holder.Receive(Ask(1).size()) == Ask(1));
  const uint32_t before = SegmentsReceived(holder.fd());
  Newcomer stranger(bench, 2);
  REQUIRE(Eventually([&] { return bench.metrics.takeovers.Value() == 1; }));
  // The kernel's probe has reached the box, so its answer has come back.
  REQUIRE(Eventually([&] { return SegmentsReceived(holder.fd()) > before; }));
  CHECK(stranger.collector.Silent());
  bench.Advance(kTakeoverLook);
  CHECK(stranger.collector.Closed());
  CHECK(bench.metrics.Refused(Refusal::kTaken).Value() == 1);
  holder.Send(Reply(1));
  CHECK(sink->Outcomes(1) == "1 ok");
  CHECK(bench.book.notes() == std::vector<std::string>{"online VW-1"});
}

TEST_CASE("a second connection from elsewhere takes over when the first one ends, without waiting for more") {
  const int shards = GENERATE(1, 2);  // Of two the holder and the newcomer have one each.
  HubBench bench({.listen = "127.0.0.1", .port = 0, .shards = shards});
  FakeCollector holder = bench.Dial("VW-1");
  Newcomer newcomer(bench, 2);
  REQUIRE(Eventually([&] { return bench.metrics.takeovers.Value() == 1; }));
  newcomer.collector.Send(Reply(9));  // What follows the id waits too.
  holder.Hang();
  REQUIRE(Eventually([&] { return bench.metrics.registrations.Value() == 2; }));
  const auto sink = bench.Submit({ItemOf(1)});
  REQUIRE(newcomer.collector.Receive(Ask(1).size()) == Ask(1));
  newcomer.collector.Send(Reply(1));
  CHECK(sink->Outcomes(1) == "1 ok");
}

TEST_CASE("a newcomer takes over within three seconds from a holder of whom nothing is heard") {
  HubBench bench;
  FakeCollector holder = bench.Dial("VW-1");
  Newcomer newcomer(bench, 2);
  REQUIRE(Eventually([&] { return bench.metrics.takeovers.Value() == 1; }));
  // The clock is ours: the three seconds are over before the kernel, by its own, has probed at all.
  bench.Advance(kTakeoverMax);
  CHECK(holder.Closed());
  REQUIRE(Eventually([&] { return bench.metrics.registrations.Value() == 2; }));
  CHECK(bench.metrics.replaced.Value() == 1);
  CHECK(bench.book.notes() == std::vector<std::string>{"online VW-1", "online VW-1"});
}

TEST_CASE("of two newcomers for a bus the later one waits and the earlier one is refused") {
  HubBench bench;
  FakeCollector holder = bench.Dial("VW-1");
  Newcomer first(bench, 2);
  REQUIRE(Eventually([&] { return bench.metrics.takeovers.Value() == 1; }));
  Newcomer second(bench, 3);
  CHECK(first.collector.Closed());
  holder.Hang();
  CHECK(Eventually([&] { return bench.metrics.registrations.Value() == 2; }));
  CHECK(second.collector.Silent());
}

TEST_CASE("behind a trusted balancer the collector's own address counts") {
  HubConfig config = {.listen = "127.0.0.1", .port = 0};
  config.trusted_proxies = {"127.0.0.0/8"};
  HubBench bench(config);
  bench.Publish({EntryOf("VW-1", "t1", 1, "10.8.0.0/16")});
  FakeCollector inside(bench.hub.port());
  const std::string header = ProxyHeaderOf("0A080007");
  for (const char byte : header + "VW-1\r\n") inside.Send(std::string(1, byte));
  REQUIRE(Eventually([&] { return bench.routes.size() == 1; }));
  CHECK(ToText(bench.routes.Find({"VW-1", 1})->peer) == "10.8.0.7:51234");
  FakeCollector outside(bench.hub.port());
  outside.Send(ProxyHeaderOf("0A090007") + "VW-1\r\n");
  CHECK(outside.Closed());
  CHECK(bench.metrics.Refused(Refusal::kWrongNetwork).Value() == 1);
}

TEST_CASE("behind a balancer, which answers for the dead, a newcomer from elsewhere takes over at once") {
  const int shards = GENERATE(1, 2);
  HubBench bench({.listen = "127.0.0.1", .port = 0, .shards = shards, .trusted_proxies = {"127.0.0.0/8"}});
  FakeCollector holder(bench.hub.port());
  holder.Send(ProxyHeaderOf("0A080007") + "VW-1\r\n");
  REQUIRE(Eventually([&] { return bench.routes.size() == 1; }));
  FakeCollector newcomer(bench.hub.port());
  newcomer.Send(ProxyHeaderOf("0A090007") + "VW-1\r\n");
  CHECK(holder.Closed());
  CHECK(bench.metrics.takeovers.Value() == 0);
  CHECK(ToText(bench.routes.Find({"VW-1", 1})->peer) == "10.9.0.7:51234");
}

TEST_CASE("who waits for the verdict on a holder does not displace another that has won meanwhile") {
  HubBench bench;
  FakeCollector holder = bench.Dial("VW-1");
  Newcomer stranger(bench, 2);
  REQUIRE(Eventually([&] { return bench.metrics.takeovers.Value() == 1; }));
  FakeCollector back(bench.hub.port());  // The box itself, from the holder's address.
  back.Send("VW-1\r\n");
  REQUIRE(holder.Closed());
  CHECK(Eventually([&] { return bench.metrics.takeovers.Value() == 2; }));  // The stranger asks anew.
  CHECK(back.Silent());
  CHECK(bench.metrics.registrations.Value() == 2);
}

TEST_CASE("limits of a network hold for the addresses that a balancer tells") {
  HubConfig config = {.listen = "127.0.0.1", .port = 0};
  config.trusted_proxies = {"127.0.0.1"};
  config.admission.network_connections_max = 1;
  HubBench bench(config);
  FakeCollector first(bench.hub.port());
  first.Send(ProxyHeaderOf("0A080007") + "VW-1\r\n");
  FakeCollector second(bench.hub.port());
  second.Send(ProxyHeaderOf("0A090007") + "VW-2\r\n");
  REQUIRE(Eventually([&] { return bench.routes.size() == 2; }));
  FakeCollector third(bench.hub.port());
  third.Send(ProxyHeaderOf("0A080008") + "VW-1/2\r\n");
  CHECK(third.Closed());
  CHECK(bench.metrics.Refused(Refusal::kNetworkFull).Value() == 1);
}

TEST_CASE("from a balancer's address nothing but a header is listened to, and from others a header is an unknown id") {
  HubConfig config = {.listen = "127.0.0.1", .port = 0};
  config.trusted_proxies = {"127.0.0.9"};
  HubBench bench(config);
  FakeCollector bare;
  bare.ConnectFrom(9, bench.hub.port());
  bare.Send("VW-1\r\n");
  CHECK(bare.Closed());
  CHECK(bench.metrics.Refused(Refusal::kProxyHeader).Value() == 1);
  FakeCollector forger(bench.hub.port());
  const double before = bench.metrics.bytes_in.Value();
  forger.Send(ProxyHeaderOf("0A080007") + "VW-1\r\n");
  REQUIRE(bench.Read(before + 34));
  bench.Advance(kRegistrationGap);
  bench.Settle();
  CHECK(bench.routes.size() == 0);
}

TEST_CASE("a network of balancers that is none ends the start") {
  HubConfig config = {.listen = "127.0.0.1", .port = 0};
  config.trusted_proxies = {"10.0.0.0/33"};
  voltwell::testing::FakeClock clock;
  voltwell::os::SystemRandom random;
  voltwell::metrics::Registry registry;
  GatewayMetrics metrics(registry);
  Routes routes;
  RememberingBook book;
  Hub hub(config, clock, random, routes, book, metrics);
  CHECK(voltwell::base::ReasonOf(hub.Start()) == "BAD_NETWORK");
}
