// Meters and where they hang.
#pragma once

#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"
#include "voltwell/registry/v1/meter_service.grpc.pb.h"

namespace voltwell::registry {

class MeterService final : public v1::MeterService::Service {
 public:
  MeterService(pg::Pool& pool, rpc::Door& door, os::Clock& clock, os::Random& random)
      : pool_(pool), door_(door), clock_(clock), random_(random) {}

  grpc::Status CreateMeter(grpc::ServerContext* context, const v1::CreateMeterRequest* request,
                           v1::Meter* response) override;
  grpc::Status GetMeter(grpc::ServerContext* context, const v1::GetMeterRequest* request, v1::Meter* response) override;
  grpc::Status ListMeters(grpc::ServerContext* context, const v1::ListMetersRequest* request,
                          v1::ListMetersResponse* response) override;
  grpc::Status UpdateMeter(grpc::ServerContext* context, const v1::UpdateMeterRequest* request,
                           v1::Meter* response) override;
  grpc::Status DeleteMeter(grpc::ServerContext* context, const v1::DeleteMeterRequest* request,
                           v1::DeleteMeterResponse* response) override;

 private:
  pg::Pool& pool_;
  rpc::Door& door_;
  os::Clock& clock_;
  os::Random& random_;
};

}  // namespace voltwell::registry
