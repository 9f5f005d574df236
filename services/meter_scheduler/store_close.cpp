#include "services/meter_scheduler/store_close.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/events/events.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/store_claim.h"

namespace voltwell::scheduler {
namespace {

using voltwell::scheduler::v1::Operation;
using voltwell::scheduler::v1::Reading;
using voltwell::scheduler::v1::Run;
using voltwell::scheduler::v1::RunItem;

constexpr pg::Query kMonth{"close.month", "SELECT create_month($1::date)"};

// Before any item, as those do who queue relay operations or change holds; in one order.
constexpr pg::Query kLockRelays{
    "close.lock_relays", "SELECT meter_no FROM relay WHERE meter_no = ANY ($1::bigint[]) ORDER BY meter_no FOR UPDATE"};
constexpr pg::Query kEnd{"close.end",
                         "DELETE FROM run_item q USING unnest($1::bigint[], $2::bigint[]) AS k (origin, meter_no) "
                         "WHERE q.origin = k.origin AND q.meter_no = k.meter_no::int AND q.lease = $3 "
                         "RETURNING q.origin, q.meter_no"};
constexpr pg::Query kAgain{
    "close.again",
    "UPDATE run_item q SET lease = 0, due_time = k.due, attempts = k.attempts::smallint, phase = k.phase::smallint, "
    "reason = k.reason FROM unnest($1::bigint[], $2::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) "
    "AS x (origin, meter_no, due_us, attempts, phase, reason), "
    "LATERAL (SELECT x.origin, x.meter_no, x.attempts, x.phase, x.reason, "
    "'epoch'::timestamptz + x.due_us * interval '1 microsecond' AS due) k "
    "WHERE q.origin = k.origin AND q.meter_no = k.meter_no::int AND q.lease = $3 RETURNING q.origin, q.meter_no"};

constexpr pg::Query kCopyBook{
    "close.copy_book",
    "COPY run_item_end (origin, meter_no, state, attempts, reason, end_time) FROM STDIN (FORMAT binary)"};
constexpr pg::Query kStamped{
    "close.stamped",
    "INSERT INTO reading (meter_no, register_no, tenant_no, time, origin, units, scale, source, text) "
    "VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8) ON CONFLICT DO NOTHING"};
constexpr pg::Query kShown{"close.shown",
                           "INSERT INTO meter_register (meter_no, register_no) SELECT a::int, b::int FROM "
                           "unnest($1::bigint[], $2::bigint[]) AS k (a, b) ON CONFLICT DO NOTHING"};

// The last item that ends makes its run DONE; items are counted, never looked for.
constexpr pg::Query kCount{"close.count",
                           "UPDATE run SET items_stored = items_stored + $2, items_failed = items_failed + $3, "
                           "state = CASE WHEN state = 2 AND items_stored + items_failed + items_cancelled + $2 + $3 >= "
                           "items_total THEN 3 ELSE state END, "
                           "end_time = CASE WHEN state IN (2, 4) AND items_stored + items_failed + items_cancelled + "
                           "$2 + $3 >= items_total THEN $4 "
                           "ELSE end_time END "
                           "WHERE number = $1 RETURNING number, schedule, fire_time, state, items_total, items_stored, "
                           "items_failed, items_cancelled, end_time"};
constexpr pg::Query kFailure{"close.failure",
                             "INSERT INTO run_failure AS f (run, tenant, reason, items) VALUES ($1, $2, $3, $4) "
                             "ON CONFLICT (run, reason) DO UPDATE SET items = f.items + excluded.items"};
constexpr pg::Query kForget{"close.forget", "DELETE FROM work WHERE origin = $1"};

constexpr pg::Query kEndOperation{
    "close.end_operation",
    "UPDATE operation SET state = $2, reason = $3, observed = $4, end_time = $5 WHERE number = $1 AND state < 4"};
constexpr pg::Query kMoveOperation{"close.move_operation",
                                   "UPDATE operation SET state = $2, reason = $3 WHERE number = $1 AND "
                                   "(state <> $2 OR reason <> $3)"};
constexpr pg::Query kSeen{
    "close.seen",
    "INSERT INTO relay (meter_no, tenant_no, observed, observed_time, opened) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (meter_no) DO UPDATE SET observed = excluded.observed, observed_time = excluded.observed_time, "
    "opened = CASE WHEN excluded.observed = 1 THEN false ELSE relay.opened OR excluded.opened END "
    "WHERE relay.observed_time IS NULL OR relay.observed_time <= excluded.observed_time"};
// The next relay operation of the meter that waited for this one.
constexpr pg::Query kFollow{
    "close.follow",
    "WITH next AS (SELECT number, tenant, kind FROM operation o WHERE o.meter_no = $1::int AND o.kind >= 2 AND o.state "
    "= 1 "
    "AND o.number <> $2 ORDER BY number LIMIT 1) "
    "INSERT INTO run_item (origin, meter_no, bus_no, tenant_no, priority, phase, due_time) "
    "SELECT next.number, m.number, m.bus_no, m.tenant_no, 4, 1, $3 FROM next JOIN meter m ON m.number = $1::int "
    "ON CONFLICT DO NOTHING"};

using Key = std::pair<int64_t, int32_t>;
Key KeyOf(const Closing& closing) { return {closing.item.work->origin, closing.item.meter_no}; }

int32_t MonthOf(absl::Time time) {
  const absl::CivilMonth month = absl::ToCivilMonth(time, absl::UTCTimeZone());
  return static_cast<int32_t>(month.year()) * 12 + month.month() - 1;
}

// A partition's columns are COPYed in this order.
std::string CopyReadings(int32_t month) {
  return absl::StrCat(
      "COPY reading_y", month / 12, "m", absl::Dec(month % 12 + 1, absl::kZeroPad2),
      " (meter_no, register_no, tenant_no, time, origin, units, scale, source, text) FROM STDIN (FORMAT binary)");
}
std::string CopyBytes(int32_t month) {
  return absl::StrCat("COPY exchange_bytes_y", month / 12, "m", absl::Dec(month % 12 + 1, absl::kZeroPad2),
                      " (time, meter_no, origin, tenant_no, request, reply) FROM STDIN (FORMAT binary)");
}

int16_t SourceOf(const Closing& closing) {
  return closing.item.work->kind == domain::Kind::kRun ? Reading::SOURCE_SCHEDULED : Reading::SOURCE_INTERACTIVE;
}

bool MovesRelay(const Closing& closing) {
  return closing.item.work->kind == domain::Kind::kOpen || closing.item.work->kind == domain::Kind::kClose;
}

absl::Status LockRelays(pg::Tx& tx, const std::vector<Closing>& closings) {
  std::vector<int64_t> meters;
  for (const Closing& closing : closings) {
    if (MovesRelay(closing) || closing.observed != domain::Relay::kUnknown) meters.push_back(closing.item.meter_no);
  }
  return meters.empty() ? absl::OkStatus() : tx.Execute(kLockRelays, meters).status();
}

// Takes the leases back: which of the items were still ours.
absl::StatusOr<std::vector<const Closing*>> TakeBack(pg::Tx& tx, int64_t epoch, const std::vector<Closing>& closings) {
  std::vector<int64_t> end_origins, end_meters, origins, meters, due, attempts, phases;
  std::vector<std::string> reasons;
  for (const Closing& closing : closings) {
    const auto [origin, meter] = KeyOf(closing);
    (closing.final ? end_origins : origins).push_back(origin);
    (closing.final ? end_meters : meters).push_back(meter);
    if (closing.final) continue;
    due.push_back(absl::ToUnixMicros(closing.due));
    attempts.push_back(closing.attempts);
    phases.push_back(static_cast<int64_t>(closing.next_phase));
    reasons.push_back(closing.reason);
  }
  pg::Batch batch;
  if (!end_origins.empty()) batch.Add(kEnd, end_origins, end_meters, epoch);
  if (!origins.empty()) batch.Add(kAgain, origins, meters, epoch, due, attempts, phases, reasons);
  VW_ASSIGN_OR_RETURN(const std::vector<pg::Result> results, tx.Run(batch));
  absl::flat_hash_set<Key> ours;
  for (const pg::Result& rows : results) {
    for (int row = 0; row < rows.rows(); ++row) ours.insert({rows.Int(row, 0), static_cast<int32_t>(rows.Int(row, 1))});
  }
  std::vector<const Closing*> kept;
  for (const Closing& closing : closings) {
    if (ours.contains(KeyOf(closing))) kept.push_back(&closing);
  }
  return kept;
}

struct RunCount {
  int64_t stored = 0;
  int64_t failed = 0;
  std::map<std::string, int64_t> failures = {};
};

// Counts in the runs, in the order of their numbers: two replicas that close items of the same runs never wait
// crosswise.
absl::Status CountRuns(pg::Tx& tx, const std::string& tenant, absl::Time now, const std::vector<const Closing*>& kept) {
  std::map<int64_t, RunCount> runs;
  for (const Closing* closing : kept) {
    if (!closing->final || closing->item.work->kind != domain::Kind::kRun) continue;
    RunCount& count = runs[closing->item.work->origin];
    if (closing->state == RunItem::STATE_STORED) {
      ++count.stored;
    } else {
      ++count.failed;
      ++count.failures[closing->reason];
    }
  }
  if (runs.empty()) return absl::OkStatus();
  pg::Batch batch;
  for (const auto& [number, count] : runs) batch.Add(kCount, number, count.stored, count.failed, now);
  for (const auto& [number, count] : runs) {
    for (const auto& [reason, items] : count.failures) batch.Add(kFailure, number, tenant, reason, items);
  }
  VW_ASSIGN_OR_RETURN(const std::vector<pg::Result> results, tx.Run(batch));
  for (size_t i = 0; i < runs.size(); ++i) {
    const pg::Result& rows = results[i];
    if (rows.rows() == 0 || rows.IsNull(0, 8)) continue;
    Run run;
    run.set_name(NameOf("runs", rows.Int(0, 0)));
    run.set_tenant(tenant);
    run.set_schedule(NameOf("schedules", rows.Text(0, 1)));
    *run.mutable_fire_time() = ToProto(rows.Time(0, 2));
    run.set_state(static_cast<Run::State>(rows.Int(0, 3)));
    run.set_items_total(rows.Int(0, 4));
    run.set_items_stored(rows.Int(0, 5));
    run.set_items_failed(rows.Int(0, 6));
    *run.mutable_end_time() = ToProto(rows.Time(0, 8));
    VW_RETURN_IF_ERROR(tx.Execute(kForget, rows.Int(0, 0)).status());
    VW_RETURN_IF_ERROR(events::Append(
        tx, {.type = "run.done", .key = run.name(), .tenant = tenant, .permission = "schedule.read", .payload = &run}));
  }
  return absl::OkStatus();
}

// Operations and relays of the batch.
absl::Status MoveOperations(pg::Tx& tx, const std::string& tenant, absl::Time now,
                            const std::vector<const Closing*>& kept, CloseResult& result) {
  pg::Batch batch;
  std::vector<Operation> told;
  std::vector<const Closing*> moved;
  std::vector<size_t> statements;  // Which one shows whether the operation changed.
  for (const Closing* closing : kept) {
    const domain::Item& item = closing->item;
    const bool relay = MovesRelay(*closing);
    if (closing->observed != domain::Relay::kUnknown) {
      const bool opened = item.work->kind == domain::Kind::kOpen && closing->observed == domain::Relay::kOpen;
      batch.Add(kSeen, item.meter_no, item.work->tenant_no, static_cast<int>(closing->observed), closing->time, opened);
    }
    if (item.work->kind == domain::Kind::kRun) continue;
    const size_t statement = batch.size();
    Operation::State state = closing->unknown ? Operation::STATE_UNKNOWN : Operation::STATE_RUNNING;
    if (closing->final) {
      state = closing->state == RunItem::STATE_STORED ? Operation::STATE_SUCCEEDED : Operation::STATE_FAILED;
      batch.Add(kEndOperation, item.work->origin, static_cast<int>(state), closing->reason,
                static_cast<int>(closing->observed), now);
      batch.Add(kForget, item.work->origin);
      if (relay) batch.Add(kFollow, item.meter_no, item.work->origin, now);
      result.operation_ended = true;
      result.relay_follows = result.relay_follows || relay;
    } else {
      if (!closing->unknown && closing->next_phase != domain::Phase::kVerify) state = Operation::STATE_PENDING;
      batch.Add(kMoveOperation, item.work->origin, static_cast<int>(state), closing->reason);
      // The claim called it RUNNING meanwhile, which nobody was told.
      if (state == Operation::STATE_PENDING && !closing->reason.empty() && closing->reason == item.last_reason)
        continue;
    }
    Operation& operation = told.emplace_back();
    operation.set_name(NameOf("operations", item.work->origin));
    operation.set_tenant(tenant);
    operation.set_meter(NameOf("meters", item.meter));
    operation.set_state(state);
    operation.set_reason(closing->reason);
    operation.set_observed_relay(static_cast<voltwell::codec::v1::RelayState>(closing->observed));
    moved.push_back(closing);
    statements.push_back(statement);
  }
  if (batch.size() == 0) return absl::OkStatus();
  VW_ASSIGN_OR_RETURN(const std::vector<pg::Result> results, tx.Run(batch));
  if (told.empty()) return absl::OkStatus();
  std::vector<events::Fact> facts;
  for (size_t i = 0; i < told.size(); ++i) {
    if (results[statements[i]].affected() == 0) continue;
    facts.push_back({.type = moved[i]->final ? "operation.ended" : "operation.updated",
                     .key = told[i].meter(),
                     .tenant = tenant,
                     .site_path = moved[i]->item.site_path,
                     .permission = "operation.read",
                     .payload = &told[i]});
  }
  if (!facts.empty()) VW_RETURN_IF_ERROR(events::AppendAll(tx, facts));
  if (!result.operation_ended) return absl::OkStatus();
  if (result.relay_follows) VW_RETURN_IF_ERROR(tx.Notify(kFastChannel));
  return tx.Notify(kOperationChannel);
}

absl::Status Tell(pg::Tx& tx, const std::string& tenant, const std::vector<const Closing*>& kept) {
  std::vector<events::Fact> facts;
  for (const Closing* closing : kept) {
    if (closing->told.readings().empty()) continue;
    facts.push_back({.type = "reading.stored",
                     .key = NameOf("meters", closing->item.meter),
                     .tenant = tenant,
                     .site_path = closing->item.site_path,
                     .permission = "reading.read",
                     .payload = &closing->told});
  }
  return facts.empty() ? absl::OkStatus() : events::AppendAll(tx, facts);
}

}  // namespace

absl::Status CloseStore::Warm() {
  std::vector<Closing> now(1);
  now[0].time = clock_.Now();
  return EnsureMonths(now);
}

absl::Status CloseStore::EnsureMonths(const std::vector<Closing>& closings) {
  absl::flat_hash_set<int32_t> unknown;
  for (const Closing& closing : closings) {
    if (!months_.contains(MonthOf(closing.time))) unknown.insert(MonthOf(closing.time));
    for (const ReadingRow& row : closing.readings) {
      if (!months_.contains(MonthOf(row.time))) unknown.insert(MonthOf(row.time));
    }
  }
  for (const int32_t month : unknown) {
    const std::string day = absl::StrCat(month / 12, "-", absl::Dec(month % 12 + 1, absl::kZeroPad2), "-01");
    VW_RETURN_IF_ERROR(
        pool_.Transact({.name = "partition.create"}, [&](pg::Tx& tx) { return tx.Execute(kMonth, day).status(); }));
    months_.insert(month);
  }
  return absl::OkStatus();
}

absl::Status CloseStore::WriteReadings(pg::Tx& tx, const std::vector<const Closing*>& kept) {
  std::map<int32_t, pg::CopyWriter> months;
  pg::Batch stamped;
  for (const Closing* closing : kept) {
    const domain::Item& item = closing->item;
    for (const ReadingRow& row : closing->readings) {
      if (row.stamped) {
        std::optional<std::string> text;
        if (!row.text.empty()) text = row.text;
        stamped.Add(kStamped, item.meter_no, row.register_no, item.work->tenant_no, row.time, row.units,
                    static_cast<int>(row.scale), static_cast<int>(SourceOf(*closing)), text);
        continue;
      }
      pg::CopyWriter& copy = months[MonthOf(row.time)];
      copy.Row(9).Int4(item.meter_no).Int4(row.register_no).Int4(item.work->tenant_no).Time(row.time);
      copy.Int8(item.work->origin);
      if (row.units.has_value()) {
        copy.Int8(*row.units).Int2(row.scale);
      } else {
        copy.Null().Null();
      }
      copy.Int2(SourceOf(*closing));
      if (row.text.empty()) {
        copy.Null();
      } else {
        copy.Text(row.text);
      }
    }
  }
  for (auto& [month, copy] : months) {
    const std::string sql = CopyReadings(month);
    VW_RETURN_IF_ERROR(tx.Copy({"close.copy_readings", sql.c_str()}, std::move(copy)).status());
  }
  return stamped.size() == 0 ? absl::OkStatus() : tx.Run(stamped).status();
}

absl::Status CloseStore::WriteBook(pg::Tx& tx, const std::vector<const Closing*>& kept) {
  pg::CopyWriter copy;
  bool any = false;
  for (const Closing* closing : kept) {
    if (!closing->final || closing->item.work->kind != domain::Kind::kRun) continue;
    any = true;
    copy.Row(6)
        .Int8(closing->item.work->origin)
        .Int4(closing->item.meter_no)
        .Int2(static_cast<int16_t>(closing->state));
    copy.Int2(static_cast<int16_t>(closing->attempts));
    if (closing->reason.empty()) {
      copy.Null();
    } else {
      copy.Text(closing->reason);
    }
    copy.Time(closing->time);
  }
  return any ? tx.Copy(kCopyBook, std::move(copy)).status() : absl::OkStatus();
}

absl::Status CloseStore::WriteBytes(pg::Tx& tx, const std::vector<const Closing*>& kept) {
  std::map<int32_t, pg::CopyWriter> months;
  for (const Closing* closing : kept) {
    if (closing->request.empty()) continue;
    months[MonthOf(closing->time)]
        .Row(6)
        .Time(closing->time)
        .Int4(closing->item.meter_no)
        .Int8(closing->item.work->origin)
        .Int4(closing->item.work->tenant_no)
        .Bytea(closing->request)
        .Bytea(closing->reply);
  }
  for (auto& [month, copy] : months) {
    const std::string sql = CopyBytes(month);
    VW_RETURN_IF_ERROR(tx.Copy({"close.copy_bytes", sql.c_str()}, std::move(copy)).status());
  }
  return absl::OkStatus();
}

void CloseStore::NewRegisters(const std::vector<const Closing*>& kept,
                              std::vector<std::pair<int32_t, int32_t>>& pairs) {
  const std::lock_guard lock(mutex_);
  for (const Closing* closing : kept) {
    for (const ReadingRow& row : closing->readings) {
      const std::pair<int32_t, int32_t> pair{closing->item.meter_no, row.register_no};
      if (!shown_.contains(pair)) pairs.push_back(pair);
    }
  }
}

absl::StatusOr<CloseResult> CloseStore::Close(int64_t epoch, const std::string& tenant,
                                              const std::vector<Closing>& closings) {
  VW_RETURN_IF_ERROR(EnsureMonths(closings));
  CloseResult result;
  std::vector<std::pair<int32_t, int32_t>> pairs;
  const absl::Status done = pool_.Transact({.name = "road.store", .tenant = tenant}, [&](pg::Tx& tx) -> absl::Status {
    result = {};
    pairs.clear();
    VW_RETURN_IF_ERROR(LockRelays(tx, closings));
    VW_ASSIGN_OR_RETURN(const std::vector<const Closing*> kept, TakeBack(tx, epoch, closings));
    result.dropped = static_cast<int>(closings.size() - kept.size());
    for (const Closing* closing : kept) {
      ++(!closing->final ? result.again : closing->state == RunItem::STATE_STORED ? result.stored : result.failed);
    }
    if (kept.empty()) return absl::OkStatus();
    VW_RETURN_IF_ERROR(WriteReadings(tx, kept));
    VW_RETURN_IF_ERROR(WriteBook(tx, kept));
    if (keep_bytes_) VW_RETURN_IF_ERROR(WriteBytes(tx, kept));
    NewRegisters(kept, pairs);
    if (!pairs.empty()) {
      std::vector<int64_t> meters, registers;
      for (const auto& [meter, number] : pairs) {
        meters.push_back(meter);
        registers.push_back(number);
      }
      VW_RETURN_IF_ERROR(tx.Execute(kShown, meters, registers).status());
    }
    VW_RETURN_IF_ERROR(MoveOperations(tx, tenant, clock_.Now(), kept, result));
    VW_RETURN_IF_ERROR(Tell(tx, tenant, kept));
    // Last: rows of runs are shared between replicas, and are locked from here to the commit.
    return CountRuns(tx, tenant, clock_.Now(), kept);
  });
  if (!done.ok()) return done;
  const std::lock_guard lock(mutex_);
  if (shown_.size() + pairs.size() > kShownMax) shown_.clear();
  shown_.insert(pairs.begin(), pairs.end());
  return result;
}

}  // namespace voltwell::scheduler
