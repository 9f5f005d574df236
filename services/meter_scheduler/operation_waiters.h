// Those who wait for an operation to end: woken when one of this process ends, and by NOTIFY when one of another
// replica does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace voltwell::scheduler {

// Calls that wait at once: each holds a thread of the server. Beyond it ExecuteOperation answers without waiting.
inline constexpr int kWaitersMax = 8;

class OperationWaiters {
 public:
  void Wake() {
    const std::lock_guard lock(mutex_);
    ++round_;
    changed_.notify_all();
  }
  // A place, or false when all are taken.
  bool Enter() {
    const std::lock_guard lock(mutex_);
    if (waiting_ >= kWaitersMax) return false;
    ++waiting_;
    return true;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    --waiting_;
  }
  int64_t round() const {
    const std::lock_guard lock(mutex_);
    return round_;
  }
  // Returns when Wake was called after `seen`, or after `most`.
  void Wait(int64_t seen, absl::Duration most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(most), [&] { return round_ != seen; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int64_t round_ = 0;
  int waiting_ = 0;
};

}  // namespace voltwell::scheduler
