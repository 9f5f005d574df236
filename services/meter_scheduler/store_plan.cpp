#include "services/meter_scheduler/store_plan.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/events/events.h"
#include "libs/log/log.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/store_claim.h"

namespace voltwell::scheduler {
namespace {

using voltwell::scheduler::v1::Run;

constexpr pg::Query kDue{"plan.due",
                         "SELECT schedule, tenant, next_fire_time FROM schedule_due WHERE next_fire_time <= $1 "
                         "AND schedule <> ALL ($2::text[]) "
                         "ORDER BY next_fire_time LIMIT 1 FOR UPDATE SKIP LOCKED"};
constexpr pg::Query kNextDue{"plan.next_due",
                             "SELECT min(next_fire_time) FROM schedule_due WHERE schedule <> ALL ($1::text[])"};
constexpr pg::Query kSetTenant{"plan.set_tenant", "SELECT set_config('voltwell.tenant', $1, true)"};
constexpr pg::Query kSchedule{
    "plan.schedule",
    "SELECT cron, time_zone, gap_rule, registers, meters, sites, collectors, max_attempts, window_ms FROM schedule "
    "WHERE id = $1 AND tenant = $2 AND archive_time IS NULL"};
constexpr pg::Query kMove{"plan.move", "UPDATE schedule_due SET next_fire_time = $2 WHERE schedule = $1"};
constexpr pg::Query kStop{"plan.stop", "DELETE FROM schedule_due WHERE schedule = $1"};
constexpr pg::Query kMissed{"plan.missed",
                            "INSERT INTO missed_firing (schedule, tenant, first_time, last_time, firings) VALUES ($1, "
                            "$2, $3, $4, $5) ON CONFLICT DO NOTHING"};
constexpr pg::Query kRun{
    "plan.run",
    "INSERT INTO run (number, tenant, schedule, fire_time, state) "
    "VALUES (nextval('origin_number'), $1, $2, $3, 1) ON CONFLICT (schedule, fire_time) DO NOTHING RETURNING number"};
constexpr pg::Query kWork{"plan.work",
                          "INSERT INTO work (origin, tenant, tenant_no, kind, registers, max_attempts, give_up_time) "
                          "SELECT $1, $2, number, 0, $3, $4, $5 FROM tenant WHERE id = $2"};
// The selection is frozen here: meters that are made later are not read by this run.
constexpr pg::Query kFreeze{
    "plan.freeze",
    "INSERT INTO run_plan (run, tenant, tenant_no, last_meter, ceiling, meters, sites, collectors) "
    "SELECT $1, $2, n.number, 0, coalesce((SELECT max(number) FROM meter WHERE tenant_no = n.number), 0), $3, $4, $5 "
    "FROM tenant n WHERE n.id = $2"};
constexpr pg::Query kPlanning{"plan.planning",
                              "SELECT p.run, p.tenant, EXISTS (SELECT FROM run_plan o WHERE o.run <> p.run) "
                              "FROM run_plan p WHERE p.run::text <> ALL ($1::text[]) "
                              "ORDER BY p.run LIMIT 1 FOR UPDATE OF p SKIP LOCKED"};
// Lists of a selection are hashed once a chunk (sub-selects that depend on no meter), not walked for each meter. The
// one of sites stands in bool_or: as a condition of EXISTS it would become a join that is built anew for each meter.
// every_meter is told once a chunk too: a long list is compressed, and would be unpacked for each meter.
constexpr pg::Query kChunk{
    "plan.chunk",
    "WITH p AS (SELECT p.*, cardinality(p.meters) + cardinality(p.sites) + cardinality(p.collectors) = 0 AS "
    "every_meter, "
    "r.fire_time FROM run_plan p JOIN run r ON r.number = p.run WHERE p.run = $1),"
    "planned AS (INSERT INTO run_item (origin, meter_no, bus_no, tenant_no, priority, due_time) "
    "  SELECT p.run, m.number, m.bus_no, m.tenant_no, 2, p.fire_time FROM p JOIN meter m ON m.tenant_no = p.tenant_no "
    "  AND m.number > p.last_meter AND m.number <= p.ceiling WHERE NOT m.archived "
    "  AND (p.every_meter "
    "    OR m.id IN (SELECT unnest(p.meters) FROM p) "
    "    OR (SELECT bool_or(s.id IN (SELECT unnest(p.sites) FROM p)) "
    "      FROM unnest(string_to_array(m.site_path, '/')) AS s (id)) "
    "    OR m.bus_no IN (SELECT b.number FROM bus b WHERE b.collector IN (SELECT unnest(p.collectors) FROM p))) "
    "  ORDER BY m.number LIMIT 10000 RETURNING meter_no),"
    "done AS (SELECT count(*) AS items, max(meter_no) AS last FROM planned),"
    "moved AS (UPDATE run_plan SET last_meter = done.last FROM done WHERE run = $1 AND done.items = 10000 RETURNING "
    "run),"
    "gone AS (DELETE FROM run_plan USING done WHERE run = $1 AND done.items < 10000 RETURNING run) "
    "UPDATE run SET items_total = items_total + done.items, "
    "state = CASE WHEN run.state <> 1 OR done.items = 10000 THEN run.state "
    "  WHEN items_stored + items_failed + items_cancelled >= items_total + done.items THEN 3 ELSE 2 END, "
    "end_time = CASE WHEN done.items < 10000 AND items_stored + items_failed + items_cancelled >= items_total + "
    "done.items "
    "  THEN $2 ELSE end_time END "
    "FROM done WHERE number = $1 RETURNING run.number, run.tenant, run.schedule, run.fire_time, run.state, "
    "run.items_total, run.end_time"};
static_assert(kPlanChunkMax == 10'000, "the number stands in the statement above");
constexpr pg::Query kForget{"plan.forget", "DELETE FROM work WHERE origin = $1"};

Run ToRun(const pg::Result& rows) {
  Run run;
  run.set_name(NameOf("runs", rows.Int(0, 0)));
  run.set_tenant(rows.Text(0, 1));
  run.set_schedule(NameOf("schedules", rows.Text(0, 2)));
  *run.mutable_fire_time() = ToProto(rows.Time(0, 3));
  run.set_state(static_cast<Run::State>(rows.Int(0, 4)));
  run.set_items_total(rows.Int(0, 5));
  if (!rows.IsNull(0, 6)) *run.mutable_end_time() = ToProto(rows.Time(0, 6));
  return run;
}

}  // namespace

absl::StatusOr<std::optional<SchedulePlan>> ReadSchedulePlan(pg::Tx& tx, const std::string& tenant,
                                                             const std::string& id) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kSchedule, id, tenant));
  if (rows.rows() == 0) return std::nullopt;
  SchedulePlan plan = {.id = id,
                       .tenant = tenant,
                       .cron = rows.Text(0, 0),
                       .time_zone = rows.Text(0, 1),
                       .gap_rule = static_cast<int>(rows.Int(0, 2)),
                       .registers = rows.TextArray(0, 3),
                       .meters = rows.TextArray(0, 4),
                       .sites = rows.TextArray(0, 5),
                       .collectors = rows.TextArray(0, 6),
                       .max_attempts = static_cast<int>(rows.Int(0, 7))};
  if (const auto window_ms = rows.IntOrNull(0, 8)) plan.window = absl::Milliseconds(*window_ms);
  return plan;
}

