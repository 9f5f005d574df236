// A failed call in Connect's form:
// {"code":"not_found","message":"...","details":[{"type":...,"value":...,"debug":{...}}]}.
#pragma once

#include <string>

#include "grpcpp/support/status.h"
#include "services/api_gateway/routes.h"

namespace voltwell::front {

std::string ErrorJson(const grpc::Status& status, const Routes& routes);

// The payload of a stream's last envelope: {} or {"error":{...}}.
std::string EndOfStreamJson(const grpc::Status& status, const Routes& routes);

}  // namespace voltwell::front
