#include "services/meter_scheduler/store_claim.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/meter_scheduler/domain/grouping.h"

namespace voltwell::scheduler {
namespace {

using domain::Item;
using domain::Work;

static_assert(domain::kBatchMax == 512 && domain::kPerBusMax == 64 && domain::kPerBusMin == 4 &&
                  domain::kLanesMax == 128,
              "the numbers stand in the statement below");

// Columns of the items that a claim returns, in the order that ReadItems reads.
#define VW_ITEM_COLUMNS                                                                                         \
  "t.origin, t.meter_no, t.priority, t.phase, t.attempts, t.reason, m.id, m.site_path, m.address, m.protocol, " \
  "m.profile, "                                                                                                 \
  "m.archived, b.number, b.registration_id, b.bus, b.baud"

// Lanes: buses with items, found by hopping through the index. Each gives its share, one item more shows that there is
// more.
constexpr pg::Query kClaimPlanned{
    "claim.planned",
    "WITH RECURSIVE lane (bus_no) AS ("
    "  (SELECT bus_no FROM run_item WHERE priority <= 2 AND bus_no > $1::int ORDER BY bus_no LIMIT 1)"
    "  UNION ALL"
    "  SELECT (SELECT i.bus_no FROM run_item i WHERE i.priority <= 2 AND i.bus_no > lane.bus_no ORDER BY i.bus_no "
    "LIMIT 1)"
    "  FROM lane WHERE lane.bus_no IS NOT NULL),"
    "lanes AS MATERIALIZED ("
    "  SELECT bus_no FROM lane WHERE bus_no IS NOT NULL AND bus_no <> ALL ($2::bigint[]) LIMIT 128),"
    "share AS MATERIALIZED (SELECT greatest(4, least(64, 512 / greatest(1, count(*))))::int AS n FROM lanes),"
    "picked AS MATERIALIZED ("
    "  SELECT p.tid, p.place <= share.n AS taken FROM share, lanes CROSS JOIN LATERAL ("
    "    SELECT x.tid, row_number() OVER () AS place FROM ("
    "      SELECT i.ctid AS tid FROM run_item i WHERE i.priority <= 2 AND i.bus_no = lanes.bus_no AND i.lease = 0"
    "      AND i.due_time <= $3 ORDER BY i.bus_no, i.priority DESC, i.due_time LIMIT (SELECT n + 1 FROM share) FOR "
    "UPDATE SKIP LOCKED) x) p"
    "  WHERE p.place <= share.n + 1),"
    "taken AS (UPDATE run_item q SET lease = $4 FROM picked p WHERE q.ctid = p.tid AND p.taken"
    "  RETURNING q.origin, q.meter_no, q.priority, q.phase, q.attempts, q.reason)"
    "SELECT (SELECT count(*) FROM lanes), (SELECT max(bus_no) FROM lanes), EXISTS (SELECT FROM picked WHERE NOT "
    "taken), " VW_ITEM_COLUMNS
    " FROM (SELECT) one LEFT JOIN (taken t JOIN meter m ON m.number = t.meter_no JOIN bus b ON b.number = m.bus_no) ON "
    "true"};

constexpr pg::Query kClaimInteractive{
    "claim.interactive",
    "WITH picked AS MATERIALIZED (SELECT i.ctid AS tid FROM run_item i WHERE i.priority = 3 AND i.lease = 0 AND "
    "i.due_time <= $1"
    "  ORDER BY i.priority DESC, i.due_time LIMIT 64 FOR UPDATE SKIP LOCKED),"
    "t AS (UPDATE run_item q SET lease = $2 FROM picked p WHERE q.ctid = p.tid"
    "  RETURNING q.origin, q.meter_no, q.priority, q.phase, q.attempts, q.reason)"
    "SELECT " VW_ITEM_COLUMNS " FROM t JOIN meter m ON m.number = t.meter_no JOIN bus b ON b.number = m.bus_no"};

constexpr pg::Query kRelayTenant{
    "claim.relay_tenant",
    "SELECT n.id, n.number FROM run_item i JOIN tenant n ON n.number = i.tenant_no WHERE i.priority = 4 AND i.lease = 0"
    " AND i.due_time <= $1 ORDER BY i.priority DESC, i.due_time LIMIT 1"};
constexpr pg::Query kSetTenant{"claim.set_tenant", "SELECT set_config('voltwell.tenant', $1, true)"};
constexpr pg::Query kClaimRelays{
    "claim.relays",
    // With the row of the relay, never waiting for it: others lock it before the item.
    "WITH picked AS MATERIALIZED (SELECT i.ctid AS tid, i.origin FROM run_item i JOIN relay r ON r.meter_no = "
    "i.meter_no WHERE i.priority = 4 AND i.lease = 0"
    "  AND i.due_time <= $1 AND i.tenant_no = $2::int ORDER BY i.priority DESC, i.due_time LIMIT 64 FOR UPDATE SKIP "
    "LOCKED),"
    "judged AS MATERIALIZED (SELECT p.tid, o.number AS operation, o.action, o.kind, e.not_after,"
    "  CASE WHEN o.state >= 4 THEN 'WORK_MISSING'"
    "       WHEN o.kind = 2 AND EXISTS (SELECT FROM cut_stop s WHERE s.tenant_no = $2::int AND s.stopped) THEN "
    "'CUTS_STOPPED'"
    "       WHEN o.kind = 2 AND (e.id IS NULL OR e.not_after <= $1) THEN 'PERMIT_EXPIRED'"
    "       WHEN o.kind = 2 AND NOT EXISTS (SELECT FROM hold h WHERE h.id = e.hold AND h.lift_time IS NULL) THEN "
    "'HOLD_NOT_STANDING'"
    "       WHEN o.kind = 3 AND EXISTS (SELECT FROM hold h WHERE h.meter_no = o.meter_no AND h.lift_time IS NULL) THEN "
    "'HOLD_STANDS'"
    "       ELSE '' END AS refusal"
    "  FROM picked p JOIN operation o ON o.number = p.origin LEFT JOIN permit e ON e.id = o.permit),"
    "t AS (UPDATE run_item q SET lease = $3, phase = CASE WHEN q.phase = 1 AND j.refusal = '' THEN 2 ELSE q.phase END"
    "  FROM judged j WHERE q.ctid = j.tid"
    "  RETURNING q.origin, q.meter_no, q.priority, q.phase, q.attempts, q.reason, j.refusal, j.not_after, j.action, "
    "j.kind),"
    // Read operations see it running from here on.
    "begun AS (UPDATE operation o SET state = 2 FROM t WHERE o.number = t.origin AND o.state = 1 AND t.phase = 2),"
    // Whatever was seen before, from here on it may be open, until a look tells: a process that dies now, or looks that
    // never succeed, leave a relay that must be closed again.
    "marked AS (UPDATE relay r SET observed = 0, observed_time = $1, opened = true FROM t WHERE r.meter_no = "
    "t.meter_no "
    "AND t.phase = 2 AND t.kind = 2)"
    "SELECT CASE WHEN t.phase = 1 THEN t.refusal ELSE '' END, t.not_after, t.action, " VW_ITEM_COLUMNS
    " FROM t JOIN meter m ON m.number = t.meter_no JOIN bus b ON b.number = m.bus_no"};

constexpr pg::Query kWork{
    "claim.work", "SELECT tenant, tenant_no, kind, registers, max_attempts, give_up_time FROM work WHERE origin = $1"};
constexpr pg::Query kTenantOf{
    "claim.tenant_of",
    "SELECT n.id, n.number FROM meter m JOIN tenant n ON n.number = m.tenant_no WHERE m.number = $1"};
constexpr pg::Query kRelease{"claim.release",
                             "UPDATE run_item q SET lease = 0, due_time = greatest(q.due_time, $4), phase = CASE WHEN "
                             "q.phase = 2 THEN 3 ELSE q.phase END "
                             "FROM unnest($1::bigint[], $2::bigint[]) AS k (origin, meter_no) "
                             "WHERE q.origin = k.origin AND q.meter_no = k.meter_no::int AND q.lease = $3"};
// A relay that its holder may have sent to is looked at, not sent to again.
constexpr pg::Query kReturn{
    "claim.return",
    "UPDATE run_item SET lease = 0, phase = CASE WHEN phase = 2 THEN 3 ELSE phase END WHERE lease = ANY($1)"};
constexpr pg::Query kReturnScans{"claim.return_scans", "UPDATE scan_work SET lease = 0 WHERE lease = ANY($1)"};
constexpr pg::Query kReturnOrphanScans{
    "claim.return_orphan_scans",
    "UPDATE scan_work SET lease = 0 WHERE lease <> 0 AND lease NOT IN (SELECT epoch FROM process_lease)"};
constexpr pg::Query kReturnOrphans{"claim.return_orphans",
                                   "UPDATE run_item SET lease = 0, phase = CASE WHEN phase = 2 THEN 3 ELSE phase END "
                                   "WHERE lease <> 0 AND lease NOT IN (SELECT epoch FROM process_lease)"};

}  // namespace

absl::StatusOr<std::shared_ptr<const Work>> ClaimStore::WorkOf(pg::Tx& tx, int64_t origin) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = works_.find(origin); found != works_.end()) return found->second;
  }
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kWork, origin));
  auto work = std::make_shared<Work>();
  work->origin = origin;
  if (rows.rows() == 1) {
    work->tenant = rows.Text(0, 0);
    work->tenant_no = static_cast<int32_t>(rows.Int(0, 1));
    work->kind = static_cast<domain::Kind>(rows.Int(0, 2));
    work->registers = rows.TextArray(0, 3);
    work->max_attempts = static_cast<int>(rows.Int(0, 4));
    work->give_up_time = rows.Time(0, 5);
  } else {
    return base::DataLoss("WORK_MISSING", "items of a run that has no common part", {{"origin", absl::StrCat(origin)}});
  }
  const std::lock_guard lock(mutex_);
  if (works_.size() >= kWorkCacheMax) works_.clear();
  works_[origin] = work;
  return work;
}

