// The directory's copy against a real Redis, and a whole gateway core on it.
#include "services/collector_gateway/core/directory_follower.h"

#include <catch2/catch.hpp>

#include "libs/base/bytes.h"
#include "libs/crypto/crypto.h"
#include "libs/directory/directory.h"
#include "libs/directory/route.h"
#include "libs/directory/sealed_key.h"
#include "libs/metrics/metrics.h"
#include "libs/os/files.h"
#include "libs/testing/process.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_redis.h"
#include "services/collector_gateway/core/gateway.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;
namespace base = voltwell::base;
namespace crypto = voltwell::crypto;
namespace directory = voltwell::directory;
namespace os = voltwell::os;
namespace redis = voltwell::redis;

namespace {

voltwell::testing::TempRedis& Server() {
  static voltwell::testing::TempRedis server;
  return server;
}

directory::Entry PlainEntry(const std::string& id) {
  directory::Entry entry;
  entry.registration_id = id;
  entry.collector = id;
  entry.tenant = "t1";
  entry.dialect = "transparent";
  entry.heartbeat_hex = "70 69 6E 67";
  return entry;
}

// The registry's side of the directory.
struct Registry {
  Registry() {
    Server().Flush();
    REQUIRE_OK(os::WriteFile(key_file(), crypto::Base64Url(key.PublicKey()) + "\n"));
  }
  std::string key_file() const { return folder.path() + "/directory.pub"; }
  void Write(const std::string& field, const std::string& text) {
    REQUIRE_OK(client.Call({"HSET", directory::kDirectoryKey, field, text}));
    Changed(field);
  }
  void Write(const directory::Entry& entry) { Write(entry.registration_id, directory::Encode(entry, key)); }
  void Remove(const std::string& id) {
    REQUIRE_OK(client.Call({"HDEL", directory::kDirectoryKey, id}));
    Changed(id);
  }
  void Changed(const std::string& id) {
    REQUIRE_OK(client.Call({"XADD", directory::kChangesKey, "*", directory::kFieldRegistrationId, id}));
  }
  void SetGeneration(int generation) {
    REQUIRE_OK(client.Call({"SET", directory::kGenerationKey, std::to_string(generation)}));
  }

  voltwell::testing::TempDirectory folder{"gateway-directory"};
  crypto::SigningKey key = *crypto::SigningKey::FromSeed(std::string(32, 'k'));
  voltwell::metrics::Registry registry;
  redis::Client client{Server().config(), registry};
};

struct Follower {
  explicit Follower(const Registry& source, size_t entries_max = kDirectoryEntriesMax,
                    std::shared_ptr<const Dialects> dialects = {}, std::optional<crypto::UnsealingKey> unsealing = {})
      : follower(source.key_file(), client, gateway_metrics, entries_max, std::move(dialects), std::move(unsealing)) {
    follower.Follow([this](std::shared_ptr<const DirectoryCopy> published, bool is_usable) {
      copy = std::move(published);
      usable = is_usable;
      ++told;
    });
  }
  voltwell::metrics::Registry registry;
  GatewayMetrics gateway_metrics{registry};
  redis::Client client{Server().config(), registry};
  DirectoryFollower follower;
  std::shared_ptr<const DirectoryCopy> copy = std::make_shared<DirectoryCopy>();
  bool usable = false;
  int told = 0;
};

}  // namespace

TEST_CASE("the directory is loaded under its generation and its changes are followed") {
  Registry source;
  source.Write(PlainEntry("VW-1"));
  source.Write(PlainEntry("hex:0102FF"));
  Follower f(source);
  f.follower.Step();
  CHECK(f.told == 0);  // No generation yet.

  source.SetGeneration(4);
  f.follower.Step();
  REQUIRE(f.told == 1);
  CHECK(f.usable);
  CHECK(f.copy->generation() == 4);
  CHECK(f.copy->Find("VW-1")->heartbeat == "ping");
  CHECK(f.copy->Find("\x01\x02\xFF")->registration_id == "hex:0102FF");

  f.follower.Step();
  CHECK(f.told == 1);  // Nothing changed.
  directory::Entry changed = PlainEntry("VW-1");
  changed.tenant = "t2";
  source.Write(changed);
  source.Write(PlainEntry("VW-3"));
  source.Remove("hex:0102FF");
  f.follower.Step();
  CHECK(f.copy->Find("VW-1")->tenant == "t2");
  CHECK(f.copy->Find("VW-3") != nullptr);
  CHECK(f.copy->size() == 2);
}

