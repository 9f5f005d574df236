#include "services/meter_scheduler/service_line.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/meter_scheduler/names.h"

namespace voltwell::scheduler {
namespace {

namespace v1 = voltwell::scheduler::v1;
using voltwell::codec::v1::CodecService;
using voltwell::gateway::v1::GatewayService;
using voltwell::gateway::v1::Session;

}  // namespace

grpc::Status LineService::ListSessions(grpc::ServerContext* context, const v1::ListSessionsRequest* request,
                                       v1::ListSessionsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    if (request->collector().size() > kCollectorIdMax) {
      return base::InvalidArgument("BAD_NAME", "collector: what it sends when it registers", {{"field", "collector"}});
    }
    VW_ASSIGN_OR_RETURN(const auto pods, router_.Pods());
    std::vector<Session> sessions;
    for (const auto& [pod, address] : pods) {
      const std::shared_ptr<GatewayClient> gateway = clients_.gateways.At(address);
      voltwell::gateway::v1::ListSessionsRequest page_request;
      page_request.set_collector(request->collector());
      const rpc::CallOptions options = {
          .deadline = clock_.Now() + kPodPatience, .parent = &call, .tenant = call.identity.tenant};
      do {
        const auto page = gateway->Call(&GatewayService::Stub::ListSessions, page_request, options);
        if (!page.ok()) {
          response->add_silent_pods(pod);
          break;
        }
        for (const Session& session : page->sessions()) {
          if (session.tenant() == call.identity.tenant) sessions.push_back(session);
        }
        page_request.set_page_token(page->next_page_token());
      } while (!page_request.page_token().empty() && sessions.size() < static_cast<size_t>(kSessionsMax));
    }
    std::sort(sessions.begin(), sessions.end(), [](const Session& a, const Session& b) {
      return std::forward_as_tuple(a.collector(), a.bus()) < std::forward_as_tuple(b.collector(), b.bus());
    });
    if (sessions.size() > static_cast<size_t>(kSessionsMax)) sessions.resize(kSessionsMax);
    for (Session& session : sessions) *response->add_sessions() = std::move(session);
    return absl::OkStatus();
  });
}

grpc::Status LineService::ListRegisters(grpc::ServerContext* context, const v1::ListRegistersRequest* request,
                                        v1::ListRegistersResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    voltwell::codec::v1::ListRegistersRequest asked;
    asked.set_protocol(request->protocol());
    *asked.mutable_registers() = request->registers();
    const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
    VW_ASSIGN_OR_RETURN(auto table, clients_.codec.Call(&CodecService::Stub::ListRegisters, asked, options));
    response->mutable_registers()->Swap(table.mutable_registers());
    return absl::OkStatus();
  });
}

grpc::Status LineService::Explain(grpc::ServerContext* context, const v1::ExplainRequest* request,
                                  v1::ExplainResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    if (request->frame().size() > kExplainMax) {
      return base::InvalidArgument("FRAME_TOO_LONG", "frame: at most 4096 bytes",
                                   {{"limit", absl::StrCat(kExplainMax)}});
    }
    voltwell::codec::v1::ExplainRequest asked;
    asked.set_frame(request->frame());
    asked.set_protocol(request->protocol());
    asked.set_language(request->language());
    asked.set_show_secrets(call.identity.Allows("line.secrets"));
    const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
    VW_ASSIGN_OR_RETURN(auto explained, clients_.codec.Call(&CodecService::Stub::Explain, asked, options));
    response->mutable_explanations()->Swap(explained.mutable_explanations());
    response->set_summary(explained.summary());
    response->set_protocol(explained.protocol());
    if (explained.has_error()) response->mutable_error()->Swap(explained.mutable_error());
    return absl::OkStatus();
  });
}

}  // namespace voltwell::scheduler
