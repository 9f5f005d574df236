// Transactions: what commits, what rolls back, what is repeated, and what the errors are called.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "libs/pg/fixture_test.h"
#include "libs/testing/eventually.h"
#include "libs/testing/status.h"

using namespace voltwell;
using namespace voltwell::pg;

namespace {

constexpr Query kInsert{"test.insert", "INSERT INTO item (id, amount) VALUES ($1, $2)"};
constexpr Query kAmount{"test.amount", "SELECT amount FROM item WHERE id = $1"};
constexpr Query kCount{"test.count", "SELECT count(*) FROM item"};

struct Items : Fixture {
  Items() {
    Pool pool(config, clock, metrics);
    const absl::Status made = pool.Transact({.name = "table"}, [](Tx& tx) {
      return tx.Script("table",
                       "CREATE TABLE item (id bigint PRIMARY KEY, amount bigint NOT NULL CHECK (amount >= 0), "
                       "parent bigint REFERENCES item)");
    });
    if (!made.ok()) throw std::runtime_error(made.ToString());
  }
};

}  // namespace

TEST_CASE("a transaction commits when its body is well, and leaves nothing when it is not") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(pool.Transact({.name = "good"}, [](Tx& tx) { return tx.Execute(kInsert, 1, 10).status(); }));
  CHECK_REASON(pool.Transact({.name = "bad"},
                             [](Tx& tx) -> absl::Status {
                               VW_RETURN_IF_ERROR(tx.Execute(kInsert, 2, 10).status());
                               return base::FailedPrecondition("NOT_TODAY", "refused");
                             }),
               "NOT_TODAY");
  CHECK(Once(pool, kCount)->Int(0, 0) == 1);
  CHECK(fixture.Counts("voltwell_pg_transactions_total{name=\"good\",result=\"committed\"} 1"));
  CHECK(fixture.Counts("voltwell_pg_transactions_total{name=\"bad\",result=\"rolled_back\"} 1"));
}

TEST_CASE("violations have names and tell the constraint") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kInsert, 1, 10));
  const auto twice = Once(pool, kInsert, 1, 10).status();
  CHECK_REASON(twice, "UNIQUE_VIOLATION");
  CHECK(base::MetadataOf(twice).at("constraint") == "item_pkey");
  CHECK(twice.code() == absl::StatusCode::kAlreadyExists);
  CHECK_REASON(Once(pool, kInsert, 2, -1), "CHECK_VIOLATION");
  CHECK_REASON(Once(pool, {"orphan", "INSERT INTO item VALUES (3, 1, 99)"}), "FOREIGN_KEY_VIOLATION");
  const auto wrong = Once(pool, {"wrong", "SELECT nothing"}).status();
  CHECK_REASON(wrong, "DATABASE_ERROR");
  CHECK(base::MetadataOf(wrong).at("query") == "wrong");
}

TEST_CASE("a body that overlooks a failed statement does not commit") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  CHECK_REASON(pool.Transact({.name = "careless"},
                             [](Tx& tx) {
                               (void)tx.Execute(kInsert, 1, 1);
                               (void)tx.Execute(kInsert, 1, 1);
                               return absl::OkStatus();
                             }),
               "UNIQUE_VIOLATION");
  CHECK(Once(pool, kCount)->Int(0, 0) == 0);
}

TEST_CASE("a deferred constraint that fails at COMMIT is an error, not a doubt") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(pool.Transact({.name = "table"}, [](Tx& tx) {
    return tx.Script("table", "ALTER TABLE item ADD UNIQUE (amount) DEFERRABLE INITIALLY DEFERRED");
  }));
  REQUIRE_OK(Once(pool, kInsert, 1, 5));
  CHECK_REASON(Once(pool, kInsert, 2, 5), "UNIQUE_VIOLATION");
  CHECK(Once(pool, kCount)->Int(0, 0) == 1);
}

TEST_CASE("a transaction without a statement opens none") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(pool.Transact({.name = "empty"}, [](Tx&) { return absl::OkStatus(); }));
  const auto open = Once(pool, {"open", "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'"});
  CHECK(open->Int(0, 0) == 0);
}

