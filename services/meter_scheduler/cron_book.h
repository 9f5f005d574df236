// Expressions and named zones as the tick and the schedules use them. Zones are tables that cost to build, so they are
// kept.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "libs/cron/next.h"
#include "services/meter_scheduler/domain/firing.h"
#include "services/meter_scheduler/store_plan.h"

namespace voltwell::scheduler {

class CronBook {
 public:
  // BAD_CRON with field and position, UNKNOWN_TIME_ZONE. `gap_rule` is voltwell.scheduler.v1.Schedule.GapRule.
  absl::StatusOr<domain::NextFiring> Next(const std::string& cron, const std::string& time_zone, int gap_rule);
  // The same for stored schedules. This must outlive it.
  MakeNextFiring ForPlans() {
    return [this](const SchedulePlan& plan) { return Next(plan.cron, plan.time_zone, plan.gap_rule); };
  }

 private:
  absl::StatusOr<std::shared_ptr<const cron::Zone>> ZoneOf(const std::string& name);

  std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<const cron::Zone>> zones_;  // At most as many as the system knows.
};

}  // namespace voltwell::scheduler
