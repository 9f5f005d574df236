// The life of one operation on a relay, as a pure function. OPEN is edge-based: one attempt on one permit, and an
// unknown outcome is settled by reading the relay, never by a second attempt. CLOSED is level-based: it is repeated
// until the relay is seen closed or a hold stands.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/meter_scheduler/domain/item.h"
#include "services/meter_scheduler/domain/retry.h"

namespace voltwell::scheduler::domain {

inline constexpr absl::Duration kPermitMax = absl::Seconds(60);          // A permit is good for so long at most.
inline constexpr absl::Duration kOpenNotAfter = absl::Seconds(1);        // From the claim to the first byte of an OPEN.
inline constexpr absl::Duration kVerifyFirst = absl::Milliseconds(500);  // Relays need a moment to move.
inline constexpr int kOpenVerifyMax = 8;  // Looks at a relay before its outcome is given up.
inline constexpr absl::Duration kCloseRetryMax =
    absl::Minutes(5);                                         // A permitted close may wait for a hand on the button.
inline constexpr absl::Duration kCloseFor = absl::Hours(24);  // An operation that closes gives up; another follows.
inline constexpr absl::Duration kOfflinePause = absl::Seconds(15);
inline constexpr int kCloseAttemptsMax = 20;  // Then the operation fails; the reconciler makes a new one.

// What is known when an exchange of the operation has ended.
struct RelayFacts {
  Kind kind = Kind::kClose;         // kOpen or kClose
  Phase phase = Phase::kAttempted;  // In which the exchange was made: kAttempted or kVerify.
  int attempts = 0;                 // Exchanges before this one that were sent, looks included.
  Outcome outcome = Outcome::kOk;
  Relay seen = Relay::kUnknown;  // By a look that succeeded.
  absl::Time now = absl::UnixEpoch();
  absl::Time began = absl::UnixEpoch();           // The operation, at the earliest.
  absl::Time not_after = absl::InfiniteFuture();  // Of the permit; of an operation that closes: when it gives up.
};

enum class RelayState { kAgain, kSucceeded, kFailed };

struct RelayStep {
  RelayState state = RelayState::kAgain;
  Phase next = Phase::kVerify;  // Where it goes on, when kAgain.
  bool unknown = false;         // kAgain: sent, and the outcome is not known.
  int attempts = 0;
  absl::Time due = absl::UnixEpoch();
  std::string reason = {};
  bool operator==(const RelayStep&) const = default;
};

RelayStep NextRelayStep(const RelayFacts& facts);

}  // namespace voltwell::scheduler::domain