TEST_CASE("a batch runs in order, is cut at its limit, and stops at the first failure") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  Batch batch;
  for (size_t i = 0; i <= kBatchMax; ++i) batch.Add(kInsert, static_cast<int64_t>(i), 1);
  batch.Add(kCount);
  REQUIRE_OK(pool.Transact({.name = "batch"}, [&](Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const std::vector<Result> results, tx.Run(batch));
    CHECK(results.size() == kBatchMax + 2);
    CHECK(results.back().Int(0, 0) == static_cast<int64_t>(kBatchMax) + 1);
    return absl::OkStatus();
  }));
  Batch failing;
  failing.Add(kInsert, 5000, 1).Add(kInsert, 5000, 1).Add(kInsert, 5001, 1);
  CHECK_REASON(pool.Transact({.name = "batch"}, [&](Tx& tx) { return tx.Run(failing).status(); }), "UNIQUE_VIOLATION");
  CHECK(Once(pool, kCount)->Int(0, 0) == static_cast<int64_t>(kBatchMax) + 1);
}

TEST_CASE("statements sent along with COMMIT are committed whole or not at all") {
  Items fixture;
  fixture.config.pool_size = 1;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  const auto insert = [&](int64_t first, int64_t second) {
    return pool.Transact({.name = "pair", .tenant = "a"}, [&](Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(tx.Execute(kCount).status());
      return tx.RunAndCommit(Batch().Add(kInsert, first, 1).Add(kInsert, second, 1)).status();
    });
  };
  REQUIRE_OK(insert(1, 2));
  CHECK_REASON(insert(3, 2), "UNIQUE_VIOLATION");
  CHECK(Once(pool, kCount)->Int(0, 0) == 2);
  // A deferred constraint fails at COMMIT itself.
  REQUIRE_OK(pool.Transact({.name = "table"}, [](Tx& tx) {
    return tx.Script("table",
                     "ALTER TABLE item ADD UNIQUE (id) DEFERRABLE INITIALLY DEFERRED; ALTER TABLE item DROP CONSTRAINT "
                     "item_pkey CASCADE");
  }));
  CHECK_REASON(insert(4, 4), "UNIQUE_VIOLATION");
  CHECK(Once(pool, kCount)->Int(0, 0) == 2);
}

TEST_CASE("a tenant is seen by row-level security in its transaction only") {
  Items fixture;
  fixture.config.pool_size = 1;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(pool.Transact({.name = "table"}, [](Tx& tx) {
    return tx.Script("table",
                     "CREATE TABLE secret (tenant text); INSERT INTO secret VALUES ('a'), ('b');"
                     "ALTER TABLE secret ENABLE ROW LEVEL SECURITY; ALTER TABLE secret FORCE ROW LEVEL SECURITY;"
                     "CREATE POLICY own ON secret USING (tenant = current_setting('voltwell.tenant', true))");
  }));
  constexpr Query kSeen{"seen", "SELECT tenant FROM secret"};
  const auto seen_by = [&](const std::string& tenant) {
    int rows = -1;
    REQUIRE_OK(pool.Transact({.name = "seen", .tenant = tenant}, [&](Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Result result, tx.Execute(kSeen));
      rows = result.rows();
      return absl::OkStatus();
    }));
    return rows;
  };
  CHECK(seen_by("a") == 1);
  CHECK(seen_by("") == 0);
  CHECK(seen_by("' OR true --") == 0);
}

TEST_CASE("transactions that lose against each other are repeated until both are done") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kInsert, 1, 0));
  constexpr int kThreads = 4;
  constexpr int kRounds = 10;
  std::atomic<int> failures = 0;
  std::atomic<int> runs = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const absl::Status status = pool.Transact(
            {.name = "add", .isolation = Isolation::kSerializable, .attempts = 100}, [&](Tx& tx) -> absl::Status {
              ++runs;
              VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kAmount, 1));
              return tx.Execute({"set", "UPDATE item SET amount = $1 WHERE id = 1"}, rows.Int(0, 0) + 1).status();
            });
        if (!status.ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(Once(pool, kAmount, 1)->Int(0, 0) == kThreads * kRounds);
  CHECK(runs >= kThreads * kRounds);
}

TEST_CASE("a conflict that outlasts the attempts is told as such") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kInsert, 1, 0));
  int runs = 0;
  const absl::Status status = pool.Transact(
      {.name = "loser", .isolation = Isolation::kRepeatableRead, .attempts = 2}, [&](Tx& tx) -> absl::Status {
        ++runs;
        VW_RETURN_IF_ERROR(tx.Execute(kAmount, 1).status());
        REQUIRE_OK(Once(pool, {"other", "UPDATE item SET amount = amount + 1 WHERE id = 1"}));
        return tx.Execute({"mine", "UPDATE item SET amount = 0 WHERE id = 1"}).status();
      });
  CHECK_REASON(status, "TX_CONFLICT");
  CHECK(status.code() == absl::StatusCode::kAborted);
  CHECK(runs == 2);
  CHECK(fixture.Counts("voltwell_pg_repeats_total 1"));
}

