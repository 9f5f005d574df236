// The pure decisions: order of a claim, retries, firings after downtime, and the life of a relay operation.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "services/meter_scheduler/domain/firing.h"
#include "services/meter_scheduler/domain/grouping.h"
#include "services/meter_scheduler/domain/relay_machine.h"
#include "services/meter_scheduler/domain/retry.h"

namespace voltwell::scheduler::domain {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::shared_ptr<Work> WorkOf(Kind kind, int max_attempts, absl::Duration left) {
  auto work = std::make_shared<Work>();
  work->kind = kind;
  work->max_attempts = max_attempts;
  work->give_up_time = kNow + left;
  return work;
}

Item ItemOn(int bus, const std::string& address, Priority priority = Priority::kScheduled) {
  Item item;
  item.work = WorkOf(Kind::kRun, 3, absl::Minutes(10));
  item.bus_no = bus;
  item.address = address;
  item.priority = priority;
  return item;
}

NextFiring Every(absl::Duration period) {
  return [period](absl::Time after) -> std::optional<absl::Time> {
    return absl::UnixEpoch() + (absl::Floor(after - absl::UnixEpoch(), period) + period);
  };
}

}  // namespace

TEST_CASE("items of a claim go bus by bus, the urgent first, then by address") {
  const Grouped grouped =
      Group({ItemOn(2, "B"), ItemOn(1, "Z"), ItemOn(1, "A"), ItemOn(1, "Y", Priority::kInteractive)}, kNow);
  std::vector<std::string> order;
  for (const Item& item : grouped.to_send) order.push_back(item.address);
  CHECK(order == std::vector<std::string>{"Y", "A", "Z", "B"});
  CHECK(grouped.too_late.empty());
}

TEST_CASE("an item whose window has closed is not sent, but a relay that was attempted is still looked at") {
  Item late = ItemOn(1, "A");
  late.work = WorkOf(Kind::kRun, 3, absl::ZeroDuration());
  Item look = late;
  look.phase = Phase::kVerify;
  const Grouped grouped = Group({late, look}, kNow);
  CHECK(grouped.too_late.size() == 1);
  REQUIRE(grouped.to_send.size() == 1);
  CHECK(grouped.to_send[0].phase == Phase::kVerify);
}

TEST_CASE("a claim is shared between the buses that have work, and never exceeds its limit") {
  CHECK(PerBus(1) == 64);
  CHECK(PerBus(8) == 64);
  CHECK(PerBus(9) == 56);
  CHECK(PerBus(128) == 4);
  CHECK(PerBus(1000) == 4);
  for (int lanes = 1; lanes <= kLanesMax; ++lanes) CHECK(PerBus(lanes) * lanes <= kBatchMax);
}

TEST_CASE("a read that times out is tried again until its attempts are used up") {
  Item item = ItemOn(1, "A");
  Verdict verdict = AfterFailure(item, Outcome::kTimeout, kNow, 0.5);
  CHECK_FALSE(verdict.final);
  CHECK(verdict.attempts == 1);
  CHECK(verdict.due == kNow + absl::Seconds(5));
  item.attempts = 2;
  verdict = AfterFailure(item, Outcome::kTimeout, kNow, 0.5);
  CHECK(verdict.final);
  CHECK(verdict.reason == "TIMEOUT");
  CHECK(verdict.attempts == 3);
}

TEST_CASE("what was not sent is no attempt: a dark collector is waited for until the window closes") {
  Item item = ItemOn(1, "A");
  item.attempts = 2;
  Verdict verdict = AfterFailure(item, Outcome::kOffline, kNow, 0);
  CHECK_FALSE(verdict.final);
  CHECK(verdict.attempts == 2);
  CHECK(verdict.due < item.work->give_up_time);
  item.work = WorkOf(Kind::kRun, 3, absl::ZeroDuration());
  verdict = AfterFailure(item, Outcome::kOffline, kNow, 0);
  CHECK(verdict.final);
  CHECK(verdict.reason == "OFFLINE");
}

TEST_CASE("a line that is gone is asked again soon once, then seldom") {
  Item item = ItemOn(1, "A");
  item.work = WorkOf(Kind::kRun, 3, absl::Hours(24));
  CHECK(AfterFailure(item, Outcome::kOffline, kNow, 0.5).due == kNow + kOfflineFirst);
  item.last_reason = "OFFLINE";
  CHECK(AfterFailure(item, Outcome::kOffline, kNow, 0.5).due == kNow + kOfflineMax);
}

TEST_CASE("a gateway that went with the item counts as no attempt of a read") {
  Item item = ItemOn(1, "A");
  item.attempts = 2;
  const Verdict verdict = AfterFailure(item, Outcome::kStreamBroken, kNow, 0);
  CHECK_FALSE(verdict.final);
  CHECK(verdict.attempts == 2);
}

TEST_CASE("somebody who waits is told at once that the collector is not there") {
  Item item = ItemOn(1, "A", Priority::kInteractive);
  item.work = WorkOf(Kind::kReadNow, 2, absl::Minutes(1));
  const Verdict verdict = AfterFailure(item, Outcome::kOffline, kNow, 0);
  CHECK(verdict.final);
  CHECK(verdict.reason == "OFFLINE");
}

