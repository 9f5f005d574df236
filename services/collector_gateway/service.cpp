// The gateway's methods; see service.h.
#include "services/collector_gateway/service.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/collector_gateway/convert.h"
#include "services/collector_gateway/exchange_stream.h"
#include "services/collector_gateway/later_answer.h"

namespace voltwell::gateway {
namespace {

// A stream that was refused before it began.
class RefusedStream final : public grpc::ServerWriteReactor<v1::ExchangeResponse> {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

// Pages go on after (collector, bus); the token is both, joined by the last slash.
std::string PageToken(const BusEntry& entry) { return absl::StrCat(entry.collector, "/", entry.bus); }

absl::StatusOr<std::pair<std::string, int>> ParsePageToken(const std::string& token) {
  if (token.empty()) return std::pair<std::string, int>();
  const size_t slash = token.rfind('/');
  int bus = 0;
  if (slash == std::string::npos || !absl::SimpleAtoi(token.substr(slash + 1), &bus)) {
    return base::InvalidArgument("BAD_PAGE_TOKEN", "page_token is not one that ListSessions gave");
  }
  return std::pair<std::string, int>(token.substr(0, slash), bus);
}

bool Before(const BusEntry& a, const BusEntry& b) {
  return std::tie(a.collector, a.bus) < std::tie(b.collector, b.bus);
}

}  // namespace

GatewayService::GatewayService(std::string pod, Gateway& gateway, rpc::Door& door, os::Clock& clock,
                               GatewayMetrics& metrics)
    : pod_(std::move(pod)), gateway_(gateway), hub_(gateway.hub()), door_(door), clock_(clock), metrics_(metrics) {}

absl::Status GatewayService::Admissible(const v1::ExchangeRequest& request) const {
  if (draining_) return base::Unavailable("GATEWAY_DRAINING", "this gateway is going; its collectors dial another");
  if (metrics_.streams.Value() >= kExchangeStreamsMax) {
    return base::ResourceExhausted("TOO_MANY_STREAMS", "too many Exchange calls at the same time",
                                   {{"limit", absl::StrCat(kExchangeStreamsMax)}});
  }
  return Check(request);
}

grpc::ServerWriteReactor<v1::ExchangeResponse>* GatewayService::Exchange(grpc::CallbackServerContext* context,
                                                                         const v1::ExchangeRequest* request) {
  absl::StatusOr<rpc::Call> call = door_.Admit(*context, *v1::ExchangeRequest::descriptor());
  if (!call.ok()) return new RefusedStream(rpc::ToGrpc(call.status(), door_.service()));
  if (const absl::Status status = Admissible(*request); !status.ok()) {
    door_.Finished(*call, status, absl::ZeroDuration());
    return new RefusedStream(rpc::ToGrpc(status, door_.service()));
  }
  const auto stream = std::make_shared<ExchangeStream>(hub_, door_, clock_, metrics_, *std::move(call));
  stream->Begin(*request);
  return stream.get();
}

grpc::ServerUnaryReactor* GatewayService::ListSessions(grpc::CallbackServerContext* context,
                                                       const v1::ListSessionsRequest* request,
                                                       v1::ListSessionsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<rpc::Call> call = door_.Admit(*context, *v1::ListSessionsRequest::descriptor());
  if (!call.ok()) {
    reactor->Finish(rpc::ToGrpc(call.status(), door_.service()));
    return reactor;
  }
  const auto later = std::make_shared<LaterAnswer>(door_, clock_, *std::move(call), reactor);
  const auto after = ParsePageToken(request->page_token());
  if (!after.ok() || request->page_size() < 0) {
    later->Finish(after.ok() ? base::InvalidArgument("BAD_PAGE_SIZE", "page_size must not be negative")
                             : after.status());
    return reactor;
  }
  std::vector<Route> routes = hub_.routes().All();
  routes.erase(std::remove_if(routes.begin(), routes.end(),
                              [&](const Route& route) {
                                const BusEntry& entry = *route.entry;
                                if (!request->collector().empty() && entry.collector != request->collector())
                                  return true;
                                return std::tie(entry.collector, entry.bus) <= std::tie(after->first, after->second);
                              }),
               routes.end());
  std::sort(routes.begin(), routes.end(), [](const Route& a, const Route& b) { return Before(*a.entry, *b.entry); });
  const int wanted = request->page_size() == 0 ? kSessionsPageMax : std::min(request->page_size(), kSessionsPageMax);
  if (routes.size() > static_cast<size_t>(wanted)) {
    routes.resize(static_cast<size_t>(wanted));
    response->set_next_page_token(PageToken(*routes.back().entry));
  }
  hub_.Describe(std::move(routes), [this, response, later](const std::vector<SessionFacts>& sessions) {
    for (const SessionFacts& facts : sessions) ToProto(facts, pod_, *response->add_sessions());
    later->Finish(absl::OkStatus());
  });
  return reactor;
}

grpc::ServerUnaryReactor* GatewayService::GetSession(grpc::CallbackServerContext* context,
                                                     const v1::GetSessionRequest* request, v1::Session* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<rpc::Call> call = door_.Admit(*context, *v1::GetSessionRequest::descriptor());
  if (!call.ok()) {
    reactor->Finish(rpc::ToGrpc(call.status(), door_.service()));
    return reactor;
  }
  const auto later = std::make_shared<LaterAnswer>(door_, clock_, *std::move(call), reactor);
  const std::optional<Route> route =
      hub_.routes().Find({request->collector(), request->bus() == 0 ? 1 : request->bus()});
  std::vector<Route> routes;
  if (route.has_value()) routes.push_back(*route);
  hub_.Describe(std::move(routes), [this, response, later](const std::vector<SessionFacts>& sessions) {
    if (sessions.empty()) {
      later->Finish(base::NotFound("SESSION_NOT_HERE", "this gateway holds no session of that bus"));
      return;
    }
    ToProto(sessions.front(), pod_, *response);
    later->Finish(absl::OkStatus());
  });
  return reactor;
}

grpc::ServerUnaryReactor* GatewayService::CloseSession(grpc::CallbackServerContext* context,
                                                       const v1::CloseSessionRequest* request,
                                                       v1::CloseSessionResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    if (request->collector().empty()) return base::InvalidArgument("COLLECTOR_MISSING", "collector is required");
    response->set_closed(hub_.CloseCollector(request->collector(), "closed by operator"));
    return absl::OkStatus();
  });
}

void GatewayService::Drain() {
  draining_ = true;
  gateway_.Drain();
  gateway_.feed().Close();
}

}  // namespace voltwell::gateway
