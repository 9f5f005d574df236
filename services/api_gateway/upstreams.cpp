#include "services/api_gateway/upstreams.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "grpc/support/time.h"
#include "libs/base/status.h"
#include "libs/rpc/bytes_call.h"
#include "libs/rpc/door.h"
#include "voltwell/registry/v1/session_service.pb.h"

namespace voltwell::front {
namespace {

namespace registry = voltwell::registry::v1;

constexpr absl::Duration kAuthenticateDeadline = absl::Seconds(3);
// A health check may take so long.
constexpr int kConnectGlanceMs = 20;

// A package whose service bears a longer name.
std::string ServiceOf(const std::string& package) {
  if (package == "scheduler") return "meter_scheduler";
  if (package == "gateway") return "collector_gateway";
  if (package == "codec") return "protocol_codec";
  return package;
}

rpc::Identity ToIdentity(const registry::Identity& identity) {
  return {.tenant = identity.tenant(),
          .subject = identity.subject(),
          .permissions = {identity.permissions().begin(), identity.permissions().end()},
          .site_scope = {identity.site_scope().begin(), identity.site_scope().end()},
          .caller_kind = identity.caller_kind(),
          .session = identity.session()};
}

Sessions::Identities ToIdentities(const registry::AuthenticateResponse& response) {
  Sessions::Identities identities;
  for (const auto& identity : response.identities()) {
    identities.push_back(identity.valid() ? std::optional(ToIdentity(identity)) : std::nullopt);
  }
  return identities;
}

}  // namespace

absl::StatusOr<Upstreams> Upstreams::Connect(const std::vector<std::string>& targets, rpc::TokenIssuer& issuer,
                                             os::Clock& clock, metrics::Registry& metrics) {
  Upstreams upstreams;
  for (const std::string& target : targets) {
    const std::vector<std::string> halves = absl::StrSplit(target, absl::MaxSplits('=', 1));
    if (halves.size() != 2 || halves[0].empty() || halves[1].empty()) {
      return base::InvalidArgument("BAD_TARGET", absl::StrCat("target must be package=host:port: ", target),
                                   {{"target", target}});
    }
    const bool many = halves[1].find('|') != std::string::npos;  // Only addresses can be listed, not names.
    const std::string address = many ? "ipv4:" + absl::StrReplaceAll(halves[1], {{"|", ","}}) : halves[1];
    auto upstream = std::make_unique<Upstream>();
    upstream->service = ServiceOf(halves[0]);
    upstream->caller = std::make_unique<rpc::Caller>(rpc::Target{address, upstream->service}, issuer, clock, metrics);
    upstream->issuer = &issuer;
    upstreams.by_package_[halves[0]] = std::move(upstream);
  }
  return upstreams;
}

Upstream* Upstreams::Find(const std::string& package) const {
  const auto found = by_package_.find(package);
  return found == by_package_.end() ? nullptr : found->second.get();
}

bool Upstreams::Reachable(const std::string& package) const {
  const Upstream* upstream = Find(package);
  if (upstream == nullptr) return false;
  if (upstream->channel()->GetState(true) == GRPC_CHANNEL_READY) return true;
  // A channel without calls is polled by gRPC's back-up poller alone, every 5 s; waiting on it polls it now.
  return upstream->channel()->WaitForConnected(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(kConnectGlanceMs, GPR_TIMESPAN)));
}

std::vector<std::pair<std::string, std::string>> Upstream::OwnMetadata() const {
  const rpc::Identity ours{.subject = issuer->issuer(), .caller_kind = "INTERNAL"};
  return {{"authorization", absl::StrCat("Bearer ", issuer->Token(service, ours))}};
}

Sessions::Ask AskRegistry(const Upstream* upstream) {
  return [upstream](const std::vector<std::string>& tokens, const Sessions::Asked& asked) {
    if (upstream == nullptr) return asked(base::Unavailable("SERVICE_DOWN", "no target named registry"));
    registry::AuthenticateRequest request;
    for (const std::string& token : tokens) request.add_tokens(token);
    const auto call = rpc::NewUnaryCall(upstream->channel(),
                                        {.path = "/voltwell.registry.v1.SessionService/Authenticate",
                                         .metadata = upstream->OwnMetadata(),
                                         .timeout = kAuthenticateDeadline,
                                         .message = request.SerializeAsString()},
                                        [asked](const grpc::Status& status, const std::string& answer) {
                                          registry::AuthenticateResponse response;
                                          if (!status.ok()) return asked(rpc::FromGrpc(status));
                                          if (!response.ParseFromString(answer)) {
                                            return asked(base::Internal("BAD_ANSWER", "no AuthenticateResponse"));
                                          }
                                          asked(ToIdentities(response));
                                        });
    call->Start();
  };
}

}  // namespace voltwell::front
