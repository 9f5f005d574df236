#include "services/registry/service_meter.h"

#include <algorithm>

#include "libs/base/status.h"
#include "libs/events/events.h"
#include "libs/once/once.h"
#include "services/registry/convert.h"
#include "services/registry/domain/names.h"
#include "services/registry/facts.h"
#include "services/registry/store_collectors.h"
#include "services/registry/store_meters.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

// Looks up where the meter hangs, keeps that from being archived meanwhile, and fills the joined fields.
absl::Status Place(pg::Tx& tx, const Viewer& viewer, Meter& meter) {
  VW_ASSIGN_OR_RETURN(const Site site, store::GetSite(tx, meter.site, viewer.site_scope, store::Hold::kShare));
  // The collector may stand elsewhere in the tenant, e.g. in the plant room of another building.
  VW_ASSIGN_OR_RETURN(const Collector collector, store::GetCollector(tx, meter.collector, {}, store::Hold::kShare));
  const auto bus =
      std::find_if(collector.buses.begin(), collector.buses.end(), [&](const Bus& b) { return b.number == meter.bus; });
  if (bus == collector.buses.end()) {
    return base::FailedPrecondition("BUS_NOT_FOUND", "the collector has no bus of this number", {{"field", "bus"}});
  }
  meter.site_path = site.path;
  meter.collector_registration_id = collector.registration_id;
  meter.baud = bus->baud;
  return absl::OkStatus();
}

}  // namespace

grpc::Status MeterService::CreateMeter(grpc::ServerContext* context, const v1::CreateMeterRequest* request,
                                       v1::Meter* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(Meter meter, NewMeter(request->meter()));
    meter = WithDefaults(std::move(meter));
    VW_RETURN_IF_ERROR(CheckMeter(meter));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(Place(tx, viewer, meter));
      const absl::Time now = clock_.Now();
      meter.id = os::NewId(random_, absl::ToUnixMillis(now));
      meter.tenant = viewer.tenant;
      meter.created_at = now;
      meter.revision = 1;
      VW_RETURN_IF_ERROR(store::InsertMeter(tx, meter));
      *response = ToProto(meter);
      return Tell(tx, "created", meter);
    });
  });
}

grpc::Status MeterService::GetMeter(grpc::ServerContext* context, const v1::GetMeterRequest* request,
                                    v1::Meter* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("meters", request->name(), "name"));
    const pg::TxOptions options{
        .name = "meter.get", .tenant = viewer.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Meter meter, store::GetMeter(tx, id, viewer.site_scope));
      *response = ToProto(meter);
      return absl::OkStatus();
    });
  });
}

grpc::Status MeterService::ListMeters(grpc::ServerContext* context, const v1::ListMetersRequest* request,
                                      v1::ListMetersResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const int size, PageSize(request->page_size()));
    VW_ASSIGN_OR_RETURN(PageToken token, DecodePageToken(request->page_token()));
    store::MeterFilter filter;
    std::string site_id;
    if (!request->collector().empty()) {
      VW_ASSIGN_OR_RETURN(filter.collector, IdOf("collectors", request->collector(), "collector"));
    }
    if (!request->site().empty()) {
      VW_ASSIGN_OR_RETURN(site_id, IdOf("sites", request->site(), "site"));
    }
    // One snapshot for the rows and the cursor: events after it miss nothing that the first page does not show.
    const pg::TxOptions options{.name = "meter.list",
                                .tenant = viewer.tenant,
                                .deadline = call.deadline,
                                .isolation = pg::Isolation::kRepeatableRead,
                                .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      if (request->page_token().empty()) {
        VW_ASSIGN_OR_RETURN(token.cursor, pg::SnapshotCursor(tx));
      }
      if (!site_id.empty()) {
        VW_ASSIGN_OR_RETURN(const Site site, store::GetSite(tx, site_id, viewer.site_scope));
        filter.site_path = site.path;
      }
      VW_ASSIGN_OR_RETURN(const std::vector<Meter> meters,
                          store::ListMeters(tx, {token.after, size}, filter, viewer.site_scope));
      for (const Meter& meter : meters) *response->add_meters() = ToProto(meter);
      response->mutable_cursor()->set_generation(token.cursor.generation);
      response->mutable_cursor()->set_xid(token.cursor.xid);
      response->mutable_cursor()->set_sequence(token.cursor.sequence);
      if (static_cast<int>(meters.size()) == size) {
        response->set_next_page_token(EncodePageToken({.after = meters.back().id, .cursor = token.cursor}));
      }
      return absl::OkStatus();
    });
  });
}

grpc::Status MeterService::UpdateMeter(grpc::ServerContext* context, const v1::UpdateMeterRequest* request,
                                       v1::Meter* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("meters", request->meter().name(), "meter.name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(Meter meter, store::GetMeter(tx, id, viewer.site_scope, store::Hold::kUpdate));
      VW_RETURN_IF_ERROR(Merge(request->meter(), request->update_mask(), meter));
      meter = WithDefaults(std::move(meter));
      VW_RETURN_IF_ERROR(CheckMeter(meter));
      VW_RETURN_IF_ERROR(Place(tx, viewer, meter));
      VW_RETURN_IF_ERROR(store::UpdateMeter(tx, meter));
      ++meter.revision;
      *response = ToProto(meter);
      return Tell(tx, "updated", meter);
    });
  });
}

grpc::Status MeterService::DeleteMeter(grpc::ServerContext* context, const v1::DeleteMeterRequest* request,
                                       v1::DeleteMeterResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("meters", request->name(), "name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(Meter meter, store::GetMeter(tx, id, viewer.site_scope, store::Hold::kUpdate));
      VW_RETURN_IF_ERROR(store::ArchiveMeter(tx, id));
      ++meter.revision;
      meter.archived = true;
      return Tell(tx, "archived", meter);
    });
  });
}

}  // namespace voltwell::registry
