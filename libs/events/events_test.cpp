// An owner and its consumers over real gRPC and a real PostgreSQL: order, exactly once, resync, streams that break.
#include "libs/events/events.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <optional>
#include <thread>

#include "libs/events/subscription.h"
#include "libs/os/files.h"
#include "libs/pg/outbox.h"
#include "libs/rpc/server.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/chaos_proxy.h"
#include "libs/testing/eventually.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_postgres.h"
#include "voltwell/rpc/v1/error.pb.h"

namespace voltwell::events {
namespace {

using testing::Eventually;
using voltwell::event::v1::Cursor;
using voltwell::event::v1::Event;
using voltwell::event::v1::EventService;
using voltwell::event::v1::SubscribeRequest;
using voltwell::event::v1::SubscribeResponse;

constexpr pg::Query kSeen{"test.seen", "INSERT INTO seen (key) VALUES ($1)"};
constexpr pg::Query kList{"test.list", "SELECT key FROM seen ORDER BY id"};
constexpr char kTable[] = "CREATE TABLE seen (id bigserial, key text NOT NULL)";

os::SystemClock clock;

// A schema with its tables and a pool.
struct Database {
  metrics::Registry metrics;
  testing::TempDirectory migrations{"events"};
  pg::Config config = testing::SharedPostgres().config(testing::NewSchema());
  std::unique_ptr<pg::Pool> direct;  // Past the proxy.
  std::unique_ptr<pg::Pool> pool;

  explicit Database(int proxy_port = 0) {
    REQUIRE_OK(os::WriteFile(absl::StrCat(migrations.path(), "/V001__seen.sql"), kTable));
    REQUIRE_OK(pg::Migrate(config, migrations.path(), clock, clock.Now() + absl::Seconds(20)));
    direct = std::make_unique<pg::Pool>(config, clock, metrics);
    if (proxy_port != 0) config.url = testing::SharedPostgres().UrlAt(proxy_port);
    pool = std::make_unique<pg::Pool>(config, clock, metrics);
  }
  std::vector<std::string> Seen() {
    std::vector<std::string> keys;
    REQUIRE_OK(direct->Transact({.name = "test"}, [&](pg::Tx& tx) -> absl::Status {
      keys.clear();
      VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kList));
      for (int i = 0; i < rows.rows(); ++i) keys.push_back(rows.Text(i, 0));
      return absl::OkStatus();
    }));
    return keys;
  }
};

// A service that owns facts.
struct Owner {
  Database db;
  rpc::TestTrust trust;
  rpc::TokenVerifier verifier{"registry", trust.directory(), clock, db.metrics};
  rpc::Door door{"registry", verifier, clock, db.metrics};
  std::unique_ptr<grpc::Service> events = MakeEventService(*db.pool, db.config, door, clock, db.metrics);
  std::unique_ptr<rpc::Server> server;
  rpc::TokenIssuer scheduler{"meter_scheduler", trust.Key("meter_scheduler"), clock};

  Owner() { Serve(0); }
  void Serve(int port) {
    server = std::make_unique<rpc::Server>(rpc::ServerConfig{.port = port, .drain = absl::Seconds(2)}, "registry",
                                           db.metrics);
    server->Add(*events);
    REQUIRE(server->Start());
  }
  ~Owner() { server.reset(); }

  std::unique_ptr<rpc::Client<EventService>> Client() {
    return std::make_unique<rpc::Client<EventService>>(
        rpc::Target{.target = absl::StrCat("127.0.0.1:", server->port()), .service = "registry"}, scheduler, clock,
        db.metrics);
  }
  void Tell(const std::string& key, const std::string& type = "meter.updated", const std::string& tenant = "demo") {
    REQUIRE_OK(db.pool->Transact({.name = "test"},
                                 [&](pg::Tx& tx) { return Append(tx, {.type = type, .key = key, .tenant = tenant}); }));
  }
  Cursor Snapshot() {
    Cursor cursor;
    REQUIRE_OK(db.pool->Transact({.name = "test"}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(cursor, voltwell::events::SnapshotCursor(tx));
      return absl::OkStatus();
    }));
    return cursor;
  }
};

// A service that follows them.
//
// Follows() is true once the snapshot's cursor is committed: what is told earlier is part of the snapshot, and comes as
// no event.
struct Consumer {
  Owner& owner;
  Database& db;
  std::unique_ptr<rpc::Client<EventService>> client = owner.Client();
  std::atomic<int> resyncs = 0;
  std::atomic<int> failures = 0;  // The next so many effects fail.
  std::unique_ptr<Follower> follower;