absl::StatusOr<PlanStore::Begun> PlanStore::Begin(pg::Tx& tx, const SchedulePlan& schedule, absl::Time fire_time,
                                                  absl::Time give_up) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kRun, schedule.tenant, schedule.id, fire_time));
  if (rows.rows() == 0) return Begun{};  // Another replica, or RunSchedule in the same instant: it is planned.
  const int64_t run = rows.Int(0, 0);
  pg::Batch batch;
  batch.Add(kWork, run, schedule.tenant, schedule.registers, schedule.max_attempts, give_up);
  batch.Add(kFreeze, run, schedule.tenant, schedule.meters, schedule.sites, schedule.collectors);
  VW_RETURN_IF_ERROR(tx.Run(batch).status());
  VW_ASSIGN_OR_RETURN(const bool more, Chunk(tx, run));
  return Begun{.run = run, .more = more};
}

// One chunk; the run's events follow from what became of it.
absl::StatusOr<bool> PlanStore::Chunk(pg::Tx& tx, int64_t run) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kChunk, run, clock_.Now()));
  if (rows.rows() == 0) return false;
  const Run told = ToRun(rows);
  if (told.state() == Run::STATE_DONE) VW_RETURN_IF_ERROR(tx.Execute(kForget, run).status());
  const bool over = told.state() == Run::STATE_DONE;
  if (told.state() != Run::STATE_PLANNING) {
    VW_RETURN_IF_ERROR(events::Append(tx, {.type = over ? "run.done" : "run.planned",
                                           .key = told.name(),
                                           .tenant = told.tenant(),
                                           .permission = "schedule.read",
                                           .payload = &told}));
  }
  if (!over) VW_RETURN_IF_ERROR(tx.Notify(kWorkChannel));
  return told.state() == Run::STATE_PLANNING;
}

