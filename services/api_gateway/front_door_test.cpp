// Unary calls through the whole door, over real sockets.
#include "services/api_gateway/front_door.h"

#include <catch2/catch.hpp>

#include "services/api_gateway/gzip.h"
#include "services/api_gateway/suite_testing.h"
#include "voltwell/rpc/v1/identity.pb.h"

namespace voltwell::front {

using namespace testing_suite;

namespace {

constexpr int kAsksMax = 30;  // Far more than a rate of one a second lets through, however slow the machine.

http::TestAnswer AskUntilLimited(const std::function<http::TestAnswer(int)>& ask) {
  for (int i = 1; i < kAsksMax; ++i) {
    auto answer = ask(i);
    if (answer.status == 429) return answer;
  }
  FAIL("never limited");
  return {};
}

}  // namespace

TEST_CASE("a unary call goes through as JSON and as proto, with identity, request id and address") {
  Suite suite;
  const auto json = suite.Call(kEcho, "\"hello\"", "Authorization: Bearer good\r\nX-Request-Id: r-1\r\n");
  CHECK(json.status == 200);
  CHECK(json.body == "\"hello\"");
  CHECK(json.headers.at("content-type") == "application/json");
  CHECK(json.headers.at("x-request-id") == "r-1");
  CHECK(json.headers.at("cache-control") == "no-store");
  CHECK(suite.behind.metadata.at("x-request-id") == "r-1");
  CHECK(suite.behind.metadata.at("x-client-address") == "127.0.0.1");
  CHECK(suite.behind.deadline_left <= absl::Seconds(6));  // gRPC rounds it up on the wire.

  pb::StringValue value;
  value.set_value("电表");
  TestClient client(suite.server->port());
  REQUIRE(client.Send(http::Post(absl::StrCat("/voltwell.", kEcho), "application/proto", value.SerializeAsString(),
                                 "Authorization: Bearer good\r\n")));
  const auto proto = client.Read();
  CHECK(proto.headers.at("content-type") == "application/proto");
  CHECK(proto.body == value.SerializeAsString());
}

TEST_CASE("the token for the service behind names it, the tenant and who asks") {
  Suite suite;
  CHECK(suite.Call(kEcho, "\"x\"").status == 200);
  const std::string token = suite.behind.metadata.at("authorization").substr(7);
  voltwell::rpc::v1::IdentityClaims claims;
  REQUIRE(claims.ParseFromString(*crypto::FromBase64Url(token.substr(0, token.find('.')))));
  CHECK(claims.issuer() == "api_gateway");
  REQUIRE(claims.audience_size() == 1);
  CHECK(claims.audience(0) == "probe");
  CHECK(claims.tenant() == "t1");
  CHECK(claims.subject() == "users/1");
  CHECK(claims.session() == "sessions/good");
  CHECK(claims.caller_kind() == "OPERATOR");
}

TEST_CASE("an error of the service keeps its code, message and details") {
  Suite suite;
  const auto answer = suite.Call("probe.v1.ProbeService/Fail", "\"why\"");
  CHECK(answer.status == 400);
  CHECK(Suite::Has(answer, "\"code\":\"failed_precondition\""));
  CHECK(Suite::Has(answer, "坏了: why"));
  CHECK(Suite::Has(answer, "\"type\":\"voltwell.rpc.v1.ErrorInfo\""));
  CHECK(Suite::Has(
      answer,
      "\"debug\":{\"reason\":\"PROBE_FAILED\",\"domain\":\"voltwell.probe\",\"metadata\":{\"position\":\"3\"}}"));
}

TEST_CASE("what the door itself refuses has a code, a reason and the right HTTP status") {
  Suite suite;
  struct Row {
    const char* path;
    const char* json;
    const char* more;
    int status;
    const char* reason;
  };
  constexpr char kGood[] = "Authorization: Bearer good\r\n";
  for (const Row& row : {Row{kEcho, "\"x\"", "", 401, "NOT_SIGNED_IN"},
                         Row{kEcho, "\"x\"", "Authorization: Bearer bad\r\n", 401, "SESSION_ENDED"},
                         Row{kEcho, "\"x\"", "Authorization: Bearer poor\r\n", 403, "NOT_PERMITTED"},
                         Row{kEcho, "\"x\"", "Authorization: Bearer resident\r\n", 403, "CALLER_NOT_ALLOWED"},
                         Row{kEcho, "{{", kGood, 400, "BAD_MESSAGE"},
                         Row{"probe.v1.ProbeService/Hidden", "\"x\"", kGood, 404, "METHOD_NOT_FOUND"},
                         Row{"probe.v1.ProbeService/None", "\"x\"", kGood, 404, "METHOD_NOT_FOUND"},
                         Row{"registry.v1.SessionService/Authenticate", "{}", kGood, 404, "METHOD_NOT_FOUND"},
                         Row{"event.v1.EventService/Subscribe", "{}", kGood, 404, "METHOD_NOT_FOUND"}}) {
    INFO(row.path << " " << row.reason);
    const auto answer = suite.Call(row.path, row.json, row.more);
    CHECK(answer.status == row.status);
    CHECK(Suite::Has(answer, row.reason));
  }
  TestClient client(suite.server->port());
  REQUIRE(client.Send(http::Get(absl::StrCat("/voltwell.", kEcho))));
  const auto by_get = client.Read();
  CHECK(by_get.status == 405);
  CHECK(by_get.headers.at("allow") == "POST");
  REQUIRE(client.Send(http::Post(absl::StrCat("/voltwell.", kEcho), "text/plain", "x")));
  CHECK(client.Read().status == 415);
}

TEST_CASE("a method without side effects may be called by GET") {
  Suite suite;
  TestClient client(suite.server->port());
  REQUIRE(client.Send(http::Get("/voltwell.probe.v1.ProbeService/Read?connect=v1&encoding=json&message=%22g%22",
                                "Authorization: Bearer good\r\n")));
  CHECK(client.Read().body == "\"g\"");
}

TEST_CASE("a large answer is packed for whom it may be, a small one never") {
  Suite suite;
  const std::string gzip = "Authorization: Bearer good\r\nAccept-Encoding: gzip\r\n";
  const std::string large = absl::StrCat("\"", std::string(kGzipFrom, 'x'), "\"");
  const auto packed = suite.Call(kEcho, large, gzip);
  CHECK(packed.headers.at("content-encoding") == "gzip");
  CHECK(*Gunzip(packed.body, 1 << 20) == large);
  CHECK(suite.Call(kEcho, large).headers.count("content-encoding") == 0);
  CHECK(suite.Call(kEcho, "\"x\"", gzip).headers.count("content-encoding") == 0);
}

TEST_CASE("the client's timeout ends the call behind") {
  Suite suite;
  const auto answer =
      suite.Call("probe.v1.ProbeService/Hang", "\"x\"", "Authorization: Bearer good\r\nConnect-Timeout-Ms: 200\r\n");
  CHECK(answer.status == 504);
  CHECK(Suite::Has(answer, "DEADLINE_PASSED"));
  CHECK(suite.behind.deadline_left <= absl::Milliseconds(300));
}

TEST_CASE("signing in sets the cookie, the cookie lets in, signing out clears it") {
  Suite suite;
  const auto failed = suite.Call("registry.v1.SessionService/Login", "{\"user\":\"a\",\"password\":\"wrong\"}", "");
  CHECK(failed.status == 401);
  CHECK(failed.headers.count("set-cookie") == 0);
  const auto login = suite.Call("registry.v1.SessionService/Login", "{\"user\":\"a\",\"password\":\"right\"}", "");
  CHECK(login.status == 200);
  CHECK(Suite::Has(login, "\"token\":\"good\""));
  CHECK(login.headers.at("set-cookie").find("voltwell_session=good; Path=/; HttpOnly; SameSite=Strict; Max-Age=2") ==
        0);
  const std::string cookie = "Cookie: voltwell_session=good\r\n";
  CHECK(suite.Call(kEcho, "\"x\"", cookie).status == 200);
  const auto foreign = suite.Call(kEcho, "\"x\"", cookie + "Sec-Fetch-Site: cross-site\r\n");
  CHECK(foreign.status == 403);
  CHECK(Suite::Has(foreign, "CROSS_SITE"));
  const auto logout = suite.Call("registry.v1.SessionService/Logout", "{}", cookie);
  CHECK(logout.headers.at("set-cookie").find("voltwell_session=; ") == 0);
  CHECK(logout.headers.at("set-cookie").find("Max-Age=0") != std::string::npos);
  CHECK(suite.Call(kEcho, "\"x\"", cookie).status == 401);  // At once: the cached answer is forgotten.
}

TEST_CASE("sign-ins beyond their rate are refused with a time to wait") {
  Suite suite([](Config& config) { config.logins_per_minute = 2; });
  const std::string wrong = "{\"user\":\"a\",\"password\":\"wrong\"}";
  CHECK(suite.Call("registry.v1.SessionService/Login", wrong, "").status == 401);
  CHECK(suite.Call("registry.v1.SessionService/Login", wrong, "").status == 401);
  const auto limited = suite.Call("registry.v1.SessionService/Login", wrong, "");
  CHECK(limited.status == 429);
  CHECK(Suite::Has(limited, "RATE_LIMITED"));
  CHECK(limited.headers.count("retry-after") == 1);
  CHECK(suite.Call(kEcho, "\"x\"").status == 200);
}

TEST_CASE("whatever an address asks for counts, and what is beyond its rate is not even unpacked") {
  Suite suite([](Config& config) {
    config.rate_per_address = 1;
    config.trusted_proxies = {"127.0.0.0/8"};
  });
  const auto from = [](const std::string& address) {
    return "Authorization: Bearer good\r\nX-Forwarded-For: " + address + "\r\n";
  };
  const auto page = [&](const std::string& path) {
    TestClient client(suite.server->port());
    REQUIRE(client.Send(http::Get(path, from("203.0.113.1"))));
    return client.Read();
  };
  SECTION("paths that are not there") {
    const auto limited = AskUntilLimited([&](int) { return page("/nothing"); });
    CHECK(limited.headers.count("retry-after") == 1);
    CHECK(page("/healthz").status != 429);  // Whoever balances the load asks.
  }
  SECTION("methods that are not there") {
    AskUntilLimited([&](int) { return suite.Call("probe.v1.ProbeService/None", "{}", from("203.0.113.1")); });
  }
  SECTION("messages that do not unpack") {
    AskUntilLimited(
        [&](int) { return suite.Call(kEcho, "no gzip", from("203.0.113.1") + "Content-Encoding: gzip\r\n"); });
  }
  SECTION("each address of one IPv6 network") {
    AskUntilLimited([&](int i) { return suite.Call(kEcho, "\"x\"", from(absl::StrCat("2001:db8::", i))); });
  }
}

TEST_CASE("a stream beyond the rate is refused in its own form") {
  Suite suite([](Config& config) { config.rate_per_token = 1; });
  for (int i = 0;; ++i) {
    TestClient client(suite.server->port());
    REQUIRE(client.Send(http::Post("/voltwell.probe.v1.ProbeService/Count", "application/connect+proto",
                                   Envelope(0, ""), "Authorization: Bearer good\r\n")));
    const auto answer = client.Read();
    CHECK(answer.status == 200);
    CHECK(answer.headers.at("content-type") == "application/connect+proto");
    if (Suite::Has(answer, "RATE_LIMITED")) break;
    REQUIRE(i < kAsksMax);
  }
}

TEST_CASE("a token that is too long is nobody's, and no limit remembers it") {
  Suite suite([](Config& config) { config.rate_per_token = 1; });
  const std::string token(kTokenBytesMax + 1, 'x');
  for (int i = 0; i < 4; ++i) {
    const auto answer = suite.Call(kEcho, "\"x\"", "Authorization: Bearer " + token + "\r\n");
    CHECK(answer.status == 401);
    CHECK(Suite::Has(answer, "SESSION_ENDED"));
  }
  const auto login = suite.Call("registry.v1.SessionService/Login", "{\"user\":\"a\",\"password\":\"right\"}",
                                "Cookie: voltwell_session=" + token + "\r\n");
  CHECK(login.status == 200);
}

TEST_CASE("a client that ends its side after the request gets its answer") {
  Suite suite;
  TestClient client(suite.server->port());
  REQUIRE(client.Send(http::Post("/voltwell.probe.v1.ProbeService/Hang", "application/json", "\"x\"",
                                 "Authorization: Bearer good\r\nConnect-Timeout-Ms: 300\r\n")));
  client.ShutdownSend();
  const auto answer = client.Read();
  CHECK(answer.status == 504);
  CHECK(Suite::Has(answer, "DEADLINE_PASSED"));
}

TEST_CASE("without the service behind the answer says so and no more") {
  Suite suite;
  CHECK(suite.Call(kEcho, "\"x\"").status == 200);
  suite.grpc_server->Shutdown(std::chrono::system_clock::now());
  const auto answer = suite.Call(kEcho, "\"x\"");
  CHECK(answer.status == 503);
  CHECK(Suite::Has(answer, "SERVICE_DOWN"));
  CHECK_FALSE(Suite::Has(answer, "127.0.0.1"));
  CHECK(testing::Eventually([&] { return suite.door->Health().first == 503; }));
}

TEST_CASE("proxies we trust tell the client's address") {
  Suite suite([](Config& config) { config.trusted_proxies = {"127.0.0.0/8"}; });
  CHECK(suite.Call(kEcho, "\"x\"", "Authorization: Bearer good\r\nX-Forwarded-For: 1.1.1.1, 203.0.113.7\r\n").status ==
        200);
  CHECK(suite.behind.metadata.at("x-client-address") == "203.0.113.7");
}

}  // namespace voltwell::front
