#include "services/meter_scheduler/domain/relay_machine.h"

#include <algorithm>

namespace voltwell::scheduler::domain {
namespace {

absl::Duration Pause(int attempts, absl::Duration most) {
  return std::min(kVerifyFirst * (1 << std::clamp(attempts, 0, 12)), most);
}

RelayStep Failed(int attempts, absl::string_view reason) {
  return {.state = RelayState::kFailed, .attempts = attempts, .reason = std::string(reason)};
}

RelayStep Again(const RelayFacts& facts, Phase next, bool unknown, int attempts, absl::Duration pause) {
  return {.state = RelayState::kAgain,
          .next = next,
          .unknown = unknown,
          .attempts = attempts,
          .due = facts.now + pause,
          .reason = std::string(ReasonOf(facts.outcome))};
}

// The exchange carried the command.
RelayStep AfterCommand(const RelayFacts& facts) {
  if (!WasSent(facts.outcome)) {
    // It was no attempt: the same permit may be claimed again while it lasts.
    if (facts.outcome == Outcome::kNotEncodable) return Failed(facts.attempts, ReasonOf(facts.outcome));
    // Nothing counts these tries, so the pause cannot grow: a dark collector is asked every 15 s.
    const absl::Duration close_pause = facts.outcome == Outcome::kOffline ? kOfflinePause : Pause(2, kCloseRetryMax);
    const absl::Duration pause = facts.kind == Kind::kOpen ? kVerifyFirst : close_pause;
    if (facts.now + pause >= facts.not_after) return Failed(facts.attempts, ReasonOf(facts.outcome));
    return Again(facts, Phase::kToAttempt, false, facts.attempts, pause);
  }
  const int attempts = facts.attempts + 1;
  if (facts.outcome == Outcome::kMeterRefused) return Failed(attempts, ReasonOf(facts.outcome));
  // Accepted, or unknown: the relay itself tells.
  return Again(facts, Phase::kVerify, facts.outcome != Outcome::kOk, attempts, kVerifyFirst);
}

// The exchange read the status word.
RelayStep AfterLook(const RelayFacts& facts) {
  // No look will ever tell.
  if (facts.outcome == Outcome::kNotEncodable) return Failed(facts.attempts, "OUTCOME_UNKNOWN");
  if (!WasSent(facts.outcome)) {
    if (facts.kind == Kind::kClose && facts.now >= facts.not_after) return Failed(facts.attempts, "OUTCOME_UNKNOWN");
    // Nothing counts these tries: the pause grows with the age of the operation.
    const absl::Duration pause = std::clamp((facts.now - facts.began) / 4, kVerifyFirst, kCloseRetryMax);
    return Again(facts, Phase::kVerify, true, facts.attempts, pause);
  }
  const int attempts = facts.attempts + 1;
  const Relay wanted = facts.kind == Kind::kOpen ? Relay::kOpen : Relay::kClosed;
  if (facts.outcome == Outcome::kOk && facts.seen == wanted)
    return {.state = RelayState::kSucceeded, .attempts = attempts};
  if (facts.kind == Kind::kOpen) {
    if (attempts >= kOpenVerifyMax) {
      return Failed(attempts, facts.seen == Relay::kClosed ? "RELAY_DID_NOT_MOVE" : "OUTCOME_UNKNOWN");
    }
    return Again(facts, Phase::kVerify, facts.seen == Relay::kUnknown, attempts, Pause(attempts, kCloseRetryMax));
  }
  if (attempts >= kCloseAttemptsMax || facts.now >= facts.not_after) {
    return Failed(attempts, facts.seen == Relay::kOpen ? "RELAY_DID_NOT_MOVE" : "OUTCOME_UNKNOWN");
  }
  // Seen open: say it again. Not seen: look again first.
  const Phase next = facts.seen == Relay::kOpen ? Phase::kToAttempt : Phase::kVerify;
  return Again(facts, next, facts.seen == Relay::kUnknown, attempts, Pause(attempts, kCloseRetryMax));
}

}  // namespace

RelayStep NextRelayStep(const RelayFacts& facts) {
  return facts.phase == Phase::kVerify ? AfterLook(facts) : AfterCommand(facts);
}

}  // namespace voltwell::scheduler::domain
