// ReadingService: what the meters showed.
#pragma once

#include "libs/os/clock.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"
#include "services/meter_scheduler/meter_finder.h"
#include "services/meter_scheduler/store_readings.h"
#include "voltwell/scheduler/v1/reading_service.grpc.pb.h"

namespace voltwell::scheduler {

inline constexpr int kLatestMetersMax = 1000;

class ReadingService final : public voltwell::scheduler::v1::ReadingService::Service {
 public:
  ReadingService(rpc::Door& door, pg::Pool& pool, MeterFinder& finder, RegisterStore& registers, os::Clock& clock)
      : door_(door), pool_(pool), finder_(finder), registers_(registers), readings_(registers), clock_(clock) {}

  grpc::Status ListReadings(grpc::ServerContext*, const voltwell::scheduler::v1::ListReadingsRequest*,
                            voltwell::scheduler::v1::ListReadingsResponse*) override;
  grpc::Status GetLatestReadings(grpc::ServerContext*, const voltwell::scheduler::v1::GetLatestReadingsRequest*,
                                 voltwell::scheduler::v1::GetLatestReadingsResponse*) override;

 private:
  rpc::Door& door_;
  pg::Pool& pool_;
  MeterFinder& finder_;
  RegisterStore& registers_;
  ReadingStore readings_;
  os::Clock& clock_;
};

}  // namespace voltwell::scheduler
