// The collector directory in Redis, the gateways' link stream, and faults of PostgreSQL and Redis.
#include <catch2/catch.hpp>

#include "libs/base/bytes.h"
#include "libs/directory/route.h"
#include "services/registry/domain/collector.h"
#include "services/registry/test_world.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

using testing::Eventually;

// What gateways write.
struct Gateway {
  TestWorld& world;
  void Tell(const std::string& kind, const std::string& id, int64_t counter, const std::string& reason = "") {
    REQUIRE_OK(world.redis.Call({"XADD",
                                 directory::kLinkStreamKey,
                                 "*",
                                 "kind",
                                 kind,
                                 "registration_id",
                                 id,
                                 "collector",
                                 id,
                                 "bus",
                                 "1",
                                 "pod",
                                 "gateway-0",
                                 "peer",
                                 "10.0.0.7:4711",
                                 "reason",
                                 reason,
                                 "time_ms",
                                 absl::StrCat(absl::ToUnixMillis(world.clock.Now())),
                                 "epoch",
                                 absl::StrCat("1.", counter)}));
  }
  void HoldSession(const std::string& id, int64_t counter) {
    const directory::Route route{.pod = "gateway-0", .generation = 1, .counter = counter};
    REQUIRE_OK(world.redis.Call({"SET", directory::SessionKey(id, 1), directory::EncodeRoute(route)}));
  }
};

v1::Presence PresenceOf(TestWorld& world, const std::string& name) {
  v1::GetCollectorRequest request;
  request.set_name(name);
  const auto collector = world.Call<v1::CollectorService>(&v1::CollectorService::Stub::GetCollector, request);
  REQUIRE_OK(collector);
  return collector->presence();
}

struct Fixture {
  explicit Fixture(Parts parts = {}) {
    SharedRedis().Flush();
    world = std::make_unique<TestWorld>(std::move(parts));
    REQUIRE(world->Serves());
    const auto made = world->MakeSite("1栋");
    REQUIRE_OK(made);
    site = made->name();
  }
  std::unique_ptr<TestWorld> world;
  std::string site;
};

TEST_CASE("a new collector stands in the directory, each bus signed; a deleted one is gone from it") {
  Fixture f;
  const auto collector = f.world->MakeCollector("VW-0001", f.site, 2);
  REQUIRE_OK(collector);
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001/2").has_value(); }));
  const auto entry = f.world->Entry("VW-0001/2");
  CHECK(entry->collector == "VW-0001");
  CHECK(absl::StrCat("collectors/", entry->collector_id) == collector->name());
  CHECK(entry->tenant == "demo");
  CHECK(entry->bus == 2);
  CHECK(entry->link_time_ms == 500);
  v1::DeleteCollectorRequest request;
  request.set_request_id(f.world->NextId());
  request.set_name(collector->name());
  REQUIRE_OK(f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::DeleteCollector, request));
  CHECK(Eventually([&] { return !f.world->Entry("VW-0001").has_value() && !f.world->Entry("VW-0001/2").has_value(); }));
  const auto changes = f.world->redis.Call({"XLEN", directory::kChangesKey});
  REQUIRE_OK(changes);
  CHECK(changes->integer == 4);
}

TEST_CASE("the level of assurance that a collector demands stands in the directory, and must be possible") {
  Fixture f;
  const auto collector = f.world->MakeCollector("VW-0001", f.site);
  REQUIRE_OK(collector);
  CHECK(collector->assurance() == v1::Collector::ASSURANCE_ID);
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001").has_value(); }));
  CHECK(f.world->Entry("VW-0001")->assurance == "id");
  v1::UpdateCollectorRequest request;
  request.set_request_id(f.world->NextId());
  request.mutable_collector()->set_name(collector->name());
  request.mutable_collector()->set_assurance(v1::Collector::ASSURANCE_NETWORK);
  request.mutable_update_mask()->add_paths("assurance");
  const auto update = [&] {
    return f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::UpdateCollector, request);
  };
  CHECK_REASON(update(), "ASSURANCE_NEEDS_NETWORK");
  request.mutable_collector()->set_source_network("10.8.0.0/16");
  request.mutable_update_mask()->add_paths("source_network");
  const auto updated = update();
  REQUIRE_OK(updated);
  CHECK(updated->assurance() == v1::Collector::ASSURANCE_NETWORK);
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001")->assurance == "network"; }));
  CHECK(f.world->Entry("VW-0001")->source_network == "10.8.0.0/16");
  request.set_request_id(f.world->NextId());
  request.mutable_collector()->set_assurance(v1::Collector::ASSURANCE_KEY);
  CHECK_REASON(update(), "ASSURANCE_NEEDS_KEY");
  // All that may be changed, from a client that knows no levels: the level stays.
  request.clear_update_mask();
  request.mutable_collector()->set_display_name("x");
  request.mutable_collector()->set_site(f.site);
  request.mutable_collector()->add_buses()->set_number(1);
  request.mutable_collector()->clear_assurance();
  const auto kept = update();
  REQUIRE_OK(kept);
  CHECK(kept->assurance() == v1::Collector::ASSURANCE_NETWORK);
}

