// As whom a call sees the registry: its tenant, and the sites below which it may act.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/rpc/door.h"

namespace voltwell::registry {

// The value of voltwell.tenant that sees all tenants (sql/V001__registry.sql). No tenant is called so.
inline constexpr char kAllTenants[] = "*";

struct Viewer {
  std::string tenant = {};  // kAllTenants for a service that asks for no single one.
  std::vector<std::string> site_scope = {};
};

// FailedPrecondition TENANT_REQUIRED when a person's token names no tenant.
absl::StatusOr<Viewer> ViewerOf(const rpc::Call& call);

}  // namespace voltwell::registry
