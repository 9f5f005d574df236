// Who is calling, how often, and from whose page.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "libs/testing/status.h"
#include "services/api_gateway/client_address.h"
#include "services/api_gateway/cookies.h"
#include "services/api_gateway/rate_limit.h"

namespace voltwell::front {

TEST_CASE("the client is the rightmost address that is no proxy of ours") {
  const auto trusted = Networks::Parse({"10.0.0.0/8", "fd00::/8", "127.0.0.1"});
  REQUIRE_OK(trusted);
  CHECK(ClientAddress("10.1.2.3", "1.1.1.1, 203.0.113.7, 10.9.9.9", *trusted) == "203.0.113.7");
  CHECK(ClientAddress("203.0.113.9", "1.1.1.1", *trusted) ==
        "203.0.113.9");  // Whoever dials us may write what he likes.
  CHECK(ClientAddress("127.0.0.1", "", *trusted) == "127.0.0.1");
  CHECK(ClientAddress("fd00::1", "[2001:db8::1]:443", *trusted) == "2001:db8::1");
  CHECK(ClientAddress("10.1.2.3", "203.0.113.7:5678", *trusted) == "203.0.113.7");
  CHECK(ClientAddress("10.1.2.3", "1.1.1.1, unknown", *trusted) == "10.1.2.3");
  CHECK(ClientAddress("10.1.2.3", "10.0.0.1,10.0.0.2", *trusted) == "10.0.0.1");
}

TEST_CASE("a network is an address and the bits that count") {
  CHECK(Networks::Parse({"192.168.4.0/22"})->Contain("192.168.7.255"));
  CHECK_FALSE(Networks::Parse({"192.168.4.0/22"})->Contain("192.168.8.0"));
  CHECK(Networks::Parse({"0.0.0.0/0"})->Contain("8.8.8.8"));
  CHECK_FALSE(Networks::Parse({"0.0.0.0/0"})->Contain("2001:db8::1"));
  for (const char* bad : {"10.0.0.0/33", "10.0.0/8", "::/129", "x", "", "1.2.3.4/-1"}) {
    INFO(bad);
    CHECK_REASON(Networks::Parse({bad}), "BAD_NETWORK");
  }
}

TEST_CASE("IPv4 is counted by address, IPv6 by its /64") {
  CHECK(AddressKey("203.0.113.7") == "203.0.113.7");
  CHECK(AddressKey("::ffff:203.0.113.7") == "203.0.113.7");
  CHECK(AddressKey("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(AddressKey("2001:db8:1:2::9") == AddressKey("2001:db8:1:2:3:4:5:6"));
  CHECK(AddressKey("2001:db8:1:3::9") != AddressKey("2001:db8:1:2::9"));
  CHECK(AddressKey("fe80::1%eth0") == "fe80::/64");
  CHECK(AddressKey("what") == "what");
}

TEST_CASE("a rate allows its burst, then its pace") {
  RateLimiter limiter({.per_second = 2, .burst = 3});
  const absl::Duration start = absl::Hours(1);
  for (int i = 0; i < 3; ++i) CHECK(limiter.Take("a", start) == absl::ZeroDuration());
  CHECK(limiter.Take("a", start) == absl::Milliseconds(500));
  CHECK(limiter.Take("b", start) == absl::ZeroDuration());
  CHECK(limiter.Take("a", start + absl::Milliseconds(500)) == absl::ZeroDuration());
  CHECK(limiter.Take("a", start + absl::Milliseconds(500)) > absl::ZeroDuration());
}

TEST_CASE("beyond the keys that a limiter remembers newcomers share one bucket, until others are full again") {
  RateLimiter limiter({.per_second = 1, .burst = 2});
  const absl::Duration start = absl::Hours(1);
  for (size_t i = 0; i < kRateKeysMax; ++i) REQUIRE(limiter.Take(absl::StrCat(i), start) == absl::ZeroDuration());
  CHECK(limiter.Take("x", start) == absl::ZeroDuration());
  CHECK(limiter.Take("y", start) == absl::ZeroDuration());
  CHECK(limiter.Take("z", start) > absl::ZeroDuration());
  CHECK(limiter.size() == kRateKeysMax);
  CHECK(limiter.Take("z", start + absl::Seconds(2)) == absl::ZeroDuration());
  CHECK(limiter.size() == 1);
}

TEST_CASE("a bearer token comes before a cookie") {
  http::Request request;
  CHECK(TokenOf(request).token.empty());
  request.headers.emplace("cookie", "a=b; voltwell_session=xyz; c=d");
  CHECK(TokenOf(request).token == "xyz");
  CHECK(TokenOf(request).by_cookie);
  request.headers.emplace("authorization", "bearer  abc");
  CHECK(TokenOf(request).token == "abc");
  CHECK_FALSE(TokenOf(request).by_cookie);
}

TEST_CASE("a cookie is out of reach of scripts and of other sites") {
  CHECK(SetCookie("t0k-en_", absl::Hours(8), false) ==
        "voltwell_session=t0k-en_; Path=/; HttpOnly; SameSite=Strict; Max-Age=28800");
  CHECK(SetCookie("t", absl::Hours(1), true) ==
        "voltwell_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600; Secure");
  CHECK(SetCookie("a; Domain=evil", absl::Hours(1), false) == ClearCookie(false));
}

TEST_CASE("only our own pages may use the cookie") {
  const auto from = [](std::multimap<std::string, std::string> headers) {
    http::Request request;
    request.headers = std::move(headers);
    request.headers.emplace("host", "meters.example:8080");
    return FromOurPages(request, {"https://console.example"});
  };
  CHECK(from({}));  // curl.
  CHECK(from({{"sec-fetch-site", "same-origin"}, {"origin", "http://meters.example:8080"}}));
  CHECK(from({{"sec-fetch-site", "none"}}));
  CHECK(from({{"origin", "http://meters.example:8080"}}));
  CHECK(from({{"origin", "https://console.example"}, {"sec-fetch-site", "cross-site"}}));
  CHECK_FALSE(from({{"sec-fetch-site", "cross-site"}}));
  CHECK_FALSE(from({{"sec-fetch-site", "same-site"}, {"origin", "http://x.meters.example:8080"}}));
  CHECK_FALSE(from({{"origin", "http://evil.example"}}));
  CHECK_FALSE(from({{"origin", "null"}}));
}

}  // namespace voltwell::front
