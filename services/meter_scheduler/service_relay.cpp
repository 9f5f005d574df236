#include "services/meter_scheduler/service_relay.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/status.h"
#include "libs/events/events.h"
#include "libs/once/once.h"
#include "services/meter_scheduler/domain/relay_machine.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/scope.h"
#include "services/meter_scheduler/store_claim.h"
#include "services/meter_scheduler/store_operations.h"

namespace voltwell::scheduler {
namespace {

namespace v1 = voltwell::scheduler::v1;

constexpr char kBilling[] = "billing";  // Issuer of billing's own calls.

absl::Status CheckReason(const std::string& reason) {
  if (!reason.empty() && reason.size() <= kReasonMax * 4) return absl::OkStatus();
  return base::InvalidArgument("BAD_REASON", "reason: 1 to 500 characters", {{"field", "reason"}});
}

// A hold belongs to who may set it: nobody writes or lifts one in the name of billing, or of safety without its right.
absl::Status CheckOwner(const rpc::Identity& identity, v1::Hold::Owner owner) {
  const auto& held = identity.permissions;
  const bool tools = identity.issuer == "tools" && std::find(held.begin(), held.end(), "*") != held.end();
  const bool arrears = owner != v1::Hold::OWNER_ARREARS || identity.issuer == kBilling || tools;
  const bool safety = owner != v1::Hold::OWNER_SAFETY || identity.Allows("relay.open.safety");
  if (arrears && safety) return absl::OkStatus();
  return base::PermissionDenied("OWNER_NOT_ALLOWED", "holds of this owner are not yours to set or lift",
                                {{"owner", v1::Hold::Owner_Name(owner)}});
}

// A person says why; billing's record is its own.
absl::Status CheckWhy(const rpc::Identity& identity, const std::string& record) {
  google::protobuf::Struct parsed;
  if (identity.issuer == kBilling || !google::protobuf::util::JsonStringToMessage(record, &parsed).ok())
    return absl::OkStatus();
  for (const char* field : {"reason", "why"}) {
    const auto found = parsed.fields().find(field);
    if (found != parsed.fields().end() && !found->second.string_value().empty()) return absl::OkStatus();
  }
  return base::InvalidArgument("BAD_GUARD_RECORD", "guard_record: a person's record says why in \"reason\"",
                               {{"field", "permit.guard_record"}});
}

absl::Status CheckGuardRecord(const std::string& record) {
  google::protobuf::Struct parsed;
  if (record.size() <= kGuardRecordMax && google::protobuf::util::JsonStringToMessage(record, &parsed).ok())
    return absl::OkStatus();
  return base::InvalidArgument("BAD_GUARD_RECORD", "guard_record: a JSON object of at most 16384 bytes",
                               {{"field", "permit.guard_record"}, {"limit", absl::StrCat(kGuardRecordMax)}});
}

events::Fact FactOf(absl::string_view type, const MeterRow& meter, const std::string& tenant,
                    const google::protobuf::Message* payload) {
  return {.type = std::string(type),
          .key = NameOf("meters", meter.id),
          .tenant = tenant,
          .site_path = meter.site_path,
          .permission = "relay.read",
          .payload = payload};
}

}  // namespace

grpc::Status RelayService::SetHold(Context* context, const v1::SetHoldRequest* request, v1::Hold* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    v1::Hold hold = request->hold();
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("meters", hold.meter(), "hold.meter"));
    if (hold.owner() == v1::Hold::OWNER_UNSPECIFIED || !v1::Hold::Owner_IsValid(hold.owner())) {
      return base::InvalidArgument("BAD_OWNER", "say whose hold it is", {{"field", "hold.owner"}});
    }
    VW_RETURN_IF_ERROR(CheckOwner(call.identity, hold.owner()));
    VW_RETURN_IF_ERROR(CheckReason(hold.reason()));
    VW_ASSIGN_OR_RETURN(const MeterRow meter, finder_.Require(call, id));
    const absl::Time now = clock_.Now();
    hold.set_name(NameOf("holds", os::NewId(random_, absl::ToUnixMillis(now))));
    hold.set_tenant(call.identity.tenant);
    hold.set_author(call.identity.subject);
    *hold.mutable_create_time() = ToProto(now);
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(RelayStore::InsertHold(tx, meter, hold));
      *response = hold;
      return events::Append(tx, FactOf("hold.set", meter, hold.tenant(), response));
    });
  });
}

