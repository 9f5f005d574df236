// What a bus teaches: turnarounds, holds, penalties and counts.
#include "services/collector_gateway/domain/bus_facts.h"

#include <catch2/catch.hpp>

#include "services/collector_gateway/domain/bus_queue.h"
#include "services/collector_gateway/domain/group_run.h"
#include "services/collector_gateway/testing/frames.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
namespace base = voltwell::base;

namespace {

constexpr Instant kStart = absl::Hours(1);
constexpr absl::Duration kFull = absl::Seconds(3);

uint64_t Meter(uint8_t number) { return MeterKeyOf(ItemOf(number)); }
QuestionKey Read(uint8_t meter, const std::string& what = "DDDD") { return KeyOf(ReadOf(meter, what).question); }

void Teach(BusFacts& facts, const QuestionKey& key, absl::Duration turnaround, int times = kTurnaroundSamplesMin) {
  for (int i = 0; i < times; ++i) facts.Answered(key, kStart, turnaround, turnaround, 20);
}

absl::Duration LimitOf(const BusFacts& facts, const QuestionKey& key, Priority priority = Priority::kScheduled) {
  return facts.AnswerLimit(key, absl::ZeroDuration(), kFull, 0, priority);
}

void Fail(BusFacts& facts, uint8_t meter, int times) {
  for (int i = 0; i < times; ++i) facts.Ended(Meter(meter), Outcome::kTimeout, kStart, absl::Seconds(1));
}

}  // namespace

TEST_CASE("a meter is known by the bytes that question and answer share, a kind of question by the rest") {
  CHECK(Read(7).meter == Read(7, "EEEE").meter);
  CHECK(Read(7).meter != Read(8).meter);
  CHECK(Read(7).kind == Read(8).kind);
  CHECK(Read(7).kind != Read(7, "EEEE").kind);
  CHECK(Read(7).meter == Meter(7));
  CHECK(MeterLabelOf(ItemOf(7)) == std::string(6, '\x07'));

  // Preambles do not move the bytes.
  Question woken = ReadOf(7).question;
  woken.request = "\xFE\xFE" + woken.request;
  CHECK(KeyOf(woken).meter == Meter(7));

  // Nothing shared: the whole question is the key, and the label is cut.
  Question blind = {std::string(20, 'q'), {}};
  Exchange exchange;
  exchange.question = blind;
  CHECK(MeterLabelOf(ItemOf(1, Priority::kRelay, {exchange})) == std::string(kMeterLabelMax, 'q'));
}

TEST_CASE("a turnaround is believed after its third answer, and then follows what the meter does") {
  Turnaround turnaround;
  for (int i = 1; i < kTurnaroundSamplesMin; ++i) turnaround.Learn(absl::Milliseconds(100));
  CHECK(turnaround.limit() == absl::InfiniteDuration());
  turnaround.Learn(absl::Milliseconds(100));
  for (int i = 0; i < 20; ++i) turnaround.Learn(absl::Milliseconds(100));
  CHECK(turnaround.limit() == absl::Milliseconds(100) + kTurnaroundSlack);
  // A jump is granted at once by the deviation.
  turnaround.Learn(absl::Milliseconds(900));
  CHECK(turnaround.limit() > absl::Milliseconds(900));
}

TEST_CASE("each failure doubles a learned limit, up to its end, and an answer takes it back") {
  Turnaround turnaround;
  for (int i = 0; i < 30; ++i) turnaround.Learn(absl::Milliseconds(100));
  const absl::Duration learned = turnaround.limit();
  turnaround.BackOff();
  CHECK(turnaround.limit() == 2 * learned);
  for (int i = 0; i <= kTurnaroundBackOffMax; ++i) turnaround.BackOff();
  CHECK(turnaround.limit() == 64 * learned);
  turnaround.Learn(absl::Milliseconds(100));
  CHECK(turnaround.limit() == learned);
}

TEST_CASE("waiting is cut to what was learned of meter and question, never beyond the exchange's own limit") {
  BusFacts facts(kStart);
  CHECK(LimitOf(facts, Read(7)) == kFull);
  Teach(facts, Read(7), absl::Milliseconds(50), 40);
  CHECK(LimitOf(facts, Read(7)) == absl::Milliseconds(50) + kTurnaroundSlack);
  // Another kind of question to it, and the same question to another: not known.
  CHECK(LimitOf(facts, Read(7, "EEEE")) == kFull);
  CHECK(LimitOf(facts, Read(8)) == kFull);
  // The line's time for question and longest answer is added.
  CHECK(facts.AnswerLimit(Read(7), WireTime(16, 2400), kFull, 2400, Priority::kScheduled) ==
        WireTime(16, 2400) + WireTime(20, 2400) + absl::Milliseconds(50) + kTurnaroundSlack);
  // A relay is given all the time there is.
  CHECK(LimitOf(facts, Read(7), Priority::kRelay) == kFull);
  // A slow meter has the longer of both, and the exchange's limit stands.
  Teach(facts, Read(9), absl::Seconds(30));
  CHECK(LimitOf(facts, Read(9)) == kFull);
}

