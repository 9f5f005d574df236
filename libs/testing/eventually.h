// Awaits a condition with a deadline: the only place where tests sleep.
//   REQUIRE(testing::Eventually([&] { return gateway.sessions() == 1; }));
#pragma once

#include <chrono>
#include <thread>

#include "absl/time/time.h"
#include "libs/os/clock.h"

namespace voltwell::testing {

// True as soon as the condition holds; false when it did not within `limit` of real time.
template <typename Condition>
bool Eventually(Condition condition, absl::Duration limit = absl::Seconds(10)) {
  const os::SystemClock clock;
  const absl::Duration deadline = clock.Monotonic() + limit;
  for (std::chrono::milliseconds pause{1};;) {
    if (condition()) return true;
    if (clock.Monotonic() >= deadline) return false;
    std::this_thread::sleep_for(pause);
    if (pause < std::chrono::milliseconds(20)) pause *= 2;
  }
}

}  // namespace voltwell::testing
