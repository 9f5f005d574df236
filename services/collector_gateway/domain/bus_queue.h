// Decides which item a bus carries next. RS-485 is half duplex, so exactly one is in flight; relay commands are never
// overtaken, but after four in a row one other goes (otherwise a storm of relays would starve billing reads); among the
// others age raises, so that a gap repaired by night is repaired. Pure: time comes in as an argument.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>

#include "services/collector_gateway/domain/bus_facts.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// Items that wait for one bus. Beyond it the answer is BUSY at once: at 0.2 s an exchange 256 are a minute's work, and
// a caller that waits longer knows better what is still worth asking.
inline constexpr size_t kBusQueueMax = 256;
// Relay items in a row while others wait.
inline constexpr int kRelayInARowMax = 4;
// Waiting this long lifts an item by one priority, relays aside.
inline constexpr absl::Duration kAgeStep = absl::Seconds(30);

class BusQueue {
 public:
  // False when full: the caller answers BUSY, and `item` is untouched.
  [[nodiscard]] bool Push(Item&& item, Instant now);
  // What goes next, meters that are held aside: of those under a penalty only what nobody else waits behind. Does not
  // look at not_after: the caller checks it right before the first byte.
  std::optional<Item> Next(Instant now, const BusFacts& facts);
  // When Next has something although it returned none: the first hold's end. Infinite when empty.
  Instant HeldUntil(const BusFacts& facts) const;

  // Items whose not_after has passed, oldest first.
  std::list<Item> TakeExpired(Instant now);
  // No item expires before this; infinite when none can.
  Instant next_expiry() const { return next_expiry_; }

  std::list<Item> TakeAll();
  // Forgets items (those of a call that has gone), and tells how many.
  size_t Drop(const std::function<bool(const Item&)>& unwanted);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Waiting {
    Item item;
    Instant since;
  };
  using Line = std::list<Waiting>;

  struct Choice {
    Line* line = nullptr;
    Line::iterator item = {};
  };
  Choice Choose(Instant now, const BusFacts& facts, Hold worst);

  std::array<Line, 4> lines_;  // By priority, BACKFILL first. Lists: an empty one owns no memory.
  size_t size_ = 0;
  int relays_in_a_row_ = 0;
  Instant next_expiry_ = absl::InfiniteDuration();
};

}  // namespace voltwell::gateway
