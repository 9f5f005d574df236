// Verdicts; see bus_verdict.h.
#include "services/collector_gateway/domain/bus_verdict.h"

#include <algorithm>

namespace voltwell::gateway {
namespace {

// One spoilt, overlaid or crossed answer in so many makes a bus sick. Healthy cables do better than 1 in 1,000.
constexpr int64_t kSickShare = 20;
// Unasked bytes for each item asked.
constexpr int64_t kBabbleShare = 4;
constexpr double kSaturated = 0.9;
// Failures in a row after which a meter is no longer only doubted.
constexpr uint32_t kDeadAfter = 5;

bool Failing(const MeterFacts& meter) { return meter.failures_in_a_row >= static_cast<uint32_t>(kPenaltyAfter); }

}  // namespace

BusVerdict Judge(const BusFacts& facts, int queued, Instant now) {
  const LineCounts& counts = facts.counts();
  if (counts.asked < kVerdictAskedMin) return BusVerdict::kUnknown;
  // From the fault that explains the others: babble looks like noise, collisions spoil checksums.
  if (counts.babble_bytes > kBabbleShare * counts.asked) return BusVerdict::kBabbling;
  if ((counts.collisions + counts.strays) * kSickShare >= counts.asked) return BusVerdict::kColliding;
  if ((counts.bad_checksums + counts.noises) * kSickShare >= counts.asked) return BusVerdict::kNoisy;
  if (counts.answered == 0) return BusVerdict::kSilent;
  if (std::any_of(facts.meters().begin(), facts.meters().end(), Failing)) return BusVerdict::kMetersFailing;
  if (queued > 0 && facts.Utilisation(now) >= kSaturated) return BusVerdict::kSaturated;
  return BusVerdict::kHealthy;
}

Liveness SocketLife(const SessionSigns& signs) {
  if (signs.unsent) return {LifeState::kDoubtful, LifeReason::kUnsent, signs.idle};
  if (signs.idle <= kHeartbeatLate) return {LifeState::kAlive, LifeReason::kBytesSeen, signs.idle};
  // The kernel probes the connection and would have ended it: without agreed heartbeats silence proves nothing.
  if (!signs.heartbeat) return {LifeState::kAlive, LifeReason::kNothingDue, signs.idle};
  return {LifeState::kDoubtful, LifeReason::kHeartbeatOverdue, signs.idle};
}

Liveness CollectorLife(const SessionSigns& signs) {
  if (signs.idle <= kHeartbeatLate) return {LifeState::kAlive, LifeReason::kBytesSeen, signs.idle};
  if (signs.unanswered > 0) {
    const LifeState state = signs.unanswered >= kPenaltyAfter ? LifeState::kDead : LifeState::kDoubtful;
    return {state, LifeReason::kNoAnswer, signs.idle};
  }
  if (signs.heartbeat) return {LifeState::kDoubtful, LifeReason::kHeartbeatOverdue, signs.idle};
  return {LifeState::kUnknown, LifeReason::kNothingDue, signs.idle};
}

Liveness MeterLife(const MeterFacts& meter, Instant now) {
  Liveness life;
  if (meter.last_answer != -absl::InfiniteDuration()) life.silent = now - meter.last_answer;
  if (meter.failures_in_a_row > 0) {
    life.state = meter.failures_in_a_row >= kDeadAfter ? LifeState::kDead : LifeState::kDoubtful;
    life.reason = meter.last_spoilt ? LifeReason::kSpoilt : LifeReason::kNoAnswer;
    // Whoever sends, however badly, is not dead.
    if (meter.last_spoilt) life.state = LifeState::kDoubtful;
  } else if (meter.answered > 0) {
    life.state = LifeState::kAlive;
    life.reason = LifeReason::kAnswered;
  }
  return life;
}

}  // namespace voltwell::gateway