TEST_CASE("a collector's key is set, rotated and taken away, and only gateways can read it") {
  Fixture f;
  const std::string first = "000102030405060708090A0B0C0D0E0F";
  v1::CreateCollectorRequest create;
  create.set_request_id(f.world->NextId());
  v1::Collector& wanted = *create.mutable_collector();
  wanted.set_registration_id("VW-0001");
  wanted.set_display_name("x");
  wanted.set_site(f.site);
  wanted.add_buses()->set_number(1);
  wanted.set_assurance(v1::Collector::ASSURANCE_KEY);
  const auto make = [&] {
    return f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::CreateCollector, create);
  };
  CHECK_REASON(make(), "ASSURANCE_NEEDS_KEY");
  wanted.set_key_hex(first.substr(2));
  CHECK_REASON(make(), "BAD_COLLECTOR_KEY");
  wanted.set_key_hex(first);
  const auto made = make();
  REQUIRE_OK(made);
  CHECK(made->key_hex().empty());
  CHECK(made->has_key_set_time());
  const auto key = [&]() -> std::string {
    const auto entry = f.world->Entry("VW-0001");
    if (!entry.has_value() || entry->sealed_key.empty()) return "";
    const auto opened = directory::UnsealKey(f.world->unsealing, "VW-0001", entry->sealed_key);
    return opened.ok() ? base::ToHex(base::AsBytes(*opened)) : "cannot be opened";
  };
  REQUIRE(Eventually([&] { return key() == first; }));
  CHECK(f.world->Entry("VW-0001")->assurance == "key");
  CHECK_FALSE(directory::UnsealKey(f.world->unsealing, "VW-0002", f.world->Entry("VW-0001")->sealed_key).ok());

  const std::string second = "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF";
  v1::UpdateCollectorRequest update;
  const auto change = [&](const std::string& digits, v1::Collector::Assurance assurance) {
    update.set_request_id(f.world->NextId());
    update.mutable_collector()->set_name(made->name());
    update.mutable_collector()->set_key_hex(digits);
    update.mutable_collector()->set_assurance(assurance);
    return f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::UpdateCollector, update);
  };
  update.mutable_update_mask()->add_paths("key_hex");
  REQUIRE_OK(change(second, v1::Collector::ASSURANCE_KEY));
  REQUIRE(Eventually([&] { return key() == second; }));
  CHECK_REASON(change("", v1::Collector::ASSURANCE_KEY), "ASSURANCE_NEEDS_KEY");
  // Who writes all fields does not have the key: it stays.
  update.clear_update_mask();
  update.mutable_collector()->set_display_name("y");
  update.mutable_collector()->set_site(f.site);
  update.mutable_collector()->add_buses()->set_number(1);
  const auto renamed = change("", v1::Collector::ASSURANCE_TLS_PSK);
  REQUIRE_OK(renamed);
  CHECK(renamed->has_key_set_time());
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001")->assurance == "tls-psk"; }));
  CHECK(key() == second);
  update.mutable_update_mask()->add_paths("key_hex");
  update.mutable_update_mask()->add_paths("assurance");
  const auto without = change("", v1::Collector::ASSURANCE_ID);
  REQUIRE_OK(without);
  CHECK_FALSE(without->has_key_set_time());
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001")->sealed_key.empty(); }));

  REQUIRE_OK(os::WriteFile(f.world->sealing_file, "no key"));
  CHECK_REASON(change(first, v1::Collector::ASSURANCE_KEY), "NO_SEALING_KEY");
}

