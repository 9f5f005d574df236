// A clock that stands until a test moves it. Wall time can be stepped, also back; monotonic time only advances.
#pragma once

#include <mutex>

#include "absl/time/time.h"
#include "libs/base/check.h"
#include "libs/os/clock.h"

namespace voltwell::testing {

class FakeClock final : public os::Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'767'225'600))  // 2026-01-01T00:00:00Z
      : now_(now) {}

  absl::Time Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  absl::Duration Monotonic() const override {
    const std::lock_guard lock(mutex_);
    return monotonic_;
  }
  // Time passes: both clocks move.
  void Advance(absl::Duration by) {
    VW_CHECK(by >= absl::ZeroDuration());
    const std::lock_guard lock(mutex_);
    now_ += by;
    monotonic_ += by;
  }
  // An administrator sets the wall clock; no time passes.
  void Set(absl::Time now) {
    const std::lock_guard lock(mutex_);
    now_ = now;
  }

 private:
  mutable std::mutex mutex_;
  absl::Time now_;
  absl::Duration monotonic_ = absl::Hours(1);
};

}  // namespace voltwell::testing
