// Events come in an order that no late commit can break, and their effects are exactly once.
#include "libs/pg/outbox.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "libs/pg/fixture_test.h"
#include "libs/testing/chaos_proxy.h"
#include "libs/testing/eventually.h"
#include "libs/testing/status.h"

using namespace voltwell;
using namespace voltwell::pg;

namespace {

Event Told(const std::string& key) {
  return {.at = {},
          .type = "meter.created",
          .key = key,
          .tenant = "t1",
          .site_path = "/a/b",
          .customer = "",
          .permission = "meter.read",
          .payload = std::string("\0\xff", 2)};
}

struct Outbox : Fixture {
  Outbox() : pool(config, clock, metrics) {}
  absl::Status Append(const std::vector<Event>& events) {
    return pool.Transact({.name = "append"}, [&](Tx& tx) { return AppendEvents(tx, events); });
  }
  absl::StatusOr<std::vector<Event>> Read(const Cursor& after, int limit = 100) {
    std::vector<Event> events;
    const absl::Status status = pool.Transact({.name = "read"}, [&](Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(events, ReadEvents(tx, after, limit));
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    return events;
  }
  std::vector<std::string> Keys(const Cursor& after, int limit = 100) {
    std::vector<std::string> keys;
    const auto events = Read(after, limit);
    for (const Event& event : *events) keys.push_back(event.key);
    return keys;
  }
  Pool pool;
};

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("an event is read as it was written") {
  Outbox outbox;
  REQUIRE_OK(outbox.Append({Told("meters/1"), Told("meters/2")}));
  const auto events = outbox.Read({});
  REQUIRE_OK(events);
  REQUIRE(events->size() == 2);
  const Event& event = events->front();
  CHECK(event.type == "meter.created");
  CHECK(event.key == "meters/1");
  CHECK(event.tenant == "t1");
  CHECK(event.site_path == "/a/b");
  CHECK(event.permission == "meter.read");
  CHECK(event.payload == std::string("\0\xff", 2));
  CHECK(event.at.generation == 1);
  CHECK(event.at < events->back().at);
  CHECK(absl::AbsDuration(event.time - outbox.clock.Now()) < absl::Minutes(1));
}

TEST_CASE("an older transaction still open hides the events of younger ones, and none is ever passed over") {
  Outbox outbox;
  REQUIRE_OK(outbox.Append({Told("before")}));
  Cursor cursor;
  REQUIRE_OK(outbox.pool.Transact({.name = "older"}, [&](Tx& older) -> absl::Status {
    VW_RETURN_IF_ERROR(AppendEvents(older, {Told("older")}));
    REQUIRE_OK(outbox.Append({Told("younger")}));
    CHECK(outbox.Keys({}) == Keys{"before"});
    cursor = outbox.Read({})->back().at;
    return absl::OkStatus();
  }));
  // Both now, in the order of their transactions, though the younger committed first.
  CHECK(outbox.Keys(cursor) == Keys{"older", "younger"});
}

TEST_CASE("a batch ends at its limit and the next goes on from there") {
  Outbox outbox;
  REQUIRE_OK(outbox.Append({Told("1"), Told("2"), Told("3")}));
  CHECK(outbox.Keys({}, 2) == Keys{"1", "2"});
  CHECK(outbox.Keys(outbox.Read({}, 2)->back().at, 2) == Keys{"3"});
}

TEST_CASE("a snapshot's cursor misses nothing that its list did not show") {
  Outbox outbox;
  REQUIRE_OK(outbox.Append({Told("listed")}));
  Cursor cursor;
  REQUIRE_OK(outbox.pool.Transact({.name = "open"}, [&](Tx& open) -> absl::Status {
    VW_RETURN_IF_ERROR(AppendEvents(open, {Told("unseen")}));
    return outbox.pool.Transact({.name = "list", .isolation = Isolation::kRepeatableRead},
                                [&](Tx& list) -> absl::Status {
                                  VW_ASSIGN_OR_RETURN(cursor, SnapshotCursor(list));
                                  return absl::OkStatus();
                                });
  }));
  CHECK(outbox.Keys(cursor) == Keys{"unseen"});
}

TEST_CASE("an effect is there once with many consumers and one cursor") {
  Outbox outbox;
  std::vector<Event> events;
  for (int i = 0; i < 50; ++i) events.push_back(Told(absl::StrCat(i)));
  REQUIRE_OK(outbox.Append(events));
  REQUIRE_OK(Once(outbox.pool, {"table", "CREATE TABLE effect (key text)"}));
  std::vector<std::thread> consumers;
  std::atomic<int> failures = 0;
  for (int i = 0; i < 4; ++i) {
    consumers.emplace_back([&] {
      for (int round = 0; round < 30; ++round) {
        const absl::Status status = outbox.pool.Transact({.name = "effect"}, [&](Tx& tx) -> absl::Status {
          VW_ASSIGN_OR_RETURN(const Cursor cursor, LockCursor(tx, "registry", "scheduler"));
          VW_ASSIGN_OR_RETURN(const std::vector<Event> batch, ReadEvents(tx, cursor, 7));
          for (const Event& event : batch) {
            VW_RETURN_IF_ERROR(tx.Execute({"effect", "INSERT INTO effect VALUES ($1)"}, event.key).status());
          }
          if (batch.empty()) return absl::OkStatus();
          return AdvanceCursor(tx, "registry", "scheduler", batch.back().at);
        });
        if (!status.ok()) ++failures;
      }
    });
  }
  for (std::thread& consumer : consumers) consumer.join();
  CHECK(failures == 0);
  const auto effects = Once(outbox.pool, {"count", "SELECT count(*), count(DISTINCT key) FROM effect"});
  CHECK(effects->Int(0, 0) == 50);
  CHECK(effects->Int(0, 1) == 50);
}

TEST_CASE("a consumer without a cursor is told apart from one at the beginning") {
  Outbox outbox;
  REQUIRE_OK(outbox.pool.Transact({.name = "cursor"}, [&](Tx& tx) -> absl::Status {
    CHECK_FALSE(FindCursor(tx, "registry", "billing")->has_value());
    VW_RETURN_IF_ERROR(
        AdvanceCursor(tx, "registry", "billing", {.generation = 1, .xid = 18446744073709551615ULL, .sequence = 7}));
    CHECK((*FindCursor(tx, "registry", "billing"))->xid == 18446744073709551615ULL);
    CHECK(LockCursor(tx, "registry", "billing")->sequence == 7);
    return absl::OkStatus();
  }));
}

TEST_CASE("a cursor older than what was purged is told to list anew; a younger one goes on") {
  Outbox outbox;
  REQUIRE_OK(outbox.Append({Told("old")}));
  const Cursor at_old = outbox.Read({})->back().at;
  const auto purge = [&](absl::Time before) {
    int64_t purged = -1;
    REQUIRE_OK(outbox.pool.Transact({.name = "purge"}, [&](Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(purged, PurgeEvents(tx, before));
      return absl::OkStatus();
    }));
    return purged;
  };
  CHECK(purge(outbox.clock.Now() - absl::Hours(1)) == 0);
  CHECK(outbox.Keys({}) == Keys{"old"});
  CHECK(purge(outbox.clock.Now() + absl::Hours(1)) == 1);
  REQUIRE_OK(outbox.Append({Told("new")}));
  CHECK_REASON(outbox.Read({}), "CURSOR_TOO_OLD");
  CHECK(outbox.Keys(at_old) == Keys{"new"});
}

TEST_CASE("a purge ends at its limit and the next goes on") {
  Outbox outbox;
  REQUIRE_OK(Once(outbox.pool,
                  {"many",
                   "INSERT INTO event (generation, type, key, tenant, site_path, customer, permission, payload) "
                   "SELECT 1, 'x', i::text, '', '', '', '', '' FROM generate_series(1, $1::bigint) i"},
                  kEventPurgeMax + 1));
  const auto purge = [&] {
    int64_t purged = -1;
    REQUIRE_OK(outbox.pool.Transact({.name = "purge"}, [&](Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(purged, PurgeEvents(tx, outbox.clock.Now() + absl::Hours(1)));
      return absl::OkStatus();
    }));
    return purged;
  };
  CHECK(purge() == kEventPurgeMax);
  CHECK(purge() == 1);
  CHECK(purge() == 0);
}

TEST_CASE("after a restore events sort behind all that was written before") {
  Outbox outbox;
  REQUIRE_OK(outbox.Append({Told("before")}));
  // The restored server may count transactions from the beginning: the old event bears an id from the future.
  REQUIRE_OK(Once(outbox.pool, {"future", "UPDATE event SET xid = '9000000000'"}));
  CHECK(outbox.Keys({}).empty());
  REQUIRE_OK(outbox.pool.Transact({.name = "raise"}, [](Tx& tx) { return RaiseGeneration(tx).status(); }));
  REQUIRE_OK(outbox.Append({Told("after")}));
  CHECK(outbox.Keys({}) == Keys{"before", "after"});
}

TEST_CASE("subscribers wake when a transaction with events commits, also after their connection was lost") {
  Outbox outbox;
  testing::ChaosProxy proxy(testing::SharedPostgres().port());
  Config listening = outbox.config;
  listening.url = testing::SharedPostgres().UrlAt(proxy.port());
  std::atomic<int> woken = 0;
  const Listener listener(listening, {EventChannel(outbox.config.schema)}, [&](const std::string& channel) {
    if (channel == EventChannel(outbox.config.schema)) ++woken;
  });
  REQUIRE(testing::Eventually([&] { return woken == 1; }));  // Connected.
  REQUIRE_OK(outbox.Append({Told("1")}));
  REQUIRE(testing::Eventually([&] { return woken == 2; }));
  proxy.Cut();
  REQUIRE(testing::Eventually([&] { return woken == 3; }));  // Something may have been missed.
  REQUIRE_OK(outbox.Append({Told("2")}));
  REQUIRE(testing::Eventually([&] { return woken == 4; }));
}

TEST_CASE("a notification goes out when its transaction commits, and not when it rolls back") {
  Outbox outbox;
  std::atomic<int> woken = 0;
  const std::string channel = "test \"" + outbox.config.schema;  // Names are quoted.
  const Listener listener(outbox.config, {channel}, [&](const std::string&) { ++woken; });
  REQUIRE(testing::Eventually([&] { return woken == 1; }));
  CHECK_REASON(outbox.pool.Transact({.name = "lost"},
                                    [&](Tx& tx) -> absl::Status {
                                      VW_RETURN_IF_ERROR(tx.Notify(channel));
                                      return base::Aborted("NO", "no");
                                    }),
               "NO");
  REQUIRE_OK(outbox.pool.Transact({.name = "sent"}, [&](Tx& tx) { return tx.Notify(channel); }));
  REQUIRE(testing::Eventually([&] { return woken >= 2; }));
  CHECK(woken == 2);
}
