#include "services/meter_scheduler/worker_projection.h"

#include <optional>

#include "libs/base/status.h"
#include "libs/log/log.h"

namespace voltwell::scheduler {
namespace {

using voltwell::event::v1::Event;
using voltwell::registry::v1::Collector;
using voltwell::registry::v1::ListMetersRequest;
using voltwell::registry::v1::Meter;
using voltwell::registry::v1::MeterService;

constexpr int kResyncPage = 1000;

}  // namespace

Projection::Projection(pg::Pool& pool, Clients& clients, MeterStore& meters, os::Clock& clock,
                       metrics::Registry& metrics)
    : clients_(clients),
      meters_(meters),
      follower_(
          {.source = "registry", .consumer = "meter_scheduler", .type_prefixes = {"meter.", "collector."}}, pool,
          clients.registry_events, [this](pg::Tx& tx, const auto& events) { return Apply(tx, events); },
          [this] { return Resync(); }, clock, metrics) {}

absl::Status Projection::Apply(pg::Tx& tx, const std::vector<const Event*>& events) {
  std::vector<Meter> meters;
  const auto flush = [&]() -> absl::Status {
    if (meters.empty()) return absl::OkStatus();
    VW_RETURN_IF_ERROR(MeterStore::Upsert(tx, meters));
    meters.clear();
    return absl::OkStatus();
  };
  for (const Event* event : events) {
    if (event->payload_type() == Meter::descriptor()->full_name()) {
      Meter meter;
      if (meter.ParseFromString(event->payload())) meters.push_back(std::move(meter));
    } else if (event->payload_type() == Collector::descriptor()->full_name()) {
      Collector collector;
      if (!collector.ParseFromString(event->payload())) continue;
      VW_RETURN_IF_ERROR(flush());  // In the order of the events: a meter may bring an older speed of its bus.
      VW_RETURN_IF_ERROR(MeterStore::UpsertCollector(tx, collector));
    }
  }
  return flush();
}

absl::StatusOr<voltwell::event::v1::Cursor> Projection::Resync() {
  ListMetersRequest request;
  request.set_page_size(kResyncPage);
  std::optional<voltwell::event::v1::Cursor> cursor;
  VW_ASSIGN_OR_RETURN(const int64_t ceiling, meters_.Ceiling());
  std::vector<std::string> listed;
  do {
    VW_ASSIGN_OR_RETURN(const auto page, clients_.meters.Call(&MeterService::Stub::ListMeters, request));
    if (!cursor.has_value()) cursor = page.cursor();
    VW_RETURN_IF_ERROR(meters_.UpsertMany({page.meters().begin(), page.meters().end()}));
    for (const Meter& meter : page.meters()) listed.push_back(meter.name().substr(meter.name().find('/') + 1));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  VW_RETURN_IF_ERROR(meters_.ArchiveUnlisted(ceiling, listed));
  log::Info("meters were listed anew", {{"meters", static_cast<int64_t>(listed.size())}});
  return *cursor;
}

}  // namespace voltwell::scheduler
