// The database gone, slow, or talking nonsense: what the caller is told, and that the pool serves again afterwards.
#include <catch2/catch.hpp>

#include "libs/pg/fixture_test.h"
#include "libs/testing/chaos_proxy.h"
#include "libs/testing/eventually.h"
#include "libs/testing/status.h"

using namespace voltwell;
using namespace voltwell::pg;

namespace {

constexpr Query kInsert{"test.insert", "INSERT INTO item (id) VALUES ($1)"};
constexpr Query kCount{"test.count", "SELECT count(*) FROM item"};

// A pool that reaches the server through a proxy.
struct Proxied : Fixture {
  Proxied() : proxy(testing::SharedPostgres().port()), direct(config, clock, metrics) {
    config.statement_timeout = absl::Milliseconds(300);
    const absl::Status made = direct.Transact(
        {.name = "table"}, [](Tx& tx) { return tx.Script("table", "CREATE TABLE item (id bigint PRIMARY KEY)"); });
    if (!made.ok()) throw std::runtime_error(made.ToString());
    config.url = testing::SharedPostgres().UrlAt(proxy.port());
  }
  int64_t Items() { return Once(direct, kCount)->Int(0, 0); }

  testing::ChaosProxy proxy;
  Pool direct;
};

}  // namespace

TEST_CASE("a COMMIT whose answer is lost is in doubt, and is not repeated behind the caller's back") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  fixture.proxy.LoseAnswerTo("COMMIT");
  int runs = 0;
  const absl::Status status = pool.Transact({.name = "doubtful"}, [&](Tx& tx) {
    ++runs;
    return tx.Execute(kInsert, 1).status();
  });
  CHECK_REASON(status, "COMMIT_IN_DOUBT");
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(runs == 1);
  CHECK(testing::Eventually([&] { return fixture.Items() == 1; }));  // It was done, though nobody told us.
  CHECK(fixture.Counts("voltwell_pg_transactions_total{name=\"doubtful\",result=\"in_doubt\"} 1"));
  REQUIRE_OK(Once(pool, kInsert, 2));  // Recovered.
}

TEST_CASE("a COMMIT sent along with the last statements is in doubt when their answer is lost, and not when refused") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  const auto add = [&](int64_t id) {
    return pool.Transact({.name = "add"}, [&](Tx& tx) { return tx.RunAndCommit(Batch().Add(kInsert, id)).status(); });
  };
  REQUIRE_OK(add(1));
  CHECK_REASON(add(1), "UNIQUE_VIOLATION");
  fixture.proxy.LoseAnswerTo("pg.commit");
  CHECK_REASON(add(2), "COMMIT_IN_DOUBT");
  CHECK(testing::Eventually([&] { return fixture.Items() == 2; }));
  REQUIRE_OK(Once(pool, kCount));
  fixture.proxy.Blackhole();
  CHECK_REASON(add(3), "COMMIT_IN_DOUBT");
  fixture.proxy.Pass();
  CHECK(testing::Eventually([&] { return add(4).ok(); }));
}

TEST_CASE("a read-only transaction leaves no doubt when its COMMIT is lost") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  fixture.proxy.LoseAnswerTo("COMMIT");
  REQUIRE_OK(pool.Transact({.name = "reader", .read_only = true}, [&](Tx& tx) { return tx.Execute(kCount).status(); }));
  REQUIRE_OK(Once(pool, kCount));
}

TEST_CASE("a connection lost before COMMIT is repeated on a new one, and the effect is there once") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  fixture.proxy.LoseAnswerTo("test.insert");
  int runs = 0;
  REQUIRE_OK(pool.Transact({.name = "repeated"}, [&](Tx& tx) {
    ++runs;
    return tx.Execute(kInsert, 1).status();
  }));
  CHECK(runs == 2);
  CHECK(fixture.Items() == 1);
}

TEST_CASE("connections that died while idle are not noticed by callers") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  fixture.proxy.Cut();
  REQUIRE(testing::Eventually([&] { return fixture.proxy.connections() == 0; }));
  REQUIRE_OK(Once(pool, kCount));
}

