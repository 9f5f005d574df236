// Leases items of the queue to this process. Each claim is one transaction, and all that the road needs of an item
// comes back with it: meter, bus, address and what its run asks for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/lease.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/domain/item.h"

namespace voltwell::scheduler {

// Wakes claimers of all replicas when its transaction commits: planned items, and what somebody waits for.
inline constexpr char kWorkChannel[] = "scheduler_work";
inline constexpr char kFastChannel[] = "scheduler_fast";
// Wakes the tick: a schedule was made or changed.
inline constexpr char kTickChannel[] = "scheduler_tick";
// Wakes those who wait for an operation.
inline constexpr char kOperationChannel[] = "scheduler_operation";

inline constexpr int kFastMax = 64;            // Items of one claim of what somebody waits for.
inline constexpr size_t kWorkCacheMax = 4096;  // Runs and operations whose common part is kept.

// An item whose claim itself is its end: its meter is gone, or a rule forbids the relay to move.
struct RefusedItem {
  domain::Item item;
  std::string reason;
};

struct ClaimResult {
  std::vector<domain::Item> items = {};
  std::vector<RefusedItem> refused = {};
  bool more = false;   // Other items are due: claim again.
  int32_t cursor = 0;  // Where the next claim begins to look.
};

// The permit that an opening item stands on, by origin.
struct RelayClaim {
  std::string tenant = {};  // Empty: nothing was due.
  absl::Time claimed_at = absl::UnixEpoch();
  ClaimResult claim = {};
  std::map<int64_t, absl::Time> not_after = {};  // Of permits, by origin.
  std::map<int64_t, int> actions = {};           // voltwell.codec.v1.RelayAction, by origin.
};

class ClaimStore {
 public:
  ClaimStore(pg::Pool& pool, os::Clock& clock) : pool_(pool), clock_(clock) {}

  // Planned reads: at most kBatchMax, shared between the buses that have work; `full` buses have enough in flight.
  absl::StatusOr<ClaimResult> ClaimPlanned(int64_t epoch, int32_t cursor, const std::vector<int64_t>& full);
  // What somebody waits for.
  absl::StatusOr<ClaimResult> ClaimInteractive(int64_t epoch);
  // Relays of one tenant. The stop of all cuts, holds and permits are judged in the statement that takes the lease; the
  // attempt is committed with it.
  absl::StatusOr<RelayClaim> ClaimRelays(int64_t epoch);

  // Gives items back, untouched: drain, or the codec was not there. `due` delays them.
  absl::Status Release(int64_t epoch, const std::vector<domain::Item>& items, absl::Time due);
  // Returns the items of processes that died, and of epochs that nobody holds. How many.
  absl::StatusOr<int64_t> Reap(bool every_epoch);

 private:
  absl::StatusOr<std::shared_ptr<const domain::Work>> WorkOf(pg::Tx& tx, int64_t origin);
  static absl::StatusOr<std::shared_ptr<const domain::Work>> MissingWork(pg::Tx& tx, int64_t origin,
                                                                         const domain::Item& item);
  absl::Status ReadItems(pg::Tx& tx, const pg::Result& rows, int from, ClaimResult& claim);

  pg::Pool& pool_;
  os::Clock& clock_;
  std::mutex mutex_;
  absl::flat_hash_map<int64_t, std::shared_ptr<const domain::Work>> works_;
};

}  // namespace voltwell::scheduler
