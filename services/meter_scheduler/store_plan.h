// From a schedule that is due to items in the queue. A run's items are planned in chunks: each chunk's transaction
// moves the last meter planned, so that any replica goes on where another died.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/os/clock.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/domain/firing.h"
#include "voltwell/scheduler/v1/schedule.pb.h"

namespace voltwell::scheduler {

inline constexpr int kPlanChunkMax = 10'000;  // Items of one transaction, which must end within a second.

struct TickResult {
  bool fired = false;
  bool failed = false;                                // One that is due failed and is left alone for a while.
  bool planning = false;                              // Chunks remain.
  std::optional<absl::Time> next_due = std::nullopt;  // Of any schedule.
};

// A schedule as the tick needs it.
struct SchedulePlan {
  std::string id = {};
  std::string tenant = {};
  std::string cron = {};
  std::string time_zone = {};
  int gap_rule = 0;
  std::vector<std::string> registers = {};
  std::vector<std::string> meters = {};
  std::vector<std::string> sites = {};
  std::vector<std::string> collectors = {};
  int max_attempts = 3;
  std::optional<absl::Duration> window = std::nullopt;
};

// Parses cron and zone of a stored schedule; they were valid when they were stored.
using MakeNextFiring = std::function<absl::StatusOr<domain::NextFiring>(const SchedulePlan&)>;

class PlanStore {
 public:
  PlanStore(pg::Pool& pool, os::Clock& clock, MakeNextFiring make_next)
      : pool_(pool), clock_(clock), make_next_(std::move(make_next)) {}

  // Fires one schedule that is due, if any: run, first chunk and next firing in one transaction. One that fails is
  // backed off from in this process, so that it does not stand before all others; an error is nobody's in particular.
  // FireOne and PlanChunk are called by one thread.
  absl::StatusOr<TickResult> FireOne();
  // Plans one chunk of one run that is being planned, backing off alike; false: nothing is left to plan.
  absl::StatusOr<bool> PlanChunk();
  // A run now, in the caller's transaction, which bears the tenant.
  absl::Status FireNow(pg::Tx& tx, const std::string& tenant, const std::string& schedule,
                       voltwell::scheduler::v1::Run& run);

 private:
  struct Begun {
    int64_t run = 0;    // 0: it had been planned already.
    bool more = false;  // Chunks remain.
  };
  absl::StatusOr<Begun> Begin(pg::Tx& tx, const SchedulePlan& schedule, absl::Time fire_time, absl::Time give_up);
  absl::Status Fire(pg::Tx& tx, const std::string& id, const std::string& tenant, absl::Time due, absl::Time now,
                    TickResult& result);
  // True: chunks remain.
  absl::StatusOr<bool> Chunk(pg::Tx& tx, int64_t run);

  pg::Pool& pool_;
  os::Clock& clock_;
  MakeNextFiring make_next_;
  domain::BackOff schedules_back_off_;
  domain::BackOff plans_back_off_;
};

// The stored row as a plan; nullopt: no such schedule of the tenant.
absl::StatusOr<std::optional<SchedulePlan>> ReadSchedulePlan(pg::Tx& tx, const std::string& tenant,
                                                             const std::string& id);

}  // namespace voltwell::scheduler
