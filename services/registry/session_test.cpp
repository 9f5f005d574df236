// Sign-in: who gets in, who is slowed down, and what a token tells.
#include <catch2/catch.hpp>
#include <thread>

#include "services/registry/domain/login_backoff.h"
#include "services/registry/test_world.h"

namespace voltwell::registry {
namespace {

const rpc::Identity kVisitor{.caller_kind = "PUBLIC"};

absl::StatusOr<v1::LoginResponse> Login(TestWorld& world, const std::string& user, const std::string& password) {
  v1::LoginRequest request;
  request.set_user(user);
  request.set_password(password);
  return world.Call<v1::SessionService>(&v1::SessionService::Stub::Login, request, kVisitor);
}

absl::StatusOr<v1::AuthenticateResponse> Authenticate(TestWorld& world, const std::vector<std::string>& tokens) {
  v1::AuthenticateRequest request;
  for (const std::string& token : tokens) request.add_tokens(token);
  return world.Call<v1::SessionService>(&v1::SessionService::Stub::Authenticate, request,
                                        {.subject = "api_gateway", .caller_kind = "INTERNAL"});
}

TEST_CASE("the first admin signs in, is known by the token, and signs out") {
  TestWorld world;
  REQUIRE(world.Serves());
  const auto session = Login(world, "admin", kAdminPassword);
  REQUIRE_OK(session);
  const auto known = Authenticate(world, {"unknown", session->token()});
  REQUIRE_OK(known);
  REQUIRE(known->identities_size() == 2);
  CHECK_FALSE(known->identities(0).valid());
  const v1::Identity& identity = known->identities(1);
  CHECK(identity.valid());
  CHECK(identity.subject() == session->user());
  CHECK(identity.tenant() == "demo");
  CHECK(identity.caller_kind() == "OPERATOR");
  REQUIRE(identity.permissions_size() == 1);
  CHECK(identity.permissions(0) == "*");

  const rpc::Identity person{.tenant = "demo",
                             .subject = identity.subject(),
                             .permissions = {"*"},
                             .caller_kind = "OPERATOR",
                             .session = identity.session()};
  const auto me = world.Call<v1::SessionService>(&v1::SessionService::Stub::GetMe, v1::GetMeRequest(), person);
  REQUIRE_OK(me);
  CHECK(me->login() == "admin");
  CHECK(me->tenant() == "tenants/demo");
  CHECK(me->tenant_display_name() == "示范物业");
  REQUIRE_OK(world.Call<v1::SessionService>(&v1::SessionService::Stub::Logout, v1::LogoutRequest(), person));
  const auto after = Authenticate(world, {session->token()});
  REQUIRE_OK(after);
  CHECK_FALSE(after->identities(0).valid());
}

TEST_CASE("a wrong password and an unknown name are answered alike, and slow the next try down") {
  TestWorld world;
  REQUIRE(world.Serves());
  for (const std::string& user : {std::string("admin"), std::string("nobody")}) {
    for (int i = 0; i < kFreeFailures; ++i) CHECK_REASON(Login(world, user, "wrong"), "LOGIN_FAILED");
    const auto slowed = Login(world, user, user == "admin" ? kAdminPassword : "wrong");
    CHECK_REASON(slowed, "LOGIN_SLOWED_DOWN");
    CHECK(base::MetadataOf(slowed.status())["retry_after_seconds"] == "1");
  }
  // After the wait the right password counts, and clears the failures.
  REQUIRE(testing::Eventually([&] { return Login(world, "admin", kAdminPassword).ok(); }, absl::Seconds(5)));
  CHECK_REASON(Login(world, "admin", "wrong"), "LOGIN_FAILED");
  CHECK_OK(Login(world, "admin", kAdminPassword));
}

TEST_CASE("an unknown name takes as long as a wrong password") {
  TestWorld world;
  REQUIRE(world.Serves());
  const auto took = [&](const std::string& user) {
    const absl::Duration begin = world.clock.Monotonic();
    (void)Login(world, user, "wrong");
    return world.clock.Monotonic() - begin;
  };
  (void)took("warm");
  const absl::Duration known = std::min(took("admin"), took("admin"));
  const absl::Duration unknown = std::min(took("nobody"), took("nobody"));
  // Argon2id takes some 20 ms and more; a name that is not looked at would take 2.
  CHECK(unknown > known / 2);
  CHECK(known > unknown / 2);
}

TEST_CASE("tries at the same moment do not pass the count together") {
  TestWorld world;
  REQUIRE(world.Serves());
  std::atomic<int> looked_at = 0;
  std::vector<std::thread> thieves;
  for (int i = 0; i < 8; ++i) {
    thieves.emplace_back([&] {
      if (base::ReasonOf(Login(world, "admin", "wrong").status()) == "LOGIN_FAILED") ++looked_at;
    });
  }
  for (std::thread& thief : thieves) thief.join();
  CHECK(looked_at <= kFreeFailures);
}

TEST_CASE("512 tokens are answered at once, 513 are not") {
  TestWorld world;
  REQUIRE(world.Serves());
  CHECK_OK(Authenticate(world, std::vector<std::string>(kTokensMax, "x")));
  CHECK_REASON(Authenticate(world, std::vector<std::string>(kTokensMax + 1, "x")), "BAD_TOKEN_COUNT");
  CHECK_REASON(Authenticate(world, {}), "BAD_TOKEN_COUNT");
}

TEST_CASE("a person may not ask about tokens") {
  TestWorld world;
  REQUIRE(world.Serves());
  rpc::TokenIssuer stranger("billing", world.trust.Key("billing"), world.clock);
  rpc::Client<v1::SessionService> client(
      {.target = absl::StrCat("127.0.0.1:", world.server.port()), .service = "registry"}, stranger, world.clock,
      world.metrics);
  v1::AuthenticateRequest request;
  request.add_tokens("x");
  CHECK_REASON(client.Call(&v1::SessionService::Stub::Authenticate, request), "CALLER_NOT_ALLOWED");
}

}  // namespace
}  // namespace voltwell::registry
