// RelayService: holds, permits, the stop of all cuts, and what a relay is wanted and seen to be.
#pragma once

#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"
#include "services/meter_scheduler/meter_finder.h"
#include "services/meter_scheduler/store_relay.h"
#include "voltwell/scheduler/v1/relay_service.grpc.pb.h"

namespace voltwell::scheduler {

inline constexpr size_t kReasonMax = 500;             // Characters; bytes are bounded by four times as many.
inline constexpr size_t kGuardRecordMax = 16 * 1024;  // Bytes.

class RelayService final : public voltwell::scheduler::v1::RelayService::Service {
 public:
  using Context = grpc::ServerContext;
  RelayService(rpc::Door& door, pg::Pool& pool, MeterFinder& finder, os::Clock& clock, os::Random& random)
      : door_(door), pool_(pool), finder_(finder), clock_(clock), random_(random) {}

  grpc::Status SetHold(Context*, const voltwell::scheduler::v1::SetHoldRequest*,
                       voltwell::scheduler::v1::Hold*) override;
  grpc::Status LiftHold(Context*, const voltwell::scheduler::v1::LiftHoldRequest*,
                        voltwell::scheduler::v1::LiftHoldResponse*) override;
  grpc::Status ListHolds(Context*, const voltwell::scheduler::v1::ListHoldsRequest*,
                         voltwell::scheduler::v1::ListHoldsResponse*) override;
  grpc::Status WritePermit(Context*, const voltwell::scheduler::v1::WritePermitRequest*,
                           voltwell::scheduler::v1::Permit*) override;
  grpc::Status SetCutStop(Context*, const voltwell::scheduler::v1::SetCutStopRequest*,
                          voltwell::scheduler::v1::SetCutStopResponse*) override;
  grpc::Status GetRelay(Context*, const voltwell::scheduler::v1::GetRelayRequest*,
                        voltwell::scheduler::v1::GetRelayResponse*) override;

 private:
  rpc::Door& door_;
  pg::Pool& pool_;
  MeterFinder& finder_;
  os::Clock& clock_;
  os::Random& random_;
};

}  // namespace voltwell::scheduler
