// OperationService: things done to meters and buses on request.
#pragma once

#include "libs/os/clock.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/meter_finder.h"
#include "services/meter_scheduler/operation_waiters.h"
#include "services/meter_scheduler/register_catalog.h"
#include "services/meter_scheduler/store_operations.h"
#include "services/meter_scheduler/store_readings.h"
#include "voltwell/scheduler/v1/operation_service.grpc.pb.h"

namespace voltwell::scheduler {

inline constexpr int kReadNowAttempts = 2;                              // Somebody waits: one more try, then the truth.
inline constexpr absl::Duration kReadNowFor = absl::Seconds(60);        // After it a read now has failed with TOO_LATE.
inline constexpr absl::Duration kWaitMargin = absl::Milliseconds(300);  // Left of the deadline for the answer itself.

class OperationService final : public voltwell::scheduler::v1::OperationService::Service {
 public:
  using Operation = voltwell::scheduler::v1::Operation;
  OperationService(rpc::Door& door, pg::Pool& pool, MeterFinder& finder, RegisterCatalog& catalog,
                   RegisterStore& registers, OperationWaiters& waiters, Clients& clients, os::Clock& clock)
      : door_(door),
        pool_(pool),
        clients_(clients),
        finder_(finder),
        catalog_(catalog),
        readings_(registers),
        waiters_(waiters),
        clock_(clock) {}

  grpc::Status ExecuteOperation(grpc::ServerContext*, const voltwell::scheduler::v1::ExecuteOperationRequest*,
                                Operation*) override;
  grpc::Status GetOperation(grpc::ServerContext*, const voltwell::scheduler::v1::GetOperationRequest*,
                            Operation*) override;
  grpc::Status ListOperations(grpc::ServerContext*, const voltwell::scheduler::v1::ListOperationsRequest*,
                              voltwell::scheduler::v1::ListOperationsResponse*) override;
  // service_scan.cpp
  grpc::Status ScanBus(grpc::ServerContext*, const voltwell::scheduler::v1::ScanBusRequest*,
                       voltwell::scheduler::v1::Scan*) override;
  grpc::Status GetScan(grpc::ServerContext*, const voltwell::scheduler::v1::GetScanRequest*,
                       voltwell::scheduler::v1::Scan*) override;
  grpc::Status ListScans(grpc::ServerContext*, const voltwell::scheduler::v1::ListScansRequest*,
                         voltwell::scheduler::v1::ListScansResponse*) override;
  grpc::Status CancelScan(grpc::ServerContext*, const voltwell::scheduler::v1::CancelScanRequest*,
                          voltwell::scheduler::v1::Scan*) override;

 private:
  absl::StatusOr<Operation> Load(const rpc::Call& call, int64_t number);
  absl::Status AddReadings(pg::Tx& tx, Operation& operation);
  absl::Status WaitUntilOver(const rpc::Call& call, Operation& operation);

  rpc::Door& door_;
  pg::Pool& pool_;
  Clients& clients_;
  MeterFinder& finder_;
  RegisterCatalog& catalog_;
  ReadingStore readings_;
  OperationWaiters& waiters_;
  os::Clock& clock_;
};

}  // namespace voltwell::scheduler
