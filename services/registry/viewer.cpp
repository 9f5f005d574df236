#include "services/registry/viewer.h"

#include "libs/base/status.h"

namespace voltwell::registry {

absl::StatusOr<Viewer> ViewerOf(const rpc::Call& call) {
  const rpc::Identity& identity = call.identity;
  // Which services may ask at all is the door's matter: the method's callers.
  const bool service = identity.issuer != "api_gateway" && identity.issuer != "tools";
  if (identity.tenant == kAllTenants || (identity.tenant.empty() && !service)) {
    return base::FailedPrecondition("TENANT_REQUIRED", "the caller's token names no tenant");
  }
  return Viewer{.tenant = identity.tenant.empty() ? kAllTenants : identity.tenant, .site_scope = identity.site_scope};
}

}  // namespace voltwell::registry