// Fires the schedule of a locked due row.
absl::Status PlanStore::Fire(pg::Tx& tx, const std::string& id, const std::string& tenant, absl::Time due,
                             absl::Time now, TickResult& result) {
  VW_RETURN_IF_ERROR(tx.Execute(kSetTenant, tenant).status());
  VW_ASSIGN_OR_RETURN(const std::optional<SchedulePlan> schedule, ReadSchedulePlan(tx, tenant, id));
  absl::StatusOr<domain::NextFiring> next = schedule.has_value()
                                                ? make_next_(*schedule)
                                                : absl::StatusOr<domain::NextFiring>(absl::NotFoundError("archived"));
  if (!next.ok()) {
    log::Error("a schedule that cannot fire was taken out", {{"schedule", id}, {"error", next.status().message()}});
    return tx.Execute(kStop, id).status();
  }
  const domain::Firing firing = domain::PlanFiring(due, now, *next);
  const absl::Time give_up = domain::GiveUpTime(firing.fire_time, firing.next, schedule->window);
  VW_ASSIGN_OR_RETURN(const Begun begun, Begin(tx, *schedule, firing.fire_time, give_up));
  result.planning = begun.more;
  if (firing.missed > 0) {
    VW_RETURN_IF_ERROR(
        tx.Execute(kMissed, id, tenant, firing.first_missed, firing.last_missed, firing.missed).status());
  }
  return (firing.next.has_value() ? tx.Execute(kMove, id, *firing.next) : tx.Execute(kStop, id)).status();
}

absl::StatusOr<TickResult> PlanStore::FireOne() {
  TickResult result;
  std::string id;
  const std::vector<std::string> skipped = schedules_back_off_.Waiting(clock_.Monotonic());
  const absl::Status done = pool_.Transact({.name = "tick.fire"}, [&](pg::Tx& tx) -> absl::Status {
    result = {};
    id.clear();
    const absl::Time now = clock_.Now();
    VW_ASSIGN_OR_RETURN(const pg::Result due, tx.Execute(kDue, now, skipped));
    if (due.rows() == 1) {
      id = due.Text(0, 0);
      result.fired = true;
      VW_RETURN_IF_ERROR(Fire(tx, id, due.Text(0, 1), due.Time(0, 2), now, result));
    }
    VW_ASSIGN_OR_RETURN(const pg::Result soonest, tx.Execute(kNextDue, skipped));
    result.next_due = soonest.TimeOrNull(0, 0);
    return absl::OkStatus();
  });
  if (done.ok()) {
    if (!id.empty()) schedules_back_off_.Succeeded(id);
    return result;
  }
  if (id.empty()) return done;  // Not for a schedule's sake.
  schedules_back_off_.Failed(id, clock_.Monotonic());
  log::Warning("a schedule could not be fired; others go on",
               {{"schedule", id}, {"reason", base::ReasonOf(done)}, {"error", done.message()}});
  return TickResult{.failed = true};
}

absl::StatusOr<bool> PlanStore::PlanChunk() {
  std::string run;
  bool more = false;  // Of this run or of another.
  const std::vector<std::string> skipped = plans_back_off_.Waiting(clock_.Monotonic());
  const absl::Status done = pool_.Transact({.name = "tick.plan"}, [&](pg::Tx& tx) -> absl::Status {
    run.clear();
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kPlanning, skipped));
    if (rows.rows() == 0) return absl::OkStatus();
    run = absl::StrCat(rows.Int(0, 0));
    VW_RETURN_IF_ERROR(tx.Execute(kSetTenant, rows.Text(0, 1)).status());
    VW_ASSIGN_OR_RETURN(const bool remains, Chunk(tx, rows.Int(0, 0)));
    more = remains || rows.Bool(0, 2);
    return absl::OkStatus();
  });
  if (run.empty()) {
    if (!done.ok()) return done;
    return false;
  }
  if (done.ok()) {
    plans_back_off_.Succeeded(run);
    return more;
  } else {
    plans_back_off_.Failed(run, clock_.Monotonic());
    log::Warning("a run could not be planned; others go on",
                 {{"run", run}, {"reason", base::ReasonOf(done)}, {"error", done.message()}});
  }
  return true;
}

absl::Status PlanStore::FireNow(pg::Tx& tx, const std::string& tenant, const std::string& schedule, Run& run) {
  VW_ASSIGN_OR_RETURN(const std::optional<SchedulePlan> plan, ReadSchedulePlan(tx, tenant, schedule));
  if (!plan.has_value()) return base::NotFound("SCHEDULE_NOT_FOUND", "no such schedule", {{"schedule", schedule}});
  const absl::Time now = clock_.Now();
  VW_ASSIGN_OR_RETURN(const domain::NextFiring next, make_next_(*plan));
  VW_ASSIGN_OR_RETURN(const Begun begun, Begin(tx, *plan, now, domain::GiveUpTime(now, next(now), plan->window)));
  if (begun.run == 0)
    return base::Aborted("RUN_EXISTS", "the schedule fired in this very instant", {{"schedule", schedule}});
  run.set_name(NameOf("runs", begun.run));
  return absl::OkStatus();
}

}  // namespace voltwell::scheduler