TEST_CASE("a meter that refuses is not asked again") {
  const Verdict verdict = AfterFailure(ItemOn(1, "A"), Outcome::kMeterRefused, kNow, 0);
  CHECK(verdict.final);
  CHECK(verdict.reason == "METER_REFUSED");
}

TEST_CASE("the attempts that are left fit into the window, whatever the jitter") {
  for (const double jitter : {0.0, 0.3, 0.99}) {
    for (int attempts = 0; attempts < 9; ++attempts) {
      Item item = ItemOn(1, "A");
      item.work = WorkOf(Kind::kRun, 10, absl::Seconds(30));
      item.attempts = attempts;
      const Verdict verdict = AfterFailure(item, Outcome::kTimeout, kNow, jitter);
      REQUIRE_FALSE(verdict.final);
      CHECK(verdict.due > kNow);
      CHECK(verdict.due < item.work->give_up_time);
    }
  }
}

TEST_CASE("every outcome has its reason") {
  std::set<std::string> reasons;
  for (int outcome = static_cast<int>(Outcome::kNoise); outcome <= static_cast<int>(Outcome::kCodecDown); ++outcome) {
    const absl::string_view reason = ReasonOf(static_cast<Outcome>(outcome));
    CHECK_FALSE(reason.empty());
    CHECK(reasons.insert(std::string(reason)).second);
  }
}

TEST_CASE("a firing in time runs, and the next one follows it") {
  const Firing firing = PlanFiring(kNow, kNow + absl::Milliseconds(3), Every(absl::Minutes(1)));
  CHECK(firing.fire_time == kNow);
  CHECK(firing.next == kNow + absl::Minutes(1));
  CHECK(firing.missed == 0);
}

TEST_CASE("after downtime only the last missed firing is run, the others are recorded") {
  const absl::Time now = kNow + absl::Minutes(10) + absl::Seconds(5);
  const Firing firing = PlanFiring(kNow, now, Every(absl::Minutes(1)));
  CHECK(firing.fire_time == kNow + absl::Minutes(10));
  CHECK(firing.next == kNow + absl::Minutes(11));
  CHECK(firing.missed == 10);
  CHECK(firing.first_missed == kNow);
  CHECK(firing.last_missed == kNow + absl::Minutes(9));
}

TEST_CASE("a week of downtime of a schedule of each second is not walked through second by second") {
  int asked = 0;
  const NextFiring each = Every(absl::Seconds(1));
  const NextFiring counted = [&](absl::Time after) {
    ++asked;
    return each(after);
  };
  const absl::Time now = kNow + absl::Hours(24 * 7);
  const Firing firing = PlanFiring(kNow, now, counted);
  CHECK(firing.fire_time == now);
  CHECK(firing.next == now + absl::Seconds(1));
  CHECK(firing.missed == kMissedCountMax);
  CHECK(asked < kMissedCountMax + 100);
}

TEST_CASE("a schedule that fires never again has no next firing") {
  const NextFiring never = [](absl::Time) { return std::optional<absl::Time>(); };
  const Firing firing = PlanFiring(kNow, kNow, never);
  CHECK(firing.fire_time == kNow);
  CHECK_FALSE(firing.next.has_value());
  CHECK(GiveUpTime(kNow, std::nullopt, std::nullopt) == kNow + kWindowOfLast);
}

TEST_CASE("items wait until the next run is due, at least a minute, or as long as the schedule says") {
  CHECK(GiveUpTime(kNow, kNow + absl::Hours(1), std::nullopt) == kNow + absl::Hours(1));
  CHECK(GiveUpTime(kNow, kNow + absl::Seconds(1), std::nullopt) == kNow + absl::Seconds(60));
  CHECK(GiveUpTime(kNow, kNow + absl::Hours(1), absl::Minutes(5)) == kNow + absl::Minutes(5));
}

namespace {

RelayFacts Opening(Phase phase, Outcome outcome) {
  return {.kind = Kind::kOpen, .phase = phase, .outcome = outcome, .now = kNow, .not_after = kNow + absl::Seconds(30)};
}

}  // namespace

TEST_CASE("opening is one attempt: whatever was sent is settled by looking, never by sending again") {
  for (const Outcome outcome : {Outcome::kOk, Outcome::kNoise, Outcome::kTimeout, Outcome::kLost,
                                Outcome::kStreamBroken, Outcome::kNotUnderstood}) {
    const RelayStep step = NextRelayStep(Opening(Phase::kAttempted, outcome));
    CHECK(step.state == RelayState::kAgain);
    CHECK(step.next == Phase::kVerify);
    CHECK(step.unknown == (outcome != Outcome::kOk));
    CHECK(step.attempts == 1);
  }
}

