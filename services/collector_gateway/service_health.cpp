// Methods that show the line to people: bus health, traces, and who comes and goes; see service.h.
#include <memory>
#include <utility>

#include "libs/base/status.h"
#include "services/collector_gateway/convert.h"
#include "services/collector_gateway/later_answer.h"
#include "services/collector_gateway/service.h"
#include "services/collector_gateway/watch_stream.h"

namespace voltwell::gateway {
namespace {

class RefusedWatch final : public grpc::ServerWriteReactor<v1::WatchSessionsResponse> {
 public:
  explicit RefusedWatch(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

int BusOf(int bus) { return bus == 0 ? 1 : bus; }

absl::Status NotHere() { return base::NotFound("SESSION_NOT_HERE", "this gateway holds no session of that bus"); }

absl::StatusOr<absl::Duration> DurationOf(const v1::StartTraceRequest& request) {
  if (!request.has_duration()) return kTraceDefault;
  const absl::Duration wanted =
      absl::Seconds(request.duration().seconds()) + absl::Nanoseconds(request.duration().nanos());
  if (wanted > absl::ZeroDuration() && wanted <= kTraceMax) return wanted;
  return base::InvalidArgument("BAD_DURATION", "duration: more than nothing, at most an hour", {{"field", "duration"}});
}

}  // namespace

grpc::ServerWriteReactor<v1::WatchSessionsResponse>* GatewayService::WatchSessions(
    grpc::CallbackServerContext* context, const v1::WatchSessionsRequest* request) {
  absl::StatusOr<rpc::Call> call = door_.Admit(*context, *v1::WatchSessionsRequest::descriptor());
  if (!call.ok()) return new RefusedWatch(rpc::ToGrpc(call.status(), door_.service()));
  if (draining_) {
    const absl::Status status = base::Unavailable("GATEWAY_DRAINING", "this gateway is going");
    door_.Finished(*call, status, absl::ZeroDuration());
    return new RefusedWatch(rpc::ToGrpc(status, door_.service()));
  }
  const auto stream =
      std::make_shared<WatchStream>(gateway_.feed(), door_, clock_, *std::move(call), request->collector());
  stream->Begin();
  return stream.get();
}

grpc::ServerUnaryReactor* GatewayService::GetBusHealth(grpc::CallbackServerContext* context,
                                                       const v1::GetBusHealthRequest* request,
                                                       v1::BusHealth* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<rpc::Call> call = door_.Admit(*context, *v1::GetBusHealthRequest::descriptor());
  if (!call.ok()) {
    reactor->Finish(rpc::ToGrpc(call.status(), door_.service()));
    return reactor;
  }
  const auto later = std::make_shared<LaterAnswer>(door_, clock_, *std::move(call), reactor);
  std::optional<Route> route = hub_.routes().Find({request->collector(), BusOf(request->bus())});
  if (!route.has_value()) {
    later->Finish(NotHere());
    return reactor;
  }
  hub_.Examine(*std::move(route), [response, later](std::unique_ptr<BusReport> report) {
    if (report == nullptr) {
      later->Finish(NotHere());
      return;
    }
    ToProto(*report, *response);
    later->Finish(absl::OkStatus());
  });
  return reactor;
}

grpc::ServerUnaryReactor* GatewayService::StartTrace(grpc::CallbackServerContext* context,
                                                     const v1::StartTraceRequest* request, v1::Trace* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const absl::Duration duration, DurationOf(*request));
    const int bus = BusOf(request->bus());
    const std::optional<Route> route = hub_.routes().Find({request->collector(), bus});
    if (!route.has_value()) return NotHere();
    const Instant now = clock_.Monotonic();
    VW_RETURN_IF_ERROR(hub_.traces().Start(request->collector(), bus, route->entry->tenant, duration,
                                           absl::ToUnixMillis(clock_.Now()), now));
    const std::optional<Trace> trace = hub_.traces().Find(request->collector(), bus, now);
    if (trace.has_value()) ToProto(*trace, request->collector(), bus, *response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GatewayService::GetTrace(grpc::CallbackServerContext* context,
                                                   const v1::GetTraceRequest* request, v1::Trace* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    const int bus = BusOf(request->bus());
    const std::optional<Trace> trace = hub_.traces().Find(request->collector(), bus, clock_.Monotonic());
    if (!trace.has_value()) return base::NotFound("TRACE_NOT_HERE", "this gateway keeps no trace of that bus");
    ToProto(*trace, request->collector(), bus, *response);
    return absl::OkStatus();
  });
}

}  // namespace voltwell::gateway
