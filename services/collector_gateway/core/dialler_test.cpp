// Dialling out: leases in a real Redis, real loopback sockets, names that tests answer.
#include "services/collector_gateway/core/dialler.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <set>

#include "libs/directory/directory.h"
#include "libs/testing/eventually.h"
#include "libs/testing/fake_clock.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_redis.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;
namespace directory = voltwell::directory;
namespace metrics = voltwell::metrics;
namespace os = voltwell::os;
namespace redis = voltwell::redis;

namespace {

voltwell::testing::TempRedis& Server() {
  static voltwell::testing::TempRedis server;
  return server;
}

// A serial server on 127.0.0.1.
struct SerialServer {
  SerialServer() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(listen(fd, 8) == 0);
    socklen_t size = sizeof(address);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~SerialServer() { Close(); }
  void Close() {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port = 0;
};

BusEntryPtr Dialled(const std::string& id, const std::string& target) {
  BusEntry entry = *EntryOf(id);
  entry.dial_target = target;
  return std::make_shared<const BusEntry>(entry);
}

Address At(const char* text) { return ParseNetwork(text)->address; }

// One pod's dialler, stepped by hand; its hub takes every line in.
struct Pod {
  explicit Pod(const std::string& name, std::vector<std::string> networks = {"127.0.0.0/8"}, bool loopback = true)
      : dialler({.pod = name, .networks = std::move(networks), .refused = {}, .loopback = loopback}, client, routes,
                clock, random, gateway_metrics, [this](const std::string& host) {
                  ++asked[host];
                  return names.count(host) > 0 ? absl::StatusOr<std::vector<Address>>(names[host])
                                               : absl::NotFoundError("unknown");
                }) {
    REQUIRE_OK(dialler.Prepare(
        [this](int fd, const Peer& peer, const BusEntryPtr& entry) {
          adopted.push_back(ToText(peer));
          close(fd);
          routes.Insert({.session = ++sessions, .entry = entry, .peer = peer});
        },
        [this](const std::string& collector, const char* reason) {
          hung_up.push_back(collector + ": " + reason);
          Drop(collector);
        }));
  }
  void Drop(const std::string& collector) {
    for (const Route& route : routes.All()) {
      if (route.entry->collector == collector) routes.Erase(*route.entry, route.session);
    }
  }
  void Publish(std::vector<BusEntryPtr> entries) {
    dialler.UseDirectory(std::make_shared<const DirectoryCopy>(1, std::move(entries)));
    dialler.Step();
  }
  bool Until(const std::function<bool()>& condition) {
    return Eventually([&] {
      dialler.Step();
      return condition();
    });
  }
  // Long enough for the next look at the leases.
  void Later(absl::Duration by = kDialLeaseEvery) {
    clock.Advance(by);
    dialler.Step();
  }

