// The system's clocks: CLOCK_REALTIME for people and rows, CLOCK_MONOTONIC for everything that is measured.
#include "libs/os/clock.h"

#include <time.h>

#include "absl/time/clock.h"
#include "libs/base/check.h"

namespace voltwell::os {

absl::Time SystemClock::Now() const { return absl::Now(); }

absl::Duration SystemClock::Monotonic() const {
  timespec now = {};
  VW_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return absl::DurationFromTimespec(now);
}

}  // namespace voltwell::os
