// Learning, holding and counting; see bus_facts.h.
#include "services/collector_gateway/domain/bus_facts.h"

#include <algorithm>
#include <limits>

#include "services/collector_gateway/domain/group_run.h"

namespace voltwell::gateway {
namespace {

size_t ClassOf(absl::Duration round_trip) {
  const int64_t ms = absl::ToInt64Milliseconds(round_trip);
  const auto place = std::find_if(kRoundTripMs.begin(), kRoundTripMs.end(), [ms](int upper) { return ms <= upper; });
  return static_cast<size_t>(place - kRoundTripMs.begin());
}

absl::Duration PenaltyOf(uint32_t failures) {
  if (failures < kPenaltyAfter) return absl::ZeroDuration();
  const uint32_t doublings = std::min<uint32_t>(failures - kPenaltyAfter, 5);
  return std::min(kPenaltyFirst * (int64_t{1} << doublings), kPenaltyMax);
}

template <typename Entries>
void ForgetOldest(Entries& entries) {
  entries.erase(std::min_element(entries.begin(), entries.end(),
                                 [](const auto& a, const auto& b) { return a.last_asked < b.last_asked; }));
}

}  // namespace

const MeterFacts* BusFacts::Find(uint64_t key) const {
  const auto at = std::lower_bound(meters_.begin(), meters_.end(), key,
                                   [](const MeterFacts& meter, uint64_t wanted) { return meter.key < wanted; });
  return at != meters_.end() && at->key == key ? &*at : nullptr;
}

MeterFacts& BusFacts::MeterAt(uint64_t key, Instant now) {
  if (const MeterFacts* const known = Find(key); known != nullptr)
    return meters_[static_cast<size_t>(known - meters_.data())];
  if (meters_.size() >= kBusMetersMax) ForgetOldest(meters_);
  const auto at = std::lower_bound(meters_.begin(), meters_.end(), key,
                                   [](const MeterFacts& meter, uint64_t wanted) { return meter.key < wanted; });
  MeterFacts fresh;
  fresh.key = key;
  fresh.last_asked = now;
  return *meters_.insert(at, std::move(fresh));
}

const BusFacts::Kind* BusFacts::FindKind(uint64_t key) const {
  const auto at = std::find_if(kinds_.begin(), kinds_.end(), [key](const Kind& kind) { return kind.key == key; });
  return at == kinds_.end() ? nullptr : &*at;
}

absl::Duration BusFacts::AnswerLimit(const QuestionKey& key, absl::Duration request_wire, absl::Duration full, int baud,
                                     Priority priority) const {
  if (!key.addressed) return full;
  const MeterFacts* const meter = Find(key.meter);
  const Kind* const kind = FindKind(key.kind);
  if (priority == Priority::kRelay || meter == nullptr || kind == nullptr) return full;
  // Either is infinite until it is known.
  const absl::Duration turnaround = std::max(meter->turnaround.limit(), kind->turnaround.limit());
  return std::min(full, request_wire + WireTime(kind->reply_bytes, baud) + turnaround);
}

void BusFacts::Answered(const QuestionKey& key, Instant now, absl::Duration turnaround, absl::Duration round_trip,
                        size_t reply_bytes) {
  if (key.addressed) Learn(key, now, turnaround, reply_bytes);
  MeterFacts& meter = MeterAt(key.meter, now);
  meter.last_answer = now;
  uint16_t& count = meter.round_trips[ClassOf(round_trip)];
  if (count == std::numeric_limits<uint16_t>::max()) {
    for (uint16_t& each : meter.round_trips) each /= 2;
  }
  ++count;
}

void BusFacts::Learn(const QuestionKey& key, Instant now, absl::Duration turnaround, size_t reply_bytes) {
  auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& known) { return known.key == key.kind; });
  if (kind == kinds_.end()) {
    if (kinds_.size() >= kBusKindsMax) ForgetOldest(kinds_);
    kinds_.push_back({.key = key.kind, .turnaround = {}, .reply_bytes = 0, .last_asked = now});
    kind = kinds_.end() - 1;
  }
  kind->turnaround.Learn(turnaround);
  kind->reply_bytes = std::max(kind->reply_bytes, static_cast<uint32_t>(reply_bytes));
  kind->last_asked = now;
  MeterAt(key.meter, now).turnaround.Learn(turnaround);
}

