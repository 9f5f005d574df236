// May this identity call this method? Pure: the method's rules against the token's claims.
#pragma once

#include "absl/status/status.h"
#include "libs/rpc/identity.h"
#include "voltwell/rpc/v1/options.pb.h"

namespace voltwell::rpc {

// Two roads lead in:
// - through the front door (issuer api_gateway) or by hand in a development installation (issuer tools): the method's
// audience
//   must hold the kind of caller, and the caller the permission;
// - from a service whose name stands in the method's callers. Its permissions are not looked at: it signs them itself.
// PERMISSION_DENIED with CALLER_NOT_ALLOWED or NOT_PERMITTED (metadata permission).
absl::Status CheckAccess(const voltwell::rpc::v1::MethodRules& rules, const Identity& identity);

}  // namespace voltwell::rpc
