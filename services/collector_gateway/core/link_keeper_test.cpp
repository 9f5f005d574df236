// Sessions in a real Redis: fencing, restating, a wiped Redis, quarantine.
#include "services/collector_gateway/core/link_keeper.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <map>

#include "absl/strings/str_split.h"
#include "libs/directory/directory.h"
#include "libs/directory/route.h"
#include "libs/metrics/metrics.h"
#include "libs/testing/fake_clock.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_redis.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
namespace directory = voltwell::directory;
namespace redis = voltwell::redis;
namespace metrics = voltwell::metrics;

namespace {

constexpr absl::Duration kSecond = absl::Seconds(1);

// One Redis for all tests of the file: starting one takes longer than all of them.
voltwell::testing::TempRedis& Server() {
  static voltwell::testing::TempRedis server;
  return server;
}

// What one gateway pod has, stepped by hand.
struct Pod {
  explicit Pod(std::string pod, voltwell::testing::FakeClock& shared_clock)
      : clock(shared_clock), keeper({pod, pod + ":9004"}, client, routes, shared_clock, gateway_metrics) {}

  // As a shard does when a collector registers.
  Route Register(const std::string& id, SessionId session) {
    const Route route = {session, EntryOf(id), {}, absl::ToUnixMillis(clock.Now()), {}};
    routes.Insert(route);
    keeper.Registered(route);
    return route;
  }
  void End(const std::string& id, SessionId session, const char* reason) {
    const std::optional<Route> route = routes.Erase(*EntryOf(id), session);
    REQUIRE(route.has_value());
    keeper.Gone(*route, reason);
  }
  void Step() {
    clock.Advance(kSecond);
    while (keeper.Step() == absl::ZeroDuration()) {
    }
  }

  voltwell::testing::FakeClock& clock;
  metrics::Registry registry;
  GatewayMetrics gateway_metrics{registry};
  redis::Client client{Server().config(), registry};
  Routes routes;
  LinkKeeper keeper;
};

struct Bench {
  Bench() {
    Server().Flush();
    SetGeneration(1);
  }
  void SetGeneration(int generation) {
    REQUIRE_OK(client.Call({"SET", directory::kGenerationKey, std::to_string(generation)}));
  }
  std::optional<directory::Route> RouteOf(const std::string& collector) {
    const auto reply = client.Call({"GET", directory::SessionKey(collector, 1)});
    REQUIRE_OK(reply);
    return directory::DecodeRoute(reply->text);
  }
  // "online VW-1 a", "offline VW-1 b: reason" in the stream's order.
  std::vector<std::string> Facts() {
    const auto reply = client.Call({"XRANGE", directory::kLinkStreamKey, "-", "+"});
    REQUIRE_OK(reply);
    std::vector<std::string> facts;
    for (const redis::Reply& entry : reply->items) {
      std::map<std::string, std::string> fields;
      const auto& pairs = entry.items[1].items;
      for (size_t i = 0; i + 1 < pairs.size(); i += 2) fields[pairs[i].text] = pairs[i + 1].text;
      std::string fact = fields["kind"] + " " + fields["registration_id"] + " " + fields["pod"];
      if (!fields["reason"].empty()) fact += ": " + fields["reason"];
      facts.push_back(fact);
    }
    return facts;
  }

  metrics::Registry registry;
  redis::Client client{Server().config(), registry};
  voltwell::testing::FakeClock clock;
};

}  // namespace

TEST_CASE("a session is claimed under an epoch, told to the link stream, and removed when it ends") {
  Bench bench;
  Pod a("a", bench.clock);
  a.Register("VW-1", 1);
  a.Step();
  const auto route = bench.RouteOf("VW-1");
  REQUIRE(route.has_value());
  CHECK(route->pod == "a");
  CHECK(route->generation == 1);
  CHECK(a.routes.Find({"VW-1", 1})->epoch == Epoch{1, route->counter});
  const auto ttl = bench.client.Call({"TTL", directory::SessionKey("VW-1", 1)});
  CHECK(ttl->integer > directory::kSessionTtlSeconds - 10);
  CHECK(bench.Facts() == std::vector<std::string>{"online VW-1 a"});

  a.End("VW-1", 1, "closed by peer");
  a.Step();
  CHECK_FALSE(bench.RouteOf("VW-1").has_value());
  CHECK(bench.Facts() == std::vector<std::string>{"online VW-1 a", "offline VW-1 a: closed by peer"});
}

