// The process' other HTTP port: /metrics for Prometheus, /healthz for whoever watches the process. And what main wires
// by.
#pragma once

#include <string>

#include "libs/http/http.h"
#include "services/api_gateway/front_door.h"

namespace voltwell::front {

inline constexpr int kHttpThreads = 2;  // Nothing blocks on them.

class MetricsPort {
 public:
  MetricsPort(const Config& config, const FrontDoor& door, metrics::Registry& metrics);
  absl::Status Start() { return server_.Start(); }
  int port() const { return server_.port(); }

 private:
  http::Server server_;
};

http::Limits ServerLimits(const Config& config);
http::Handler HandlerOf(FrontDoor& door);

// As configured; else gen/ or share/voltwell/ beside the program's directory.
std::string DescriptorsPath(const std::string& configured);

}  // namespace voltwell::front
