#include "services/api_gateway/cookies.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace voltwell::front {
namespace {

std::string Cookie(const std::string& value, int64_t max_age_seconds, bool secure) {
  return absl::StrCat(kSessionCookie, "=", value, "; Path=/; HttpOnly; SameSite=Strict; Max-Age=", max_age_seconds,
                      secure ? "; Secure" : "");
}

// A token is put into a header as it is: nothing but what may stand in a cookie's value.
bool CleanToken(absl::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == '~' ||
           c == '+' || c == '/' || c == '=';
  });
}

}  // namespace

SentToken TokenOf(const http::Request& request) {
  const std::string authorization = request.Header("authorization");
  if (absl::StartsWithIgnoreCase(authorization, "bearer ")) {
    return {std::string(absl::StripAsciiWhitespace(absl::string_view(authorization).substr(7))), false};
  }
  const auto [first, last] = request.headers.equal_range("cookie");
  for (auto it = first; it != last; ++it) {
    for (const absl::string_view part : absl::StrSplit(it->second, ';')) {
      const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(part, absl::MaxSplits('=', 1));
      if (absl::StripAsciiWhitespace(halves.first) != kSessionCookie) continue;
      const absl::string_view token = absl::StripAsciiWhitespace(halves.second);
      if (!token.empty()) return {std::string(token), true};
    }
  }
  return {};
}

std::string SetCookie(const std::string& token, absl::Duration max_age, bool secure) {
  if (!CleanToken(token)) return ClearCookie(secure);
  return Cookie(token, std::max<int64_t>(0, absl::ToInt64Seconds(max_age)), secure);
}

std::string ClearCookie(bool secure) { return Cookie("", 0, secure); }

bool FromOurPages(const http::Request& request, const std::vector<std::string>& allowed_origins) {
  const std::string origin = request.Header("origin");
  const auto allowed = [&] {
    return std::find(allowed_origins.begin(), allowed_origins.end(), origin) != allowed_origins.end();
  };
  const std::string site = request.Header("sec-fetch-site");
  if (!site.empty()) return site == "same-origin" || site == "none" || (!origin.empty() && allowed());
  if (origin.empty()) return true;
  const size_t scheme = origin.find("://");
  return allowed() || (scheme != std::string::npos && origin.substr(scheme + 3) == request.Header("host"));
}

}  // namespace voltwell::front
