// The road to the meters: claims items, has them encoded, sends them down the line, and gets them back through gatherer
// and store. Two lanes: planned reads, in batches that keep every bus busy; and what somebody waits for, which never
// queues behind them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/os/worker.h"
#include "libs/pg/lease.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/in_flight.h"
#include "services/meter_scheduler/line.h"
#include "services/meter_scheduler/router.h"
#include "services/meter_scheduler/security_module.h"
#include "services/meter_scheduler/store_claim.h"
#include "services/meter_scheduler/store_close.h"
#include "services/meter_scheduler/store_registers.h"
#include "services/meter_scheduler/worker_gather.h"
#include "services/meter_scheduler/worker_store.h"

namespace voltwell::scheduler {

inline constexpr size_t kDueTimesMax =
    1000;  // Instants remembered at which items are tried again; beyond it a claim finds them late.

// Instants at which a lane has something to claim again, to the tenth of a second.
class DueTimes {
 public:
  void Add(const std::vector<absl::Time>& times);
  // True when one was reached; those are forgotten.
  bool TakeReached(absl::Time now);
  // How long until the next; at most `most`.
  absl::Duration Until(absl::Time now, absl::Duration most) const;

 private:
  mutable std::mutex mutex_;
  std::set<int64_t> tenths_;
};

// When a lane claims: when it was woken for a cause, when an item is due again, and now and then should a wake-up be
// lost.
class Lane {
 public:
  void Want() { wanted_ = true; }
  void Add(const std::vector<absl::Time>& due) { due_.Add(due); }
  // Zero: claim now.
  absl::Duration Wait(absl::Time now, absl::Duration monotonic);

 private:
  std::atomic<bool> wanted_ = true;
  DueTimes due_;
  absl::Duration last_ = absl::ZeroDuration();
};

struct RoadParts {
  ClaimStore& claims;
  CloseStore& closes;
  RegisterStore& registers;
  Clients& clients;
  Router& router;
  pg::ProcessLease& lease;
  SecurityModule& security;
  os::Clock& clock;
  os::Random& random;
  metrics::Registry& metrics;
  absl::TimeZone meter_zone;
  std::function<void()> operation_ended;  // Wakes those who wait in this process.
};

class Road {
 public:
  explicit Road(RoadParts parts);
  ~Road();

  void WakePlanned();
  void WakeFast();
  // Stops claiming, lets what is on the line end for `patience`, breaks off the rest, stores all of it.
  void Drain(absl::Duration patience);

 private:
  absl::Duration StepPlanned();
  absl::Duration StepFast();
  absl::Duration StepReap();
  // From leased items to attempts on the line. `relays`: permits and actions of items that move relays.
  void Launch(int64_t epoch, ClaimResult claim, const RelayClaim* relays);
  std::vector<AttemptPtr> Prepare(int64_t epoch, std::vector<domain::Item> items, const RelayClaim* relays);
  void Encode(int64_t epoch, std::vector<AttemptPtr> attempts);
  void Unsent(int64_t epoch, std::vector<AttemptPtr> attempts);
  void GiveUpIfInDoubt(const absl::Status& claimed);
  void EndNow(std::vector<AttemptPtr> attempts);
  void OnNews(const StoreNews& news);

  RoadParts parts_;
  InFlight in_flight_;
  prometheus::Counter& claims_total_;
  prometheus::Counter& claimed_total_;
  Lane planned_lane_;
  Lane fast_lane_;
  std::atomic<bool> starved_ = false;  // A bus or the process had enough in flight when it last claimed.
  std::atomic<bool> draining_ = false;
  int32_t cursor_ = 0;
  int64_t reaps_ = 0;
  int64_t last_epoch_ = 0;
  StoreWorker store_;
  Line line_;
  GatherWorker gather_;
  std::mutex workers_mutex_;  // They are made last, and news may come while they are.
  std::unique_ptr<os::Worker> reap_;
  std::unique_ptr<os::Worker> fast_;
  std::unique_ptr<os::Worker> planned_;
};

}  // namespace voltwell::scheduler
