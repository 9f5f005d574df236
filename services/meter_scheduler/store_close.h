// The end of the road: one transaction stores readings, closes items, counts in their runs and tells it. An item is
// closed only by the holder of its lease; rows of items that were taken away are dropped in the same transaction.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/domain/item.h"
#include "services/meter_scheduler/store_registers.h"
#include "voltwell/scheduler/v1/event.pb.h"
#include "voltwell/scheduler/v1/operation.pb.h"
#include "voltwell/scheduler/v1/schedule.pb.h"

namespace voltwell::scheduler {

// One row of the table of readings.
struct ReadingRow {
  int32_t register_no = 0;
  absl::Time time = absl::UnixEpoch();
  bool stamped = false;  // By the meter: one for each (meter, register, time), whoever reads it.
  std::optional<int64_t> units = std::nullopt;
  int16_t scale = 0;
  std::string text = {};
};

// What became of one claimed item.
struct Closing {
  domain::Item item = {};
  bool final = true;
  // Final.
  voltwell::scheduler::v1::RunItem::State state = voltwell::scheduler::v1::RunItem::STATE_FAILED;
  // Not final: where it goes on.
  domain::Phase next_phase = domain::Phase::kRead;
  absl::Time due = absl::UnixEpoch();
  bool unknown = false;  // Of an operation: sent, outcome not known.
  int attempts = 0;
  std::string reason = {};
  absl::Time time = absl::UnixEpoch();               // When the exchange ended.
  domain::Relay observed = domain::Relay::kUnknown;  // If a look at the relay succeeded.
  std::vector<ReadingRow> readings = {};
  voltwell::scheduler::v1::ReadingStored told = {};  // The same readings, as the event tells them.
  std::string request = {};                          // Bytes of the exchange; empty: nothing was sent.
  std::string reply = {};
};

struct CloseResult {
  int stored = 0;
  int failed = 0;
  int again = 0;
  int dropped = 0;  // Their lease was lost.
  bool operation_ended = false;
  bool relay_follows = false;  // A relay operation that waited can be claimed now.
};

class CloseStore {
 public:
  CloseStore(pg::Pool& pool, os::Clock& clock, bool keep_bytes) : pool_(pool), clock_(clock), keep_bytes_(keep_bytes) {}

  // Makes this month's partitions known, so that the first batch need not ask for them.
  absl::Status Warm();
  // Items of one tenant.
  absl::StatusOr<CloseResult> Close(int64_t epoch, const std::string& tenant, const std::vector<Closing>& closings);

 private:
  absl::Status EnsureMonths(const std::vector<Closing>& closings);
  absl::Status WriteReadings(pg::Tx& tx, const std::vector<const Closing*>& kept);
  absl::Status WriteBook(pg::Tx& tx, const std::vector<const Closing*>& kept);
  absl::Status WriteBytes(pg::Tx& tx, const std::vector<const Closing*>& kept);
  void NewRegisters(const std::vector<const Closing*>& kept, std::vector<std::pair<int32_t, int32_t>>& pairs);

  pg::Pool& pool_;
  os::Clock& clock_;
  const bool keep_bytes_;
  std::mutex mutex_;
  absl::flat_hash_set<int32_t> months_;                     // year * 12 + month, known to have partitions.
  absl::flat_hash_set<std::pair<int32_t, int32_t>> shown_;  // (meter, register) known to stand in meter_register.
};

inline constexpr size_t kShownMax = 2'000'000;  // Pairs remembered; then the memory starts anew.

}  // namespace voltwell::scheduler
