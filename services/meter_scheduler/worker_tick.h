// Fires schedules at their instants and plans their items. Any replica may: who locks a due schedule first fires it. It
// sleeps until the next firing, and is woken when schedules change.
#pragma once

#include <atomic>
#include <memory>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "services/meter_scheduler/store_plan.h"

namespace voltwell::scheduler {

class TickWorker {
 public:
  TickWorker(PlanStore& plans, os::Clock& clock, metrics::Registry& metrics);
  void Wake() {
    look_for_plans_ = true;
    worker_.Wake();
  }
  void Stop() { worker_.Stop(); }

 private:
  absl::Duration Step();

  PlanStore& plans_;
  os::Clock& clock_;
  prometheus::Counter& fired_total_;
  prometheus::Counter& failed_total_;
  std::atomic<bool> look_for_plans_ =
      true;  // At start, when woken, after a firing, and now and then: another replica may have died planning.
  absl::Duration looked_at_ = absl::ZeroDuration();
  os::Worker worker_;
};

}  // namespace voltwell::scheduler