TEST_CASE("of two pods with the same bus the newer session holds it, and the older is fenced when it restates") {
  Bench bench;
  Pod a("a", bench.clock);
  Pod b("b", bench.clock);
  std::vector<SessionId> closed_at_a;
  a.Register("VW-1", 1);
  a.Step();
  b.Register("VW-1", 7);
  b.Step();
  CHECK(bench.RouteOf("VW-1")->pod == "b");

  a.keeper.Start([&](SessionId id, const char*) { closed_at_a.push_back(id); });
  a.keeper.Stop(kSecond);  // From here it is stepped by hand again, but knows whom to tell.
  bench.clock.Advance(kRestateEvery);
  a.Step();
  CHECK(closed_at_a == std::vector<SessionId>{1});
  CHECK(bench.RouteOf("VW-1")->pod == "b");
  CHECK(a.gateway_metrics.fenced.Value() == 1);

  // Its end is no news: the bus is not offline.
  a.End("VW-1", 1, "moved to another gateway");
  a.Step();
  CHECK(bench.RouteOf("VW-1")->pod == "b");
  CHECK(bench.Facts() == std::vector<std::string>{"online VW-1 a", "online VW-1 b"});
}

TEST_CASE("sessions are restated each minute, so that their keys never expire") {
  Bench bench;
  Pod a("a", bench.clock);
  a.Register("VW-1", 1);
  a.Step();
  REQUIRE_OK(bench.client.Call({"EXPIRE", directory::SessionKey("VW-1", 1), "5"}));
  a.Step();
  CHECK(bench.client.Call({"TTL", directory::SessionKey("VW-1", 1)})->integer <= 5);
  bench.clock.Advance(kRestateEvery);
  a.Step();
  CHECK(bench.client.Call({"TTL", directory::SessionKey("VW-1", 1)})->integer > 100);
  CHECK(bench.Facts().size() == 1);  // Nothing new happened.
}

TEST_CASE(
    "when Redis was wiped nothing is claimed until there is a generation, then everything at once, in the old order") {
  Bench bench;
  Pod a("a", bench.clock);
  Pod b("b", bench.clock);
  a.Register("VW-1", 1);
  a.Step();
  b.Register("VW-1", 7);
  b.Step();
  b.Register("VW-2", 8);
  b.Step();
  const int64_t counter = bench.RouteOf("VW-1")->counter;

  Server().Flush();
  a.Step();
  b.Register("VW-3", 9);
  b.Step();
  CHECK_FALSE(bench.RouteOf("VW-1").has_value());
  CHECK_FALSE(bench.RouteOf("VW-3").has_value());

  bench.SetGeneration(2);
  a.Step();  // The pod with the stale connection is the first to restate,
  b.Step();  // and loses all the same.
  CHECK(bench.RouteOf("VW-1")->pod == "b");
  CHECK(bench.RouteOf("VW-1")->generation == 2);
  CHECK(bench.RouteOf("VW-1")->counter == counter);
  CHECK(bench.RouteOf("VW-2")->pod == "b");
  CHECK(bench.RouteOf("VW-3")->pod == "b");
  CHECK(bench.RouteOf("VW-3")->counter > counter);  // Above all that was given before the wipe.
  const auto address = bench.client.Call({"GET", directory::GatewayKey("b")});
  CHECK(address->text == "b:9004");
}

TEST_CASE("facts wait while Redis is away and are told when it is back; a session that ended meanwhile leaves no key") {
  Bench bench;
  Pod a("a", bench.clock);
  a.Step();
  Server().Kill();
  a.Register("VW-1", 1);
  a.Register("VW-2", 2);
  a.Step();
  CHECK_FALSE(a.keeper.reached());
  a.End("VW-2", 2, "closed by peer");
  Server().Start();
  bench.SetGeneration(3);
  REQUIRE(voltwell::testing::Eventually([&] {
    a.Step();
    return a.keeper.reached() && bench.RouteOf("VW-1").has_value();
  }));
  a.Step();
  CHECK(bench.RouteOf("VW-1")->pod == "a");
  CHECK_FALSE(bench.RouteOf("VW-2").has_value());
}

TEST_CASE(
    "one claim more than a script takes goes in a second one; each session gets an epoch of its own, in their order") {
  Bench bench;
  Pod a("a", bench.clock);
  const auto id = [](size_t i) { return "VW-" + std::to_string(1000 + i); };
  for (size_t i = 0; i <= kClaimsInScript; ++i) a.Register(id(i), i + 1);
  a.End(id(3), 4, "closed by peer");
  a.Step();
  a.Step();
  int64_t before = 0;
  for (size_t i = 0; i <= kClaimsInScript; ++i) {
    const auto route = bench.RouteOf(id(i));
    REQUIRE(route.has_value() == (i != 3));  // It had gone when its claim was made: nothing of it is left.
    if (i == 3) continue;
    CHECK(route->counter > before);
    CHECK(a.routes.Find({id(i), 1})->epoch == Epoch{1, route->counter});
    before = route->counter;
  }
  CHECK(a.gateway_metrics.claims.Value() == kClaimsInScript + 1);
}