  voltwell::testing::FakeClock clock;
  os::SystemRandom random;
  metrics::Registry registry;
  GatewayMetrics gateway_metrics{registry};
  redis::Client client{Server().config(), registry};
  Routes routes;
  SessionId sessions = 0;
  std::map<std::string, std::vector<Address>> names;
  std::map<std::string, int> asked;
  std::vector<std::string> adopted;
  std::vector<std::string> hung_up;
  Dialler dialler;
};

std::string Target(const std::string& host, int port) { return host + ":" + std::to_string(port); }

}  // namespace

TEST_CASE("a collector with a target is dialled, each bus at its own port, and again when its line went") {
  Server().Flush();
  SerialServer server;
  Pod pod("a");
  BusEntry second = *Dialled("VW-1/2", Target("127.0.0.1", server.port - 1));
  second.bus = 2;
  pod.Publish({EntryOf("VW-9"), std::make_shared<const BusEntry>(second)});
  REQUIRE(pod.Until([&] { return pod.adopted.size() == 1; }));
  CHECK(pod.adopted[0] == Target("127.0.0.1", server.port));
  CHECK(pod.gateway_metrics.dial_leases.Value() == 1);
  pod.dialler.Step();
  pod.Drop("VW-1");
  pod.Later(absl::Milliseconds(200));
  CHECK(pod.adopted.size() == 1);  // Not at once.
  pod.Later(kDialBackoffFirst);
  CHECK(pod.Until([&] { return pod.adopted.size() == 2; }));
}

TEST_CASE("by default nobody is dialled, and loopback only when a test says so") {
  Server().Flush();
  const SerialServer server;
  for (const bool named : {false, true}) {
    Pod pod("a", named ? std::vector<std::string>{"0.0.0.0/0"} : std::vector<std::string>{}, false);
    pod.names["sneaky"] = {At("127.0.0.1")};
    pod.Publish({Dialled("VW-1", Target("127.0.0.1", server.port)), Dialled("VW-2", Target("sneaky", server.port))});
    REQUIRE(pod.Until([&] { return pod.gateway_metrics.dials_refused.Value() == 2; }));
    CHECK(pod.adopted.empty());
    pod.dialler.Release();
  }
}

TEST_CASE("operators read once why a collector cannot be dialled, and again when the reason changes") {
  Server().Flush();
  SerialServer server;
  const int port = server.port;
  server.Close();
  Pod pod("a");
  pod.names["moxa"] = {At("169.254.169.254")};
  pod.Publish({Dialled("VW-1", Target("moxa", port))});
  for (int i = 0; i < 3; ++i) pod.Later(kDialBackoffMax);
  pod.names["moxa"] = {At("127.0.0.1")};
  REQUIRE(pod.Until([&] {
    pod.clock.Advance(kDialBackoffMax);
    return pod.gateway_metrics.dials_failed.Value() > 6;
  }));
  const auto told = pod.client.Call({"XRANGE", directory::kLinkStreamKey, "-", "+"});
  REQUIRE_OK(told);
  std::vector<std::string> reasons;
  for (const redis::Reply& entry : told->items) {
    const std::vector<redis::Reply>& fields = entry.items[1].items;
    for (size_t i = 0; i + 1 < fields.size(); i += 2) {
      if (fields[i].text == directory::kFieldReason) reasons.push_back(fields[i + 1].text);
    }
  }
  CHECK(reasons ==
        std::vector<std::string>{"not dialled: must not be dialled: link-local", "not dialled: Connection refused"});
}

TEST_CASE("the address that was judged is the one that is connected to, whatever the name says next time") {
  Server().Flush();
  const SerialServer server;
  Pod pod("a");
  pod.names["moxa"] = {At("10.0.0.1"), At("169.254.1.1"), At("127.0.0.1")};
  pod.Publish({Dialled("VW-1", Target("moxa", server.port))});
  REQUIRE(pod.Until([&] { return pod.adopted.size() == 1; }));
  CHECK(pod.adopted[0] == Target("127.0.0.1", server.port));
  CHECK(pod.asked["moxa"] == 1);
  // Rebound: the next try judges anew.
  pod.dialler.Step();
  pod.names["moxa"] = {At("169.254.1.1")};
  pod.Drop("VW-1");
  pod.Later(absl::Milliseconds(200));
  pod.Later(kDialBackoffFirst);
  REQUIRE(pod.Until([&] { return pod.gateway_metrics.dials_refused.Value() == 1; }));
  CHECK(pod.adopted.size() == 1);
}

TEST_CASE("of two gateways one dials; the other takes over when the lease ends, and the first hangs up") {
  Server().Flush();
  const SerialServer server;
  const BusEntryPtr entry = Dialled("VW-1", Target("127.0.0.1", server.port));
  Pod first("a");
  Pod second("b");
  first.Publish({entry});
  REQUIRE(first.Until([&] { return first.adopted.size() == 1; }));
  second.Publish({entry});
  for (int i = 0; i < 3; ++i) second.Later();
  CHECK(second.adopted.empty());
  const auto ttl = first.client.Call({"PTTL", "dial:{VW-1}"});
  REQUIRE_OK(ttl);
  CHECK(ttl->integer > 0);
  CHECK(ttl->integer <= absl::ToInt64Milliseconds(kDialLeaseTtl));
  // As if it had ended while the first gateway was away.
  REQUIRE_OK(first.client.Call({"DEL", "dial:{VW-1}"}));
  second.Later();
  REQUIRE(second.Until([&] { return second.adopted.size() == 1; }));
  first.Later();
  CHECK(first.hung_up == std::vector<std::string>{"VW-1: another gateway dials"});
  CHECK(first.routes.size() == 0);
  CHECK(second.hung_up.empty());
  // Released when the gateway goes: nobody has to wait.
  second.dialler.Stop();
  second.dialler.Release();
  first.Later();
  CHECK(first.Until([&] { return first.adopted.size() == 2; }));
}

TEST_CASE("who cannot renew its lease hangs up before it ends, and dials again when Redis is back") {
  Server().Flush();
  const SerialServer server;
  Pod pod("a");
  pod.Publish({Dialled("VW-1", Target("127.0.0.1", server.port))});
  REQUIRE(pod.Until([&] { return pod.adopted.size() == 1; }));
  Server().Kill();
  pod.Later();
  CHECK(pod.hung_up.empty());
  pod.Later(kDialLeaseTtl - kDialLeaseMargin);
  CHECK(pod.hung_up == std::vector<std::string>{"VW-1: dial lease lost"});
  Server().Start();
  REQUIRE(Eventually([&] { return pod.client.Call({"PING"}).ok(); }));
  pod.Later(kDialBackoffMax);
  CHECK(pod.Until([&] { return pod.adopted.size() == 2; }));
}

TEST_CASE("a resolver that hangs holds up no lease, and so many lines at once are dialled and not one more") {
  Server().Flush();
  metrics::Registry registry;
  GatewayMetrics gateway_metrics{registry};
  redis::Client client{Server().config(), registry};
  voltwell::testing::FakeClock clock;
  os::SystemRandom random;
  Routes routes;
  std::atomic<bool> answer = false;
  Dialler dialler({.pod = "a", .networks = {"127.0.0.0/8"}, .refused = {}, .loopback = true}, client, routes, clock,
                  random, gateway_metrics, [&](const std::string&) -> absl::StatusOr<std::vector<Address>> {
                    Eventually([&] { return answer.load(); });
                    return absl::NotFoundError("unknown");
                  });
  REQUIRE_OK(dialler.Start([](int fd, const Peer&, const BusEntryPtr&) { close(fd); },
                           [](const std::string&, const char*) {}));
  std::vector<BusEntryPtr> entries;
  for (size_t i = 0; i <= kDiallingMax; ++i) entries.push_back(Dialled("VW-" + std::to_string(i), "moxa:4001"));
  dialler.UseDirectory(std::make_shared<const DirectoryCopy>(1, entries));
  CHECK(Eventually([&] { return gateway_metrics.dials.Value() == kDiallingMax; }));
  clock.Advance(kDialLeaseEvery);
  CHECK(Eventually([&] { return gateway_metrics.dial_leases.Value() == kDiallingMax + 1; }));
  CHECK(gateway_metrics.dials.Value() == kDiallingMax);
  answer = true;
  CHECK(Eventually([&] { return gateway_metrics.dials.Value() == kDiallingMax + 1; }));
}

TEST_CASE("beyond the lines that a gateway dials one more is not") {
  Server().Flush();
  Pod pod("a", {"10.0.0.0/8"});
  std::vector<BusEntryPtr> entries;
  for (size_t i = 0; i <= kDialledMax; ++i) entries.push_back(Dialled("VW-" + std::to_string(i), "unknown:4001"));
  pod.Publish(entries);
  CHECK(pod.gateway_metrics.dial_leases.Value() == kDialledMax);
}
