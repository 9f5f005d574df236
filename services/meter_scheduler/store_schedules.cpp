#include "services/meter_scheduler/store_schedules.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/store_claim.h"

namespace voltwell::scheduler {
namespace {

using voltwell::scheduler::v1::Run;
using voltwell::scheduler::v1::RunItem;
using voltwell::scheduler::v1::Schedule;

constexpr pg::Query kInsert{
    "schedule.insert",
    "INSERT INTO schedule (id, tenant, display_name, cron, time_zone, gap_rule, registers, meters, sites, collectors, "
    "paused, "
    "max_attempts, window_ms, create_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"};
constexpr pg::Query kUpdate{
    "schedule.update",
    "UPDATE schedule SET display_name = $3, cron = $4, time_zone = $5, gap_rule = $6, registers = $7, meters = $8, "
    "sites = $9, "
    "collectors = $10, paused = $11, max_attempts = $12, window_ms = $13 WHERE id = $1 AND tenant = $2"};
constexpr pg::Query kDue{"schedule.due",
                         "INSERT INTO schedule_due (schedule, tenant, next_fire_time) VALUES ($1, $2, $3) "
                         "ON CONFLICT (schedule) DO UPDATE SET next_fire_time = excluded.next_fire_time"};
constexpr pg::Query kLockDue{"schedule.lock_due",
                             "SELECT next_fire_time FROM schedule_due WHERE schedule = $1 FOR UPDATE"};
constexpr pg::Query kMissed{"schedule.missed",
                            "INSERT INTO missed_firing (schedule, tenant, first_time, last_time, firings) VALUES ($1, "
                            "$2, $3, $4, $5) ON CONFLICT DO NOTHING"};
constexpr pg::Query kNotDue{"schedule.not_due", "DELETE FROM schedule_due WHERE schedule = $1"};
constexpr pg::Query kArchive{
    "schedule.archive", "UPDATE schedule SET archive_time = $3 WHERE id = $1 AND tenant = $2 AND archive_time IS NULL"};

#define VW_SCHEDULE_COLUMNS                                                                                         \
  "s.id, s.tenant, s.display_name, s.cron, s.time_zone, s.gap_rule, s.registers, s.meters, s.sites, s.collectors, " \
  "s.paused, "                                                                                                      \
  "s.max_attempts, s.window_ms, s.create_time, (SELECT d.next_fire_time FROM schedule_due d WHERE d.schedule = s.id)"
constexpr pg::Query kGet{"schedule.get",
                         "SELECT " VW_SCHEDULE_COLUMNS
                         " FROM schedule s WHERE s.id = $1 AND s.tenant = $2 AND s.archive_time IS NULL"};
constexpr pg::Query kGetLocked{
    "schedule.get_locked",
    "SELECT " VW_SCHEDULE_COLUMNS
    " FROM schedule s WHERE s.id = $1 AND s.tenant = $2 AND s.archive_time IS NULL FOR UPDATE OF s"};
constexpr pg::Query kList{"schedule.list",
                          "SELECT " VW_SCHEDULE_COLUMNS
                          " FROM schedule s WHERE s.tenant = $1 AND s.id > $2 AND s.archive_time IS NULL "
                          "ORDER BY s.id LIMIT $3"};

#define VW_RUN_COLUMNS                                                                                                \
  "r.number, r.tenant, r.schedule, r.fire_time, r.state, r.items_total, r.items_stored, r.items_failed, r.end_time, " \
  "ARRAY(SELECT f.reason || '=' || f.items FROM run_failure f WHERE f.run = r.number ORDER BY f.reason)"
constexpr pg::Query kGetRun{"run.get", "SELECT " VW_RUN_COLUMNS " FROM run r WHERE r.number = $1 AND r.tenant = $2"};
constexpr pg::Query kListRuns{"run.list",
                              "SELECT " VW_RUN_COLUMNS
                              " FROM run r WHERE r.tenant = $1 AND r.number < $2 ORDER BY r.number DESC LIMIT $3"};
constexpr pg::Query kListRunsOf{
    "run.list_of_schedule",
    "SELECT " VW_RUN_COLUMNS
    " FROM run r WHERE r.tenant = $1 AND r.schedule = $4 AND r.number < $2 ORDER BY r.number DESC LIMIT $3"};
// Items that are over stand in the book, the others in the queue.
constexpr pg::Query kItems{
    "run.items",
    "SELECT k.meter_no, m.id, k.state, k.attempts, k.reason, k.end_time FROM ("
    " (SELECT meter_no, state, attempts, reason, end_time FROM run_item_end WHERE origin = $1 AND meter_no > $2::int "
    "  AND ($3::int = 0 OR state = $3::int) ORDER BY meter_no LIMIT $4) UNION ALL "
    " (SELECT meter_no, CASE WHEN lease = 0 THEN 1 ELSE 2 END, attempts, reason, NULL FROM run_item WHERE origin = $1 "
    "  AND meter_no > $2::int AND ($3::int = 0 OR $3::int = CASE WHEN lease = 0 THEN 1 ELSE 2 END) ORDER BY meter_no "
    "LIMIT $4)) k "
    "JOIN meter m ON m.number = k.meter_no ORDER BY k.meter_no LIMIT $4"};

constexpr pg::Query kLockRun{"run.lock", "SELECT state FROM run WHERE number = $1 AND tenant = $2 FOR UPDATE"};
constexpr pg::Query kStopPlanning{"run.stop_planning", "DELETE FROM run_plan WHERE run = $1"};
constexpr pg::Query kMarkCancelled{"run.mark_cancelled", "UPDATE run SET state = 4 WHERE number = $1"};
constexpr pg::Query kPending{"run.pending", "SELECT count(*) FROM run_item WHERE origin = $1 AND lease = 0"};
constexpr pg::Query kCancelItems{
    "run.cancel_items",
    "WITH gone AS (DELETE FROM run_item WHERE (origin, meter_no) IN (SELECT origin, meter_no FROM run_item WHERE "
    "origin = $1 "
    "AND lease = 0 ORDER BY meter_no LIMIT 10000 FOR UPDATE SKIP LOCKED) RETURNING origin, meter_no, attempts, reason),"
    "booked AS (INSERT INTO run_item_end (origin, meter_no, state, attempts, reason, end_time) "
    "SELECT origin, meter_no, 5, attempts, reason, $2 FROM gone RETURNING 1) SELECT count(*) FROM booked"};
static_assert(kCancelChunkMax == 10'000, "the number stands in the statement above");
constexpr pg::Query kCountCancelled{
    "run.count_cancelled",
    "UPDATE run SET items_cancelled = items_cancelled + $2, end_time = CASE WHEN "
    "items_stored + items_failed + items_cancelled + $2 >= items_total THEN $3 ELSE end_time END WHERE number = $1"};
constexpr pg::Query kForgetOver{
    "run.forget_over",
    "DELETE FROM work w USING run r WHERE w.origin = $1 AND r.number = $1 AND r.end_time IS NOT NULL"};
// Items of cancelled runs: their common part says that nothing follows.
constexpr pg::Query kCancelledRuns{
    "run.cancelled_left",
    "SELECT w.origin, w.tenant FROM work w WHERE w.kind = 0 AND w.max_attempts = 0 AND EXISTS "
    "(SELECT FROM run_item i WHERE i.origin = w.origin AND i.lease = 0) LIMIT 1 FOR UPDATE OF w SKIP LOCKED"};
constexpr pg::Query kNoMore{"run.no_more", "UPDATE work SET max_attempts = 0 WHERE origin = $1"};
constexpr pg::Query kSetTenant{"run.set_tenant", "SELECT set_config('voltwell.tenant', $1, true)"};

std::vector<std::string> Ids(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<std::string> ids;
  for (const std::string& name : names) ids.push_back(name.substr(name.find('/') + 1));
  return ids;
}

std::optional<int64_t> WindowMs(const Schedule& schedule) {
  if (!schedule.has_window()) return std::nullopt;
  return absl::ToInt64Milliseconds(FromProto(schedule.window()));
}

std::string IdOfName(const std::string& name) { return name.substr(name.find('/') + 1); }

Schedule ScheduleAt(const pg::Result& rows, int row) {
  Schedule schedule;
  schedule.set_name(NameOf("schedules", rows.Text(row, 0)));
  schedule.set_tenant(rows.Text(row, 1));
  schedule.set_display_name(rows.Text(row, 2));
  schedule.set_cron(rows.Text(row, 3));
  schedule.set_time_zone(rows.Text(row, 4));
  schedule.set_gap_rule(static_cast<Schedule::GapRule>(rows.Int(row, 5)));
  for (const std::string& id : rows.TextArray(row, 6)) schedule.add_registers(id);
  for (const std::string& id : rows.TextArray(row, 7)) schedule.mutable_selection()->add_meters(NameOf("meters", id));
  for (const std::string& id : rows.TextArray(row, 8)) schedule.mutable_selection()->add_sites(NameOf("sites", id));
  for (const std::string& id : rows.TextArray(row, 9))
    schedule.mutable_selection()->add_collectors(NameOf("collectors", id));
  schedule.set_paused(rows.Bool(row, 10));
  schedule.set_max_attempts(static_cast<int32_t>(rows.Int(row, 11)));
  if (const auto window = rows.IntOrNull(row, 12)) *schedule.mutable_window() = ToProto(absl::Milliseconds(*window));
  *schedule.mutable_create_time() = ToProto(rows.Time(row, 13));
  if (const auto next = rows.TimeOrNull(row, 14)) *schedule.mutable_next_fire_time() = ToProto(*next);
  return schedule;
}

Run RunAt(const pg::Result& rows, int row) {
  Run run;
  run.set_name(NameOf("runs", rows.Int(row, 0)));
  run.set_tenant(rows.Text(row, 1));
  run.set_schedule(NameOf("schedules", rows.Text(row, 2)));
  *run.mutable_fire_time() = ToProto(rows.Time(row, 3));
  run.set_state(static_cast<Run::State>(rows.Int(row, 4)));
  run.set_items_total(rows.Int(row, 5));
  run.set_items_stored(rows.Int(row, 6));
  run.set_items_failed(rows.Int(row, 7));
  if (const auto end = rows.TimeOrNull(row, 8)) *run.mutable_end_time() = ToProto(*end);
  for (const std::string& failure : rows.TextArray(row, 9)) {
    const size_t equals = failure.rfind('=');
    (*run.mutable_failures())[failure.substr(0, equals)] = std::stoll(failure.substr(equals + 1));
  }
  return run;
}

absl::Status SetDue(pg::Tx& tx, const Schedule& schedule, std::optional<absl::Time> next) {
  const std::string id = IdOfName(schedule.name());
  if (next.has_value()) {
    VW_RETURN_IF_ERROR(tx.Execute(kDue, id, schedule.tenant(), *next).status());
  } else {
    VW_RETURN_IF_ERROR(tx.Execute(kNotDue, id).status());
  }
  return tx.Notify(kTickChannel);
}

}  // namespace

absl::Status ScheduleStore::Insert(pg::Tx& tx, const Schedule& schedule, std::optional<absl::Time> next) {
  const auto& selection = schedule.selection();
  VW_RETURN_IF_ERROR(tx.Execute(kInsert, IdOfName(schedule.name()), schedule.tenant(), schedule.display_name(),
                                schedule.cron(), schedule.time_zone(), static_cast<int>(schedule.gap_rule()),
                                std::vector<std::string>(schedule.registers().begin(), schedule.registers().end()),
                                Ids(selection.meters()), Ids(selection.sites()), Ids(selection.collectors()),
                                schedule.paused(), schedule.max_attempts(), WindowMs(schedule),
                                FromProto(schedule.create_time()))
                         .status());
  return SetDue(tx, schedule, next);
}

absl::StatusOr<std::optional<absl::Time>> ScheduleStore::LockDue(pg::Tx& tx, const std::string& id) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kLockDue, id));
  if (rows.rows() == 0) return std::nullopt;
  return rows.TimeOrNull(0, 0);
}