grpc::Status RelayService::LiftHold(Context* context, const v1::LiftHoldRequest* request,
                                    v1::LiftHoldResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("holds", request->name(), "name"));
    VW_RETURN_IF_ERROR(CheckOwner(call.identity, request->owner()));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      const absl::Time now = clock_.Now();
      const std::string& tenant = call.identity.tenant;
      response->Clear();
      std::string meter_id;
      VW_ASSIGN_OR_RETURN(const bool last, RelayStore::LiftHold(tx, tenant, id, request->owner(), now, meter_id));
      VW_ASSIGN_OR_RETURN(const std::optional<MeterRow> meter, MeterStore::Find(tx, tenant, meter_id));
      if (!meter.has_value()) return base::NotFound("METER_NOT_FOUND", "no such meter", {{"meter", meter_id}});
      VW_RETURN_IF_ERROR(CheckScope(call.identity, meter->site_path));
      v1::Hold told;
      told.set_name(request->name());
      told.set_tenant(tenant);
      told.set_meter(NameOf("meters", meter_id));
      told.set_owner(request->owner());
      VW_RETURN_IF_ERROR(events::Append(tx, FactOf("hold.lifted", *meter, tenant, &told)));
      if (!last) return absl::OkStatus();
      // What would open it ends, unless it was attempted: then the relay is looked at first, and closed after.
      VW_RETURN_IF_ERROR(RelayStore::DropOpenings(tx, meter->number, now));
      VW_ASSIGN_OR_RETURN(const int64_t number,
                          OperationStore::Insert(tx, tenant, *meter,
                                                 {.kind = domain::Kind::kClose,
                                                  .action = voltwell::codec::v1::RELAY_ACTION_PERMIT_CLOSE,
                                                  .author = call.identity.subject,
                                                  .now = now,
                                                  .give_up_time = now + domain::kCloseFor}));
      response->set_operation(NameOf("operations", number));
      return absl::OkStatus();
    });
  });
}

grpc::Status RelayService::ListHolds(Context* context, const v1::ListHoldsRequest* request,
                                     v1::ListHoldsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const int limit, PageSize(request->page_size()));
    int32_t meter_no = 0;
    if (!request->meter().empty()) {
      VW_ASSIGN_OR_RETURN(const std::string id, IdOf("meters", request->meter(), "meter"));
      VW_ASSIGN_OR_RETURN(const MeterRow meter, finder_.Require(call, id));
      meter_no = meter.number;
    }
    const pg::TxOptions options = {
        .name = "hold.list", .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      VW_ASSIGN_OR_RETURN(std::vector<v1::Hold> holds,
                          RelayStore::ListHolds(tx, call.identity.tenant, meter_no, request->page_token(), limit));
      if (holds.size() > static_cast<size_t>(limit)) {
        holds.pop_back();
        response->set_next_page_token(*IdOf("holds", holds.back().name(), "name"));
      }
      std::vector<std::string> meters;
      for (const v1::Hold& hold : holds) meters.push_back(hold.meter());
      VW_ASSIGN_OR_RETURN(const ScopeFilter filter, ScopeFilter::Of(tx, call.identity, meters));
      for (v1::Hold& hold : holds) {
        if (filter.Holds(hold.meter())) *response->add_holds() = std::move(hold);
      }
      return absl::OkStatus();
    });
  });
}

