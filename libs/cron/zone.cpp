// Reading a zone's changes; see zone.h.
#include "libs/cron/zone.h"

#include <algorithm>
#include <limits>

namespace voltwell::cron {
namespace {

constexpr int64_t kLastYear = 2200;

int64_t OffsetAt(const absl::TimeZone& zone, absl::Time time) { return zone.At(time).offset; }

}  // namespace

Zone::Zone(absl::TimeZone zone) {
  absl::Time at = absl::UnixEpoch();
  segments_.push_back({std::numeric_limits<int64_t>::min(), OffsetAt(zone, at)});
  const absl::Time end = absl::FromCivil(absl::CivilYear(kLastYear), absl::UTCTimeZone());
  absl::TimeZone::CivilTransition change;
  while (zone.NextTransition(at, &change)) {
    // The instant of the change: what the clock would have shown, by the offset before it.
    const absl::Time instant =
        absl::FromCivil(change.from, absl::FixedTimeZone(static_cast<int>(segments_.back().offset)));
    if (instant > end || instant <= at) break;
    at = instant;
    const int64_t offset = OffsetAt(zone, instant);
    if (offset != segments_.back().offset) segments_.push_back({absl::ToUnixSeconds(instant), offset});
  }
}

size_t Zone::Find(int64_t unix_seconds) const {
  const auto after = std::upper_bound(segments_.begin(), segments_.end(), unix_seconds,
                                      [](int64_t seconds, const Segment& segment) { return seconds < segment.begin; });
  return static_cast<size_t>(after - segments_.begin()) - 1;
}

}  // namespace voltwell::cron
