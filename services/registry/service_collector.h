// Collectors, and ids that nobody owns.
#pragma once

#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"
#include "services/registry/collector_keys.h"
#include "voltwell/registry/v1/collector_service.grpc.pb.h"

namespace voltwell::registry {

class CollectorService final : public v1::CollectorService::Service {
 public:
  CollectorService(pg::Pool& pool, rpc::Door& door, os::Clock& clock, os::Random& random, CollectorKeys& keys)
      : pool_(pool), door_(door), clock_(clock), random_(random), keys_(keys) {}

  grpc::Status CreateCollector(grpc::ServerContext* context, const v1::CreateCollectorRequest* request,
                               v1::Collector* response) override;
  grpc::Status GetCollector(grpc::ServerContext* context, const v1::GetCollectorRequest* request,
                            v1::Collector* response) override;
  grpc::Status ListCollectors(grpc::ServerContext* context, const v1::ListCollectorsRequest* request,
                              v1::ListCollectorsResponse* response) override;
  grpc::Status UpdateCollector(grpc::ServerContext* context, const v1::UpdateCollectorRequest* request,
                               v1::Collector* response) override;
  grpc::Status DeleteCollector(grpc::ServerContext* context, const v1::DeleteCollectorRequest* request,
                               v1::DeleteCollectorResponse* response) override;
  grpc::Status ListCollectorUptimes(grpc::ServerContext* context, const v1::ListCollectorUptimesRequest* request,
                                    v1::ListCollectorUptimesResponse* response) override;
  grpc::Status ListQuarantined(grpc::ServerContext* context, const v1::ListQuarantinedRequest* request,
                               v1::ListQuarantinedResponse* response) override;

 private:
  pg::Pool& pool_;
  rpc::Door& door_;
  os::Clock& clock_;
  os::Random& random_;
  CollectorKeys& keys_;
};

}  // namespace voltwell::registry
