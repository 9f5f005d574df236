// Order in which the items of one claim go to codec and gateway.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "services/meter_scheduler/domain/item.h"

namespace voltwell::scheduler::domain {

inline constexpr int kBatchMax = 512;  // Items of one claim, one Encode, one Decode: limits of the codec's contract.
inline constexpr int kPerBusMax = 64;  // Of one claim: a bus queue of the gateway holds 256, and others share it.
inline constexpr int kPerBusMin = 4;   // When many buses have work, each gets at least this much of a claim.
inline constexpr int kLanesMax = 128;  // Buses that one claim looks at.

// Items a bus may give to one claim when `lanes` buses have work.
constexpr int PerBus(int lanes) {
  if (lanes <= 0) return kPerBusMax;
  const int share = kBatchMax / lanes;
  return share > kPerBusMax ? kPerBusMax : share < kPerBusMin ? kPerBusMin : share;
}

struct Grouped {
  std::vector<Item> to_send =
      {};  // Bus by bus; on a bus the urgent first, then by address, so that a trace reads in order.
  std::vector<Item> too_late = {};  // Their window closed before they were claimed.
};
Grouped Group(std::vector<Item> claimed, absl::Time now);

}  // namespace voltwell::scheduler::domain
