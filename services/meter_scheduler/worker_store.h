// Closes items: takes closings of any batch, one commit in flight. While one commit runs the next ones gather, so that
// a database that is slow sees fewer and larger transactions.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/thread.h"
#include "libs/pg/lease.h"
#include "services/meter_scheduler/in_flight.h"
#include "services/meter_scheduler/store_close.h"

namespace voltwell::scheduler {

inline constexpr size_t kStoreBatchMax = 2048;    // Items of one transaction: it must end within a second.
inline constexpr size_t kStoreWaitingMax = 4096;  // Items that wait for the commit; beyond it who adds them waits.

struct LeasedClosing {
  int64_t epoch = 0;
  Closing closing = {};
};

// What followed a commit.
struct StoreNews {
  bool again_planned = false;
  bool again_fast = false;
  std::vector<absl::Time> due = {};  // Of planned items that are tried again.
  std::vector<absl::Time> due_fast = {};
  bool operation_ended = false;
  bool relay_follows = false;
};

class StoreWorker {
 public:
  StoreWorker(CloseStore& store, pg::ProcessLease& lease, InFlight& in_flight, os::Clock& clock,
              metrics::Registry& metrics, std::function<void(const StoreNews&)> news);
  ~StoreWorker();  // Stores what waits, then stops.

  void Add(std::vector<LeasedClosing> closings);

 private:
  void Run();
  void Store(std::vector<LeasedClosing> batch);
  void StoreTenant(int64_t epoch, const std::string& tenant, std::vector<Closing> closings, StoreNews& news);
  absl::StatusOr<CloseResult> CloseWithPatience(int64_t epoch, const std::string& tenant,
                                                const std::vector<Closing>& closings);
  CloseResult StoreOneByOne(int64_t epoch, const std::string& tenant, std::vector<Closing>& closings);

  CloseStore& store_;
  pg::ProcessLease& lease_;
  InFlight& in_flight_;
  os::Clock& clock_;
  std::function<void(const StoreNews&)> news_;
  prometheus::Gauge& waiting_gauge_;
  prometheus::Histogram& batch_items_;
  prometheus::Counter& stored_total_;
  prometheus::Counter& failed_total_;
  prometheus::Counter& again_total_;
  prometheus::Counter& dropped_total_;
  prometheus::Counter& readings_total_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LeasedClosing> waiting_;
  bool stopping_ = false;
  os::Thread thread_;
};

}  // namespace voltwell::scheduler
