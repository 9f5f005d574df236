// A time zone's offset changes as a table, so that finding the next time costs a short search instead of a zone
// look-up. Make one per named zone and keep it: building it walks all changes from 1970 to 2200.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace voltwell::cron {

class Zone {
 public:
  explicit Zone(absl::TimeZone zone);

  // From `begin` on (Unix seconds) local time is UTC plus `offset` seconds, until the next segment begins.
  struct Segment {
    int64_t begin = 0;
    int64_t offset = 0;
  };

  // Index of the segment that holds this instant.
  size_t Find(int64_t unix_seconds) const;
  const std::vector<Segment>& segments() const { return segments_; }

 private:
  std::vector<Segment> segments_;
};

}  // namespace voltwell::cron
