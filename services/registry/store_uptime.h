// How much of a period collectors were online, out of the history of their links.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"

namespace voltwell::registry::store {

// Collectors of one answer: 100 whose two buses drop ten times a day have 120,000 facts in 30 days, seconds of work.
inline constexpr int kUptimePageMax = 100;

// Of a collector, its buses added up.
struct Uptime {
  std::string collector = {};                         // Id.
  absl::Duration observed = absl::ZeroDuration();     // Since the collector was created, at most the period; each bus.
  absl::Duration online = absl::ZeroDuration();       // Of this.
  int64_t drops = 0;                                  // Sessions that ended.
  absl::Duration longest_gap = absl::ZeroDuration();  // Of one bus.
  std::optional<absl::Time> longest_gap_from = {};
};

// From `from` to `to`, in the order of their ids; those that are gone are left out.
absl::StatusOr<std::vector<Uptime>> ListUptimes(pg::Tx& tx, const std::vector<std::string>& collectors, absl::Time from,
                                                absl::Time to);

}  // namespace voltwell::registry::store
