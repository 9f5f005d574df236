#include "services/meter_scheduler/domain/grouping.h"

#include <algorithm>
#include <tuple>

namespace voltwell::scheduler::domain {

Grouped Group(std::vector<Item> claimed, absl::Time now) {
  Grouped grouped;
  grouped.to_send.reserve(claimed.size());
  for (Item& item : claimed) {
    // A relay that was attempted must be looked at, however late.
    const bool late = item.work->give_up_time <= now && item.phase != Phase::kVerify;
    (late ? grouped.too_late : grouped.to_send).push_back(std::move(item));
  }
  std::sort(grouped.to_send.begin(), grouped.to_send.end(), [](const Item& a, const Item& b) {
    return std::tie(a.bus_no, b.priority, a.address) < std::tie(b.bus_no, a.priority, b.address);
  });
  return grouped;
}

}  // namespace voltwell::scheduler::domain
