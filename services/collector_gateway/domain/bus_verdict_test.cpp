// Verdicts and liveness from facts.
#include "services/collector_gateway/domain/bus_verdict.h"

#include <catch2/catch.hpp>

using namespace voltwell::gateway;  // NOLINT

namespace {

constexpr Instant kStart = absl::Hours(1);

BusFacts Healthy() {
  BusFacts facts(kStart);
  facts.counts().asked = 100;
  facts.counts().answered = 99;
  return facts;
}
BusVerdict With(int64_t LineCounts::*field, int64_t value, int64_t answered = 90) {
  BusFacts facts = Healthy();
  facts.counts().answered = answered;
  facts.counts().*field = value;
  return Judge(facts, 0, kStart);
}
BusFacts Failed(Outcome outcome, int times) {
  BusFacts facts = Healthy();
  for (int i = 0; i < times; ++i) facts.Ended(7, outcome, kStart, absl::ZeroDuration());
  return facts;
}

}  // namespace

TEST_CASE("each fault of a bus has its verdict, and one that explains the others goes first") {
  CHECK(Judge(BusFacts(kStart), 0, kStart) == BusVerdict::kUnknown);
  CHECK(Judge(Healthy(), 0, kStart) == BusVerdict::kHealthy);
  CHECK(With(&LineCounts::timeouts, 100, 0) == BusVerdict::kSilent);
  CHECK(With(&LineCounts::bad_checksums, 5) == BusVerdict::kNoisy);
  CHECK(With(&LineCounts::bad_checksums, 4) == BusVerdict::kHealthy);
  CHECK(With(&LineCounts::noises, 5) == BusVerdict::kNoisy);
  CHECK(With(&LineCounts::collisions, 5) == BusVerdict::kColliding);
  CHECK(With(&LineCounts::strays, 5) == BusVerdict::kColliding);
  CHECK(With(&LineCounts::babble_bytes, 401) == BusVerdict::kBabbling);
  CHECK(With(&LineCounts::babble_bytes, 400) == BusVerdict::kHealthy);
  CHECK(With(&LineCounts::asked, kVerdictAskedMin - 1) == BusVerdict::kUnknown);

  CHECK(Judge(Failed(Outcome::kTimeout, kPenaltyAfter), 0, kStart) == BusVerdict::kMetersFailing);
  CHECK(Judge(Failed(Outcome::kTimeout, kPenaltyAfter - 1), 0, kStart) == BusVerdict::kHealthy);

  BusFacts busy = Healthy();
  for (int i = 0; i < 60; ++i) busy.Ended(7, Outcome::kOk, kStart + absl::Seconds(i), absl::Seconds(1));
  CHECK(Judge(busy, 1, kStart + absl::Minutes(1)) == BusVerdict::kSaturated);
  CHECK(Judge(busy, 0, kStart + absl::Minutes(1)) == BusVerdict::kHealthy);
}

TEST_CASE("a socket lives while bytes come, or while nothing had to come") {
  CHECK(SocketLife({.idle = absl::Seconds(30), .heartbeat = true}).state == LifeState::kAlive);
  const Liveness late = SocketLife({.idle = kHeartbeatLate + absl::Seconds(1), .heartbeat = true});
  CHECK(late.state == LifeState::kDoubtful);
  CHECK(late.reason == LifeReason::kHeartbeatOverdue);
  CHECK(SocketLife({.idle = absl::Hours(1)}).reason == LifeReason::kNothingDue);
  CHECK(SocketLife({.unsent = true}).reason == LifeReason::kUnsent);
}

TEST_CASE("a box is dead when its bus does not answer and nothing comes, and unknown when nothing was due") {
  CHECK(CollectorLife({.idle = absl::Seconds(1), .unanswered = 9}).state == LifeState::kAlive);
  CHECK(CollectorLife({.idle = absl::Hours(1), .unanswered = 1}).state == LifeState::kDoubtful);
  CHECK(CollectorLife({.idle = absl::Hours(1), .unanswered = kPenaltyAfter}).state == LifeState::kDead);
  CHECK(CollectorLife({.idle = absl::Hours(1), .heartbeat = true}).reason == LifeReason::kHeartbeatOverdue);
  CHECK(CollectorLife({.idle = absl::Hours(1)}).state == LifeState::kUnknown);
}

TEST_CASE("a meter's life is its last answers") {
  const auto life = [](const BusFacts& facts) { return MeterLife(facts.meters().front(), kStart + absl::Minutes(1)); };
  CHECK(MeterLife(MeterFacts(), kStart).reason == LifeReason::kNotAsked);
  const Liveness answered = life(Failed(Outcome::kOk, 1));
  CHECK(answered.state == LifeState::kAlive);
  CHECK(answered.silent == absl::Minutes(1));
  CHECK(life(Failed(Outcome::kTimeout, 1)).state == LifeState::kDoubtful);
  CHECK(life(Failed(Outcome::kTimeout, 5)).state == LifeState::kDead);
  CHECK(life(Failed(Outcome::kTimeout, 5)).reason == LifeReason::kNoAnswer);
  CHECK_FALSE(life(Failed(Outcome::kTimeout, 5)).silent.has_value());
  // Whoever sends, however badly, is not dead.
  CHECK(life(Failed(Outcome::kNoise, 9)).state == LifeState::kDoubtful);
  CHECK(life(Failed(Outcome::kNoise, 9)).reason == LifeReason::kSpoilt);
}
