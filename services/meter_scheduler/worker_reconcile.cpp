#include "services/meter_scheduler/worker_reconcile.h"

#include "libs/base/status.h"
#include "libs/log/log.h"

namespace voltwell::scheduler {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(5);

}  // namespace

ReconcileWorker::ReconcileWorker(pg::Pool& pool, os::Clock& clock, metrics::Registry& metrics)
    : pool_(pool),
      clock_(clock),
      closes_total_(metrics.Counter("voltwell_scheduler_reconciled_total", "Operations that the reconciler made")),
      worker_("reconcile", [this] {
        const absl::StatusOr<int> made = RelayStore::Reconcile(pool_, clock_.Now());
        if (!made.ok()) {
          log::Warning("relays were not reconciled",
                       {{"reason", base::ReasonOf(made.status())}, {"error", made.status().message()}});
          return kEvery;
        }
        closes_total_.Increment(*made);
        return *made > 0 ? absl::ZeroDuration() : kEvery;
      }) {}

}  // namespace voltwell::scheduler
