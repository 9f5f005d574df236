#include "services/registry/service_collector.h"

#include <algorithm>
#include <vector>

#include "libs/base/status.h"
#include "libs/once/once.h"
#include "services/registry/convert.h"
#include "services/registry/domain/names.h"
#include "services/registry/facts.h"
#include "services/registry/store_collectors.h"
#include "services/registry/store_links.h"
#include "services/registry/store_uptime.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

// Who dialled in before anybody owned it may belong to another tenant: only the platform's operator assigns it. Of
// `collector` only the ids of buses count.
absl::Status TakeFromQuarantine(pg::Tx& tx, const rpc::Call& call, const Collector& collector) {
  VW_ASSIGN_OR_RETURN(const bool quarantined, store::InQuarantine(tx, collector));
  if (!quarantined) return absl::OkStatus();
  if (!call.identity.Allows("platform.quarantine")) {
    return base::FailedPrecondition("COLLECTOR_NEEDS_CLAIM",
                                    "this id has dialled in already: claim it, or ask the platform's operator",
                                    {{"field", "registration_id"}});
  }
  return store::ReleaseFromQuarantine(tx, collector);
}

// Whom gateways dial, from inside our own network, is for the platform's operator to say.
absl::Status MayDial(const rpc::Call& call, const Collector& before, const Collector& after) {
  if (!DialsElsewhere(before, after) || call.identity.Allows("platform.dial")) return absl::OkStatus();
  return base::PermissionDenied("NOT_PERMITTED", "only the platform's operator says whom gateways dial",
                                {{"permission", "platform.dial"}, {"field", "dial_target"}});
}

constexpr absl::Duration kUptimePeriod = absl::Hours(7 * 24);      // When none is asked for.
constexpr absl::Duration kUptimePeriodMax = absl::Hours(30 * 24);  // The history is kept so long.

absl::StatusOr<absl::Duration> PeriodOf(const v1::ListCollectorUptimesRequest& request) {
  if (!request.has_period()) return kUptimePeriod;
  const absl::Duration period = absl::Seconds(request.period().seconds()) + absl::Nanoseconds(request.period().nanos());
  if (period < absl::Minutes(1) || period > kUptimePeriodMax) {
    return base::InvalidArgument("BAD_PERIOD", "period: 1 minute to 30 days", {{"field", "period"}});
  }
  return period;
}

google::protobuf::Duration DurationOf(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

v1::CollectorUptime MessageOf(const store::Uptime& uptime) {
  v1::CollectorUptime proto;
  proto.set_collector("collectors/" + uptime.collector);
  *proto.mutable_observed() = DurationOf(uptime.observed);
  *proto.mutable_online() = DurationOf(uptime.online);
  proto.set_drops(uptime.drops);
  if (uptime.longest_gap_from.has_value()) {
    *proto.mutable_longest_gap() = DurationOf(uptime.longest_gap);
    *proto.mutable_longest_gap_time() = ToProto(*uptime.longest_gap_from);
  }
  return proto;
}

// `after` with only those buses whose ids `before` has not.
Collector Added(const Collector& before, Collector after) {
  std::erase_if(after.buses, [&](const Bus& bus) {
    return std::any_of(before.buses.begin(), before.buses.end(),
                       [&](const Bus& old) { return old.registration_id == bus.registration_id; });
  });
  return after;
}

}  // namespace

grpc::Status CollectorService::CreateCollector(grpc::ServerContext* context, const v1::CreateCollectorRequest* request,
                                               v1::Collector* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(Collector collector, NewCollector(request->collector()));
    VW_RETURN_IF_ERROR(keys_.Take(collector, clock_.Now()));
    collector = WithDefaults(std::move(collector));
    VW_RETURN_IF_ERROR(CheckCollector(collector));
    VW_RETURN_IF_ERROR(MayDial(call, Collector(), collector));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Site site, store::GetSite(tx, collector.site, viewer.site_scope, store::Hold::kShare));
      VW_RETURN_IF_ERROR(TakeFromQuarantine(tx, call, collector));
      const absl::Time now = clock_.Now();
      collector.id = os::NewId(random_, absl::ToUnixMillis(now));
      collector.tenant = viewer.tenant;
      collector.site_path = site.path;
      collector.created_at = now;
      VW_RETURN_IF_ERROR(store::InsertCollector(tx, collector));
      *response = ToProto(collector);
      return Tell(tx, "created", collector, site.path);
    });
  });
}

grpc::Status CollectorService::GetCollector(grpc::ServerContext* context, const v1::GetCollectorRequest* request,
                                            v1::Collector* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("collectors", request->name(), "name"));
    const pg::TxOptions options{
        .name = "collector.get", .tenant = viewer.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Collector collector, store::GetCollector(tx, id, viewer.site_scope));
      *response = ToProto(collector);
      return absl::OkStatus();
    });
  });
}