  bool Follows() {
    std::optional<pg::Cursor> cursor;
    REQUIRE_OK(db.direct->Transact({.name = "test"}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(cursor, pg::FindCursor(tx, "registry", "meter_scheduler"));
      return absl::OkStatus();
    }));
    return cursor.has_value() && *cursor > pg::Cursor{.generation = 1, .xid = 1, .sequence = 0};
  }

  Consumer(Owner& the_owner, Database& database, std::vector<std::string> prefixes = {})
      : owner(the_owner), db(database) {
    const auto effect = [this](pg::Tx& tx, const std::vector<const Event*>& events) -> absl::Status {
      for (const Event* event : events) VW_RETURN_IF_ERROR(tx.Execute(kSeen, event->key()).status());
      if (failures > 0 && failures-- > 0) return base::Unavailable("DATABASE_DOWN", "as told by the test");
      return absl::OkStatus();
    };
    const auto resync = [this]() -> absl::StatusOr<Cursor> {
      ++resyncs;
      return owner.Snapshot();
    };
    follower = std::make_unique<Follower>(
        FollowOptions{.source = "registry", .consumer = "meter_scheduler", .type_prefixes = std::move(prefixes)},
        *db.pool, *client, effect, resync, clock, db.metrics);
  }
};

std::vector<std::string> Keys(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) keys.push_back(absl::StrCat("meters/", i));
  return keys;
}

TEST_CASE("a consumer sees what is committed after its resync, in order, once") {
  Owner owner;
  Database db;
  owner.Tell("meters/before");
  Consumer consumer(owner, db);
  REQUIRE(Eventually([&] { return consumer.Follows(); }));
  for (const std::string& key : Keys(700)) owner.Tell(key);
  REQUIRE(Eventually([&] { return db.Seen().size() >= 700; }));
  CHECK(db.Seen() == Keys(700));
  CHECK(consumer.resyncs == 1);
}

TEST_CASE("an event of a transaction that began earlier and committed later is not lost") {
  Owner owner;
  Database db;
  Consumer consumer(owner, db);
  REQUIRE(Eventually([&] { return consumer.Follows(); }));
  std::atomic<bool> written = false;
  std::atomic<bool> commit = false;
  std::thread early([&] {
    CHECK_OK(owner.db.pool->Transact({.name = "test"}, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(Append(tx, {.type = "meter.updated", .key = "meters/early"}));
      written = true;
      return Eventually([&] { return commit.load(); }) ? absl::OkStatus() : absl::UnknownError("");
    }));
  });
  REQUIRE(Eventually([&] { return written.load(); }));
  owner.Tell("meters/late");
  CHECK(db.Seen().empty());  // Hidden until the older one has ended.
  commit = true;
  early.join();
  REQUIRE(Eventually([&] { return db.Seen().size() == 2; }));
  CHECK(db.Seen() == std::vector<std::string>{"meters/early", "meters/late"});
}

TEST_CASE("two replicas of one consumer apply each event once") {
  Owner owner;
  Database db;
  Consumer one(owner, db);
  Consumer two(owner, db);
  REQUIRE(Eventually([&] { return one.Follows(); }));
  for (const std::string& key : Keys(300)) owner.Tell(key);
  REQUIRE(Eventually([&] { return db.Seen().size() >= 300; }));
  CHECK(db.Seen() == Keys(300));
  CHECK(one.resyncs + two.resyncs == 1);
}

TEST_CASE("connections that are cut again and again lose and double nothing") {
  Owner owner;
  testing::ChaosProxy proxy(testing::SharedPostgres().port());
  Database db(proxy.port());
  Consumer consumer(owner, db);
  REQUIRE(Eventually([&] { return consumer.Follows(); }));
  for (int i = 0; i < 100; ++i) {
    owner.Tell(absl::StrCat("meters/", i));
    if (i % 20 == 10) proxy.Cut();
    if (i % 20 == 15) proxy.LoseAnswerTo("COMMIT");
  }
  REQUIRE(Eventually([&] { return db.Seen().size() >= 100; }, absl::Seconds(20)));
  CHECK(db.Seen() == Keys(100));
}

TEST_CASE("an effect that fails is tried again until it is done") {
  Owner owner;
  Database db;
  Consumer consumer(owner, db);
  REQUIRE(Eventually([&] { return consumer.Follows(); }));
  consumer.failures = 2;
  owner.Tell("meters/0");
  owner.Tell("meters/1");
  REQUIRE(Eventually([&] { return db.Seen().size() >= 2; }));
  CHECK(db.Seen() == Keys(2));
}

