// Time online out of the history of links.
#include <catch2/catch.hpp>

#include "services/registry/store_uptime.h"
#include "services/registry/test_world.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

// A registry with one collector, created ten days ago, and facts told at hours of the last day (0: 24 hours ago).
struct Fixture {
  explicit Fixture(int buses = 1) {
    REQUIRE(world.Serves());
    const auto site = world.MakeSite("1栋");
    REQUIRE_OK(site);
    const auto made = world.MakeCollector("VW-1", site->name(), buses);
    REQUIRE_OK(made);
    name = made->name();
    id = name.substr(name.find('/') + 1);
    Create(day - absl::Hours(240));
  }
  void Create(absl::Time at) {
    static constexpr pg::Query kCreated{"test.created", "UPDATE collector SET created_at = $2 WHERE id = $1"};
    REQUIRE_OK(world.pool.Transact({.name = "test", .tenant = kAllTenants},
                                   [&](pg::Tx& tx) -> absl::Status { return tx.Execute(kCreated, id, at).status(); }));
  }
  void Tell(bool online, double hour, const std::string& peer = "10.0.0.7:1", const std::string& bus = "VW-1",
            const std::string& stream_id = "*") {
    counter += online ? 1 : 0;  // Of the session: its going has the same.
    ++facts;
    REQUIRE_OK(world.pool.Transact({.name = "test", .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
      return store::ApplyLinks(tx, {{.stream_id = stream_id == "*" ? absl::StrCat(facts, "-0") : stream_id,
                                     .online = online,
                                     .registration_id = bus,
                                     .pod = "gateway-0",
                                     .peer = peer,
                                     .time = day + absl::Hours(hour),
                                     .generation = 1,
                                     .counter = counter}})
          .status();
    }));
  }
  // Of the day.
  store::Uptime Uptime() {
    std::vector<store::Uptime> all;
    REQUIRE_OK(world.pool.Transact({.name = "test", .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(all, store::ListUptimes(tx, {id}, day, day + absl::Hours(24)));
      return absl::OkStatus();
    }));
    REQUIRE(all.size() == 1);
    return all[0];
  }
  // Hours observed, hours online, drops, longest gap and when it began.
  std::string Text() {
    const store::Uptime uptime = Uptime();
    return absl::StrCat(absl::ToDoubleHours(uptime.observed), " ", absl::ToDoubleHours(uptime.online), " ",
                        uptime.drops, " ", absl::ToDoubleHours(uptime.longest_gap), " ",
                        uptime.longest_gap_from ? absl::ToDoubleHours(*uptime.longest_gap_from - day) : -1);
  }

  TestWorld world;
  const absl::Time day = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now())) - absl::Hours(24);
  std::string name;
  std::string id;
  int64_t counter = 0;
  int64_t facts = 0;
};

TEST_CASE("time online is what lies between coming and going; each going is a drop") {
  Fixture f;
  f.Tell(true, 2);
  f.Tell(false, 8);
  f.Tell(true, 9);
  f.Tell(false, 10);
  f.Tell(true, 14);
  CHECK(f.Text() == "24 17 2 4 10");
}

TEST_CASE("how a collector stood when the period began is told by the fact before it, whenever that was") {
  Fixture f;
  f.Tell(true, -100);
  CHECK(f.Text() == "24 24 0 0 -1");
  f.Tell(false, -50);
  CHECK(f.Text() == "24 0 0 24 0");
  f.Tell(true, 6);
  CHECK(f.Text() == "24 18 0 6 0");
}

TEST_CASE(
    "where the fact before the period is forgotten, what ends in it was there, and what is there now always was") {
  Fixture f;
  f.Tell(true, -100);
  static constexpr pg::Query kForget{"test.forget", "DELETE FROM collector_link"};
  REQUIRE_OK(f.world.pool.Transact({.name = "test", .tenant = kAllTenants},
                                   [&](pg::Tx& tx) -> absl::Status { return tx.Execute(kForget).status(); }));
  CHECK(f.Text() == "24 24 0 0 -1");
  f.Tell(false, 20);
  CHECK(f.Text() == "24 20 1 4 20");
}

TEST_CASE("coming anew by another connection is a drop without a gap; sessions stated anew are not") {
  Fixture f;
  f.Tell(true, 0.5, "10.0.0.7:1");
  f.Tell(true, 4, "10.0.0.7:1");  // Redis was wiped, and the gateway told of all its sessions.
  f.Tell(true, 8, "10.0.0.7:2");  // The gateway was killed, and the collector came back.
  CHECK(f.Text() == "24 23.5 1 0.5 0");
}