// For the end of an item that is alone: what can be told from the item itself.
absl::StatusOr<std::shared_ptr<const Work>> ClaimStore::MissingWork(pg::Tx& tx, int64_t origin, const Item& item) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kTenantOf, item.meter_no));
  auto work = std::make_shared<Work>();
  work->origin = origin;
  work->tenant = rows.Text(0, 0);
  work->tenant_no = static_cast<int32_t>(rows.Int(0, 1));
  if (item.priority == domain::Priority::kRelay) work->kind = domain::Kind::kClose;
  if (item.priority == domain::Priority::kInteractive) work->kind = domain::Kind::kReadNow;
  return work;
}

absl::Status ClaimStore::ReadItems(pg::Tx& tx, const pg::Result& rows, int from, ClaimResult& claim) {
  for (int row = 0; row < rows.rows(); ++row) {
    int column = from;
    if (rows.IsNull(row, column)) continue;  // The one row of a claim that took nothing.
    Item item;
    const int64_t origin = rows.Int(row, column++);
    item.meter_no = static_cast<int32_t>(rows.Int(row, column++));
    item.priority = static_cast<domain::Priority>(rows.Int(row, column++));
    item.phase = static_cast<domain::Phase>(rows.Int(row, column++));
    item.attempts = static_cast<int>(rows.Int(row, column++));
    item.last_reason = rows.TextOrNull(row, column++).value_or("");
    item.meter = rows.Text(row, column++);
    item.site_path = rows.Text(row, column++);
    item.address = rows.Text(row, column++);
    item.protocol = rows.Text(row, column++);
    item.profile = rows.Text(row, column++);
    const bool archived = rows.Bool(row, column++);
    item.bus_no = static_cast<int32_t>(rows.Int(row, column++));
    item.registration_id = rows.Text(row, column++);
    item.bus = static_cast<int>(rows.Int(row, column++));
    item.baud = static_cast<int>(rows.Int(row, column++));
    absl::StatusOr<std::shared_ptr<const Work>> work = WorkOf(tx, origin);
    const bool missing = base::ReasonOf(work.status()) == "WORK_MISSING";
    if (missing) work = MissingWork(tx, origin, item);
    if (!work.ok()) return work.status();
    item.work = *std::move(work);
    if (missing) {
      claim.refused.push_back({std::move(item), "WORK_MISSING"});
    } else if (archived) {
      claim.refused.push_back({std::move(item), "METER_ARCHIVED"});
    } else {
      claim.items.push_back(std::move(item));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ClaimResult> ClaimStore::ClaimPlanned(int64_t epoch, int32_t cursor, const std::vector<int64_t>& full) {
  ClaimResult claim;
  const absl::Status done = pool_.Transact({.name = "road.claim"}, [&](pg::Tx& tx) -> absl::Status {
    claim = {};
    VW_RETURN_IF_ERROR(pg::AssertLease(tx, epoch));
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kClaimPlanned, cursor, full, clock_.Now(), epoch));
    const bool all_lanes = rows.Int(0, 0) == domain::kLanesMax;
    claim.more = rows.Bool(0, 2) || all_lanes || cursor > 0;
    claim.cursor = all_lanes ? static_cast<int32_t>(rows.Int(0, 1)) : 0;
    return ReadItems(tx, rows, 3, claim);
  });
  if (!done.ok()) return done;
  return claim;
}

absl::StatusOr<ClaimResult> ClaimStore::ClaimInteractive(int64_t epoch) {
  ClaimResult claim;
  const absl::Status done = pool_.Transact({.name = "road.claim_interactive"}, [&](pg::Tx& tx) -> absl::Status {
    claim = {};
    VW_RETURN_IF_ERROR(pg::AssertLease(tx, epoch));
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kClaimInteractive, clock_.Now(), epoch));
    claim.more = rows.rows() == kFastMax;
    return ReadItems(tx, rows, 0, claim);
  });
  if (!done.ok()) return done;
  return claim;
}