TEST_CASE("an entry that the registry did not sign, or signed for another id, is not believed") {
  Registry source;
  const auto other = *crypto::SigningKey::FromSeed(std::string(32, 'x'));
  source.Write("VW-1", directory::Encode(PlainEntry("VW-1"), other));
  source.Write("VW-2", directory::Encode(PlainEntry("VW-3"), source.key));
  source.Write(PlainEntry("VW-4"));
  source.SetGeneration(1);
  Follower f(source);
  f.follower.Step();
  CHECK(f.copy->size() == 1);
  CHECK(f.gateway_metrics.directory_bad_entries.Value() == 2);
  // A good entry that is overwritten by a bad one does not hold either.
  source.Write("VW-4", "nonsense");
  f.follower.Step();
  CHECK(f.copy->size() == 0);
}

TEST_CASE(
    "an entry of a dialect that is not loaded here is left out and counted; one that is loaded is found by its id") {
  Registry source;
  directory::Entry login = PlainEntry("1001");
  login.dialect = "login";
  source.Write(login);
  directory::Entry morse = PlainEntry("1002");
  morse.dialect = "morse";
  source.Write(morse);
  source.SetGeneration(1);
  const auto dialect = ParseDialect("login", "title t\nregistration LOGIN:{id}\\r\\n");
  REQUIRE_OK(dialect);
  const auto dialects = std::make_shared<const Dialects>(*Dialects::Make({*dialect}));
  Follower f(source, kDirectoryEntriesMax, dialects);
  f.follower.Step();
  CHECK(f.copy->size() == 1);
  CHECK(f.gateway_metrics.directory_unknown_dialects.Value() == 1);
  CHECK(f.gateway_metrics.directory_bad_entries.Value() == 0);
  const std::string packet = "LOGIN:1001\r\n";
  CHECK(f.copy->Identify(base::AsBytes(packet), true).entry == f.copy->Find("1001"));
}

TEST_CASE("a sealed key opens with the gateway's own key, and for its collector only") {
  voltwell::os::SystemRandom random;
  const auto unsealing = *crypto::UnsealingKey::FromSeed(std::string(32, 'u'));
  const std::string key = "0123456789abcdef";
  Registry source;
  directory::Entry keyed = PlainEntry("VW-1/2");
  keyed.collector = "VW-1";
  keyed.assurance = "key";
  keyed.sealed_key = *directory::SealKey(unsealing.PublicKey(), "VW-1", key, random);
  source.Write(keyed);
  directory::Entry moved = PlainEntry("VW-2");  // As somebody might who can write entries and read none.
  moved.sealed_key = keyed.sealed_key;
  source.Write(moved);
  source.SetGeneration(1);
  Follower f(source, kDirectoryEntriesMax, {}, unsealing);
  f.follower.Step();
  REQUIRE(f.copy->Find("VW-1/2")->key != nullptr);
  CHECK(*f.copy->Find("VW-1/2")->key == key);
  CHECK(*f.copy->KeyOf("VW-1") == key);
  REQUIRE(f.copy->Find("VW-2") != nullptr);
  CHECK(f.copy->Find("VW-2")->key == nullptr);
  CHECK(f.gateway_metrics.directory_unopened_keys.Value() == 1);
  // Another gateway's half, and none at all.
  for (const bool wrong : {true, false}) {
    std::optional<crypto::UnsealingKey> other;
    if (wrong) other = *crypto::UnsealingKey::FromSeed(std::string(32, 'w'));
    Follower g(source, kDirectoryEntriesMax, {}, other);
    g.follower.Step();
    REQUIRE(g.copy->Find("VW-1/2") != nullptr);
    CHECK(g.copy->Find("VW-1/2")->key == nullptr);
    CHECK(g.copy->Find("VW-1/2")->assurance == Assurance::kKey);
    CHECK(g.gateway_metrics.directory_unopened_keys.Value() == 2);
  }
}

TEST_CASE("the option for the unsealing key takes a key, or nothing") {
  const std::string seed = crypto::Base64Url(std::string(32, 'u'));
  CHECK(ReadUnsealingKey(seed + "\n")->has_value());
  CHECK_FALSE(ReadUnsealingKey("")->has_value());
  CHECK_REASON(ReadUnsealingKey("short").status(), "BAD_KEY");
}

TEST_CASE("a level of assurance that this gateway does not know keeps its collector out and is counted") {
  Registry source;
  directory::Entry strict = PlainEntry("VW-1");
  strict.assurance = "tls-certificate";
  source.Write(strict);
  directory::Entry newer = PlainEntry("VW-2");
  newer.assurance = "iris-scan";
  source.Write(newer);
  source.Write(PlainEntry("VW-3"));  // As an older registry writes it: no level at all.
  source.SetGeneration(1);
  Follower f(source);
  f.follower.Step();
  REQUIRE(f.copy->size() == 2);
  CHECK(f.copy->Find("VW-1")->assurance == Assurance::kTlsCertificate);
  CHECK(f.copy->Find("VW-3")->assurance == Assurance::kId);
  CHECK(f.gateway_metrics.directory_unknown_assurances.Value() == 1);
  CHECK(f.gateway_metrics.directory_bad_entries.Value() == 0);
}

