// OperationService's searches for the meters of a bus; see service_operation.h.
#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "libs/base/status.h"
#include "libs/once/once.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/service_operation.h"
#include "services/meter_scheduler/store_scans.h"
#include "services/meter_scheduler/worker_scan.h"

namespace voltwell::scheduler {
namespace {

namespace v1 = voltwell::scheduler::v1;
using voltwell::codec::v1::CodecService;
using voltwell::codec::v1::PlanScanRequest;
using voltwell::codec::v1::PlanScanResponse;
using voltwell::registry::v1::Bus;
using voltwell::registry::v1::Collector;
using voltwell::registry::v1::CollectorService;

constexpr int kBaudDefault = 2400;  // bit/s, as the registry's.

// Of the caller's tenant and scope. A bus without meters stands in no projection, so that the registry is asked.
absl::StatusOr<Collector> CollectorOf(Clients& clients, const rpc::Call& call, const std::string& name) {
  VW_RETURN_IF_ERROR(CheckTenant(call.identity));
  VW_RETURN_IF_ERROR(IdOf("collectors", name, "scan.collector").status());
  voltwell::registry::v1::GetCollectorRequest request;
  request.set_name(name);
  const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
  absl::StatusOr<Collector> collector =
      clients.collectors.Call(&CollectorService::Stub::GetCollector, request, options);
  if (absl::IsNotFound(collector.status()) || (collector.ok() && collector->tenant() != call.identity.tenant)) {
    return base::NotFound("COLLECTOR_NOT_FOUND", "no such collector", {{"collector", name}});
  }
  if (!collector.ok()) return collector.status();
  VW_RETURN_IF_ERROR(CheckScope(call.identity, collector->site_path()));
  return collector;
}

absl::StatusOr<Bus> BusOf(const Collector& collector, int number) {
  for (const Bus& bus : collector.buses()) {
    if (bus.number() == number) return bus;
  }
  return base::FailedPrecondition("BUS_NOT_FOUND", "the collector has no bus of this number",
                                  {{"field", "scan.bus"}, {"bus", std::to_string(number)}});
}

// Refuses by name what the codec cannot search by.
absl::StatusOr<PlanScanResponse> FirstQuestion(Clients& clients, const rpc::Call& call, const v1::Scan& asked,
                                               int baud) {
  PlanScanRequest request;
  voltwell::codec::v1::ScanRules& rules = *request.mutable_rules();
  *rules.mutable_protocols() = asked.protocols();
  rules.set_baud(baud);
  if (asked.has_patience()) *rules.mutable_patience() = asked.patience();
  rules.set_thorough(asked.thorough());
  rules.set_without_primary(asked.without_primary());
  const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
  return clients.codec.Call(&CodecService::Stub::PlanScan, request, options);
}

absl::StatusOr<v1::Scan> Found(pg::Tx& tx, const rpc::Call& call, int64_t number) {
  std::string site_path;
  VW_ASSIGN_OR_RETURN(v1::Scan scan, ScanStore::Get(tx, call.identity.tenant, number, &site_path));
  VW_RETURN_IF_ERROR(CheckScope(call.identity, site_path));
  return scan;
}

}  // namespace

grpc::Status OperationService::ScanBus(grpc::ServerContext* context, const v1::ScanBusRequest* request,
                                       v1::Scan* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    NewScan scan;
    scan.asked = request->scan();
    scan.asked.set_bus(std::max(1, scan.asked.bus()));
    VW_ASSIGN_OR_RETURN(const Collector collector, CollectorOf(clients_, call, scan.asked.collector()));
    VW_ASSIGN_OR_RETURN(const Bus bus, BusOf(collector, scan.asked.bus()));
    scan.registration_id = collector.registration_id();
    scan.site_path = collector.site_path();
    scan.baud = bus.baud() == 0 ? kBaudDefault : bus.baud();
    VW_ASSIGN_OR_RETURN(scan.first, FirstQuestion(clients_, call, scan.asked, scan.baud));
    scan.author = call.identity.subject;
    scan.now = clock_.Now();
    scan.give_up_time = scan.now + kScanFor;
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const int64_t number, ScanStore::Insert(tx, call.identity.tenant, scan));
      VW_ASSIGN_OR_RETURN(*response, Found(tx, call, number));
      return absl::OkStatus();
    });
  });
}

grpc::Status OperationService::GetScan(grpc::ServerContext* context, const v1::GetScanRequest* request,
                                       v1::Scan* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("scans", request->name(), "name"));
    const pg::TxOptions options = {
        .name = "scan.get", .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(*response, Found(tx, call, number));
      return ScanStore::AddMeters(tx, *response);
    });
  });
}

grpc::Status OperationService::ListScans(grpc::ServerContext* context, const v1::ListScansRequest* request,
                                         v1::ListScansResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const int limit, PageSize(request->page_size()));
    int64_t before = std::numeric_limits<int64_t>::max();
    if (!request->page_token().empty() && !absl::SimpleAtoi(request->page_token(), &before)) {
      return base::InvalidArgument("BAD_PAGE_TOKEN", "page_token is not one that was given");
    }
    std::string collector;
    if (!request->collector().empty()) {
      VW_ASSIGN_OR_RETURN(collector, IdOf("collectors", request->collector(), "collector"));
    }
    const pg::TxOptions options = {
        .name = "scan.list", .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      VW_ASSIGN_OR_RETURN(ScanStore::Page page, ScanStore::List(tx, call.identity.tenant, collector,
                                                                call.identity.site_scope, before, limit));
      for (v1::Scan& scan : page.scans) *response->add_scans() = std::move(scan);
      if (page.next != 0) response->set_next_page_token(std::to_string(page.next));
      return absl::OkStatus();
    });
  });
}

grpc::Status OperationService::CancelScan(grpc::ServerContext* context, const v1::CancelScanRequest* request,
                                          v1::Scan* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("scans", request->name(), "name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(Found(tx, call, number).status());
      VW_RETURN_IF_ERROR(
          ScanStore::End(tx, call.identity.tenant, number, {v1::Scan::STATE_CANCELLED, ""}, clock_.Now()).status());
      VW_ASSIGN_OR_RETURN(*response, Found(tx, call, number));
      return ScanStore::AddMeters(tx, *response);
    });
  });
}

}  // namespace voltwell::scheduler
