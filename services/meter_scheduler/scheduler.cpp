#include "services/meter_scheduler/scheduler.h"

#include "libs/base/status.h"
#include "libs/log/log.h"
#include "services/meter_scheduler/worker_housekeeping.h"
#include "services/meter_scheduler/worker_links.h"
#include "services/meter_scheduler/worker_reconcile.h"
#include "services/meter_scheduler/worker_scan.h"

namespace voltwell::scheduler {
namespace {

constexpr absl::Duration kBootPatience =
    absl::Seconds(5);  // Of one try to reach the database; then drain is looked at.

}  // namespace

struct Scheduler::Running {
  Running(SchedulerParts& parts, std::function<void(const std::string&)> on_channel)
      : lease(parts.pool, parts.clock, parts.metrics, "meter_scheduler", parts.replica),
        claims(parts.pool, parts.clock),
        closes(parts.pool, parts.clock, parts.keep_bytes),
        road({.claims = claims,
              .closes = closes,
              .registers = parts.registers,
              .clients = parts.clients,
              .router = parts.router,
              .lease = lease,
              .security = parts.security,
              .clock = parts.clock,
              .random = parts.random,
              .metrics = parts.metrics,
              .meter_zone = parts.meter_zone,
              .operation_ended = [&parts] { parts.waiters.Wake(); }}),
        scan({.pool = parts.pool,
              .clients = parts.clients,
              .router = parts.router,
              .lease = lease,
              .clock = parts.clock,
              .metrics = parts.metrics}),
        tick(parts.plans, parts.clock, parts.metrics),
        projection(parts.pool, parts.clients, parts.meters, parts.clock, parts.metrics),
        reconcile(parts.pool, parts.clock, parts.metrics),
        links(parts.redis, parts.pool, parts.clock, parts.metrics),
        housekeeping(parts.pool, parts.clock, parts.metrics),
        listener(parts.pg, {kWorkChannel, kFastChannel, kTickChannel, kOperationChannel, kScanChannel},
                 std::move(on_channel)) {}

  pg::ProcessLease lease;
  ClaimStore claims;
  CloseStore closes;
  Road road;
  ScanWorker scan;
  TickWorker tick;
  Projection projection;
  ReconcileWorker reconcile;
  LinksWorker links;
  HousekeepingWorker housekeeping;
  pg::Listener listener;
};

Scheduler::Scheduler(SchedulerParts parts) : parts_(std::move(parts)) {
  boot_ = std::make_unique<os::Worker>("boot", [this] { return Boot(); });
}

Scheduler::~Scheduler() { Drain(); }

bool Scheduler::started() const {
  const std::lock_guard lock(mutex_);
  return running_ != nullptr;
}

absl::Duration Scheduler::Boot() {
  if (started()) return absl::InfiniteDuration();
  const absl::Status migrated =
      pg::Migrate(parts_.pg, parts_.sql_directory, parts_.clock, parts_.clock.Now() + kBootPatience);
  if (!migrated.ok()) {
    log::Warning("waiting for the database", {{"reason", base::ReasonOf(migrated)}, {"error", migrated.message()}});
    return absl::Milliseconds(500);
  }
  auto running = std::make_unique<Running>(parts_, [this](const std::string& channel) { OnChannel(channel); });
  for (const absl::Status& warmed : {parts_.registers.Load(), running->closes.Warm()}) {
    if (!warmed.ok()) log::Warning("caches start cold", {{"error", warmed.message()}});
  }
  running->lease.Start();
  const std::lock_guard lock(mutex_);
  if (!draining_) running_ = std::move(running);
  return absl::InfiniteDuration();
}

void Scheduler::OnChannel(const std::string& channel) {
  const std::lock_guard lock(mutex_);
  if (running_ == nullptr || draining_) return;
  if (channel == kWorkChannel) running_->road.WakePlanned();
  if (channel == kFastChannel) running_->road.WakeFast();
  if (channel == kScanChannel) running_->scan.Wake();
  if (channel == kTickChannel) running_->tick.Wake();
  if (channel == kOperationChannel) parts_.waiters.Wake();
}

void Scheduler::Drain() {
  boot_->Stop();
  {
    const std::lock_guard lock(mutex_);
    if (draining_) return;
    draining_ = true;
  }
  if (running_ == nullptr) return;
  running_->tick.Stop();
  running_->reconcile.Stop();
  running_->links.Stop();
  running_->scan.Stop();
  running_->road.Drain(parts_.drain);
  running_->lease.Stop();
}

}  // namespace voltwell::scheduler
