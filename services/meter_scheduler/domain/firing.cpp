#include "services/meter_scheduler/domain/firing.h"

#include <algorithm>

namespace voltwell::scheduler::domain {
namespace {

// The last firing at or before `now`, found in windows that double: an expression that fires each second is not walked
// through a week of downtime.
absl::Time LastBefore(absl::Time due, absl::Time now, const NextFiring& next) {
  for (absl::Duration window = absl::Seconds(1); now - window > due; window *= 2) {
    std::optional<absl::Time> found = next(now - window);
    if (!found.has_value() || *found > now) continue;
    absl::Time last = *found;
    while ((found = next(last)).has_value() && *found <= now) last = *found;
    return last;
  }
  return due;
}

}  // namespace

Firing PlanFiring(absl::Time due, absl::Time now, const NextFiring& next) {
  Firing firing = {.fire_time = due, .next = next(due)};
  while (firing.next.has_value() && *firing.next <= now) {
    if (firing.missed == 0) firing.first_missed = firing.fire_time;
    firing.last_missed = firing.fire_time;
    ++firing.missed;
    firing.fire_time = *firing.next;
    if (firing.missed == kMissedCountMax) {
      firing.fire_time = std::max(firing.fire_time, LastBefore(firing.fire_time, now, next));
      firing.next = next(firing.fire_time);
      break;
    }
    firing.next = next(firing.fire_time);
  }
  return firing;
}

absl::Time GiveUpTime(absl::Time fire_time, std::optional<absl::Time> next, std::optional<absl::Duration> window) {
  if (window.has_value()) return fire_time + *window;
  if (!next.has_value()) return fire_time + kWindowOfLast;
  return std::max(*next, fire_time + kWindowMin);
}

void BackOff::Failed(const std::string& id, absl::Duration now) {
  if (entries_.size() >= kLeftAloneEntriesMax && !entries_.contains(id)) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                    [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
  }
  Entry& entry = entries_[id];
  entry.wait = std::clamp(entry.wait * 2, kLeftAloneFirst, kLeftAloneMax);
  entry.until = now + entry.wait;
}

std::vector<std::string> BackOff::Waiting(absl::Duration now) const {
  std::vector<std::string> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.until > now) ids.push_back(id);
  }
  return ids;
}

}  // namespace voltwell::scheduler::domain
