// voltwell.gateway.v1.GatewayService by the callback API: nothing here blocks.
#pragma once

#include <atomic>
#include <string>

#include "libs/os/clock.h"
#include "libs/rpc/door.h"
#include "libs/rpc/server.h"
#include "services/collector_gateway/core/gateway.h"
#include "voltwell/gateway/v1/gateway_service.grpc.pb.h"

namespace voltwell::gateway {

// Exchange calls at the same time; more: TOO_MANY_STREAMS. A scheduler has two or three.
inline constexpr int kExchangeStreamsMax = 256;
inline constexpr int kSessionsPageMax = 1000;

class GatewayService final : public v1::GatewayService::CallbackService, public rpc::Drains {
 public:
  GatewayService(std::string pod, Gateway& gateway, rpc::Door& door, os::Clock& clock, GatewayMetrics& metrics);

  grpc::ServerWriteReactor<v1::ExchangeResponse>* Exchange(grpc::CallbackServerContext* context,
                                                           const v1::ExchangeRequest* request) override;
  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* context, const v1::ListSessionsRequest* request,
                                         v1::ListSessionsResponse* response) override;
  grpc::ServerUnaryReactor* GetSession(grpc::CallbackServerContext* context, const v1::GetSessionRequest* request,
                                       v1::Session* response) override;
  grpc::ServerUnaryReactor* CloseSession(grpc::CallbackServerContext* context, const v1::CloseSessionRequest* request,
                                         v1::CloseSessionResponse* response) override;

  // service_health.cpp
  grpc::ServerWriteReactor<v1::WatchSessionsResponse>* WatchSessions(grpc::CallbackServerContext* context,
                                                                     const v1::WatchSessionsRequest* request) override;
  grpc::ServerUnaryReactor* GetBusHealth(grpc::CallbackServerContext* context, const v1::GetBusHealthRequest* request,
                                         v1::BusHealth* response) override;
  grpc::ServerUnaryReactor* StartTrace(grpc::CallbackServerContext* context, const v1::StartTraceRequest* request,
                                       v1::Trace* response) override;
  grpc::ServerUnaryReactor* GetTrace(grpc::CallbackServerContext* context, const v1::GetTraceRequest* request,
                                     v1::Trace* response) override;

  // Refuses new exchanges, lets those under way end, closes sessions.
  void Drain() override;

 private:
  absl::Status Admissible(const v1::ExchangeRequest& request) const;

  const std::string pod_;
  Gateway& gateway_;
  Hub& hub_;
  rpc::Door& door_;
  os::Clock& clock_;
  GatewayMetrics& metrics_;
  std::atomic<bool> draining_ = false;
};

}  // namespace voltwell::gateway
