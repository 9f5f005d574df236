// Who is believed, and for how long.
#include "libs/rpc/identity.h"

#include <catch2/catch.hpp>

#include "libs/rpc/access.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/fake_clock.h"
#include "libs/testing/status.h"
#include "voltwell/rpc/v1/identity.pb.h"

namespace voltwell::rpc {
namespace {

using testing::FakeClock;

struct World {
  FakeClock clock;
  metrics::Registry metrics;
  TestTrust trust;
  TokenVerifier registry{"registry", trust.directory(), clock, metrics};
};

std::string TokenWith(const crypto::SigningKey& key, const voltwell::rpc::v1::IdentityClaims& claims) {
  const std::string content = crypto::Base64Url(claims.SerializeAsString());
  return absl::StrCat(content, ".", crypto::Base64Url(key.Sign(content)));
}

TEST_CASE("a token brings its claims to the service it is for") {
  World world;
  TokenIssuer issuer("api_gateway", world.trust.Key("api_gateway"), world.clock);
  const Identity admin{.tenant = "demo",
                       .subject = "users/u1",
                       .permissions = {"*"},
                       .site_scope = {"/s1/"},
                       .caller_kind = "OPERATOR",
                       .session = "sessions/x"};
  const auto identity = world.registry.Verify(issuer.Token("registry", admin));
  REQUIRE_OK(identity);
  CHECK(identity->issuer == "api_gateway");
  CHECK(identity->tenant == "demo");
  CHECK(identity->subject == "users/u1");
  CHECK(identity->site_scope == std::vector<std::string>{"/s1/"});
  CHECK(identity->caller_kind == "OPERATOR");
  CHECK(identity->session == "sessions/x");
}

TEST_CASE("a token is refused when it is absent, for another service, of a stranger, or ended") {
  World world;
  TokenIssuer scheduler("meter_scheduler", world.trust.Key("meter_scheduler"), world.clock);
  TokenIssuer stranger("stranger", *crypto::SigningKey::FromSeed(std::string(32, 'x')), world.clock);
  TokenIssuer climber("../trust/meter_scheduler", world.trust.Key("meter_scheduler"), world.clock);
  CHECK_REASON(world.registry.Verify(""), "NO_IDENTITY");
  CHECK_REASON(world.registry.Verify("nonsense"), "BAD_TOKEN");
  CHECK_REASON(world.registry.Verify("a.b"), "BAD_TOKEN");
  CHECK_REASON(world.registry.Verify(scheduler.Token("billing", {})), "WRONG_AUDIENCE");
  CHECK_REASON(world.registry.Verify(stranger.Token("registry", {})), "UNKNOWN_ISSUER");
  CHECK_REASON(world.registry.Verify(climber.Token("registry", {})), "UNKNOWN_ISSUER");
  const std::string token = scheduler.Token("registry", {});
  CHECK_OK(world.registry.Verify(token));
  world.clock.Advance(absl::Seconds(61));
  CHECK_REASON(world.registry.Verify(token), "TOKEN_EXPIRED");
}

TEST_CASE("a changed or foreign signature is refused") {
  World world;
  TokenIssuer issuer("api_gateway", world.trust.Key("api_gateway"), world.clock);
  TokenIssuer forger("api_gateway", world.trust.Key("meter_scheduler"), world.clock);
  std::string token = issuer.Token("registry", {.subject = "users/u1"});
  token[token.size() - 10] = token[token.size() - 10] == 'A' ? 'B' : 'A';
  CHECK_REASON(world.registry.Verify(token), "BAD_TOKEN");
  CHECK_REASON(world.registry.Verify(forger.Token("registry", {})), "BAD_TOKEN");
}

TEST_CASE("only tools may make tokens that live longer than a minute") {
  World world;
  voltwell::rpc::v1::IdentityClaims claims;
  claims.add_audience("registry");
  claims.set_issued_at(absl::ToUnixSeconds(world.clock.Now()));
  claims.set_expires_at(claims.issued_at() + 3600);
  claims.set_issuer("meter_scheduler");
  CHECK_REASON(world.registry.Verify(TokenWith(world.trust.Key("meter_scheduler"), claims)), "BAD_TOKEN");
  claims.set_issuer("tools");
  CHECK_OK(world.registry.Verify(TokenWith(world.trust.Key("tools"), claims)));
  claims.set_issued_at(claims.issued_at() + 120);
  CHECK_REASON(world.registry.Verify(TokenWith(world.trust.Key("tools"), claims)), "BAD_TOKEN");
}

TEST_CASE("a key that is added later is found without a restart") {
  World world;
  TokenIssuer late("billing", *crypto::SigningKey::FromSeed(crypto::Sha256("billing")), world.clock);
  CHECK_REASON(world.registry.Verify(late.Token("registry", {})), "UNKNOWN_ISSUER");
  world.trust.Key("billing");
  world.clock.Advance(absl::Seconds(2));
  CHECK_OK(world.registry.Verify(late.Token("registry", {})));
}

TEST_CASE("an issuer reuses a token until ten seconds before its end, also when the clock is set back") {
  World world;
  TokenIssuer issuer("billing", world.trust.Key("billing"), world.clock);
  const std::string first = issuer.Token("registry", {});
  world.clock.Advance(absl::Seconds(49));
  CHECK(issuer.Token("registry", {}) == first);
  world.clock.Advance(absl::Seconds(2));
  const std::string second = issuer.Token("registry", {});
  CHECK(second != first);
  world.clock.Set(world.clock.Now() - absl::Hours(1));
  CHECK_OK(world.registry.Verify(issuer.Token("registry", {})));
}

TEST_CASE("one token beyond the cache's limit is still verified") {
  World world;
  const crypto::SigningKey key = world.trust.Key("billing");
  TokenIssuer issuer("billing", key, world.clock);
  // Verified tokens are kept by their text; filling both caches to the limit and beyond must not refuse anybody.
  int refused = 0;
  for (int i = 0; i <= kTokenCacheMax; ++i) {
    if (!world.registry.Verify(issuer.Token("registry", {.tenant = absl::StrCat("t", i)})).ok()) ++refused;
  }
  CHECK(refused == 0);
}

TEST_CASE("a permission allows itself, its prefix with a star allows what is below, a star allows all") {
  CHECK(Identity{.permissions = {"meter.read"}}.Allows("meter.read"));
  CHECK_FALSE(Identity{.permissions = {"meter.read"}}.Allows("meter.write"));
  CHECK_FALSE(Identity{.permissions = {"meter.read"}}.Allows("meter.read.all"));
  CHECK(Identity{.permissions = {"meter.*"}}.Allows("meter.write"));
  CHECK_FALSE(Identity{.permissions = {"meter.*"}}.Allows("meters.write"));
  CHECK(Identity{.permissions = {"*"}}.Allows("platform.quarantine"));
  CHECK_FALSE(Identity{.permissions = {""}}.Allows("meter.read"));
  CHECK_FALSE(Identity{}.Allows("meter.read"));
}

voltwell::rpc::v1::MethodRules Rules(std::vector<voltwell::rpc::v1::Audience> audience, const std::string& permission,
                                     std::vector<std::string> callers = {}) {
  voltwell::rpc::v1::MethodRules rules;
  for (const auto kind : audience) rules.add_audience(kind);
  for (const std::string& caller : callers) rules.add_callers(caller);
  rules.set_permission(permission);
  return rules;
}

TEST_CASE("who may call: kinds of people by audience and permission, services by name") {
  const auto open = Rules({voltwell::rpc::v1::AUDIENCE_PUBLIC}, "");
  const auto people = Rules({voltwell::rpc::v1::AUDIENCE_OPERATOR}, "meter.read", {"meter_scheduler"});
  const auto internal = Rules({}, "session.authenticate", {"api_gateway"});
  const Identity visitor{.issuer = "api_gateway", .caller_kind = "PUBLIC"};
  const Identity reader{.issuer = "api_gateway", .permissions = {"meter.read"}, .caller_kind = "OPERATOR"};
  const Identity resident{.issuer = "api_gateway", .permissions = {"meter.read"}, .caller_kind = "RESIDENT"};
  const Identity pretender{.issuer = "api_gateway", .permissions = {"*"}, .caller_kind = "INTERNAL"};
  const Identity scheduler{.issuer = "meter_scheduler", .caller_kind = "INTERNAL"};
  const Identity billing{.issuer = "billing", .permissions = {"*"}, .caller_kind = "OPERATOR"};
  const Identity tools{.issuer = "tools", .permissions = {"*"}, .caller_kind = "OPERATOR"};

  CHECK_OK(CheckAccess(open, visitor));
  CHECK_OK(CheckAccess(open, reader));
  CHECK_REASON(CheckAccess(people, visitor), "CALLER_NOT_ALLOWED");
  CHECK_OK(CheckAccess(people, reader));
  CHECK_REASON(CheckAccess(people, resident), "CALLER_NOT_ALLOWED");
  CHECK_OK(CheckAccess(people, scheduler));
  CHECK_REASON(CheckAccess(people, billing), "CALLER_NOT_ALLOWED");
  CHECK_OK(CheckAccess(people, tools));
  CHECK_OK(CheckAccess(internal, pretender));  // api_gateway itself is among the callers here,
  CHECK_REASON(CheckAccess(Rules({}, "x"), pretender), "CALLER_NOT_ALLOWED");  // and here it is not.
  CHECK_OK(CheckAccess(internal, tools));
  CHECK_REASON(CheckAccess(Rules({voltwell::rpc::v1::AUDIENCE_OPERATOR}, "meter.write"), reader), "NOT_PERMITTED");
}

}  // namespace
}  // namespace voltwell::rpc
