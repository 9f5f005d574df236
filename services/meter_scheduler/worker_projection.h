// Keeps the projection of meters: follows the registry's events, and takes its whole list where there is no cursor to
// go on from.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/events/events.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/store_meters.h"

namespace voltwell::scheduler {

class Projection {
 public:
  Projection(pg::Pool& pool, Clients& clients, MeterStore& meters, os::Clock& clock, metrics::Registry& metrics);

 private:
  absl::Status Apply(pg::Tx& tx, const std::vector<const voltwell::event::v1::Event*>& events);
  absl::StatusOr<voltwell::event::v1::Cursor> Resync();

  Clients& clients_;
  MeterStore& meters_;
  events::Follower follower_;
};

}  // namespace voltwell::scheduler