grpc::Status RelayService::WritePermit(Context* context, const v1::WritePermitRequest* request, v1::Permit* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    v1::Permit permit = request->permit();
    VW_ASSIGN_OR_RETURN(const std::string meter_id, IdOf("meters", permit.meter(), "permit.meter"));
    VW_ASSIGN_OR_RETURN(const std::string hold, IdOf("holds", permit.hold(), "permit.hold"));
    VW_RETURN_IF_ERROR(CheckGuardRecord(permit.guard_record()));
    VW_ASSIGN_OR_RETURN(const MeterRow meter, finder_.Require(call, meter_id));
    const absl::Time now = clock_.Now();
    const absl::Time not_after = permit.has_not_after() ? FromProto(permit.not_after()) : now + domain::kPermitMax;
    *permit.mutable_not_after() = ToProto(not_after);
    const std::string id = os::NewId(random_, absl::ToUnixMillis(now));
    permit.set_name(NameOf("permits", id));
    permit.set_tenant(call.identity.tenant);
    permit.set_author(call.identity.subject);
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      if (not_after <= now || not_after > now + domain::kPermitMax) {
        return base::InvalidArgument("BAD_NOT_AFTER", "not_after: at most 60 s ahead", {{"field", "permit.not_after"}});
      }
      VW_RETURN_IF_ERROR(RelayStore::CheckPermit(tx, meter, hold));
      VW_RETURN_IF_ERROR(CheckWhy(call.identity, permit.guard_record()));
      VW_ASSIGN_OR_RETURN(const int64_t number,
                          OperationStore::Insert(tx, permit.tenant(), meter,
                                                 {.kind = domain::Kind::kOpen,
                                                  .action = voltwell::codec::v1::RELAY_ACTION_OPEN,
                                                  .permit = id,
                                                  .author = permit.author(),
                                                  .now = now,
                                                  .give_up_time = not_after}));
      permit.set_operation(NameOf("operations", number));
      VW_RETURN_IF_ERROR(RelayStore::InsertPermit(tx, permit, id, hold, number));
      *response = permit;
      return events::Append(tx, FactOf("permit.written", meter, permit.tenant(), response));
    });
  });
}

grpc::Status RelayService::SetCutStop(Context* context, const v1::SetCutStopRequest* request,
                                      v1::SetCutStopResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_RETURN_IF_ERROR(CheckWholeTenant(call.identity));
    VW_RETURN_IF_ERROR(CheckReason(request->reason()));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(RelayStore::SetCutStop(tx, call.identity.tenant, request->stopped(), request->reason(),
                                                call.identity.subject, clock_.Now()));
      response->set_stopped(request->stopped());
      return events::Append(tx, {.type = request->stopped() ? "cuts.stopped" : "cuts.allowed",
                                 .key = call.identity.tenant,
                                 .tenant = call.identity.tenant,
                                 .permission = "relay.read",
                                 .payload = response});
    });
  });
}

grpc::Status RelayService::GetRelay(Context* context, const v1::GetRelayRequest* request,
                                    v1::GetRelayResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("meters", request->meter(), "meter"));
    VW_ASSIGN_OR_RETURN(const MeterRow meter, finder_.Require(call, id));
    const pg::TxOptions options = {
        .name = "relay.get", .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      VW_RETURN_IF_ERROR(RelayStore::ReadRelay(tx, meter.number, *response));
      VW_ASSIGN_OR_RETURN(std::vector<v1::Hold> holds,
                          RelayStore::ListHolds(tx, call.identity.tenant, meter.number, "", kPageSizeMax));
      for (v1::Hold& hold : holds) *response->add_holds() = std::move(hold);
      VW_ASSIGN_OR_RETURN(const int64_t number, OperationStore::OpenRelayOperation(tx, meter.number));
      if (number == 0) return absl::OkStatus();
      VW_ASSIGN_OR_RETURN(*response->mutable_operation(), OperationStore::Get(tx, call.identity.tenant, number));
      return absl::OkStatus();
    });
  });
}

}  // namespace voltwell::scheduler
