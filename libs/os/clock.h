// Time is an argument: whoever needs it takes a Clock&. SystemClock is made in main; tests use testing::FakeClock.
#pragma once

#include "absl/time/time.h"

namespace voltwell::os {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time, UTC. May be stepped by an administrator: never measure a duration with it.
  virtual absl::Time Now() const = 0;
  // Time since an arbitrary start; never goes back. Timeouts, liveness and leases are measured with it.
  virtual absl::Duration Monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
};

}  // namespace voltwell::os
