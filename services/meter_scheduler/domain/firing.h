// What a schedule that is due does. One rule for downtime: of the firings that were missed only the last is run, since
// meters show their present value whenever they are asked; the others are recorded.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace voltwell::scheduler::domain {

// The first firing after an instant; nullopt: never again.
using NextFiring = std::function<std::optional<absl::Time>(absl::Time after)>;

inline constexpr int kMissedCountMax = 10'000;  // Missed firings are counted so far; then the record says "at least".
inline constexpr absl::Duration kWindowMin = absl::Seconds(60);
inline constexpr absl::Duration kWindowOfLast = absl::Hours(24);  // Where no further firing bounds the window.

struct Firing {
  absl::Time fire_time = absl::UnixEpoch();  // To run now.
  std::optional<absl::Time> next = std::nullopt;
  int missed = 0;  // Recorded, not run.
  absl::Time first_missed = absl::UnixEpoch();
  absl::Time last_missed = absl::UnixEpoch();
};

// `due` is the stored next firing, at or before `now`.
Firing PlanFiring(absl::Time due, absl::Time now, const NextFiring& next);

// When an item of the firing that was not read fails with TOO_LATE.
absl::Time GiveUpTime(absl::Time fire_time, std::optional<absl::Time> next, std::optional<absl::Duration> window);

inline constexpr absl::Duration kLeftAloneFirst = absl::Seconds(1);
inline constexpr absl::Duration kLeftAloneMax = absl::Minutes(5);
inline constexpr size_t kLeftAloneEntriesMax = 1000;  // Beyond, the one that is free soonest is forgotten.

// Ids that failed, each left alone twice as long after each failure. Times are monotonic.
class BackOff {
 public:
  void Failed(const std::string& id, absl::Duration now);
  void Succeeded(const std::string& id) { entries_.erase(id); }
  // Those to be left alone now.
  std::vector<std::string> Waiting(absl::Duration now) const;

 private:
  struct Entry {
    absl::Duration wait = absl::ZeroDuration();
    absl::Duration until = absl::ZeroDuration();
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace voltwell::scheduler::domain