TEST_CASE("a wiped Redis gets the whole directory back under a higher generation") {
  Fixture f;
  REQUIRE_OK(f.world->MakeCollector("VW-0001", f.site));
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001").has_value(); }));
  const std::string before = f.world->Generation();
  REQUIRE_FALSE(before.empty());
  SharedRedis().Flush();
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001").has_value() && !f.world->Generation().empty(); }));
  CHECK(std::stoll(f.world->Generation()) > std::stoll(before));
}

TEST_CASE("a Redis that was restarted may have lost the last second, so all is published anew") {
  Fixture f;
  REQUIRE_OK(f.world->MakeCollector("VW-0001", f.site));
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001").has_value(); }));
  const std::string before = f.world->Generation();
  SharedRedis().Kill();
  // Made while Redis is away: the mark waits in PostgreSQL.
  REQUIRE_OK(f.world->MakeCollector("VW-0002", f.site));
  SharedRedis().Start();
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001").has_value() && f.world->Entry("VW-0002").has_value(); }));
  CHECK(std::stoll(f.world->Generation()) > std::stoll(before));
  // As if it had kept an old copy, under another process.
  REQUIRE_OK(f.world->redis.Call({"SET", "directory:server", "another"}));
  REQUIRE_OK(f.world->redis.Call({"HDEL", directory::kDirectoryKey, "VW-0001"}));
  CHECK(Eventually([&] { return f.world->Entry("VW-0001").has_value(); }));
}

TEST_CASE("marks left by a killed replica are published by the next") {
  Parts parts;
  Fixture f(parts);
  REQUIRE_OK(f.world->MakeCollector("VW-0001", f.site));
  REQUIRE(Eventually([&] { return f.world->Entry("VW-0001").has_value(); }));
  f.world.reset();
  os::SystemClock clock;
  metrics::Registry metrics;
  pg::Pool pool(parts.database, clock, metrics);
  static constexpr pg::Query kChange{"test.change", "UPDATE collector_bus SET baud = 9600"};
  static constexpr pg::Query kMark{"test.mark", "INSERT INTO directory_dirty (registration_id) VALUES ('VW-0001')"};
  REQUIRE_OK(pool.Transact({.name = "test", .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
    VW_RETURN_IF_ERROR(tx.Execute(kChange).status());
    return tx.Execute(kMark).status();
  }));
  TestWorld next(parts);
  CHECK(Eventually([&] { return next.Entry("VW-0001").value_or(directory::Entry{}).baud == 9600; }));
}

TEST_CASE("presence follows the gateways' facts by epoch, and is told once") {
  Fixture f;
  const auto collector = f.world->MakeCollector("VW-0001", f.site);
  REQUIRE_OK(collector);
  Gateway gateway{*f.world};
  gateway.HoldSession("VW-0001", 5);
  gateway.Tell("online", "VW-0001", 5);
  REQUIRE(Eventually([&] { return PresenceOf(*f.world, collector->name()).online(); }));
  CHECK(PresenceOf(*f.world, collector->name()).pod() == "gateway-0");
  gateway.Tell("offline", "VW-0001", 4, "late news of an older session");
  gateway.Tell("online", "VW-0001", 5);
  gateway.Tell("offline", "VW-0001", 5, "closed by peer");
  REQUIRE(Eventually([&] { return !PresenceOf(*f.world, collector->name()).online(); }));
  CHECK(PresenceOf(*f.world, collector->name()).reason() == "closed by peer");
  CHECK(f.world->Told() == std::vector<std::string>{"site.created " + f.site, "collector.created " + collector->name(),
                                                    "collector.online " + collector->name(),
                                                    "collector.offline " + collector->name()});
}

TEST_CASE("a session whose gateway died without a word is found gone, and found again") {
  Fixture f;
  const auto collector = f.world->MakeCollector("VW-0001", f.site);
  REQUIRE_OK(collector);
  Gateway gateway{*f.world};
  gateway.Tell("online", "VW-0001", 5);  // And no session key: the pod was killed.
  REQUIRE(Eventually([&] { return PresenceOf(*f.world, collector->name()).reason() == "session lost"; }));
  gateway.HoldSession("VW-0001", 5);
  CHECK(Eventually([&] { return PresenceOf(*f.world, collector->name()).online(); }));
}

