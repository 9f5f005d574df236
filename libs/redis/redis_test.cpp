// Redis as we call it: replies as values, scripts, pipelines, and its absence.
#include "libs/redis/redis.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "libs/log/log.h"
#include "libs/os/clock.h"
#include "libs/testing/chaos_proxy.h"
#include "libs/testing/eventually.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_redis.h"

using namespace voltwell;
using namespace voltwell::redis;

namespace {

struct Fixture {
  Fixture() { log::Start({.level = "error"}, "redis_test"); }
  Config Proxied() const {
    Config config = server.config();
    config.port = proxy.port();
    config.timeout = absl::Milliseconds(200);
    return config;
  }
  bool Counts(const std::string& line) const { return metrics.Text().find(line) != std::string::npos; }

  testing::TempRedis server;
  testing::ChaosProxy proxy{server.port()};
  metrics::Registry metrics;
  os::SystemClock clock;
};

}  // namespace

TEST_CASE("replies come as values, bytes untouched") {
  Fixture fixture;
  Client client(fixture.server.config(), fixture.metrics);
  const std::string bytes("a\0\r\n\xff", 5);
  REQUIRE_OK(client.Call({"SET", "key", bytes}));
  CHECK(client.Call({"GET", "key"})->text == bytes);
  CHECK(client.Call({"GET", "absent"})->nil());
  CHECK(client.Call({"INCRBY", "number", "41"})->integer == 41);
  const auto many = client.Call({"MGET", "key", "absent", "number"});
  REQUIRE_OK(many);
  REQUIRE(many->kind == Reply::Kind::kArray);
  REQUIRE(many->items.size() == 3);
  CHECK(many->items[0].text == bytes);
  CHECK(many->items[1].nil());
  CHECK(many->items[2].text == "41");
  CHECK(fixture.Counts("voltwell_redis_round_trips_total{name=\"mget\"} 1"));
}

TEST_CASE("a refused command is an error with Redis' words, and the connection serves on") {
  Fixture fixture;
  Config config = fixture.server.config();
  config.pool_size = 1;
  Client client(config, fixture.metrics);
  REQUIRE_OK(client.Call({"SET", "text", "x"}));
  const auto wrong = client.Call({"LPUSH", "text", "y"}).status();
  CHECK_REASON(wrong, "REDIS_ERROR");
  CHECK(base::MetadataOf(wrong).at("message").find("WRONGTYPE") == 0);
  CHECK(client.Call({"GET", "text"})->text == "x");
}

TEST_CASE("a pipeline is one round trip and an error in it is an item") {
  Fixture fixture;
  Client client(fixture.server.config(), fixture.metrics);
  std::vector<Command> commands = {{"SET", "text", "x"}, {"LPUSH", "text", "y"}};
  for (int i = 0; i < 5000; ++i) commands.push_back({"INCR", "count"});
  const auto replies = client.Pipeline(commands);
  REQUIRE_OK(replies);
  REQUIRE(replies->size() == 5002);
  CHECK((*replies)[1].kind == Reply::Kind::kError);
  CHECK(replies->back().integer == 5000);
  CHECK(fixture.Counts("voltwell_redis_round_trips_total{name=\"pipeline\"} 1"));
  CHECK(client.Pipeline({})->empty());
}

TEST_CASE("a script runs by its hash, also after Redis forgot it") {
  Fixture fixture;
  Client client(fixture.server.config(), fixture.metrics);
  constexpr Script kAdd{"add", "return redis.call('INCRBY', KEYS[1], ARGV[1])"};
  CHECK(client.Run(kAdd, {"sum"}, {"2"})->integer == 2);
  CHECK(client.Run(kAdd, {"sum"}, {"3"})->integer == 5);
  REQUIRE_OK(client.Call({"SCRIPT", "FLUSH"}));
  CHECK(client.Run(kAdd, {"sum"}, {"4"})->integer == 9);
  CHECK(client.Run(kAdd, {"sum"}, {"1"})->integer == 10);
  CHECK_REASON(client.Run(kAdd, {"sum"}, {"x"}), "REDIS_ERROR");
}