TEST_CASE("the owner drains and comes back on its port: following goes on") {
  Owner owner;
  Database db;
  Consumer consumer(owner, db);
  REQUIRE(Eventually([&] { return consumer.Follows(); }));
  owner.Tell("meters/0");
  REQUIRE(Eventually([&] { return db.Seen().size() == 1; }));
  const int port = owner.server->port();
  owner.server->Stop();
  owner.Tell("meters/1");
  owner.events = MakeEventService(*owner.db.pool, owner.db.config, owner.door, clock, owner.db.metrics);
  owner.Serve(port);
  owner.Tell("meters/2");
  REQUIRE(Eventually([&] { return db.Seen().size() >= 3; }));
  CHECK(db.Seen() == Keys(3));
}

TEST_CASE("types that are not wanted are left out, and runs of tenants are applied apart") {
  Owner owner;
  Database db;
  Consumer consumer(owner, db, {"meter."});
  REQUIRE(Eventually([&] { return consumer.Follows(); }));
  owner.Tell("meters/0", "meter.created", "a");
  owner.Tell("sites/0", "site.created", "a");
  owner.Tell("meters/1", "meter.updated", "b");
  REQUIRE(Eventually([&] { return db.Seen().size() >= 2; }));
  CHECK(db.Seen() == Keys(2));
}

TEST_CASE("a cursor older than what is kept makes the consumer list anew") {
  Owner owner;
  Database db;
  REQUIRE_OK(db.pool->Transact({.name = "test"}, [&](pg::Tx& tx) {
    return pg::AdvanceCursor(tx, "registry", "meter_scheduler", {.generation = 1, .xid = 1, .sequence = 0});
  }));
  owner.Tell("meters/purged");
  REQUIRE_OK(owner.db.pool->Transact(
      {.name = "test"}, [&](pg::Tx& tx) { return pg::PurgeEvents(tx, clock.Now() + absl::Minutes(1)).status(); }));
  Consumer consumer(owner, db);
  REQUIRE(Eventually([&] { return consumer.Follows(); }));
  CHECK(consumer.resyncs == 1);
  owner.Tell("meters/0");
  REQUIRE(Eventually([&] { return !db.Seen().empty(); }));
  CHECK(db.Seen() == Keys(1));
}

// A subscriber that reads only when told.
struct SlowReader {
  std::unique_ptr<rpc::Client<EventService>> client;
  rpc::Cancellation cancellation;
  std::atomic<bool> go = false;
  std::mutex mutex;
  std::vector<std::string> keys;
  std::atomic<int> messages = 0;
  absl::Status ended;
  std::thread thread;

  SlowReader(Owner& owner, const SubscribeRequest& request, bool read_at_once)
      : client(owner.Client()), go(read_at_once) {
    thread = std::thread([this, request] {
      ended = client->Read<SubscribeRequest, SubscribeResponse>(
          &EventService::Stub::Subscribe, request, {}, cancellation, [this](const SubscribeResponse& message) {
            Eventually([this] { return go.load() || cancellation.cancelled(); }, absl::Seconds(60));
            const std::lock_guard lock(mutex);
            for (const Event& event : message.events()) keys.push_back(event.key());
            ++messages;
            return true;
          });
    });
  }
  ~SlowReader() {
    cancellation.Cancel();
    thread.join();
  }
  size_t count() {
    const std::lock_guard lock(mutex);
    return keys.size();
  }
};

TEST_CASE("a subscriber that does not read falls back to the outbox instead of growing a queue, and misses nothing") {
  Owner owner;
  SubscribeRequest from_now;
  from_now.set_from_now(true);
  SlowReader slow(owner, from_now, /*read_at_once=*/false);
  SlowReader quick(owner, from_now, /*read_at_once=*/true);
  REQUIRE(Eventually([&] { return quick.messages > 0; }));  // Both stand: the first sign of life has come.
  constexpr int kFacts = 12'000;
  constexpr int kPortion = 1'000;
  const std::string padding(1000, 'x');  // Enough bytes to fill the transport's windows.
  for (int done = 0; done < kFacts; done += kPortion) {
    std::vector<Fact> facts;
    for (int i = 0; i < kPortion; ++i)
      facts.push_back({.type = "meter.updated", .key = absl::StrCat(done + i), .site_path = padding});
    REQUIRE_OK(owner.db.pool->Transact({.name = "test"}, [&](pg::Tx& tx) { return AppendAll(tx, facts); }));
  }
  REQUIRE(Eventually([&] { return quick.count() == kFacts; }, absl::Seconds(30)));
  CHECK(owner.db.metrics.Counter("voltwell_events_queue_full_total", "").Value() >= 1);
  slow.go = true;
  REQUIRE(Eventually([&] { return slow.count() >= kFacts; }, absl::Seconds(30)));
  const std::lock_guard lock(slow.mutex);
  bool in_order = true;
  for (int i = 0; i < kFacts; ++i) in_order = in_order && slow.keys[static_cast<size_t>(i)] == absl::StrCat(i);
  CHECK(in_order);
  CHECK(slow.keys.size() == kFacts);
}