TEST_CASE("facts that were read and not acknowledged come again after a kill") {
  Parts parts;
  Fixture f(parts);
  const auto collector = f.world->MakeCollector("VW-0001", f.site);
  REQUIRE_OK(collector);
  Gateway gateway{*f.world};
  gateway.HoldSession("VW-0001", 5);
  gateway.Tell("online", "VW-0001", 1);
  REQUIRE(Eventually([&] { return PresenceOf(*f.world, collector->name()).online(); }));
  const std::string name = collector->name();
  f.world.reset();
  metrics::Registry metrics;
  redis::Client redis(SharedRedis().config(), metrics);
  REQUIRE_OK(redis.Call({"XADD", directory::kLinkStreamKey, "*", "kind", "offline", "registration_id", "VW-0001", "bus",
                         "1", "pod", "gateway-0", "reason", "silent", "time_ms", "1", "epoch", "1.1"}));
  REQUIRE_OK(redis.Call(
      {"XREADGROUP", "GROUP", "registry", "registry", "STREAMS", directory::kLinkStreamKey, ">"}));  // And dead.
  TestWorld next(parts);
  REQUIRE(next.Serves());
  CHECK(Eventually([&] { return PresenceOf(next, name).reason() == "silent"; }));
}

TEST_CASE("ids that nobody owns are listed, at most a thousand, and only the platform's operator assigns them") {
  Fixture f;
  std::vector<redis::Command> commands;
  for (int i = 0; i < store::kQuarantineMax + 1; ++i) {
    commands.push_back({"XADD", directory::kLinkStreamKey, "*", "kind", "quarantined", "registration_id",
                        absl::StrCat("STRANGE-", i), "bus", "0", "pod", "gateway-0", "peer", "10.0.0.7:4711", "reason",
                        "", "time_ms", absl::StrCat(1'000'000 + i), "epoch", ""});
  }
  REQUIRE_OK(f.world->redis.Pipeline(commands));
  const auto list = [&] {
    std::vector<v1::QuarantinedCollector> all;
    v1::ListQuarantinedRequest request;
    request.set_page_size(400);
    do {
      const auto page = f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::ListQuarantined, request);
      REQUIRE_OK(page);
      all.insert(all.end(), page->collectors().begin(), page->collectors().end());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return all;
  };
  REQUIRE(Eventually([&] {
    const auto all = list();
    return all.size() == store::kQuarantineMax && all.front().registration_id() == "STRANGE-1000";
  }));
  CHECK(list().back().registration_id() == "STRANGE-1");

  v1::CreateCollectorRequest request;
  request.set_request_id(f.world->NextId());
  request.mutable_collector()->set_registration_id("STRANGE-7");
  request.mutable_collector()->set_display_name("x");
  request.mutable_collector()->set_site(f.site);
  request.mutable_collector()->add_buses()->set_number(1);
  rpc::Identity installer = f.world->Admin();
  installer.permissions = {"collector.*"};
  CHECK_REASON(f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::CreateCollector, request, installer),
               "COLLECTOR_NEEDS_CLAIM");
  CHECK_REASON(f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::ListQuarantined,
                                                   v1::ListQuarantinedRequest(), installer),
               "NOT_PERMITTED");
  REQUIRE_OK(f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::CreateCollector, request));
  CHECK(list().size() == store::kQuarantineMax - 1);
}

TEST_CASE("a bus that is added later takes no id out of quarantine either, but keeps its own") {
  Fixture f;
  const auto collector = f.world->MakeCollector("VW-0001", f.site);
  REQUIRE_OK(collector);
  const auto quarantine = [&](const std::string& id) {
    REQUIRE_OK(f.world->pool.Transact({.name = "test", .tenant = kAllTenants}, [&](pg::Tx& tx) {
      return store::ApplyQuarantined(tx, {{.registration_id = id, .peer = "10.0.0.7:4711", .attempts = 1}});
    }));
  };
  quarantine("STRANGE-1");
  v1::UpdateCollectorRequest request;
  request.set_request_id(f.world->NextId());
  request.mutable_collector()->set_name(collector->name());
  request.mutable_collector()->add_buses()->set_number(1);
  request.mutable_collector()->add_buses()->set_number(2);
  request.mutable_collector()->mutable_buses(1)->set_registration_id("STRANGE-1");
  request.mutable_update_mask()->add_paths("buses");
  rpc::Identity installer = f.world->Admin();
  installer.permissions = {"collector.*"};
  const auto update = [&](const rpc::Identity& who) {
    return f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::UpdateCollector, request, who);
  };
  CHECK_REASON(update(installer), "COLLECTOR_NEEDS_CLAIM");
  REQUIRE_OK(update(f.world->Admin()));
  // What it owns is its own, and what the operator gave stands in quarantine no more.
  request.set_request_id(f.world->NextId());
  request.mutable_collector()->mutable_buses(0)->set_baud(9600);
  CHECK_OK(update(installer));
  const auto left =
      f.world->Call<v1::CollectorService>(&v1::CollectorService::Stub::ListQuarantined, v1::ListQuarantinedRequest());
  REQUIRE_OK(left);
  CHECK(left->collectors_size() == 0);
}

