// The services behind the front door: one channel each, and what the front door asks in its own name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/rpc/client.h"
#include "services/api_gateway/sessions.h"

namespace voltwell::front {

struct Upstream {
  std::string service = {};  // Audience of tokens, e.g. "meter_scheduler".
  std::unique_ptr<rpc::Caller> caller = {};
  rpc::TokenIssuer* issuer = nullptr;

  std::shared_ptr<grpc::Channel> channel() const { return caller->channel(); }
  // For calls of our own, not in anybody's name.
  std::vector<std::pair<std::string, std::string>> OwnMetadata() const;
};

class Upstreams {
 public:
  // "registry=127.0.0.1:9001", "scheduler=127.0.0.1:9002|127.0.0.1:9012". BAD_TARGET (INVALID_ARGUMENT).
  static absl::StatusOr<Upstreams> Connect(const std::vector<std::string>& targets, rpc::TokenIssuer& issuer,
                                           os::Clock& clock, metrics::Registry& metrics);
  // By package ("scheduler"); nullptr: not configured.
  Upstream* Find(const std::string& package) const;
  // A connection stands (and is tried for).
  bool Reachable(const std::string& package) const;

 private:
  std::map<std::string, std::unique_ptr<Upstream>> by_package_;
};

// Registry's Authenticate as Sessions asks it. Without registry: SERVICE_DOWN.
Sessions::Ask AskRegistry(const Upstream* registry);

}  // namespace voltwell::front