TEST_CASE("a database that hangs costs the caller its deadline and no more") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  fixture.proxy.Blackhole();
  const absl::Duration start = fixture.clock.Monotonic();
  CHECK_REASON(pool.Transact({.name = "hung", .deadline = fixture.clock.Now() + absl::Milliseconds(200)},
                             [](Tx& tx) { return tx.Execute(kInsert, 1).status(); }),
               "DATABASE_TIMEOUT");
  CHECK(fixture.clock.Monotonic() - start < absl::Milliseconds(300));
  // A new connection hangs as well.
  CHECK_REASON(pool.Transact({.name = "hung", .deadline = fixture.clock.Now() + absl::Milliseconds(200)},
                             [](Tx& tx) { return tx.Execute(kInsert, 1).status(); }),
               "DATABASE_TIMEOUT");
  fixture.proxy.Pass();
  CHECK(testing::Eventually([&] { return Once(pool, kCount).ok(); }));
  CHECK(fixture.Items() == 0);
}

TEST_CASE("without a deadline a hanging database still ends by the statement timeout") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  fixture.proxy.Blackhole();
  CHECK_REASON(Once(pool, kInsert, 1), "DATABASE_TIMEOUT");
  fixture.proxy.Pass();
  CHECK(testing::Eventually([&] { return Once(pool, kCount).ok(); }));
}

TEST_CASE("a slow database answers late and right") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  fixture.proxy.Delay(absl::Milliseconds(50));
  REQUIRE_OK(Once(pool, kInsert, 1));
  CHECK(fixture.Items() == 1);
  fixture.proxy.Pass();
  REQUIRE_OK(Once(pool, kCount));
}

TEST_CASE("garbage instead of answers closes the connection and is no answer") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  fixture.proxy.Garbage(std::string("\x00\xff garbage \x01\x02\x03", 14));
  const absl::Status status =
      pool.Transact({.name = "noise", .deadline = fixture.clock.Now() + absl::Milliseconds(500), .attempts = 1},
                    [](Tx& tx) { return tx.Execute(kCount).status(); });
  const std::string reason = base::ReasonOf(status);
  CHECK((reason == "DATABASE_DOWN" || reason == "DATABASE_TIMEOUT"));
  fixture.proxy.Pass();
  CHECK(testing::Eventually([&] { return Once(pool, kCount).ok(); }));
}

TEST_CASE("a database that is gone is told at once, is not hammered, and is found again") {
  Proxied fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  CHECK(pool.Healthy());
  fixture.proxy.Refuse();
  REQUIRE(testing::Eventually([&] { return fixture.proxy.connections() == 0; }));
  const int before = fixture.proxy.accepted();
  CHECK_FALSE(pool.Healthy());
  const absl::Duration start = fixture.clock.Monotonic();
  int refused = 0;
  for (int i = 0; i < 1000; ++i) refused += base::ReasonOf(Once(pool, kCount).status()) == "DATABASE_DOWN" ? 1 : 0;
  const absl::Duration took = fixture.clock.Monotonic() - start;
  CHECK(refused == 1000);
  // 50 ms, 100 ms, ... between tries: a tight loop would have tried a thousand times.
  CHECK(fixture.proxy.accepted() - before <= 3 + static_cast<int>(took / absl::Milliseconds(25)));
  fixture.proxy.Pass();
  CHECK(testing::Eventually([&] { return pool.Healthy(); }, absl::Seconds(3)));
}

TEST_CASE("a killed server is survived: nothing committed is lost, and the pool serves within seconds") {
  testing::TempPostgres server;
  Fixture fixture(server);
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(
      pool.Transact({.name = "table"}, [](Tx& tx) { return tx.Script("table", "CREATE TABLE item (id bigint)"); }));
  REQUIRE_OK(Once(pool, kInsert, 1));
  server.Kill();
  CHECK_REASON(Once(pool, kInsert, 2), "DATABASE_DOWN");
  server.Start();
  REQUIRE(testing::Eventually([&] { return Once(pool, kInsert, 3).ok(); }));
  CHECK(Once(pool, kCount)->Int(0, 0) == 2);
  server.Stop();
  server.Start();
  REQUIRE(testing::Eventually([&] { return Once(pool, kInsert, 4).ok(); }));
  CHECK(Once(pool, kCount)->Int(0, 0) == 3);
}
