// A process that cannot renew its lease stops before another may take its work.
#include "libs/pg/lease.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "libs/pg/fixture_test.h"
#include "libs/testing/chaos_proxy.h"
#include "libs/testing/eventually.h"
#include "libs/testing/fake_clock.h"
#include "libs/testing/status.h"

using namespace voltwell;
using namespace voltwell::pg;

namespace {

// Two replicas, each with a pool and a monotonic clock of its own; rows expire by the database's clock.
struct Replica {
  explicit Replica(const Config& config, const std::string& name)
      : pool(config, real_clock, metrics), lease(pool, clock, metrics, "scheduler", name) {}

  os::SystemClock real_clock;
  testing::FakeClock clock{absl::Now()};
  metrics::Registry metrics;
  Pool pool;
  ProcessLease lease;

  absl::Status Assert(int64_t epoch) {
    return pool.Transact({.name = "assert"}, [&](Tx& tx) { return AssertLease(tx, epoch); });
  }
  std::vector<int64_t> Reap() {
    std::vector<int64_t> epochs;
    REQUIRE_OK(pool.Transact({.name = "reap"}, [&](Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(epochs, ReapDeadProcesses(tx, "scheduler"));
      return absl::OkStatus();
    }));
    return epochs;
  }
  // As if `by` passed on the database's clock.
  void Age(absl::Duration by) {
    REQUIRE_OK(Once(pool, {"age", "UPDATE process_lease SET expires_at = expires_at - $1::text::interval"},
                    absl::StrCat(absl::ToInt64Milliseconds(by), " milliseconds")));
  }
};

using Epochs = std::vector<int64_t>;

}  // namespace

TEST_CASE("a lease is held for 5 s after its last renewal by the holder's monotonic clock") {
  Fixture fixture;
  Replica a(fixture.config, "a");
  CHECK_FALSE(a.lease.Held());
  REQUIRE_OK(a.lease.Renew());
  CHECK(a.lease.Held());
  a.clock.Advance(absl::Milliseconds(4999));
  CHECK(a.lease.Held());
  REQUIRE_OK(a.lease.Renew());
  const int64_t epoch = a.lease.epoch();
  a.clock.Set(a.clock.Now() + absl::Hours(24));  // A stepped wall clock ends no lease.
  a.clock.Advance(absl::Milliseconds(4999));
  CHECK(a.lease.Held());
  CHECK(a.lease.epoch() == epoch);
  a.clock.Advance(absl::Milliseconds(1));
  CHECK_FALSE(a.lease.Held());
}

TEST_CASE("a process that stopped by itself comes back under a new epoch, and its old work is returned") {
  Fixture fixture;
  Replica a(fixture.config, "a");
  Replica b(fixture.config, "b");
  REQUIRE_OK(a.lease.Renew());
  REQUIRE_OK(b.lease.Renew());
  const int64_t first = a.lease.epoch();
  a.clock.Advance(absl::Seconds(5));
  REQUIRE_OK(a.lease.Renew());
  CHECK(a.lease.epoch() > first);
  CHECK(a.metrics.Text().find("voltwell_pg_lease_lost_total 1") != std::string::npos);
  CHECK(b.Reap().empty());  // Not before it is dead for the database.
  CHECK_OK(b.Assert(first));
  a.Age(kLeaseDeadAfter);
  const Epochs dead = b.Reap();
  CHECK(std::find(dead.begin(), dead.end(), first) != dead.end());
  CHECK(b.Reap().empty());
  CHECK_REASON(b.Assert(first), "LEASE_LOST");
}

TEST_CASE("a process that was reaped notices at its next renewal, and then starts anew") {
  Fixture fixture;
  Replica a(fixture.config, "a");
  Replica b(fixture.config, "b");
  REQUIRE_OK(a.lease.Renew());
  const int64_t first = a.lease.epoch();
  a.Age(kLeaseDeadAfter);
  CHECK(b.Reap() == Epochs{first});
  CHECK_REASON(a.lease.Renew(), "LEASE_LOST");
  CHECK_FALSE(a.lease.Held());
  REQUIRE_OK(a.lease.Renew());
  CHECK(a.lease.Held());
  CHECK(a.lease.epoch() != first);
}

TEST_CASE("a claim in progress keeps its process from being reaped") {
  Fixture fixture;
  Replica a(fixture.config, "a");
  Replica b(fixture.config, "b");
  REQUIRE_OK(a.lease.Renew());
  const int64_t epoch = a.lease.epoch();
  REQUIRE_OK(a.pool.Transact({.name = "claim"}, [&](Tx& tx) -> absl::Status {
    VW_RETURN_IF_ERROR(AssertLease(tx, epoch));
    REQUIRE_OK(a.lease.Renew());  // A renewal is not held up by the claim.
    b.Age(kLeaseDeadAfter);
    CHECK(b.Reap().empty());
    return absl::OkStatus();
  }));
  CHECK(b.Reap() == Epochs{epoch});
}

TEST_CASE("a released lease is dead at once") {
  Fixture fixture;
  Replica a(fixture.config, "a");
  Replica b(fixture.config, "b");
  REQUIRE_OK(a.lease.Renew());
  const int64_t epoch = a.lease.epoch();
  a.lease.Stop();
  CHECK_FALSE(a.lease.Held());
  CHECK(b.Reap() == Epochs{epoch});
}

TEST_CASE("an epoch that its holder gave up is not renewed, and what bears it is returned while the process lives on") {
  Fixture fixture;
  Replica a(fixture.config, "a");
  Replica b(fixture.config, "b");
  REQUIRE_OK(a.lease.Renew());
  const int64_t first = a.lease.epoch();
  a.lease.Abandon();
  CHECK_FALSE(a.lease.Held());
  REQUIRE_OK(a.lease.Renew());
  CHECK(a.lease.Held());
  CHECK(a.lease.epoch() > first);
  b.Age(absl::Seconds(4));
  REQUIRE_OK(a.lease.Renew());
  b.Age(absl::Seconds(3));
  CHECK(b.Reap() == Epochs{first});
}

TEST_CASE("a process cut from the database loses its lease and gets another when it is back") {
  Fixture fixture;
  testing::ChaosProxy proxy(testing::SharedPostgres().port());
  Config config = fixture.config;
  config.url = testing::SharedPostgres().UrlAt(proxy.port());
  Replica a(config, "a");
  a.lease.Start();
  REQUIRE(testing::Eventually([&] { return a.lease.Held(); }));
  const int64_t first = a.lease.epoch();
  proxy.Refuse();
  REQUIRE(testing::Eventually([&] { return proxy.connections() == 0; }));
  a.clock.Advance(kLeaseHeldFor);
  CHECK_FALSE(a.lease.Held());
  proxy.Pass();
  REQUIRE(testing::Eventually([&] { return a.lease.Held(); }));
  CHECK(a.lease.epoch() > first);
}