TEST_CASE("pages of known links hold each bus once, also where a page ends within a collector") {
  Fixture f;
  REQUIRE_OK(f.world->MakeCollector("VW-0001", f.site, 3));
  REQUIRE_OK(f.world->MakeCollector("VW-0002", f.site, 2));
  const std::vector<std::string> ids = {"VW-0001", "VW-0001/2", "VW-0001/3", "VW-0002", "VW-0002/2"};
  std::vector<std::string> seen;
  REQUIRE_OK(f.world->pool.Transact({.name = "test", .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
    std::vector<store::LinkFact> facts;
    for (const std::string& id : ids) facts.push_back({.online = true, .registration_id = id, .generation = 1});
    VW_RETURN_IF_ERROR(store::ApplyLinks(tx, facts).status());
    store::LinkPlace after;
    for (;;) {
      VW_ASSIGN_OR_RETURN(const std::vector<store::KnownLink> page, store::ListKnownLinks(tx, after, 2));
      if (page.empty()) return absl::OkStatus();
      for (const store::KnownLink& link : page) seen.push_back(link.registration_id);
      after = {page.back().collector, page.back().bus};
    }
  }));
  CHECK(seen == ids);
}

TEST_CASE("more changes than one pass takes are published by the next") {
  Fixture f;
  REQUIRE(Eventually([&] { return !f.world->Generation().empty(); }));
  // 1,040 buses: more than a pass of changes, and more than a page of the whole.
  constexpr int kCollectors = 65;
  for (int i = 0; i < kCollectors; ++i) REQUIRE_OK(f.world->MakeCollector(absl::StrCat("VW-", i), f.site, kBusesMax));
  const auto published = [&] {
    const auto count = f.world->redis.Call({"HLEN", directory::kDirectoryKey});
    return count.ok() && count->integer == kCollectors * kBusesMax;
  };
  REQUIRE(Eventually(published));
  SharedRedis().Flush();
  REQUIRE(Eventually(published));
}

TEST_CASE("two replicas publish one directory") {
  Parts parts;
  Fixture f(parts);
  TestWorld second(parts);
  REQUIRE(second.Serves());
  for (int i = 0; i < 20; ++i) REQUIRE_OK(f.world->MakeCollector(absl::StrCat("VW-", i), f.site));
  REQUIRE(Eventually([&] {
    for (int i = 0; i < 20; ++i) {
      if (!f.world->Entry(absl::StrCat("VW-", i)).has_value()) return false;
    }
    return true;
  }));
  SharedRedis().Flush();
  REQUIRE(Eventually([&] { return second.Entry("VW-19").has_value() && !second.Generation().empty(); }));
}

TEST_CASE("started without its database it says so, and serves when it is there") {
  testing::TempPostgres postgres;
  postgres.Kill();
  Parts parts;
  parts.database = postgres.config("registry");
  TestWorld world(parts);
  CHECK_REASON(world.MakeSite("1栋"), "DATABASE_DOWN");
  postgres.Start();
  REQUIRE(world.Serves());
  CHECK(Eventually([&] { return world.MakeSite("1栋").ok(); }));
  // And once more, killed while it serves.
  postgres.Kill();
  CHECK_FALSE(world.MakeSite("2栋").ok());
  postgres.Start();
  CHECK(Eventually([&] { return world.MakeSite("3栋").ok(); }));
}

}  // namespace
}  // namespace voltwell::registry
