// CLOSED is level-based: relays that were seen open, that no hold wants open, and for which nothing is under way get an
// operation that closes them.
#pragma once

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/store_relay.h"

namespace voltwell::scheduler {

class ReconcileWorker {
 public:
  ReconcileWorker(pg::Pool& pool, os::Clock& clock, metrics::Registry& metrics);
  void Stop() { worker_.Stop(); }

 private:
  pg::Pool& pool_;
  os::Clock& clock_;
  prometheus::Counter& closes_total_;
  os::Worker worker_;
};

}  // namespace voltwell::scheduler
