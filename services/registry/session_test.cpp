// Sign-in: who gets in, who is slowed down, and what a token tells.
#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
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
  const auto fastest = [&](const std::function<void(int)>& act) {
    absl::Duration best = absl::InfiniteDuration();
    for (int i = 0; i < 3; ++i) {
      const absl::Duration begin = world.clock.Monotonic();
      act(i);
      best = std::min(best, world.clock.Monotonic() - begin);
    }
    return best;
  };
  const std::string hash = crypto::HashPassword(kAdminPassword, world.random);
  // Bounds from below only, so that a busy machine cannot fail it: a name that is not looked at would take a tenth.
  const absl::Duration check = fastest([&](int) { (void)crypto::CheckPassword("wrong", hash); });
  CHECK(fastest([&](int i) { (void)Login(world, absl::StrCat("nobody-", i), "wrong"); }) > check / 2);
  CHECK(fastest([&](int) { (void)Login(world, "admin", "wrong"); }) > check / 2);
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

TEST_CASE("of many who sign in at once some are told to come again, and none is locked out by it") {
  TestWorld world;
  REQUIRE(world.Serves());
  std::atomic<int> busy = 0;
  std::atomic<int> other = 0;
  std::vector<std::thread> people;
  constexpr int kPeople = 20;  // Fewer than the server's threads, more than may wait.
  for (int i = 0; i < kPeople; ++i) {
    people.emplace_back([&, i] {
      const std::string reason = base::ReasonOf(Login(world, absl::StrCat("person-", i), "wrong").status());
      if (reason == "LOGIN_BUSY" || reason == "SERVICE_BUSY") ++busy;
      if (reason != "LOGIN_BUSY" && reason != "SERVICE_BUSY" && reason != "LOGIN_FAILED") ++other;
    });
  }
  for (std::thread& person : people) person.join();
  CHECK(busy > 0);
  CHECK(other == 0);
  CHECK_OK(Login(world, "admin", kAdminPassword));
}

TEST_CASE("names beyond the limit are not remembered, those of people are") {
  TestWorld world;
  REQUIRE(world.Serves());
  static constexpr pg::Query kFill{
      "test.fill", "INSERT INTO login_failure SELECT 'stranger-' || i, 1, now() FROM generate_series(1, $1::int) i"};
  static constexpr pg::Query kCount{"test.count", "SELECT count(*) FROM login_failure"};
  REQUIRE_OK(world.pool.Transact({.name = "test"},
                                 [&](pg::Tx& tx) { return tx.Execute(kFill, store::kUnknownLoginsMax).status(); }));
  CHECK_REASON(Login(world, "one-more", "wrong"), "LOGIN_FAILED");
  CHECK_REASON(Login(world, "admin", "wrong"), "LOGIN_FAILED");
  int64_t rows = 0;
  REQUIRE_OK(world.pool.Transact({.name = "test"}, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const pg::Result result, tx.Execute(kCount));
    rows = result.Int(0, 0);
    return absl::OkStatus();
  }));
  CHECK(rows == store::kUnknownLoginsMax + 1);
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
