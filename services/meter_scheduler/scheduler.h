// The workers of one process, from the moment the database is there: lease, road, tick, projection, reconciler,
// housekeeping.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/os/worker.h"
#include "libs/pg/lease.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/operation_waiters.h"
#include "services/meter_scheduler/store_plan.h"
#include "services/meter_scheduler/worker_projection.h"
#include "services/meter_scheduler/worker_road.h"
#include "services/meter_scheduler/worker_tick.h"

namespace voltwell::scheduler {

struct SchedulerParts {
  pg::Pool& pool;
  pg::Config pg;
  std::string sql_directory;
  std::string replica;
  absl::Duration drain;
  bool keep_bytes;
  absl::TimeZone meter_zone;
  Clients& clients;
  redis::Client& redis;
  Router& router;
  MeterStore& meters;
  RegisterStore& registers;
  PlanStore& plans;
  SecurityModule& security;
  OperationWaiters& waiters;
  os::Clock& clock;
  os::Random& random;
  metrics::Registry& metrics;
};

class Scheduler {
 public:
  // Waits for the database in a thread of its own, migrates, then starts the workers.
  explicit Scheduler(SchedulerParts parts);
  ~Scheduler();

  bool started() const;
  // Stops firing and claiming, lets exchanges end, gives back what is left, ends the lease.
  void Drain();

 private:
  struct Running;
  absl::Duration Boot();
  void OnChannel(const std::string& channel);

  SchedulerParts parts_;
  mutable std::mutex mutex_;
  bool draining_ = false;
  std::unique_ptr<Running> running_;
  std::unique_ptr<os::Worker> boot_;
};

}  // namespace voltwell::scheduler