void BusFacts::Unanswered(const QuestionKey& key, Instant now, Instant full_end) {
  MeterFacts& meter = MeterAt(key.meter, now);
  meter.turnaround.BackOff();
  if (now >= full_end) return;
  // We gave up early, so its answer may be under way: others are asked until it cannot be.
  ++counts_.learned_timeouts;
  meter.repeat_after = full_end;
  held_until_ = std::max(held_until_, full_end);
}

void BusFacts::Began(const Item& item, Instant now) {
  MeterFacts& meter = MeterAt(item.meter, now);
  if (meter.label.empty()) meter.label = MeterLabelOf(item);
  meter.last_asked = now;
  ++meter.asked;
  ++counts_.asked;
  if (item.attempt > 1) ++counts_.retries;
}

void BusFacts::Ended(uint64_t key, Outcome outcome, Instant now, absl::Duration bus_time) {
  CountMinutes(now, bus_time);
  MeterFacts& meter = MeterAt(key, now);
  switch (outcome) {
    case Outcome::kOk:
      ++meter.answered;
      ++counts_.answered;
      counts_.unanswered_in_a_row = 0;
      meter.last_answer = now;
      meter.failures_in_a_row = 0;
      meter.penalty_until = -absl::InfiniteDuration();
      return;
    case Outcome::kTimeout:
      ++meter.timeouts;
      ++counts_.timeouts;
      break;
    case Outcome::kNoise:
      ++meter.noises;
      ++counts_.noises;
      break;
    default:
      return;  // The line went: nothing that the meter did.
  }
  ++counts_.unanswered_in_a_row;
  meter.last_spoilt = outcome == Outcome::kNoise;
  const absl::Duration penalty = PenaltyOf(++meter.failures_in_a_row);
  if (penalty == absl::ZeroDuration()) return;
  meter.penalty_until = now + penalty;
  held_until_ = std::max(held_until_, meter.penalty_until);
}

Hold BusFacts::HoldOf(uint64_t key, Priority priority, Instant now) const {
  // A relay's answer is like no other's, and it must not come too late.
  if (priority == Priority::kRelay || !AnyHeld(now)) return Hold::kNone;
  const MeterFacts* const meter = Find(key);
  if (meter == nullptr) return Hold::kNone;
  if (now < meter->repeat_after) return Hold::kMustWait;
  // Somebody waits for the others, or they are worth more than order.
  if (priority >= Priority::kInteractive) return Hold::kNone;
  return now < meter->penalty_until ? Hold::kPenalised : Hold::kNone;
}

Instant BusFacts::HoldEnd(uint64_t key) const {
  const MeterFacts* const meter = Find(key);
  return meter == nullptr ? -absl::InfiniteDuration() : meter->repeat_after;
}

void BusFacts::CountMinutes(Instant now, absl::Duration busy) {
  const int64_t minute = MinuteOf(now);
  for (int64_t at = std::max(minute_ + 1, minute - static_cast<int64_t>(kBusMinutes)); at <= minute; ++at) {
    busy_ms_[static_cast<size_t>(at) % busy_ms_.size()] = 0;
  }
  minute_ = minute;
  busy_ms_[static_cast<size_t>(minute) % busy_ms_.size()] += static_cast<uint32_t>(absl::ToInt64Milliseconds(busy));
}

double BusFacts::Utilisation(Instant now) const {
  const int64_t minute = MinuteOf(now);
  int64_t busy_ms = 0;
  for (size_t i = 0; i < busy_ms_.size(); ++i) {
    const int64_t at = minute_ - static_cast<int64_t>(i);
    if (at >= 0 && at >= minute - static_cast<int64_t>(kBusMinutes)) {
      busy_ms += busy_ms_[static_cast<size_t>(at) % busy_ms_.size()];
    }
  }
  const Instant window_began = std::max(began_, absl::Minutes(minute - static_cast<int64_t>(kBusMinutes)));
  const absl::Duration window = std::max(now - window_began, absl::Milliseconds(1));
  return std::min(1.0, static_cast<double>(busy_ms) / absl::ToDoubleMilliseconds(window));
}

}  // namespace voltwell::gateway
