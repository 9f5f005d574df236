#include "libs/rpc/access.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::rpc {
namespace {

using voltwell::rpc::v1::Audience;

Audience KindOf(const Identity& identity) {
  Audience kind = voltwell::rpc::v1::AUDIENCE_UNSPECIFIED;
  Audience_Parse(absl::StrCat("AUDIENCE_", identity.caller_kind), &kind);
  return kind;
}

bool Holds(const voltwell::rpc::v1::MethodRules& rules, Audience kind) {
  if (kind == voltwell::rpc::v1::AUDIENCE_UNSPECIFIED) return false;
  if (rules.audience_size() == 0) return kind == voltwell::rpc::v1::AUDIENCE_INTERNAL;
  return std::find(rules.audience().begin(), rules.audience().end(), kind) != rules.audience().end();
}

bool AudienceHolds(const voltwell::rpc::v1::MethodRules& rules, const Identity& identity) {
  if (Holds(rules, voltwell::rpc::v1::AUDIENCE_PUBLIC)) return true;  // Open to all that come this way.
  if (identity.issuer == "tools") {
    return Holds(rules, KindOf(identity)) || Holds(rules, voltwell::rpc::v1::AUDIENCE_OPERATOR) ||
           Holds(rules, voltwell::rpc::v1::AUDIENCE_INTERNAL);
  }
  // The front door speaks for people; a person is never INTERNAL, whatever the token says.
  const Audience kind = KindOf(identity);
  return kind != voltwell::rpc::v1::AUDIENCE_INTERNAL && Holds(rules, kind);
}

}  // namespace

absl::Status CheckAccess(const voltwell::rpc::v1::MethodRules& rules, const Identity& identity) {
  if (std::find(rules.callers().begin(), rules.callers().end(), identity.issuer) != rules.callers().end()) {
    return absl::OkStatus();
  }
  const bool front = identity.issuer == "api_gateway" || identity.issuer == "tools";
  if (!front || !AudienceHolds(rules, identity)) {
    return base::PermissionDenied("CALLER_NOT_ALLOWED", "this kind of caller may not call this method",
                                  {{"issuer", identity.issuer}, {"caller_kind", identity.caller_kind}});
  }
  if (!rules.permission().empty() && !identity.Allows(rules.permission())) {
    return base::PermissionDenied("NOT_PERMITTED", "the caller lacks a permission",
                                  {{"permission", rules.permission()}});
  }
  return absl::OkStatus();
}

}  // namespace voltwell::rpc
