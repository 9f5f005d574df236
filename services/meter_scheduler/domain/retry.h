// What follows from a read that failed: another attempt, or the item's one final state with its reason.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/meter_scheduler/domain/item.h"

namespace voltwell::scheduler::domain {

// How an attempt ended. The first eight are the gateway's; the others are found out around it.
enum class Outcome {
  kOk,
  kNoise,
  kTimeout,
  kLost,
  kOffline,
  kBusy,
  kMoved,
  kExpired,
  kStreamBroken,   // The gateway went while it had the item: nobody knows whether the meter heard it.
  kMeterRefused,   // The meter answered with an error: it would again.
  kNotUnderstood,  // The codec could not read the answer.
  kNotEncodable,   // The codec cannot say it to this meter: no attempt will change that.
  kCodecDown,      // Ours, not the meter's: no attempt was made.
};

// Reason that stands in RunItem and Operation.
absl::string_view ReasonOf(Outcome outcome);

// False: nothing was sent, so it counts as no attempt.
bool WasSent(Outcome outcome);

inline constexpr absl::Duration kBackOffFirst = absl::Seconds(5);
inline constexpr absl::Duration kBackOffMax = absl::Minutes(5);
inline constexpr absl::Duration kOfflineFirst = absl::Seconds(2);
inline constexpr absl::Duration kOfflineMax = absl::Seconds(60);

struct Verdict {
  bool final = false;
  int attempts = 0;  // Made so far, this one included.
  std::string reason = {};
  absl::Time due = absl::InfiniteFuture();  // Of the next attempt, unless final.
};

// `jitter` in [0, 1) spreads the attempts of a building that failed together. Planned reads wait for a line that is
// gone until their window closes; what somebody waits for fails at once when nothing can be sent.
Verdict AfterFailure(const Item& item, Outcome outcome, absl::Time now, double jitter);

}  // namespace voltwell::scheduler::domain