absl::StatusOr<RelayClaim> ClaimStore::ClaimRelays(int64_t epoch) {
  RelayClaim relays;
  const absl::Status done = pool_.Transact({.name = "road.claim_relay"}, [&](pg::Tx& tx) -> absl::Status {
    relays = {};
    VW_RETURN_IF_ERROR(pg::AssertLease(tx, epoch));
    const absl::Time now = clock_.Now();
    relays.claimed_at = now;
    VW_ASSIGN_OR_RETURN(const pg::Result tenant, tx.Execute(kRelayTenant, now));
    if (tenant.rows() == 0) return absl::OkStatus();
    relays.tenant = tenant.Text(0, 0);
    VW_RETURN_IF_ERROR(tx.Execute(kSetTenant, relays.tenant).status());
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kClaimRelays, now, tenant.Int(0, 1), epoch));
    VW_RETURN_IF_ERROR(ReadItems(tx, rows, 3, relays.claim));
    std::map<int64_t, std::string> refusals;
    for (int row = 0; row < rows.rows(); ++row) {
      const int64_t origin = rows.Int(row, 3);
      refusals[origin] = rows.Text(row, 0);
      if (const auto not_after = rows.TimeOrNull(row, 1)) relays.not_after[origin] = *not_after;
      relays.actions[origin] = static_cast<int>(rows.Int(row, 2));
    }
    std::vector<Item> allowed;
    for (Item& item : relays.claim.items) {
      const std::string& refusal = refusals[item.work->origin];
      if (refusal.empty()) {
        allowed.push_back(std::move(item));
      } else {
        relays.claim.refused.push_back({std::move(item), refusal});
      }
    }
    relays.claim.items = std::move(allowed);
    relays.claim.more = true;  // Perhaps of another tenant: ask until a claim finds nothing.
    return absl::OkStatus();
  });
  if (!done.ok()) return done;
  return relays;
}