absl::Status ScheduleStore::RecordMissed(pg::Tx& tx, const Schedule& schedule, absl::Time first, absl::Time last,
                                         int firings) {
  return tx.Execute(kMissed, IdOfName(schedule.name()), schedule.tenant(), first, last, firings).status();
}

absl::Status ScheduleStore::Update(pg::Tx& tx, const Schedule& schedule) {
  const auto& selection = schedule.selection();
  return tx
      .Execute(kUpdate, IdOfName(schedule.name()), schedule.tenant(), schedule.display_name(), schedule.cron(),
               schedule.time_zone(), static_cast<int>(schedule.gap_rule()),
               std::vector<std::string>(schedule.registers().begin(), schedule.registers().end()),
               Ids(selection.meters()), Ids(selection.sites()), Ids(selection.collectors()), schedule.paused(),
               schedule.max_attempts(), WindowMs(schedule))
      .status();
}

absl::Status ScheduleStore::MoveDue(pg::Tx& tx, const Schedule& schedule, std::optional<absl::Time> next) {
  return SetDue(tx, schedule, next);
}

absl::Status ScheduleStore::Archive(pg::Tx& tx, const std::string& tenant, const std::string& id, absl::Time now) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kArchive, id, tenant, now));
  if (rows.affected() == 0) return base::NotFound("SCHEDULE_NOT_FOUND", "no such schedule", {{"schedule", id}});
  return tx.Execute(kNotDue, id).status();
}

