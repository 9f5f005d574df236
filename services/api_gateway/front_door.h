// The front door: every request comes in here and leaves as a file, a refusal, or a call of the service behind.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/http/static_files.h"
#include "services/api_gateway/client_address.h"
#include "services/api_gateway/config.h"
#include "services/api_gateway/live.h"
#include "services/api_gateway/rate_limit.h"
#include "services/api_gateway/sessions.h"
#include "services/api_gateway/streams.h"
#include "services/api_gateway/upstreams.h"
#include "services/api_gateway/visit.h"

namespace voltwell::front {

class FrontDoor {
 public:
  struct Parts {
    const Config& config;
    const Routes& routes;
    Networks trusted_proxies;
    Upstreams& upstreams;
    Sessions& sessions;
    Live& live;
    rpc::TokenIssuer& issuer;
    os::Clock& clock;
    metrics::Registry& metrics;
  };
  explicit FrontDoor(Parts parts);

  // http::Handler. Never blocks.
  void Handle(http::Request request, std::shared_ptr<http::Responder> responder);
  // Every quarter of a second.
  void Tick();
  // No new streams; open ones end with FRONT_DRAINING; /healthz says 503.
  void Drain();
  // After the HTTP server has stopped: waits until no call behind can come back to us any more.
  bool AwaitIdle(absl::Duration limit) { return visitors_.AwaitNone(limit); }
  // 200 or 503, and what is missing, for whoever balances the load.
  std::pair<int, std::string> Health() const;
  size_t streams() const { return streams_.size(); }

 private:
  using VisitPtr = std::shared_ptr<Visit>;
  void HandlePage(const VisitPtr& visit);
  void HandleCall(const VisitPtr& visit);
  void LetIn(const VisitPtr& visit, bool nobodys_token);
  std::string AddressOf(const http::Request& request) const;
  absl::Status CheckRate(Visit& visit);
  void Authenticated(const VisitPtr& visit, const absl::StatusOr<rpc::Identity>& identity);
  void Call(const VisitPtr& visit);
  void OpenStream(const VisitPtr& visit, Upstream* upstream, const std::string& wire);

  const Parts parts_;
  Visitors visitors_;
  const House house_;
  const http::StaticFiles files_;
  RateLimiter by_address_;
  RateLimiter by_token_;
  RateLimiter logins_;
  prometheus::Counter& limited_;
  Streams streams_;
  std::atomic<bool> draining_{false};
};

}  // namespace voltwell::front
