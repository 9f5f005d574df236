// What is in flight, and when a bus has enough of it.
#include "services/meter_scheduler/in_flight.h"

#include <catch2/catch.hpp>

namespace voltwell::scheduler {
namespace {

std::vector<domain::Item> Items(int32_t bus, int count) {
  domain::Item item;
  item.bus_no = bus;
  return std::vector<domain::Item>(static_cast<size_t>(count), item);
}

}  // namespace

TEST_CASE("a bus is left out of claims from its limit on, and comes back below it") {
  metrics::Registry metrics;
  InFlight in_flight(metrics);
  in_flight.Add(Items(7, kRefillBelow - 1));
  in_flight.Add(Items(8, 1));
  CHECK(in_flight.Full().empty());
  in_flight.Add(Items(7, 1));
  CHECK(in_flight.Full() == std::vector<int64_t>{7});
  CHECK(in_flight.total() == kRefillBelow + 1);
  in_flight.Remove(7);
  CHECK(in_flight.Full().empty());
}

TEST_CASE("an item that was not counted is not taken off") {
  metrics::Registry metrics;
  InFlight in_flight(metrics);
  in_flight.Remove(1);
  CHECK(in_flight.total() == 0);
}

}  // namespace voltwell::scheduler
