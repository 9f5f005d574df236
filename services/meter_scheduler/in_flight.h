// How many items of each bus are on their way, so that a claim takes for buses that run low and leaves the others
// alone.
#pragma once

#include <mutex>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/metrics/metrics.h"
#include "services/meter_scheduler/domain/item.h"

namespace voltwell::scheduler {

inline constexpr int kInFlightMax = 16'384;  // Items claimed and not yet stored, all buses together.
inline constexpr int kRefillBelow = 32;      // A bus with fewer in flight may be given more.

class InFlight {
 public:
  explicit InFlight(metrics::Registry& metrics)
      : gauge_(metrics.Gauge("voltwell_scheduler_in_flight", "Items claimed and not yet stored")) {}

  void Add(const std::vector<domain::Item>& items) {
    const std::lock_guard lock(mutex_);
    for (const domain::Item& item : items) ++buses_[item.bus_no];
    total_ += static_cast<int>(items.size());
    gauge_.Set(total_);
  }
  void Remove(int32_t bus_no) {
    const std::lock_guard lock(mutex_);
    const auto found = buses_.find(bus_no);
    if (found == buses_.end()) return;
    if (--found->second == 0) buses_.erase(found);
    gauge_.Set(--total_);
  }
  // Buses that have enough.
  std::vector<int64_t> Full() const {
    const std::lock_guard lock(mutex_);
    std::vector<int64_t> full;
    for (const auto& [bus, count] : buses_) {
      if (count >= kRefillBelow) full.push_back(bus);
    }
    return full;
  }
  int total() const {
    const std::lock_guard lock(mutex_);
    return total_;
  }

 private:
  prometheus::Gauge& gauge_;
  mutable std::mutex mutex_;
  absl::flat_hash_map<int32_t, int> buses_;
  int total_ = 0;
};

}  // namespace voltwell::scheduler