TEST_CASE("an answer that names nobody is given its whole limit, however often it came fast") {
  BusFacts facts(kStart);
  // SND_NKE to meter 5, and E5H.
  const QuestionKey key = KeyOf({std::string("\x10\x40\x05\x45\x16"), {.any_of = {{{0, 0xFF, 0xE5}}}}});
  Teach(facts, key, absl::Milliseconds(50), 40);
  CHECK(LimitOf(facts, key) == kFull);
  // Its answers are counted all the same.
  REQUIRE(facts.meters().size() == 1);
  CHECK(facts.meters()[0].round_trips[0] == 40);
}

TEST_CASE("a meter that was given up early is not asked again before its late answer cannot come; others are") {
  BusFacts facts(kStart);
  BusQueue queue;
  REQUIRE(queue.Push(ItemOf(7, Priority::kInteractive), kStart));
  facts.Unanswered(Read(7), kStart, kStart + absl::Seconds(2));
  CHECK_FALSE(queue.Next(kStart, facts).has_value());
  CHECK(queue.HeldUntil(facts) == kStart + absl::Seconds(2));
  REQUIRE(queue.Push(ItemOf(8, Priority::kBackfill), kStart));
  CHECK(queue.Next(kStart, facts)->id == 8);
  // Its relay's answer is like no read's.
  REQUIRE(queue.Push(ItemOf(7, Priority::kRelay), kStart));
  CHECK(queue.Next(kStart, facts)->priority == Priority::kRelay);
  CHECK(queue.Next(kStart + absl::Seconds(2), facts)->id == 7);
  CHECK(facts.counts().learned_timeouts == 1);
}

TEST_CASE("a meter that always fails goes behind its neighbours, but a person may ask it, and an idle bus too") {
  BusFacts facts(kStart);
  Fail(facts, 7, kPenaltyAfter - 1);
  CHECK(facts.HoldOf(Meter(7), Priority::kScheduled, kStart) == Hold::kNone);
  Fail(facts, 7, 1);
  CHECK(facts.HoldOf(Meter(7), Priority::kScheduled, kStart) == Hold::kPenalised);
  CHECK(facts.HoldOf(Meter(7), Priority::kInteractive, kStart) == Hold::kNone);
  CHECK(facts.HoldOf(Meter(7), Priority::kScheduled, kStart + kPenaltyFirst) == Hold::kNone);

  BusQueue queue;
  for (uint32_t i = 0; i < 3; ++i) REQUIRE(queue.Push(ItemOf(7, Priority::kScheduled), kStart));
  for (uint32_t id = 1; id <= 3; ++id) REQUIRE(queue.Push(ItemOf(id, Priority::kScheduled), kStart));
  std::string order;
  while (const auto item = queue.Next(kStart, facts)) order += std::to_string(item->id);
  CHECK(order == "123777");

  // Doubling, up to the limit; an answer forgives all.
  Fail(facts, 7, 20);
  CHECK(facts.HoldOf(Meter(7), Priority::kScheduled, kStart + kPenaltyMax - absl::Seconds(1)) == Hold::kPenalised);
  CHECK(facts.HoldOf(Meter(7), Priority::kScheduled, kStart + kPenaltyMax) == Hold::kNone);
  facts.Ended(Meter(7), Outcome::kOk, kStart, absl::Seconds(1));
  CHECK(facts.HoldOf(Meter(7), Priority::kScheduled, kStart) == Hold::kNone);
}

TEST_CASE("one meter beyond the limit makes the one asked longest ago forgotten; kinds of questions too") {
  BusFacts facts(kStart);
  for (size_t i = 0; i <= kBusMetersMax; ++i) {
    Item item = ItemOf(1);
    item.meter = 1000 + i;
    facts.Began(item, kStart + absl::Seconds(static_cast<int64_t>(i)));
  }
  CHECK(facts.meters().size() == kBusMetersMax);
  CHECK(facts.meters().front().key == 1001);

  for (size_t i = 0; i <= kBusKindsMax; ++i) {
    const Instant at = kStart + absl::Seconds(static_cast<int64_t>(i));
    for (int n = 0; n < kTurnaroundSamplesMin; ++n) {
      facts.Answered({.meter = 1100, .kind = i, .addressed = true}, at, absl::Milliseconds(1), absl::Milliseconds(1),
                     1);
    }
  }
  CHECK(LimitOf(facts, {.meter = 1100, .kind = 0, .addressed = true}) == kFull);
  CHECK(LimitOf(facts, {.meter = 1100, .kind = 1, .addressed = true}) < kFull);
}

