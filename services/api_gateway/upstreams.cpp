#include "services/api_gateway/upstreams.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "voltwell/registry/v1/session_service.grpc.pb.h"

namespace voltwell::front {
namespace {

namespace registry = voltwell::registry::v1;

constexpr absl::Duration kAuthenticateDeadline = absl::Seconds(3);

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

struct AuthenticateCall {
  grpc::ClientContext context;
  registry::AuthenticateRequest request;
  registry::AuthenticateResponse response;
};

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
    upstream->stub = std::make_unique<grpc::GenericStub>(upstream->caller->channel());
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
  return upstream != nullptr && upstream->caller->channel()->GetState(true) == GRPC_CHANNEL_READY;
}

Sessions::Ask AskRegistry(Upstream* upstream, os::Clock& clock) {
  if (upstream == nullptr) {
    return [](const std::vector<std::string>&, const Sessions::Asked& asked) {
      asked(base::Unavailable("SERVICE_DOWN", "no target named registry"));
    };
  }
  const std::shared_ptr<registry::SessionService::Stub> stub =
      registry::SessionService::NewStub(upstream->caller->channel());
  return [stub, upstream, &clock](const std::vector<std::string>& tokens, Sessions::Asked asked) {
    const auto call = std::make_shared<AuthenticateCall>();
    for (const std::string& token : tokens) call->request.add_tokens(token);
    upstream->caller->Prepare(call->context, *registry::AuthenticateRequest::descriptor(),
                              {.deadline = clock.Now() + kAuthenticateDeadline});
    stub->async()->Authenticate(
        &call->context, &call->request, &call->response, [call, asked = std::move(asked)](const grpc::Status& status) {
          if (!status.ok()) return asked(rpc::FromGrpc(status));
          Sessions::Identities identities;
          for (const auto& identity : call->response.identities()) {
            identities.push_back(identity.valid() ? std::optional(ToIdentity(identity)) : std::nullopt);
          }
          asked(std::move(identities));
        });
  };
}

}  // namespace voltwell::front