TEST_CASE("one fact beyond the queue's limit is dropped and counted") {
  Bench bench;
  Pod a("a", bench.clock);
  const Route route = {1, EntryOf("VW-1"), {}, 0, {}};
  for (size_t i = 0; i < kLinkOperationsMax; ++i) a.keeper.Registered(route);
  CHECK(a.gateway_metrics.link_operations_dropped.Value() == 0);
  a.keeper.Registered(route);
  CHECK(a.gateway_metrics.link_operations_dropped.Value() == 1);
}

TEST_CASE("unknown ids are kept in quarantine up to a limit, the one seen longest ago makes room") {
  Bench bench;
  Pod a("a", bench.clock);
  for (int i = 0; i <= directory::kQuarantineMax; ++i) {
    a.keeper.Quarantined("X" + std::to_string(i), {});
    if (i % kQuarantinedPerSecond == kQuarantinedPerSecond - 1) a.Step();
  }
  a.Step();
  CHECK(bench.client.Call({"HLEN", directory::kQuarantineKey})->integer == directory::kQuarantineMax);
  const auto attempts = [&](const std::string& id) {
    const auto reply = bench.client.Call({"HGET", directory::kQuarantineKey, id});
    const std::vector<std::string> parts = absl::StrSplit(reply->text, ' ');
    return parts.size() == 4 ? parts[2] : "none";
  };
  CHECK(attempts("X" + std::to_string(directory::kQuarantineMax)) == "1");
  a.keeper.Quarantined(std::string("\x01\x02", 2), {});
  a.keeper.Quarantined("X999", {});
  a.Step();
  CHECK(attempts("hex:0102") == "1");
  CHECK(attempts("X999") == "2");
}

TEST_CASE("a flood of unknown ids is written down only so fast") {
  Bench bench;
  Pod a("a", bench.clock);
  for (int i = 0; i <= kQuarantinedPerSecond; ++i) a.keeper.Quarantined("X" + std::to_string(i), {});
  a.Step();
  CHECK(bench.Facts().size() == static_cast<size_t>(kQuarantinedPerSecond));
  CHECK(a.gateway_metrics.quarantined.Value() == kQuarantinedPerSecond);
}

TEST_CASE("who holds a bus: another pod by name, nobody and ourselves empty, and empty without Redis") {
  Bench bench;
  Pod a("a", bench.clock);
  Pod b("b", bench.clock);
  a.Register("VW-1", 1);
  a.Step();
  b.Register("VW-2", 2);
  b.Step();
  std::vector<std::string> pods;
  const auto keep = [&](std::vector<std::string> answer) { pods = std::move(answer); };
  a.keeper.WhoHolds({{"VW-1", 1}, {"VW-2", 1}, {"VW-2", 2}}, keep);
  a.Step();
  CHECK(pods == std::vector<std::string>{"", "b", ""});

  Server().Kill();
  pods = {"untouched"};
  a.keeper.WhoHolds({{"VW-2", 1}}, keep);
  a.Step();
  CHECK(pods == std::vector<std::string>{""});
  Server().Start();
}

TEST_CASE("while a pod stops every question is answered, after that at once, and facts are still taken") {
  Bench bench;
  Pod a("a", bench.clock);
  a.keeper.Start([](SessionId, const char*) {});
  std::atomic<int> asked = 0;
  std::atomic<int> answered = 0;
  std::atomic<bool> done = false;
  const Route route = {1, EntryOf("VW-1"), {}, 0, {}};
  voltwell::os::Worker shard("shard", [&] {
    if (done) return kSecond;
    ++asked;
    a.keeper.WhoHolds({{"VW-1", 1}, {"VW-2", 1}}, [&](const std::vector<std::string>& pods) {
      if (pods == std::vector<std::string>{"", ""}) ++answered;
    });
    a.keeper.Registered(route);
    return absl::ZeroDuration();
  });
  REQUIRE(voltwell::testing::Eventually([&] { return asked > 10; }));
  a.keeper.Stop(kSecond);
  const int before = asked;
  REQUIRE(voltwell::testing::Eventually([&] { return asked > before + 10; }));
  done = true;
  shard.Stop();
  CHECK(answered == asked);
}

TEST_CASE("a pod says where its gRPC is while it lives") {
  Bench bench;
  {
    Pod a("a", bench.clock);
    a.Step();
    CHECK(bench.client.Call({"GET", directory::GatewayKey("a")})->text == "a:9004");
    CHECK(bench.client.Call({"TTL", directory::GatewayKey("a")})->integer <= directory::kGatewayTtlSeconds);
    a.keeper.Start([](SessionId, const char*) {});
    a.keeper.Stop(kSecond);
  }
  CHECK(bench.client.Call({"GET", directory::GatewayKey("a")})->nil());
}
