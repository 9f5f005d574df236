// The order of a bus.
#include "services/collector_gateway/domain/bus_queue.h"

#include <catch2/catch.hpp>
#include <string>

#include "services/collector_gateway/testing/frames.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT

namespace {

constexpr Instant kStart = absl::Hours(1);

// Ids in the order in which they leave at `now`.
std::string Order(BusQueue& queue, Instant now) {
  std::string order;
  while (const std::optional<Item> item = queue.Next(now, BusFacts(kStart))) order += std::to_string(item->id) + " ";
  return order;
}

}  // namespace

TEST_CASE("a higher priority goes first, and within one priority the older one") {
  BusQueue queue;
  REQUIRE(queue.Push(ItemOf(1, Priority::kBackfill), kStart));
  REQUIRE(queue.Push(ItemOf(2, Priority::kScheduled), kStart));
  REQUIRE(queue.Push(ItemOf(3, Priority::kInteractive), kStart));
  REQUIRE(queue.Push(ItemOf(4, Priority::kScheduled), kStart));
  REQUIRE(queue.Push(ItemOf(5, Priority::kRelay), kStart));
  CHECK(Order(queue, kStart) == "5 3 2 4 1 ");
  CHECK(queue.empty());
}

TEST_CASE("after four relays in a row one other goes, so that a storm of relays starves nobody") {
  BusQueue queue;
  for (uint32_t i = 1; i <= 6; ++i) REQUIRE(queue.Push(ItemOf(i, Priority::kRelay), kStart));
  REQUIRE(queue.Push(ItemOf(91, Priority::kScheduled), kStart));
  REQUIRE(queue.Push(ItemOf(92, Priority::kScheduled), kStart));
  CHECK(Order(queue, kStart) == "1 2 3 4 91 5 6 92 ");
}

TEST_CASE("relays alone need make no room") {
  BusQueue queue;
  for (uint32_t i = 1; i <= 5; ++i) REQUIRE(queue.Push(ItemOf(i, Priority::kRelay), kStart));
  for (int i = 0; i < 5; ++i) REQUIRE(queue.Next(kStart, BusFacts(kStart)).has_value());
  // What came before counts against nobody: the next relay is not overtaken by a read.
  REQUIRE(queue.Push(ItemOf(6, Priority::kRelay), kStart));
  REQUIRE(queue.Push(ItemOf(7, Priority::kInteractive), kStart));
  CHECK(Order(queue, kStart) == "6 7 ");
}

TEST_CASE("age raises what is not a relay, so that a backfill goes before a fresh interactive read in the end") {
  BusQueue queue;
  REQUIRE(queue.Push(ItemOf(1, Priority::kBackfill), kStart));
  const Instant just_before = kStart + 2 * kAgeStep - absl::Milliseconds(1);
  REQUIRE(queue.Push(ItemOf(2, Priority::kInteractive), just_before));
  CHECK(queue.Next(just_before, BusFacts(kStart))->id == 2);
  const Instant later = kStart + 2 * kAgeStep;
  REQUIRE(queue.Push(ItemOf(3, Priority::kInteractive), later));
  REQUIRE(queue.Push(ItemOf(4, Priority::kRelay), later));
  CHECK(Order(queue, later) == "4 1 3 ");
}

TEST_CASE("the queue holds its limit and refuses one more, untouched") {
  BusQueue queue;
  for (uint32_t i = 0; i < kBusQueueMax; ++i) REQUIRE(queue.Push(ItemOf(i), kStart));
  Item one_more = ItemOf(999);
  CHECK_FALSE(queue.Push(std::move(one_more), kStart));
  CHECK(one_more.exchanges.size() == 1);
  CHECK(queue.size() == kBusQueueMax);
  REQUIRE(queue.Next(kStart, BusFacts(kStart)).has_value());
  CHECK(queue.Push(std::move(one_more), kStart));
}

TEST_CASE("what may no longer be sent is taken out when its time has passed, not before") {
  BusQueue queue;
  Item soon = ItemOf(1);
  soon.not_after = kStart + absl::Seconds(2);
  Item later = ItemOf(2, Priority::kRelay);
  later.not_after = kStart + absl::Seconds(5);
  REQUIRE(queue.Push(std::move(later), kStart));
  REQUIRE(queue.Push(std::move(soon), kStart));
  REQUIRE(queue.Push(ItemOf(3), kStart));
  CHECK(queue.next_expiry() == kStart + absl::Seconds(2));
  CHECK(queue.TakeExpired(kStart + absl::Seconds(2)).empty());

  const std::list<Item> expired = queue.TakeExpired(kStart + absl::Seconds(3));
  REQUIRE(expired.size() == 1);
  CHECK(expired.front().id == 1);
  CHECK(queue.next_expiry() == kStart + absl::Seconds(5));
  CHECK(queue.size() == 2);
}

TEST_CASE("a call that has gone takes its items with it and leaves the others") {
  BusQueue queue;
  for (uint32_t i = 1; i <= 4; ++i) {
    REQUIRE(queue.Push(ItemOf(i, i % 2 == 0 ? Priority::kRelay : Priority::kBackfill), kStart));
  }
  CHECK(queue.Drop([](const Item& item) { return item.id <= 2; }) == 2);
  CHECK(queue.size() == 2);
  CHECK(Order(queue, kStart) == "4 3 ");
}
