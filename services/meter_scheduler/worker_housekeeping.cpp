#include "services/meter_scheduler/worker_housekeeping.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "services/meter_scheduler/store_schedules.h"

namespace voltwell::scheduler {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(30);

constexpr pg::Query kMonths{
    "keep.months",
    "SELECT create_month((date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC') + n * interval '1 month')::date) "
    "FROM generate_series(-1, 2) AS n WHERE to_regclass('reading' || to_char(date_trunc('month', $1::timestamptz AT "
    "TIME ZONE 'UTC') "
    "+ n * interval '1 month', '\"_y\"YYYY\"m\"MM')) IS NULL"};
// A month of bytes goes when its last instant is too old.
// Materialized: names of other tables' partitions and indexes are no months, and must not be read as such.
constexpr pg::Query kOldBytes{
    "keep.old_bytes",
    "WITH p AS MATERIALIZED (SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE "
    "i.inhparent = 'exchange_bytes'::regclass) "
    "SELECT relname FROM p WHERE to_timestamp(right(relname, 7), 'YYYY\"m\"MM') + interval '1 month' < $1 LIMIT 1"};
constexpr pg::Query kOldKeys{
    "keep.old_keys",
    "DELETE FROM idempotency WHERE ctid IN (SELECT ctid FROM idempotency WHERE created_at < $1 LIMIT 10000)"};

}  // namespace

HousekeepingWorker::HousekeepingWorker(pg::Pool& pool, os::Clock& clock, metrics::Registry& metrics)
    : pool_(pool),
      clock_(clock),
      last_gauge_(metrics.Gauge("voltwell_scheduler_housekeeping_time_seconds", "When housekeeping last went through")),
      worker_("housekeeping", [this] {
        const absl::Status status = Round();
        if (!status.ok())
          log::Warning("housekeeping failed", {{"reason", base::ReasonOf(status)}, {"error", status.message()}});
        return kEvery;
      }) {}

absl::Status HousekeepingWorker::Round() {
  const absl::Time now = clock_.Now();
  VW_RETURN_IF_ERROR(
      pool_.Transact({.name = "keep.months"}, [&](pg::Tx& tx) { return tx.Execute(kMonths, now).status(); }));
  const absl::Status done = pool_.Transact({.name = "keep.bytes"}, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kOldBytes, now - kBytesKept));
    if (rows.rows() == 0) return absl::OkStatus();
    return tx.Script("keep.drop_bytes", absl::StrCat("DROP TABLE ", rows.Text(0, 0)));
  });
  if (!done.ok()) return done;
  VW_RETURN_IF_ERROR(pool_.Transact({.name = "keep.keys"},
                                    [&](pg::Tx& tx) { return tx.Execute(kOldKeys, now - kKeysKept).status(); }));
  for (bool more = true; more;) {
    VW_ASSIGN_OR_RETURN(more, CancelChunk(pool_, now));
  }
  last_gauge_.Set(static_cast<double>(absl::ToUnixSeconds(now)));
  return absl::OkStatus();
}

}  // namespace voltwell::scheduler
