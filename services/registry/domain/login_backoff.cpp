#include "services/registry/domain/login_backoff.h"

#include <algorithm>

namespace voltwell::registry {

absl::Duration WaitBeforeLogin(int failures, absl::Time last_failure, absl::Time now) {
  if (failures < kFreeFailures || now >= last_failure + kFailuresForgotten) return absl::ZeroDuration();
  absl::Duration wait = absl::Seconds(1);
  for (int i = kFreeFailures; i < failures && wait < kBackOffMax; ++i) wait *= 2;
  const absl::Time open_at = last_failure + std::min(wait, kBackOffMax);
  // A clock that was set back must not prolong the wait beyond its maximum.
  return std::clamp(open_at - now, absl::ZeroDuration(), kBackOffMax);
}

}  // namespace voltwell::registry
