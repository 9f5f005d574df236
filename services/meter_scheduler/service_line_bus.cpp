// LineService's bus doctor: health and traces of one bus, from the gateway that holds it; see service_line.h.
#include "libs/base/status.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/scope.h"
#include "services/meter_scheduler/service_line.h"

namespace voltwell::scheduler {
namespace {

namespace v1 = voltwell::scheduler::v1;
namespace gw = voltwell::gateway::v1;
using voltwell::codec::v1::CodecService;
using voltwell::gateway::v1::GatewayService;

int BusOf(int bus) { return bus == 0 ? 1 : bus; }

absl::Status NotHere() { return base::NotFound("SESSION_NOT_HERE", "no gateway holds a session of that bus"); }

template <typename Request>
absl::Status CheckBus(const Request& request) {
  if (request.collector().empty() || request.collector().size() > kCollectorIdMax) {
    return base::InvalidArgument("BAD_NAME", "collector: what it sends when it registers", {{"field", "collector"}});
  }
  return absl::OkStatus();
}

// A relay frame that is cut or has a flipped bit is explained as something else, and its password would stand there as
// an identifier or a value: of what is not understood in full, only where it begins and whom it names is shown.
void MaskUnlessUnderstood(voltwell::codec::v1::ExplainResponse& explained) {
  bool whole = !explained.has_error();
  for (const auto& part : explained.explanations()) whole &= part.understood();
  if (whole) return;
  for (voltwell::codec::v1::Explanation& part : *explained.mutable_explanations()) {
    if (part.kind() == "preamble" || part.kind() == "start" || part.kind() == "address") continue;
    part.set_hex(std::string(2 * static_cast<size_t>(part.length()), '*'));
    part.set_meaning("masked");
  }
  explained.set_summary("not understood in full; masked");
}

}  // namespace

absl::StatusOr<std::shared_ptr<GatewayClient>> LineService::HolderOf(const rpc::Call& call,
                                                                     const std::string& collector, int bus) {
  VW_ASSIGN_OR_RETURN(const std::vector<std::string> addresses, router_.Route({{collector, bus}}));
  if (addresses.empty() || addresses.front().empty()) return NotHere();
  std::shared_ptr<GatewayClient> gateway = clients_.gateways.At(addresses.front());
  gw::GetSessionRequest asked;
  asked.set_collector(collector);
  asked.set_bus(bus);
  const rpc::CallOptions options = {
      .deadline = clock_.Now() + kPodPatience, .parent = &call, .tenant = call.identity.tenant};
  VW_ASSIGN_OR_RETURN(const gw::Session session, gateway->Call(&GatewayService::Stub::GetSession, asked, options));
  if (session.tenant() != call.identity.tenant) return NotHere();
  return gateway;
}

grpc::Status LineService::GetBusHealth(grpc::ServerContext* context, const v1::GetBusHealthRequest* request,
                                       v1::GetBusHealthResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_RETURN_IF_ERROR(CheckWholeTenant(call.identity));  // Frames are readings of all meters of the bus.
    VW_RETURN_IF_ERROR(CheckBus(*request));
    VW_ASSIGN_OR_RETURN(const auto gateway, HolderOf(call, request->collector(), BusOf(request->bus())));
    gw::GetBusHealthRequest asked;
    asked.set_collector(request->collector());
    asked.set_bus(request->bus());
    const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
    VW_ASSIGN_OR_RETURN(*response->mutable_health(),
                        gateway->Call(&GatewayService::Stub::GetBusHealth, asked, options));
    return absl::OkStatus();
  });
}

grpc::Status LineService::StartTrace(grpc::ServerContext* context, const v1::StartTraceRequest* request,
                                     v1::StartTraceResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_RETURN_IF_ERROR(CheckWholeTenant(call.identity));  // Frames are readings of all meters of the bus.
    VW_RETURN_IF_ERROR(CheckBus(*request));
    VW_ASSIGN_OR_RETURN(const auto gateway, HolderOf(call, request->collector(), BusOf(request->bus())));
    gw::StartTraceRequest asked;
    asked.set_collector(request->collector());
    asked.set_bus(request->bus());
    if (request->has_duration()) *asked.mutable_duration() = request->duration();
    const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
    VW_ASSIGN_OR_RETURN(const gw::Trace trace, gateway->Call(&GatewayService::Stub::StartTrace, asked, options));
    *response->mutable_start_time() = trace.start_time();
    *response->mutable_end_time() = trace.end_time();
    return absl::OkStatus();
  });
}

grpc::Status LineService::GetTrace(grpc::ServerContext* context, const v1::GetTraceRequest* request,
                                   v1::GetTraceResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_RETURN_IF_ERROR(CheckWholeTenant(call.identity));  // Frames are readings of all meters of the bus.
    VW_RETURN_IF_ERROR(CheckBus(*request));
    gw::GetTraceRequest asked;
    asked.set_collector(request->collector());
    asked.set_bus(request->bus());
    // The line may be down by now, which is when people look: every gateway is asked, the newest trace counts.
    VW_ASSIGN_OR_RETURN(const auto pods, router_.Pods());
    gw::Trace trace;
    for (const auto& [pod, address] : pods) {
      const rpc::CallOptions options = {
          .deadline = clock_.Now() + kPodPatience, .parent = &call, .tenant = call.identity.tenant};
      auto found = clients_.gateways.At(address)->Call(&GatewayService::Stub::GetTrace, asked, options);
      if (!found.ok() || found->tenant() != call.identity.tenant) continue;
      if (found->start_time().seconds() >= trace.start_time().seconds()) trace = *std::move(found);
    }
    if (trace.tenant().empty()) return base::NotFound("TRACE_NOT_HERE", "no gateway keeps a trace of that bus");
    const bool secrets = call.identity.Allows("line.secrets");
    *response->mutable_start_time() = trace.start_time();
    *response->mutable_end_time() = trace.end_time();
    response->set_dropped(trace.dropped());
    for (gw::TraceFrame& frame : *trace.mutable_frames()) {
      voltwell::codec::v1::ExplainRequest explain;
      explain.set_frame(std::move(*frame.mutable_data()));
      explain.set_show_secrets(secrets);
      const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
      VW_ASSIGN_OR_RETURN(auto explained, clients_.codec.Call(&CodecService::Stub::Explain, explain, options));
      v1::ExplainedFrame& added = *response->add_frames();
      *added.mutable_time() = frame.time();
      added.set_direction(frame.direction());
      added.set_size(frame.size());
      if (!secrets) MaskUnlessUnderstood(explained);
      added.mutable_explanations()->Swap(explained.mutable_explanations());
      added.set_summary(explained.summary());
    }
    return absl::OkStatus();
  });
}

}  // namespace voltwell::scheduler
