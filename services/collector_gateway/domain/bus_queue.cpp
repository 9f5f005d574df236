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
  lines_[LineOf(item.priority)].push_back({std::move(item), now});
  ++size_;
  return true;
}

std::optional<Item> BusQueue::Next(Instant now) {
  Line* const line = ChooseLine(now);
  if (line == nullptr) {
    relays_in_a_row_ = 0;
    return std::nullopt;
  }
  // Counted only while others wait: a bus with nothing but relays owes nobody a turn.
  const bool others_wait = lines_[kRelayLine].size() < size_;
  relays_in_a_row_ = line == &lines_[kRelayLine] && others_wait ? relays_in_a_row_ + 1 : 0;
  Item item = std::move(line->front().item);
  line->pop_front();
  if (--size_ == 0) next_expiry_ = absl::InfiniteDuration();
  return item;
}

BusQueue::Line* BusQueue::ChooseLine(Instant now) {
  Line& relays = lines_[kRelayLine];
  const bool relays_only = relays.size() == size_;
  if (!relays.empty() && (relays_only || relays_in_a_row_ < kRelayInARowMax)) return &relays;
  Line* best = nullptr;
  int64_t best_rank = 0;
  // From the highest priority down, so that of two equal ranks the older one wins and else the higher priority.
  for (size_t i = kRelayLine; i-- > 0;) {
    Line& line = lines_[i];
    if (line.empty()) continue;
    const Waiting& head = line.front();
    absl::Duration rest;
    const int64_t rank = static_cast<int64_t>(i) + absl::IDivDuration(now - head.since, kAgeStep, &rest);
    if (best == nullptr || rank > best_rank || (rank == best_rank && head.since < best->front().since)) {
      best = &line;
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