absl::StatusOr<Schedule> ScheduleStore::Get(pg::Tx& tx, const std::string& tenant, const std::string& id, bool lock) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(lock ? kGetLocked : kGet, id, tenant));
  if (rows.rows() == 0) return base::NotFound("SCHEDULE_NOT_FOUND", "no such schedule", {{"schedule", id}});
  return ScheduleAt(rows, 0);
}

absl::StatusOr<std::vector<Schedule>> ScheduleStore::List(pg::Tx& tx, const std::string& tenant,
                                                          const std::string& after, int limit) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kList, tenant, after, limit + 1));
  std::vector<Schedule> schedules;
  for (int row = 0; row < rows.rows(); ++row) schedules.push_back(ScheduleAt(rows, row));
  return schedules;
}

absl::StatusOr<Run> ScheduleStore::GetRun(pg::Tx& tx, const std::string& tenant, int64_t number) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kGetRun, number, tenant));
  if (rows.rows() == 0) return base::NotFound("RUN_NOT_FOUND", "no such run", {{"run", absl::StrCat(number)}});
  return RunAt(rows, 0);
}

absl::StatusOr<std::vector<Run>> ScheduleStore::ListRuns(pg::Tx& tx, const std::string& tenant,
                                                         const std::string& schedule, int64_t before, int limit) {
  absl::StatusOr<pg::Result> rows = schedule.empty() ? tx.Execute(kListRuns, tenant, before, limit + 1)
                                                     : tx.Execute(kListRunsOf, tenant, before, limit + 1, schedule);
  if (!rows.ok()) return rows.status();
  std::vector<Run> runs;
  for (int row = 0; row < rows->rows(); ++row) runs.push_back(RunAt(*rows, row));
  return runs;
}