TEST_CASE("retries are counted apart, round trips by class, and utilisation over the last minutes") {
  BusFacts facts(kStart);
  Item again = ItemOf(7);
  again.meter = Meter(7);
  facts.Began(again, kStart);
  again.attempt = 2;
  facts.Began(again, kStart);
  CHECK(facts.counts().asked == 2);
  CHECK(facts.counts().retries == 1);
  facts.Answered(Read(7), kStart, absl::Milliseconds(50), absl::Milliseconds(120), 20);
  CHECK(facts.meters().front().round_trips[2] == 1);
  facts.Answered(Read(7), kStart, absl::Milliseconds(50), absl::Minutes(1), 20);
  CHECK(facts.meters().front().round_trips.back() == 1);

  for (int second = 0; second < 60; second += 2) {
    facts.Ended(Meter(7), Outcome::kOk, kStart + absl::Seconds(second), absl::Seconds(1));
  }
  CHECK(facts.Utilisation(kStart + absl::Seconds(60)) == Approx(0.5));
  CHECK(facts.Utilisation(kStart + absl::Minutes(30)) == 0.0);
}

TEST_CASE("a run learns from its answers, and gives a lost one up sooner") {
  BusFacts facts(kStart);
  Instant now = kStart;
  const BusTiming timing = {absl::Milliseconds(500), 0};
  for (int i = 0; i < 40; ++i) {
    GroupRun run(ItemOf(7), timing, Keepalives(), facts);
    run.Begin(now);
    now += absl::Milliseconds(80);
    REQUIRE(run.OnBytes(base::AsBytes(Reply(7)), now) == GroupRun::Move::kDone);
  }
  GroupRun lost(ItemOf(7), timing, Keepalives(), facts);
  lost.Begin(now);
  CHECK(lost.wake_at() == now + absl::Milliseconds(80) + kTurnaroundSlack);
  REQUIRE(lost.OnTime(lost.wake_at()) == GroupRun::Move::kDone);
  CHECK(lost.TakeResult().outcome == Outcome::kTimeout);
  CHECK(facts.HoldOf(Meter(7), Priority::kInteractive, now + absl::Milliseconds(300)) == Hold::kMustWait);

  // An answer that has begun is waited for as long as the exchange grants.
  GroupRun slow(ItemOf(7), timing, Keepalives(), facts);
  slow.Begin(now);
  REQUIRE(slow.OnBytes(base::AsBytes(Reply(7).substr(0, 5)), now) == GroupRun::Move::kWait);
  const Instant late = now + absl::Milliseconds(1400);
  CHECK(slow.OnTime(late) == GroupRun::Move::kWait);
  REQUIRE(slow.OnBytes(base::AsBytes(Reply(7).substr(5)), late) == GroupRun::Move::kDone);
  CHECK(slow.TakeResult().outcome == Outcome::kOk);
}

TEST_CASE("echoes, strays and collisions are told apart; preambles and dead air are nobody's answer") {
  BusFacts facts(kStart);
  GroupRun run(ItemOf(7), {absl::Milliseconds(500), 2400}, Keepalives(), facts);
  run.Begin(kStart);
  REQUIRE(run.OnBytes(base::AsBytes(Ask(7)), kStart + absl::Milliseconds(1)) == GroupRun::Move::kWait);
  REQUIRE(run.OnBytes(base::AsBytes(Reply(8)), kStart + absl::Seconds(1)) == GroupRun::Move::kWait);
  CHECK(facts.counts().echoes == 1);
  CHECK(facts.counts().strays == 1);
  CHECK(facts.counts().collisions == 0);

  GroupRun hit(ItemOf(7), {absl::Milliseconds(500), 2400}, Keepalives(), facts);
  hit.Begin(kStart);
  for (int i = 0; i < 2; ++i) REQUIRE(hit.OnBytes(base::AsBytes("xx"), kStart) == GroupRun::Move::kWait);
  CHECK(facts.counts().collisions == 1);

  GroupRun idle(ItemOf(7), {absl::Milliseconds(500), 0}, Keepalives(), facts);
  idle.Begin(kStart);
  REQUIRE(idle.OnBytes(base::AsBytes(std::string("\xFE\xFF\0\xFE", 4)), kStart) == GroupRun::Move::kWait);
  REQUIRE(idle.OnTime(idle.wake_at()) == GroupRun::Move::kDone);
  CHECK(idle.TakeResult().outcome == Outcome::kTimeout);
}