absl::Status ClaimStore::Release(int64_t epoch, const std::vector<Item>& items, absl::Time due) {
  if (items.empty()) return absl::OkStatus();
  std::vector<int64_t> origins;
  std::vector<int64_t> meters;
  for (const Item& item : items) {
    origins.push_back(item.work->origin);
    meters.push_back(item.meter_no);
  }
  return pool_.Transact({.name = "road.release"},
                        [&](pg::Tx& tx) { return tx.Execute(kRelease, origins, meters, epoch, due).status(); });
}

absl::StatusOr<int64_t> ClaimStore::Reap(bool every_epoch) {
  int64_t returned = 0;
  const absl::Status done = pool_.Transact({.name = "road.reap"}, [&](pg::Tx& tx) -> absl::Status {
    returned = 0;
    VW_ASSIGN_OR_RETURN(const std::vector<int64_t> dead, pg::ReapDeadProcesses(tx, "meter_scheduler"));
    if (!dead.empty()) {
      VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kReturn, dead));
      // Their searches too, which a worker looks for every other second.
      VW_RETURN_IF_ERROR(tx.Execute(kReturnScans, dead).status());
      returned += rows.affected();
    }
    if (every_epoch) {
      VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kReturnOrphans));
      VW_RETURN_IF_ERROR(tx.Execute(kReturnOrphanScans).status());
      returned += rows.affected();
    }
    if (returned == 0) return absl::OkStatus();
    VW_RETURN_IF_ERROR(tx.Notify(kWorkChannel));
    return tx.Notify(kFastChannel);
  });
  if (!done.ok()) return done;
  return returned;
}

}  // namespace voltwell::scheduler