TEST_CASE("one transaction beyond the pool's size waits, and is refused at its limit") {
  Items fixture;
  fixture.config.pool_size = 2;
  fixture.config.wait = absl::Milliseconds(100);
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  absl::Status third;
  REQUIRE_OK(pool.Transact({.name = "first"}, [&](Tx& first) -> absl::Status {
    VW_RETURN_IF_ERROR(first.Execute(kCount).status());
    return pool.Transact({.name = "second"}, [&](Tx& second) -> absl::Status {
      VW_RETURN_IF_ERROR(second.Execute(kCount).status());
      third = Once(pool, kCount).status();
      return absl::OkStatus();
    });
  }));
  CHECK_REASON(third, "POOL_EXHAUSTED");
  CHECK(third.code() == absl::StatusCode::kResourceExhausted);
  CHECK(fixture.Counts("voltwell_pg_transactions_total{name=\"test\",result=\"exhausted\"} 1"));
  REQUIRE_OK(Once(pool, kCount));  // Recovered.
}

TEST_CASE("who waits for a connection gets it as soon as one is free") {
  Items fixture;
  fixture.config.pool_size = 1;
  fixture.config.wait = absl::Seconds(20);
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  std::atomic<bool> done = false;
  std::thread waiter;
  REQUIRE_OK(pool.Transact({.name = "holder"}, [&](Tx& tx) -> absl::Status {
    waiter = std::thread([&] { done = Once(pool, kCount).ok(); });
    return tx.Execute(kCount).status();
  }));
  CHECK(testing::Eventually([&] { return done.load(); }));
  waiter.join();
}

TEST_CASE("a deadline ends a slow statement within 50 ms, and its connection is used again") {
  Items fixture;
  fixture.config.pool_size = 1;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(Once(pool, kCount));
  const absl::Duration start = fixture.clock.Monotonic();
  const absl::Status slow =
      pool.Transact({.name = "slow", .deadline = fixture.clock.Now() + absl::Milliseconds(150)}, [](Tx& tx) {
        return tx.Execute({"sleep", "SELECT pg_sleep(5)"}).status();
      });
  const absl::Duration took = fixture.clock.Monotonic() - start;
  CHECK_REASON(slow, "DATABASE_TIMEOUT");
  CHECK(took < absl::Milliseconds(250));
  REQUIRE_OK(Once(pool, kCount));
  // The nearer timeout was that transaction's only.
  REQUIRE_OK(Once(pool, {"sleep_less", "SELECT pg_sleep(0.3)"}));
}

TEST_CASE("a deadline that has passed costs no statement and no COMMIT") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  CHECK_REASON(pool.Transact({.name = "late", .deadline = fixture.clock.Now() - absl::Seconds(1)},
                             [](Tx& tx) { return tx.Execute(kInsert, 1, 1).status(); }),
               "DATABASE_TIMEOUT");
  const absl::Time deadline = fixture.clock.Now() + absl::Milliseconds(100);
  CHECK_REASON(pool.Transact({.name = "late", .deadline = deadline},
                             [&](Tx& tx) -> absl::Status {
                               VW_RETURN_IF_ERROR(tx.Execute(kInsert, 1, 1).status());
                               CHECK(testing::Eventually([&] { return fixture.clock.Now() > deadline; }));
                               return absl::OkStatus();
                             }),
               "DATABASE_TIMEOUT");
  CHECK(Once(pool, kCount)->Int(0, 0) == 0);
}

TEST_CASE("a read-only transaction cannot write") {
  Items fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  const absl::Status status = pool.Transact({.name = "reader", .attempts = 1, .read_only = true},
                                            [](Tx& tx) { return tx.Execute(kInsert, 1, 1).status(); });
  CHECK_FALSE(status.ok());
  CHECK(Once(pool, kCount)->Int(0, 0) == 0);
}

TEST_CASE("a migration under a prepared statement is survived") {
  Items fixture;
  fixture.config.pool_size = 1;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  constexpr Query kAll{"all", "SELECT * FROM item"};
  REQUIRE_OK(Once(pool, kAll));
  REQUIRE_OK(
      pool.Transact({.name = "alter"}, [](Tx& tx) { return tx.Script("alter", "ALTER TABLE item ADD extra text"); }));
  REQUIRE_OK(Once(pool, kAll));
}