TEST_CASE("a call that waits in Redis may take longer than the timeout") {
  Fixture fixture;
  Config config = fixture.server.config();
  config.timeout = absl::Milliseconds(100);
  Client client(config, fixture.metrics);
  const auto nothing = client.CallBlocking({"BLPOP", "queue", "0.3"}, absl::Milliseconds(300));
  REQUIRE_OK(nothing);
  CHECK(nothing->nil());
}

TEST_CASE("one call beyond the pool's size waits its turn and is refused at its timeout") {
  Fixture fixture;
  Config config = fixture.server.config();
  config.pool_size = 1;
  config.timeout = absl::Milliseconds(100);
  Client client(config, fixture.metrics);
  std::atomic<bool> released = false;
  std::thread holder([&] { released = client.CallBlocking({"BLPOP", "queue", "20"}, absl::Seconds(20)).ok(); });
  Client other(fixture.server.config(), fixture.metrics);
  REQUIRE(testing::Eventually([&] {
    const auto clients = other.Call({"CLIENT", "LIST"});
    return clients.ok() && clients->text.find("cmd=blpop") != std::string::npos;
  }));
  CHECK_REASON(client.Call({"PING"}), "REDIS_TIMEOUT");
  REQUIRE_OK(other.Call({"LPUSH", "queue", "done"}));
  holder.join();
  CHECK(released);
  CHECK(client.Healthy());  // Recovered.
}

TEST_CASE("a Redis that hangs costs the timeout, and a late answer is not taken for the next one") {
  Fixture fixture;
  Client client(fixture.Proxied(), fixture.metrics);
  REQUIRE_OK(client.Call({"SET", "a", "answer of a"}));
  REQUIRE_OK(client.Call({"SET", "b", "answer of b"}));
  fixture.proxy.Delay(absl::Milliseconds(300));
  const absl::Duration start = fixture.clock.Monotonic();
  CHECK_REASON(client.Call({"GET", "a"}), "REDIS_TIMEOUT");
  CHECK(fixture.clock.Monotonic() - start < absl::Milliseconds(300));
  fixture.proxy.Pass();
  CHECK(client.Call({"GET", "b"})->text == "answer of b");
  fixture.proxy.Blackhole();
  CHECK_FALSE(client.Healthy());
  fixture.proxy.Pass();
  CHECK(testing::Eventually([&] { return client.Healthy(); }));
}

TEST_CASE("garbage instead of replies closes the connection") {
  Fixture fixture;
  Client client(fixture.Proxied(), fixture.metrics);
  CHECK(client.Healthy());
  fixture.proxy.Garbage("?!garbage\r\n");
  CHECK_REASON(client.Call({"GET", "a"}), "REDIS_DOWN");
  fixture.proxy.Pass();
  CHECK(testing::Eventually([&] { return client.Healthy(); }));
}

TEST_CASE("a Redis that is gone is told at once, is not hammered, and is found again, empty") {
  Fixture fixture;
  Client client(fixture.Proxied(), fixture.metrics);
  REQUIRE_OK(client.Call({"SET", "a", "1"}));
  fixture.server.Kill();
  REQUIRE(testing::Eventually([&] { return fixture.proxy.connections() == 0; }));
  const int before = fixture.proxy.accepted();
  const absl::Duration start = fixture.clock.Monotonic();
  int refused = 0;
  for (int i = 0; i < 1000; ++i) refused += base::ReasonOf(client.Call({"PING"}).status()) == "REDIS_DOWN" ? 1 : 0;
  CHECK(refused == 1000);
  const absl::Duration took = fixture.clock.Monotonic() - start;
  CHECK(fixture.proxy.accepted() - before <= 3 + static_cast<int>(took / absl::Milliseconds(25)));
  fixture.server.Start();
  REQUIRE(testing::Eventually([&] { return client.Healthy(); }, absl::Seconds(3)));
  CHECK(client.Call({"GET", "a"})->nil());
}

TEST_CASE("many threads share a small pool") {
  Fixture fixture;
  Config config = fixture.server.config();
  config.pool_size = 2;
  Client client(config, fixture.metrics);
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 100; ++n) failures += client.Call({"INCR", "count"}).ok() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(client.Call({"GET", "count"})->text == "800");
}
