// The session cookie of browsers, and who may use it: a page of another site must not act in the name of whoever is
// signed in.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/http/http.h"

namespace voltwell::front {

inline constexpr char kSessionCookie[] = "voltwell_session";

// The token of a request: "Authorization: Bearer" before the cookie. Empty: none.
struct SentToken {
  std::string token = {};
  bool by_cookie = false;
};
SentToken TokenOf(const http::Request& request);

// HttpOnly: no script reads it. SameSite=Strict: no other site's link or form sends it.
std::string SetCookie(const std::string& token, absl::Duration max_age, bool secure);
std::string ClearCookie(bool secure);

// By Sec-Fetch-Site, which browsers set and scripts cannot; else by Origin against Host and the allowed ones. Neither:
// no browser of today, and no page either.
bool FromOurPages(const http::Request& request, const std::vector<std::string>& allowed_origins);

}  // namespace voltwell::front
