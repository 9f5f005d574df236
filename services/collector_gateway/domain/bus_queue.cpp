// The order of a bus; see bus_queue.h.
#include "services/collector_gateway/domain/bus_queue.h"

#include <algorithm>
#include <utility>

namespace voltwell::gateway {
namespace {

constexpr size_t kRelayLine = 3;

size_t LineOf(Priority priority) { return static_cast<size_t>(priority) - 1; }

}  // namespace

const char* OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kNoise:
      return "noise";
    case Outcome::kTimeout:
      return "timeout";
    case Outcome::kLost:
      return "lost";
    case Outcome::kOffline:
      return "offline";
    case Outcome::kBusy:
      return "busy";
    case Outcome::kMoved:
      return "moved";
    case Outcome::kExpired:
      return "expired";
  }
  return "unknown";
}

bool BusQueue::Push(Item&& item, Instant now) {
  if (size_ >= kBusQueueMax) return false;
  next_expiry_ = std::min(next_expiry_, item.not_after);
  item.meter = MeterKeyOf(item);
  lines_[LineOf(item.priority)].push_back({std::move(item), now});
  ++size_;
  return true;
}

std::optional<Item> BusQueue::Next(Instant now, const BusFacts& facts) {
  Choice choice = Choose(now, facts, Hold::kNone);
  if (choice.line == nullptr && facts.AnyHeld(now)) choice = Choose(now, facts, Hold::kPenalised);
  if (choice.line == nullptr) {
    relays_in_a_row_ = 0;
    return std::nullopt;
  }
  // Counted only while others wait: a bus with nothing but relays owes nobody a turn.
  const bool others_wait = lines_[kRelayLine].size() < size_;
  relays_in_a_row_ = choice.line == &lines_[kRelayLine] && others_wait ? relays_in_a_row_ + 1 : 0;
  Item item = std::move(choice.item->item);
  choice.line->erase(choice.item);
  if (--size_ == 0) next_expiry_ = absl::InfiniteDuration();
  return item;
}

Instant BusQueue::HeldUntil(const BusFacts& facts) const {
  Instant until = absl::InfiniteDuration();
  for (const Line& line : lines_) {
    for (const Waiting& waiting : line) until = std::min(until, facts.HoldEnd(waiting.item.meter));
  }
  return until;
}

BusQueue::Choice BusQueue::Choose(Instant now, const BusFacts& facts, Hold worst) {
  std::array<Choice, 4> first = {};  // Of each line, what may go.
  bool others = false;
  for (size_t i = 0; i < lines_.size(); ++i) {
    Line& line = lines_[i];
    const Priority priority = static_cast<Priority>(i + 1);
    const auto at = std::find_if(line.begin(), line.end(), [&](const Waiting& waiting) {
      return facts.HoldOf(waiting.item.meter, priority, now) <= worst;
    });
    if (at == line.end()) continue;
    first[i] = {&line, at};
    others = others || i != kRelayLine;
  }
  const Choice& relay = first[kRelayLine];
  if (relay.line != nullptr && (!others || relays_in_a_row_ < kRelayInARowMax)) return relay;
  Choice best = {};
  int64_t best_rank = 0;
  // From the highest priority down, so that of two equal ranks the older one wins and else the higher priority.
  for (size_t i = kRelayLine; i-- > 0;) {
    const Choice& choice = first[i];
    if (choice.line == nullptr) continue;
    absl::Duration rest;
    const int64_t rank = static_cast<int64_t>(i) + absl::IDivDuration(now - choice.item->since, kAgeStep, &rest);
    if (best.line == nullptr || rank > best_rank || (rank == best_rank && choice.item->since < best.item->since)) {
      best = choice;
      best_rank = rank;
    }
  }
  return best;
}

std::list<Item> BusQueue::TakeExpired(Instant now) {
  std::list<Item> expired;
  if (now <= next_expiry_) return expired;
  Instant next = absl::InfiniteDuration();
  for (Line& line : lines_) {
    for (auto at = line.begin(); at != line.end();) {
      if (at->item.not_after < now) {
        expired.push_back(std::move(at->item));
        at = line.erase(at);
        --size_;
      } else {
        next = std::min(next, at->item.not_after);
        ++at;
      }
    }
  }
  next_expiry_ = next;
  return expired;
}

std::list<Item> BusQueue::TakeAll() {
  std::list<Item> all;
  for (Line& line : lines_) {
    for (Waiting& waiting : line) all.push_back(std::move(waiting.item));
    line.clear();
  }
  size_ = 0;
  next_expiry_ = absl::InfiniteDuration();
  return all;
}

size_t BusQueue::Drop(const std::function<bool(const Item&)>& unwanted) {
  size_t dropped = 0;
  for (Line& line : lines_) {
    dropped += line.remove_if([&unwanted](const Waiting& waiting) { return unwanted(waiting.item); });
  }
  size_ -= dropped;
  return dropped;
}

}  // namespace voltwell::gateway
