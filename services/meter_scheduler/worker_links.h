// Collectors that come back: gateways tell it in the link stream in Redis, and the items that waited for them are due
// at once. Every replica listens; the second one to act finds nothing left to do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "libs/pg/pg.h"
#include "libs/redis/redis.h"
#include "services/meter_scheduler/router.h"

namespace voltwell::scheduler {

inline constexpr int kLinkFactsMax = 1000;  // Read at once.

class LinksWorker {
 public:
  LinksWorker(redis::Client& redis, pg::Pool& pool, os::Clock& clock, metrics::Registry& metrics);
  void Stop() { worker_.Stop(); }

 private:
  absl::Duration Step();
  absl::Status FindEnd();
  // Makes the waiting items of these buses due; of all buses when there are none given.
  absl::Status Hurry(const std::vector<BusName>& buses);

  redis::Client& redis_;
  pg::Pool& pool_;
  os::Clock& clock_;
  prometheus::Counter& hurried_total_;
  std::string last_ = {};  // Id of the last entry taken; empty: not known yet.
  bool was_away_ = false;
  os::Worker worker_;
};

}  // namespace voltwell::scheduler