absl::StatusOr<ScheduleStore::Items> ScheduleStore::ListItems(pg::Tx& tx, int64_t run, int state, int64_t after,
                                                              int limit) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kItems, run, after, state, limit + 1));
  Items items;
  for (int row = 0; row < rows.rows(); ++row) {
    RunItem item;
    item.set_meter(NameOf("meters", rows.Text(row, 1)));
    item.set_state(static_cast<RunItem::State>(rows.Int(row, 2)));
    item.set_attempts(static_cast<int32_t>(rows.Int(row, 3)));
    item.set_reason(rows.TextOrNull(row, 4).value_or(""));
    if (const auto end = rows.TimeOrNull(row, 5)) *item.mutable_end_time() = ToProto(*end);
    items.items.push_back(std::move(item));
    items.meter_numbers.push_back(rows.Int(row, 0));
  }
  return items;
}

absl::StatusOr<int64_t> ScheduleStore::Cancel(pg::Tx& tx, const std::string& tenant, int64_t run, absl::Time now) {
  VW_ASSIGN_OR_RETURN(const pg::Result state, tx.Execute(kLockRun, run, tenant));
  if (state.rows() == 0) return base::NotFound("RUN_NOT_FOUND", "no such run", {{"run", absl::StrCat(run)}});
  if (state.Int(0, 0) == Run::STATE_DONE) return base::FailedPrecondition("RUN_OVER", "every item has its final state");
  if (state.Int(0, 0) == Run::STATE_CANCELLED) return int64_t{0};
  pg::Batch batch;
  batch.Add(kStopPlanning, run);
  batch.Add(kMarkCancelled, run);
  batch.Add(kNoMore, run);
  batch.Add(kPending, run);
  VW_ASSIGN_OR_RETURN(const std::vector<pg::Result> results, tx.Run(batch));
  const int64_t pending = results[3].Int(0, 0);
  VW_ASSIGN_OR_RETURN(const pg::Result gone, tx.Execute(kCancelItems, run, now));
  VW_RETURN_IF_ERROR(tx.Execute(kCountCancelled, run, gone.Int(0, 0), now).status());
  VW_RETURN_IF_ERROR(tx.Execute(kForgetOver, run).status());
  return pending;
}

absl::StatusOr<bool> CancelChunk(pg::Pool& pool, absl::Time now) {
  bool found = false;
  const absl::Status done = pool.Transact({.name = "run.cancel_chunk"}, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kCancelledRuns));
    found = rows.rows() == 1;
    if (!found) return absl::OkStatus();
    VW_RETURN_IF_ERROR(tx.Execute(kSetTenant, rows.Text(0, 1)).status());
    VW_ASSIGN_OR_RETURN(const pg::Result gone, tx.Execute(kCancelItems, rows.Int(0, 0), now));
    VW_RETURN_IF_ERROR(tx.Execute(kCountCancelled, rows.Int(0, 0), gone.Int(0, 0), now).status());
    return tx.Execute(kForgetOver, rows.Int(0, 0)).status();
  });
  if (!done.ok()) return done;
  return found;
}

}  // namespace voltwell::scheduler