TEST_CASE("a subscription without cursor begins at the oldest kept, one without identity not at all") {
  Owner owner;
  owner.Tell("meters/0");
  SlowReader reader(owner, {}, true);
  REQUIRE(Eventually([&] { return reader.count() == 1; }));
  rpc::TokenIssuer stranger("nobody", *crypto::SigningKey::FromSeed(std::string(32, 'x')), clock);
  rpc::Client<EventService> client({.target = absl::StrCat("127.0.0.1:", owner.server->port()), .service = "registry"},
                                   stranger, clock, owner.db.metrics);
  rpc::Cancellation cancellation;
  CHECK_REASON(
      (client.Read<SubscribeRequest, SubscribeResponse>(&EventService::Stub::Subscribe, SubscribeRequest{}, {},
                                                        cancellation, [](const SubscribeResponse&) { return true; })),
      "UNKNOWN_ISSUER");
}

TEST_CASE("256 subscribers are served and one more is refused") {
  Owner owner;
  auto client = owner.Client();
  SubscribeRequest from_now;
  from_now.set_from_now(true);
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<SubscribeResponse>> reader;
  };
  std::vector<std::unique_ptr<Stream>> streams;
  SubscribeResponse message;
  size_t served = 0;
  for (size_t i = 0; i < kSubscribersMax; ++i) {
    streams.push_back(std::make_unique<Stream>());
    client->caller().Prepare(streams.back()->context, *SubscribeRequest::descriptor(), {});
    streams.back()->reader = client->stub().Subscribe(&streams.back()->context, from_now);
    if (streams.back()->reader->Read(&message)) ++served;  // The first sign of life.
  }
  CHECK(served == kSubscribersMax);
  rpc::Cancellation cancellation;
  CHECK_REASON(
      (client->Read<SubscribeRequest, SubscribeResponse>(&EventService::Stub::Subscribe, from_now, {}, cancellation,
                                                         [](const SubscribeResponse&) { return true; })),
      "TOO_MANY_SUBSCRIBERS");
  for (const auto& stream : streams) {
    stream->context.TryCancel();
    (void)stream->reader->Finish();
  }
  // Their places are free again.
  REQUIRE(Eventually([&] {
    bool alive = false;
    rpc::Cancellation again;
    (void)client->Read<SubscribeRequest, SubscribeResponse>(&EventService::Stub::Subscribe, from_now, {}, again,
                                                            [&](const SubscribeResponse&) { return !(alive = true); });
    return alive;
  }));
}

TEST_CASE("a payload arrives with its type's name") {
  Owner owner;
  voltwell::rpc::v1::ErrorInfo info;
  info.set_reason("X");
  REQUIRE_OK(owner.db.pool->Transact({.name = "test"}, [&](pg::Tx& tx) {
    return Append(tx, {.type = "meter.created", .key = "meters/0", .permission = "meter.read", .payload = &info});
  }));
  Event seen;
  rpc::Cancellation cancellation;
  auto client = owner.Client();
  REQUIRE_OK((client->Read<SubscribeRequest, SubscribeResponse>(&EventService::Stub::Subscribe, SubscribeRequest{}, {},
                                                                cancellation, [&](const SubscribeResponse& message) {
                                                                  if (message.events_size() > 0)
                                                                    seen = message.events(0);
                                                                  return message.events_size() == 0;
                                                                })));
  CHECK(seen.payload_type() == "voltwell.rpc.v1.ErrorInfo");
  CHECK(seen.permission() == "meter.read");
  voltwell::rpc::v1::ErrorInfo got;
  REQUIRE(got.ParseFromString(seen.payload()));
  CHECK(got.reason() == "X");
}

}  // namespace
}  // namespace voltwell::events
