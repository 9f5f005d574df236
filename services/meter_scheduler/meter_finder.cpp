#include "services/meter_scheduler/meter_finder.h"

#include <algorithm>
#include <thread>

#include "libs/base/status.h"
#include "services/meter_scheduler/names.h"

namespace voltwell::scheduler {
namespace {

using voltwell::registry::v1::Meter;
using voltwell::registry::v1::MeterService;

constexpr absl::Duration kLookEvery = absl::Milliseconds(50);

}  // namespace

absl::StatusOr<MeterRow> MeterFinder::Ask(const rpc::Call& call, const std::string& id) {
  voltwell::registry::v1::GetMeterRequest request;
  request.set_name(NameOf("meters", id));
  const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
  const absl::StatusOr<Meter> meter = clients_.meters.Call(&MeterService::Stub::GetMeter, request, options);
  const absl::Status unknown = base::NotFound("METER_NOT_FOUND", "no such meter", {{"meter", id}});
  if (absl::IsNotFound(meter.status())) return unknown;
  if (!meter.ok()) return meter.status();
  if (meter->tenant() != call.identity.tenant) return unknown;
  VW_RETURN_IF_ERROR(meters_.UpsertMany({*meter}));
  VW_ASSIGN_OR_RETURN(const std::optional<MeterRow> row, meters_.Find(call.identity.tenant, id));
  if (!row.has_value()) return unknown;
  return *row;
}

absl::StatusOr<MeterRow> MeterFinder::Require(const rpc::Call& call, const std::string& id) {
  VW_RETURN_IF_ERROR(CheckTenant(call.identity));
  const absl::Duration until = clock_.Monotonic() + std::min(kProjectionWait, call.deadline - clock_.Now());
  std::optional<MeterRow> row;
  for (;;) {
    VW_ASSIGN_OR_RETURN(row, meters_.Find(call.identity.tenant, id));
    if (row.has_value() || clock_.Monotonic() >= until) break;
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(kLookEvery));
  }
  if (!row.has_value()) {
    VW_ASSIGN_OR_RETURN(row, Ask(call, id));
  }
  VW_RETURN_IF_ERROR(CheckScope(call.identity, row->site_path));
  return *row;
}

}  // namespace voltwell::scheduler
