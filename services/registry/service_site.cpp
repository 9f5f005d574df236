#include "services/registry/service_site.h"

#include "libs/base/status.h"
#include "libs/once/once.h"
#include "services/registry/convert.h"
#include "services/registry/domain/names.h"
#include "services/registry/facts.h"
#include "services/registry/store_sites.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {

grpc::Status SiteService::CreateSite(grpc::ServerContext* context, const v1::CreateSiteRequest* request,
                                     v1::Site* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(Site site, NewSite(request->site()));
    VW_RETURN_IF_ERROR(CheckSite(site));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      std::string parent_path;
      if (!site.parent.empty()) {
        VW_ASSIGN_OR_RETURN(const Site parent, store::GetSite(tx, site.parent, viewer.site_scope, store::Hold::kShare));
        parent_path = parent.path;
      } else if (!viewer.site_scope.empty()) {
        return base::PermissionDenied("OUT_OF_SCOPE", "the caller may not make a root site", {{"field", "parent"}});
      }
      const absl::Time now = clock_.Now();
      site.id = os::NewId(random_, absl::ToUnixMillis(now));
      site.tenant = viewer.tenant;
      site.created_at = now;
      VW_ASSIGN_OR_RETURN(site.path, PathBelow(parent_path, site.id));
      VW_RETURN_IF_ERROR(store::InsertSite(tx, site));
      *response = ToProto(site);
      return Tell(tx, "created", site);
    });
  });
}

grpc::Status SiteService::GetSite(grpc::ServerContext* context, const v1::GetSiteRequest* request, v1::Site* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("sites", request->name(), "name"));
    const pg::TxOptions options{
        .name = "site.get", .tenant = viewer.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Site site, store::GetSite(tx, id, viewer.site_scope));
      *response = ToProto(site);
      return absl::OkStatus();
    });
  });
}

grpc::Status SiteService::ListSites(grpc::ServerContext* context, const v1::ListSitesRequest* request,
                                    v1::ListSitesResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const int size, PageSize(request->page_size()));
    VW_ASSIGN_OR_RETURN(const PageToken token, DecodePageToken(request->page_token()));
    const pg::TxOptions options{
        .name = "site.list", .tenant = viewer.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      VW_ASSIGN_OR_RETURN(const std::vector<Site> sites, store::ListSites(tx, {token.after, size}, viewer.site_scope));
      for (const Site& site : sites) *response->add_sites() = ToProto(site);
      if (static_cast<int>(sites.size()) == size)
        response->set_next_page_token(EncodePageToken({.after = sites.back().id}));
      return absl::OkStatus();
    });
  });
}

grpc::Status SiteService::UpdateSite(grpc::ServerContext* context, const v1::UpdateSiteRequest* request,
                                     v1::Site* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("sites", request->site().name(), "site.name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(Site site, store::GetSite(tx, id, viewer.site_scope, store::Hold::kUpdate));
      VW_RETURN_IF_ERROR(Merge(request->site(), request->update_mask(), site));
      VW_RETURN_IF_ERROR(CheckSite(site));
      VW_RETURN_IF_ERROR(store::UpdateSite(tx, site));
      *response = ToProto(site);
      return Tell(tx, "updated", site);
    });
  });
}

grpc::Status SiteService::DeleteSite(grpc::ServerContext* context, const v1::DeleteSiteRequest* request,
                                     v1::DeleteSiteResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("sites", request->name(), "name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Site site, store::GetSite(tx, id, viewer.site_scope, store::Hold::kUpdate));
      VW_RETURN_IF_ERROR(store::ArchiveSite(tx, id));
      return Tell(tx, "archived", site);
    });
  });
}

}  // namespace voltwell::registry
