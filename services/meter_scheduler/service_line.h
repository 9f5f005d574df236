// LineService: the line as operators see it. Facts are the gateways' and the codec's; this gathers them for a tenant.
#pragma once

#include "libs/os/clock.h"
#include "libs/rpc/door.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/router.h"
#include "voltwell/scheduler/v1/line_service.grpc.pb.h"

namespace voltwell::scheduler {

inline constexpr int kSessionsMax = 1000;  // Of one answer.
inline constexpr absl::Duration kPodPatience =
    absl::Seconds(2);                        // A pod that does not answer is named, not waited for.
inline constexpr size_t kExplainMax = 4096;  // Bytes.
inline constexpr size_t kCollectorIdMax = 160;

class LineService final : public voltwell::scheduler::v1::LineService::Service {
 public:
  LineService(rpc::Door& door, Clients& clients, Router& router, os::Clock& clock)
      : door_(door), clients_(clients), router_(router), clock_(clock) {}

  grpc::Status ListSessions(grpc::ServerContext*, const voltwell::scheduler::v1::ListSessionsRequest*,
                            voltwell::scheduler::v1::ListSessionsResponse*) override;
  grpc::Status ListRegisters(grpc::ServerContext*, const voltwell::scheduler::v1::ListRegistersRequest*,
                             voltwell::scheduler::v1::ListRegistersResponse*) override;
  grpc::Status Explain(grpc::ServerContext*, const voltwell::scheduler::v1::ExplainRequest*,
                       voltwell::scheduler::v1::ExplainResponse*) override;
  // service_line_bus.cpp
  grpc::Status GetBusHealth(grpc::ServerContext*, const voltwell::scheduler::v1::GetBusHealthRequest*,
                            voltwell::scheduler::v1::GetBusHealthResponse*) override;
  grpc::Status StartTrace(grpc::ServerContext*, const voltwell::scheduler::v1::StartTraceRequest*,
                          voltwell::scheduler::v1::StartTraceResponse*) override;
  grpc::Status GetTrace(grpc::ServerContext*, const voltwell::scheduler::v1::GetTraceRequest*,
                        voltwell::scheduler::v1::GetTraceResponse*) override;

 private:
  // The gateway that holds a bus of the caller's tenant; SESSION_NOT_HERE also for another tenant's.
  absl::StatusOr<std::shared_ptr<GatewayClient>> HolderOf(const rpc::Call& call, const std::string& collector, int bus);

  rpc::Door& door_;
  Clients& clients_;
  Router& router_;
  os::Clock& clock_;
};

}  // namespace voltwell::scheduler
