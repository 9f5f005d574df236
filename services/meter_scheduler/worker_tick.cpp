#include "services/meter_scheduler/worker_tick.h"

#include <algorithm>

#include "libs/base/status.h"
#include "libs/log/log.h"

namespace voltwell::scheduler {
namespace {

// Without a firing or a wake-up. Another clock, or a wake-up that was lost, delays a firing no longer.
constexpr absl::Duration kTickAtLeastEvery = absl::Seconds(10);
constexpr absl::Duration kPlansAtLeastEvery = absl::Seconds(10);
constexpr absl::Duration kBusyElsewhere = absl::Milliseconds(20);
constexpr absl::Duration kAfterFailure = absl::Seconds(1);

}  // namespace

TickWorker::TickWorker(PlanStore& plans, os::Clock& clock, metrics::Registry& metrics)
    : plans_(plans),
      clock_(clock),
      fired_total_(metrics.Counter("voltwell_scheduler_fired_total", "Schedules fired by this process")),
      failed_total_(metrics.Counter("voltwell_scheduler_fire_failures_total",
                                    "Firings that failed; the schedule is left alone for up to 5 minutes")),
      worker_("tick", [this] { return Step(); }) {}

absl::Duration TickWorker::Step() {
  const absl::Duration now = clock_.Monotonic();
  bool plans_failed = false;  // Does not keep schedules from firing.
  if (look_for_plans_.exchange(false) || now - looked_at_ >= kPlansAtLeastEvery) {
    const absl::StatusOr<bool> planned = plans_.PlanChunk();
    plans_failed = !planned.ok();
    if (plans_failed) {
      log::Warning("no run could be planned",
                   {{"reason", base::ReasonOf(planned.status())}, {"error", planned.status().message()}});
    } else {
      looked_at_ = now;
    }
    if (plans_failed || *planned) look_for_plans_ = true;
  }
  const absl::StatusOr<TickResult> tick = plans_.FireOne();
  if (!tick.ok()) {
    log::Warning("no schedule could be fired",
                 {{"reason", base::ReasonOf(tick.status())}, {"error", tick.status().message()}});
    return kAfterFailure;
  }
  if (tick->fired) fired_total_.Increment();
  if (tick->failed) {
    failed_total_.Increment();
    return absl::ZeroDuration();  // The next one; this one is left alone for a while.
  }
  if (tick->planning) look_for_plans_ = true;
  if (plans_failed && !tick->fired) return kAfterFailure;
  if (look_for_plans_) return absl::ZeroDuration();
  if (!tick->next_due.has_value()) return kTickAtLeastEvery;
  // One that is due and was not ours is in another replica's transaction: look again soon, but do not spin.
  const absl::Duration wait = *tick->next_due - clock_.Now() + absl::Milliseconds(1);
  return std::clamp(wait, tick->fired ? absl::ZeroDuration() : kBusyElsewhere, kTickAtLeastEvery);
}

}  // namespace voltwell::scheduler
