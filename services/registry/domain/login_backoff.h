// How failed sign-ins slow the next one down. Pure: the count and the time of the last failure come in.
#pragma once

#include "absl/time/time.h"

namespace voltwell::registry {

inline constexpr int kFreeFailures = 3;  // Typing mistakes cost nothing.
inline constexpr absl::Duration kBackOffMax =
    absl::Seconds(60);  // Bounded: a stranger must not lock a person out for long.
inline constexpr absl::Duration kFailuresForgotten = absl::Minutes(15);  // After the last one.

// How long from `now` until the next try is looked at; zero: at once. 1 s after the third failure, doubled with each
// further one.
absl::Duration WaitBeforeLogin(int failures, absl::Time last_failure, absl::Time now);

}  // namespace voltwell::registry
