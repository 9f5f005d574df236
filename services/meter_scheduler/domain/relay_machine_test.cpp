// Looks at a relay that cannot be made: they neither end an operation early nor hurry for ever.
#include "services/meter_scheduler/domain/relay_machine.h"

#include <catch2/catch.hpp>

namespace voltwell::scheduler::domain {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

}  // namespace

TEST_CASE("looks that cannot be sent come more and more seldom, and count as no attempt") {
  for (const Kind kind : {Kind::kOpen, Kind::kClose}) {
    RelayFacts facts = {.kind = kind,
                        .phase = Phase::kVerify,
                        .attempts = 1,
                        .outcome = Outcome::kOffline,
                        .now = kNow,
                        .began = kNow - absl::Seconds(2),
                        .not_after = kNow + absl::Hours(24)};
    absl::Duration last = absl::ZeroDuration();
    int looks = 0;
    while (facts.now < kNow + absl::Hours(23)) {
      const RelayStep step = NextRelayStep(facts);
      REQUIRE(step.state == RelayState::kAgain);
      REQUIRE(step.next == Phase::kVerify);
      CHECK(step.unknown);
      CHECK(step.attempts == 1);
      CHECK(step.reason == "OFFLINE");
      CHECK(step.due - facts.now >= last);
      last = step.due - facts.now;
      facts.now = step.due;
      ++looks;
    }
    CHECK(last == kCloseRetryMax);
    CHECK(looks < 350);  // Twelve an hour in the end.
  }
}

TEST_CASE("a look that cannot be said to the meter ends the operation with its outcome unknown") {
  for (const Kind kind : {Kind::kOpen, Kind::kClose}) {
    const RelayStep step = NextRelayStep(
        {.kind = kind, .phase = Phase::kVerify, .attempts = 1, .outcome = Outcome::kNotEncodable, .now = kNow});
    CHECK(step.state == RelayState::kFailed);
    CHECK(step.reason == "OUTCOME_UNKNOWN");
  }
}

TEST_CASE("a closing that cannot be looked at ends when its time is over") {
  const RelayStep step = NextRelayStep({.kind = Kind::kClose,
                                        .phase = Phase::kVerify,
                                        .attempts = 1,
                                        .outcome = Outcome::kOffline,
                                        .now = kNow,
                                        .not_after = kNow});
  CHECK(step.state == RelayState::kFailed);
}

}  // namespace voltwell::scheduler::domain
