// What must be done now and then: partitions ahead of time, bytes and keys beyond their age, items of cancelled runs.
#pragma once

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "libs/pg/pg.h"

namespace voltwell::scheduler {

inline constexpr absl::Duration kBytesKept = absl::Hours(24 * 90);
inline constexpr absl::Duration kKeysKept = absl::Hours(24 * 30);  // Of idempotency: longer than any client repeats.

class HousekeepingWorker {
 public:
  HousekeepingWorker(pg::Pool& pool, os::Clock& clock, metrics::Registry& metrics);
  void Stop() { worker_.Stop(); }
  // One round, as the worker does it: for tests.
  absl::Status Round();

 private:
  pg::Pool& pool_;
  os::Clock& clock_;
  prometheus::Gauge& last_gauge_;
  os::Worker worker_;
};

}  // namespace voltwell::scheduler