TEST_CASE("an entry with the bytes of another is dropped and counted, when it is loaded and when it comes later") {
  Registry source;
  source.Write(PlainEntry("VW-1"));
  directory::Entry second = PlainEntry("hex:56572D31");  // VW-1
  second.tenant = "t2";
  source.Write(second);
  source.SetGeneration(1);
  Follower f(source);
  f.follower.Step();
  CHECK(f.copy->size() == 1);
  CHECK(f.copy->Find("VW-1")->tenant == "t1");
  CHECK(f.gateway_metrics.directory_clashes.Value() == 1);
  source.Changed(second.registration_id);
  f.follower.Step();
  CHECK(f.copy->Find("VW-1")->tenant == "t1");
  CHECK(f.gateway_metrics.directory_clashes.Value() == 2);
}

TEST_CASE("while the generation is absent the last copy is kept and called not usable") {
  Registry source;
  source.Write(PlainEntry("VW-1"));
  source.SetGeneration(1);
  Follower f(source);
  f.follower.Step();
  REQUIRE(f.usable);
  const BusEntryPtr before = f.copy->Find("VW-1");

  Server().Flush();
  f.follower.Step();
  CHECK_FALSE(f.usable);
  CHECK(f.copy->Find("VW-1") == before);

  source.Write(PlainEntry("VW-1"));
  source.Write(PlainEntry("VW-2"));
  source.SetGeneration(2);
  f.follower.Step();
  CHECK(f.usable);
  CHECK(f.copy->generation() == 2);
  CHECK(f.copy->size() == 2);
  CHECK(f.copy->Find("VW-1") == before);  // Unchanged entries stay the same object: no session needs a look.
}

TEST_CASE("more changes than one page are followed to the end, and what was missed while Redis was away is loaded") {
  Registry source;
  source.SetGeneration(1);
  Follower f(source);
  f.follower.Step();
  std::vector<redis::Command> commands;
  for (int i = 0; i <= kDirectoryPage; ++i) {
    const std::string id = "VW-" + std::to_string(i);
    commands.push_back({"HSET", directory::kDirectoryKey, id, directory::Encode(PlainEntry(id), source.key)});
    commands.push_back({"XADD", directory::kChangesKey, "*", directory::kFieldRegistrationId, id});
  }
  REQUIRE_OK(source.client.Pipeline(commands));
  CHECK(f.follower.Step() == absl::ZeroDuration());
  CHECK(f.copy->size() == static_cast<size_t>(kDirectoryPage));
  CHECK(f.follower.Step() == kFollowEvery);
  CHECK(f.copy->size() == static_cast<size_t>(kDirectoryPage) + 1);

  Server().Kill();
  f.follower.Step();
  Server().Start();
  source.Write(PlainEntry("VW-9999"));
  source.SetGeneration(1);
  CHECK(Eventually([&] {
    f.follower.Step();
    return f.copy->size() == 1 && f.copy->Find("VW-9999") != nullptr;
  }));
}

TEST_CASE("a directory beyond its limit is cut, when it is loaded and when it grows") {
  Registry source;
  for (const char* id : {"VW-1", "VW-2", "VW-3"}) source.Write(PlainEntry(id));
  source.SetGeneration(1);
  Follower f(source, 2);
  f.follower.Step();
  CHECK(f.copy->size() == 2);
  source.Write(PlainEntry("VW-4"));
  f.follower.Step();
  CHECK(f.copy->size() == 2);
  CHECK(f.copy->Find("VW-4") == nullptr);
}

TEST_CASE("a whole gateway: registered, found in Redis, read, and closed within two seconds of its removal") {
  Registry source;
  source.Write(PlainEntry("VW-1"));
  source.SetGeneration(1);
  voltwell::metrics::Registry registry;
  GatewayMetrics gateway_metrics(registry);
  redis::Client client(Server().config(), registry);
  os::SystemClock clock;
  os::SystemRandom random;
  Gateway gateway({.listen = "127.0.0.1", .port = 0}, {"a", "127.0.0.1:9004"}, source.key_file(), client, clock, random,
                  gateway_metrics);
  REQUIRE_OK(gateway.Start());
  FakeCollector collector(gateway.hub().port());
  collector.Send("VW-1");
  const std::string key = directory::SessionKey("VW-1", 1);
  REQUIRE(Eventually([&] { return source.client.Call({"EXISTS", key})->integer == 1; }));

  const auto sink = std::make_shared<RememberingSink>();
  std::vector<AddressedItem> items;
  items.push_back({"VW-1", 1, "t1", ItemOf(1)});
  items.back().item.not_after = absl::InfiniteDuration();
  gateway.hub().Submit(std::move(items), sink);
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  collector.Send(Reply(1));
  CHECK(sink->Outcomes(1) == "1 ok");

  source.Remove("VW-1");
  CHECK(collector.Closed(2'000));
  CHECK(Eventually([&] { return source.client.Call({"EXISTS", key})->integer == 0; }));
  gateway.Drain();
}
