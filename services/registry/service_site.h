// Places.
#pragma once

#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"
#include "voltwell/registry/v1/site_service.grpc.pb.h"

namespace voltwell::registry {

class SiteService final : public v1::SiteService::Service {
 public:
  SiteService(pg::Pool& pool, rpc::Door& door, os::Clock& clock, os::Random& random)
      : pool_(pool), door_(door), clock_(clock), random_(random) {}

  grpc::Status CreateSite(grpc::ServerContext* context, const v1::CreateSiteRequest* request,
                          v1::Site* response) override;
  grpc::Status GetSite(grpc::ServerContext* context, const v1::GetSiteRequest* request, v1::Site* response) override;
  grpc::Status ListSites(grpc::ServerContext* context, const v1::ListSitesRequest* request,
                         v1::ListSitesResponse* response) override;
  grpc::Status UpdateSite(grpc::ServerContext* context, const v1::UpdateSiteRequest* request,
                          v1::Site* response) override;
  grpc::Status DeleteSite(grpc::ServerContext* context, const v1::DeleteSiteRequest* request,
                          v1::DeleteSiteResponse* response) override;

 private:
  pg::Pool& pool_;
  rpc::Door& door_;
  os::Clock& clock_;
  os::Random& random_;
};

}  // namespace voltwell::registry
