#include "services/api_gateway/hooks.h"

#include "services/api_gateway/cookies.h"
#include "voltwell/registry/v1/session_service.pb.h"

namespace voltwell::front {
namespace {

void SignedIn(const std::string& wire, absl::Time now, bool secure, http::Headers& headers) {
  voltwell::registry::v1::LoginResponse response;
  if (!response.ParseFromString(wire) || response.token().empty()) return;
  const absl::Time end = absl::FromUnixSeconds(response.expire_time().seconds());
  headers.fields.emplace_back("set-cookie", SetCookie(response.token(), end - now, secure));
}

void SignedOut(const std::string&, absl::Time, bool secure, http::Headers& headers) {
  headers.fields.emplace_back("set-cookie", ClearCookie(secure));
}

constexpr Hook kLogin = {.strict_rate = true, .own_pages_only = true, .ends_session = false, .succeeded = SignedIn};
constexpr Hook kLogout = {.strict_rate = false, .own_pages_only = true, .ends_session = true, .succeeded = SignedOut};

}  // namespace

const Hook* HookOf(const std::string& path) {
  if (path == "/voltwell.registry.v1.SessionService/Login") return &kLogin;
  if (path == "/voltwell.registry.v1.SessionService/Logout") return &kLogout;
  return nullptr;
}

}  // namespace voltwell::front
