// Forgets what has served its time, in portions, each hour: keys of repeated requests, ended sessions, old failed
// sign-ins, and the history of links. (Events are purged by libs/events.)
#pragma once

#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "libs/pg/pg.h"
#include "services/registry/bootstrap.h"

namespace voltwell::registry {

inline constexpr int kForgetMax = 10'000;  // Rows of one transaction.

class Housekeeping {
 public:
  Housekeeping(pg::Pool& pool, const Bootstrap& bootstrap, os::Clock& clock);
  ~Housekeeping() { worker_.Stop(); }

 private:
  absl::Duration Step();

  pg::Pool& pool_;
  const Bootstrap& bootstrap_;
  os::Clock& clock_;
  os::Worker worker_;
};

}  // namespace voltwell::registry