TEST_CASE("an opening that was not sent may use its permit again while it lasts") {
  RelayFacts facts = Opening(Phase::kAttempted, Outcome::kExpired);
  RelayStep step = NextRelayStep(facts);
  CHECK(step.state == RelayState::kAgain);
  CHECK(step.next == Phase::kToAttempt);
  CHECK(step.attempts == 0);
  facts.not_after = kNow + absl::Milliseconds(100);
  step = NextRelayStep(facts);
  CHECK(step.state == RelayState::kFailed);
  CHECK(step.reason == "EXPIRED");
}

TEST_CASE("an opening that the meter refuses has failed") {
  const RelayStep step = NextRelayStep(Opening(Phase::kAttempted, Outcome::kMeterRefused));
  CHECK(step.state == RelayState::kFailed);
  CHECK(step.reason == "METER_REFUSED");
}

TEST_CASE("a look that shows the relay open is the success of an opening") {
  RelayFacts facts = Opening(Phase::kVerify, Outcome::kOk);
  facts.seen = Relay::kOpen;
  CHECK(NextRelayStep(facts).state == RelayState::kSucceeded);
}

TEST_CASE("an opening never goes back to the command after it was sent, and ends after so many looks") {
  for (const Relay seen : {Relay::kClosed, Relay::kUnknown}) {
    RelayFacts facts = Opening(Phase::kVerify, seen == Relay::kUnknown ? Outcome::kTimeout : Outcome::kOk);
    facts.seen = seen;
    facts.attempts = 1;
    int looks = 0;
    for (;;) {
      const RelayStep step = NextRelayStep(facts);
      ++looks;
      REQUIRE(looks <= kOpenVerifyMax);
      if (step.state == RelayState::kFailed) {
        CHECK(step.reason == (seen == Relay::kClosed ? "RELAY_DID_NOT_MOVE" : "OUTCOME_UNKNOWN"));
        break;
      }
      REQUIRE(step.next == Phase::kVerify);
      facts.attempts = step.attempts;
    }
  }
}

TEST_CASE("closing is repeated until the relay is seen closed") {
  RelayFacts facts = {.kind = Kind::kClose, .phase = Phase::kAttempted, .outcome = Outcome::kOk, .now = kNow};
  RelayStep step = NextRelayStep(facts);
  CHECK(step.next == Phase::kVerify);
  facts = {.kind = Kind::kClose, .phase = Phase::kVerify, .attempts = 1, .seen = Relay::kOpen, .now = kNow};
  step = NextRelayStep(facts);
  CHECK(step.state == RelayState::kAgain);
  CHECK(step.next == Phase::kToAttempt);
  facts.seen = Relay::kClosed;
  CHECK(NextRelayStep(facts).state == RelayState::kSucceeded);
}

TEST_CASE("a closing whose look failed looks again before it sends again") {
  const RelayFacts facts = {
      .kind = Kind::kClose, .phase = Phase::kVerify, .attempts = 1, .outcome = Outcome::kTimeout, .now = kNow};
  const RelayStep step = NextRelayStep(facts);
  CHECK(step.next == Phase::kVerify);
  CHECK(step.unknown);
}

TEST_CASE("a closing ends after so many exchanges, so that its operation tells somebody") {
  const RelayFacts facts = {
      .kind = Kind::kClose, .phase = Phase::kVerify, .attempts = kCloseAttemptsMax, .seen = Relay::kOpen, .now = kNow};
  const RelayStep step = NextRelayStep(facts);
  CHECK(step.state == RelayState::kFailed);
  CHECK(step.reason == "RELAY_DID_NOT_MOVE");
}

TEST_CASE("what fails is left alone twice as long each time, up to a limit, and not after a success") {
  BackOff back_off;
  back_off.Failed("a", absl::ZeroDuration());
  CHECK(back_off.Waiting(absl::Milliseconds(999)) == std::vector<std::string>{"a"});
  CHECK(back_off.Waiting(absl::Seconds(1)).empty());
  back_off.Failed("a", absl::Seconds(1));
  CHECK(back_off.Waiting(absl::Milliseconds(2999)).size() == 1);
  for (int i = 0; i < 20; ++i) back_off.Failed("a", absl::Seconds(1));
  CHECK(back_off.Waiting(absl::Seconds(1) + kLeftAloneMax - absl::Milliseconds(1)).size() == 1);
  CHECK(back_off.Waiting(absl::Seconds(1) + kLeftAloneMax).empty());
  back_off.Succeeded("a");
  back_off.Failed("a", absl::ZeroDuration());
  CHECK(back_off.Waiting(absl::Seconds(1)).empty());
}

TEST_CASE("so many are left alone at once; beyond, the one that is free soonest is forgotten") {
  BackOff back_off;
  for (size_t i = 0; i <= kLeftAloneEntriesMax; ++i) {
    back_off.Failed("id" + std::to_string(i), absl::Milliseconds(static_cast<int64_t>(i) / 10));
  }
  const std::vector<std::string> waiting = back_off.Waiting(absl::Milliseconds(500));
  CHECK(waiting.size() == kLeftAloneEntriesMax);
  CHECK(std::find(waiting.begin(), waiting.end(), "id" + std::to_string(kLeftAloneEntriesMax)) != waiting.end());
}

}  // namespace voltwell::scheduler::domain