grpc::Status CollectorService::ListCollectors(grpc::ServerContext* context, const v1::ListCollectorsRequest* request,
                                              v1::ListCollectorsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const int size, PageSize(request->page_size()));
    VW_ASSIGN_OR_RETURN(const PageToken token, DecodePageToken(request->page_token()));
    const pg::TxOptions options{
        .name = "collector.list", .tenant = viewer.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      VW_ASSIGN_OR_RETURN(const std::vector<Collector> collectors,
                          store::ListCollectors(tx, {token.after, size}, viewer.site_scope));
      for (const Collector& collector : collectors) *response->add_collectors() = ToProto(collector);
      if (static_cast<int>(collectors.size()) == size) {
        response->set_next_page_token(EncodePageToken({.after = collectors.back().id}));
      }
      return absl::OkStatus();
    });
  });
}

grpc::Status CollectorService::UpdateCollector(grpc::ServerContext* context, const v1::UpdateCollectorRequest* request,
                                               v1::Collector* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("collectors", request->collector().name(), "collector.name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Collector before, store::GetCollector(tx, id, viewer.site_scope, store::Hold::kUpdate));
      Collector after = before;
      VW_RETURN_IF_ERROR(Merge(request->collector(), request->update_mask(), after));
      VW_RETURN_IF_ERROR(keys_.Take(after, clock_.Now()));
      after = WithDefaults(std::move(after));
      VW_RETURN_IF_ERROR(CheckCollector(after));
      VW_RETURN_IF_ERROR(MayDial(call, before, after));
      VW_ASSIGN_OR_RETURN(const Site site, store::GetSite(tx, after.site, viewer.site_scope, store::Hold::kShare));
      VW_RETURN_IF_ERROR(TakeFromQuarantine(tx, call, Added(before, after)));
      after.site_path = site.path;
      VW_RETURN_IF_ERROR(store::UpdateCollector(tx, before, after));
      *response = ToProto(after);
      return Tell(tx, "updated", after, site.path);
    });
  });
}

grpc::Status CollectorService::DeleteCollector(grpc::ServerContext* context, const v1::DeleteCollectorRequest* request,
                                               v1::DeleteCollectorResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("collectors", request->name(), "name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Collector collector,
                          store::GetCollector(tx, id, viewer.site_scope, store::Hold::kUpdate));
      VW_ASSIGN_OR_RETURN(const Site site, store::GetSite(tx, collector.site, viewer.site_scope));
      VW_RETURN_IF_ERROR(store::ArchiveCollector(tx, collector));
      return Tell(tx, "archived", collector, site.path);
    });
  });
}

grpc::Status CollectorService::ListCollectorUptimes(grpc::ServerContext* context,
                                                    const v1::ListCollectorUptimesRequest* request,
                                                    v1::ListCollectorUptimesResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Viewer viewer, ViewerOf(call));
    VW_ASSIGN_OR_RETURN(const absl::Duration period, PeriodOf(*request));
    VW_ASSIGN_OR_RETURN(const int asked, PageSize(request->page_size()));
    const int size = std::min(asked, store::kUptimePageMax);
    VW_ASSIGN_OR_RETURN(const PageToken token, DecodePageToken(request->page_token()));
    std::string only;
    if (!request->collector().empty()) {
      VW_ASSIGN_OR_RETURN(only, IdOf("collectors", request->collector(), "collector"));
    }
    const absl::Time now = clock_.Now();
    const pg::TxOptions options{
        .name = "collector.uptimes", .tenant = viewer.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      std::vector<std::string> ids;
      if (only.empty()) {
        VW_ASSIGN_OR_RETURN(const std::vector<Collector> collectors,
                            store::ListCollectors(tx, {token.after, size}, viewer.site_scope));
        for (const Collector& collector : collectors) ids.push_back(collector.id);
        if (static_cast<int>(ids.size()) == size) {
          response->set_next_page_token(EncodePageToken({.after = ids.back()}));
        }
      } else {
        VW_ASSIGN_OR_RETURN(const Collector collector, store::GetCollector(tx, only, viewer.site_scope));
        ids.push_back(collector.id);
      }
      VW_ASSIGN_OR_RETURN(const std::vector<store::Uptime> uptimes, store::ListUptimes(tx, ids, now - period, now));
      for (const store::Uptime& uptime : uptimes) *response->add_uptimes() = MessageOf(uptime);
      return absl::OkStatus();
    });
  });
}

grpc::Status CollectorService::ListQuarantined(grpc::ServerContext* context, const v1::ListQuarantinedRequest* request,
                                               v1::ListQuarantinedResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const int size, PageSize(request->page_size()));
    VW_ASSIGN_OR_RETURN(const PageToken token, DecodePageToken(request->page_token()));
    const pg::TxOptions options{.name = "quarantine.list", .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      VW_ASSIGN_OR_RETURN(const std::vector<store::Quarantined> all, store::ListQuarantined(tx, token.after, size));
      for (const store::Quarantined& one : all) {
        v1::QuarantinedCollector& added = *response->add_collectors();
        added.set_registration_id(one.registration_id);
        added.set_peer(one.peer);
        *added.mutable_first_time() = ToProto(one.first_at);
        *added.mutable_last_time() = ToProto(one.last_at);
        added.set_attempts(one.attempts);
      }
      if (static_cast<int>(all.size()) == size)
        response->set_next_page_token(EncodePageToken({.after = store::PlaceOf(all.back())}));
      return absl::OkStatus();
    });
  });
}

}  // namespace voltwell::registry
