// When an expression is due next, by the local time of a named zone. No clock: the instant comes in.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "libs/cron/expression.h"
#include "libs/cron/zone.h"

namespace voltwell::cron {

// What happens to local times that a change of the clock skips or repeats. There is no rule that suits all, so it is
// said, not guessed.
struct DstRule {
  enum class Gap {
    kSkip,      // Times that do not exist are not due: 02:30 is left out on that day.
    kAtGapEnd,  // They are due once, at the instant of the change.
  };
  enum class Overlap {
    kOnce,   // Times that exist twice are due the first time only. An expression that is due every minute then rests
             // for the repeated hour.
    kTwice,  // They are due both times.
  };
  Gap gap = Gap::kAtGapEnd;
  Overlap overlap = Overlap::kOnce;
};

// Allocates nothing; the cost does not depend on how far away the next time is, but for days that few months have.
// The first instant strictly after `after`, in whole seconds. None only for an `after` beyond the year 9999.
std::optional<absl::Time> Next(const Expression& expression, absl::Time after, const Zone& zone, DstRule rule = {});

}  // namespace voltwell::cron