TEST_CASE("two goings in a row are one gap, and late news of an older session are none") {
  Fixture f;
  f.Tell(true, 0);
  f.Tell(false, 6);
  f.Tell(false, 7);
  f.Tell(true, 9);
  CHECK(f.Text() == "24 21 1 3 6");
  --f.counter;
  f.Tell(false, 11);
  CHECK(f.Text() == "24 21 1 3 6");
}

TEST_CASE("buses are added up, and the longest gap is that of one of them") {
  Fixture f(2);
  f.Tell(true, 0, "10.0.0.7:1", "VW-1");
  f.Tell(false, 20, "10.0.0.7:1", "VW-1");
  f.Tell(true, 12, "10.0.0.7:2", "VW-1/2");
  CHECK(f.Text() == "48 32 1 12 0");
}

TEST_CASE("a collector is not blamed for the time before it was created, nor for what came before it") {
  Fixture f;
  f.Create(f.day + absl::Hours(18));
  CHECK(f.Text() == "6 0 0 6 18");
  f.Tell(true, 21);
  CHECK(f.Text() == "6 3 0 3 18");
}

TEST_CASE("what the registry itself found gone stands in the history, once for each finding") {
  Fixture f;
  f.Tell(true, 1);
  f.Tell(false, 5, "10.0.0.7:1", "VW-1", "");
  f.Tell(false, 6, "10.0.0.7:1", "VW-1", "");
  f.Tell(true, 7, "10.0.0.7:1", "VW-1", "");
  CHECK(f.Text() == "24 21 1 2 5");
}

TEST_CASE("uptimes come page by page for who may see the collectors; a period out of bounds is refused") {
  Fixture f;
  f.Tell(true, 12);
  const auto call = [&](const v1::ListCollectorUptimesRequest& request, const std::string& tenant = "demo") {
    return f.world.Call<v1::CollectorService>(&v1::CollectorService::Stub::ListCollectorUptimes, request,
                                              f.world.Admin(tenant));
  };
  v1::ListCollectorUptimesRequest request;
  const auto all = call(request);
  REQUIRE_OK(all);
  REQUIRE(all->uptimes_size() == 1);
  CHECK(all->uptimes(0).collector() == f.name);
  CHECK(all->uptimes(0).observed().seconds() >= 7 * 24 * 3600);
  CHECK(all->uptimes(0).observed().seconds() < 7 * 24 * 3600 + 60);
  CHECK(all->uptimes(0).online().seconds() >= 12 * 3600);
  CHECK(all->uptimes(0).longest_gap().seconds() >= 6 * 24 * 3600);
  CHECK(all->uptimes(0).has_longest_gap_time());
  request.set_collector(f.name);
  request.mutable_period()->set_seconds(3600);
  const auto one = call(request);
  REQUIRE_OK(one);
  REQUIRE(one->uptimes_size() == 1);
  CHECK(one->uptimes(0).online().seconds() == one->uptimes(0).observed().seconds());
  CHECK_FALSE(one->uptimes(0).has_longest_gap());
  request.mutable_period()->set_seconds(59);
  CHECK_REASON(call(request), "BAD_PERIOD");
  request.mutable_period()->set_seconds(30 * 24 * 3600 + 1);
  CHECK_REASON(call(request), "BAD_PERIOD");
  request.mutable_period()->set_seconds(3600);
  request.set_collector("collectors/none");
  CHECK_REASON(call(request), "COLLECTOR_NOT_FOUND");
}

TEST_CASE("a page of uptimes holds a hundred") {
  Fixture f;
  const auto site = f.world.MakeSite("2栋");
  REQUIRE_OK(site);
  for (int i = 0; i < store::kUptimePageMax; ++i)
    REQUIRE_OK(f.world.MakeCollector(absl::StrCat("P-", i), site->name()));
  v1::ListCollectorUptimesRequest request;
  request.set_page_size(1000);
  const auto page = [&] {
    const auto got = f.world.Call<v1::CollectorService>(&v1::CollectorService::Stub::ListCollectorUptimes, request);
    REQUIRE_OK(got);
    request.set_page_token(got->next_page_token());
    return got->uptimes_size();
  };
  CHECK(page() == store::kUptimePageMax);
  CHECK(page() == 1);
  CHECK(request.page_token().empty());
}

}  // namespace
}  // namespace voltwell::registry
