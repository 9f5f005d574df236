#include "services/meter_scheduler/store_relay.h"

#include "libs/base/status.h"
#include "services/meter_scheduler/domain/item.h"
#include "services/meter_scheduler/domain/relay_machine.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/store_claim.h"
#include "services/meter_scheduler/store_operations.h"
#include "voltwell/codec/v1/codec.pb.h"

namespace voltwell::scheduler {
namespace {

using voltwell::scheduler::v1::Hold;
using voltwell::scheduler::v1::Permit;

// The row of the relay is locked first by all who change holds: they take turns for each meter.
constexpr pg::Query kLockRelay{"relay.lock",
                               "INSERT INTO relay (meter_no, tenant_no) VALUES ($1, $2) "
                               "ON CONFLICT (meter_no) DO UPDATE SET tenant_no = excluded.tenant_no"};
constexpr pg::Query kStands{"hold.stands",
                            "SELECT id FROM hold WHERE meter_no = $1 AND owner = $2 AND lift_time IS NULL"};
constexpr pg::Query kInsertHold{"hold.insert",
                                "INSERT INTO hold (id, tenant, meter, meter_no, owner, reason, author, create_time) "
                                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr pg::Query kCountHolds{
    "relay.count_holds",
    "UPDATE relay SET holds = (SELECT count(*) FROM hold WHERE hold.meter_no = $1 AND lift_time IS NULL) "
    "WHERE relay.meter_no = $1 RETURNING holds"};
// What closes is looked at again at once: it must not go on against a hold.
constexpr pg::Query kHurry{"relay.hurry",
                           "UPDATE run_item SET due_time = $2 WHERE meter_no = $1 AND priority = 4 AND lease = 0"};
constexpr pg::Query kGetHold{
    "hold.get", "SELECT meter, meter_no, owner, lift_time IS NULL FROM hold WHERE id = $1 AND tenant = $2"};
constexpr pg::Query kLift{"hold.lift", "UPDATE hold SET lift_time = $2 WHERE id = $1 AND lift_time IS NULL"};
constexpr pg::Query kTenantOf{"relay.tenant_of", "SELECT tenant_no FROM meter WHERE number = $1"};
#define VW_HOLD_COLUMNS "id, tenant, meter, owner, reason, author, create_time"
constexpr pg::Query kListHolds{"hold.list",
                               "SELECT " VW_HOLD_COLUMNS
                               " FROM hold WHERE tenant = $1 AND id > $2 AND lift_time IS NULL ORDER BY id LIMIT $3"};
constexpr pg::Query kListHoldsOf{
    "hold.list_of_meter",
    "SELECT " VW_HOLD_COLUMNS
    " FROM hold WHERE tenant = $1 AND meter_no = $4 AND id > $2 AND lift_time IS NULL ORDER BY id LIMIT $3"};
constexpr pg::Query kMayOpen{"permit.may_open",
                             "SELECT EXISTS (SELECT FROM cut_stop WHERE tenant_no = $1 AND stopped), "
                             "EXISTS (SELECT FROM hold WHERE id = $2 AND meter_no = $3 AND lift_time IS NULL)"};
constexpr pg::Query kInsertPermit{"permit.insert",
                                  "INSERT INTO permit (id, tenant, meter, hold, not_after, guard_record, author, "
                                  "operation) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr pg::Query kTenant{"relay.tenant", "INSERT INTO tenant (id) VALUES ($1) ON CONFLICT DO NOTHING"};
constexpr pg::Query kCutStop{"relay.cut_stop",
                             "INSERT INTO cut_stop (tenant_no, stopped, reason, author, time) SELECT number, $2, $3, "
                             "$4, $5 FROM tenant WHERE id = $1 "
                             "ON CONFLICT (tenant_no) DO UPDATE SET stopped = excluded.stopped, reason = "
                             "excluded.reason, author = excluded.author, "
                             "time = excluded.time"};
constexpr pg::Query kRelay{"relay.get", "SELECT holds, opened, observed, observed_time FROM relay WHERE meter_no = $1"};
constexpr pg::Query kDropOpenings{
    "relay.drop_openings",
    "WITH gone AS (DELETE FROM run_item i USING operation o WHERE i.origin = o.number AND i.meter_no = $1 AND "
    "i.priority = 4 "
    "AND i.lease = 0 AND i.phase = 1 AND o.kind = 2 RETURNING i.origin),"
    "waiting AS (SELECT number FROM operation o WHERE o.meter_no = $1 AND o.kind = 2 AND o.state = 1 "
    "AND NOT EXISTS (SELECT FROM run_item i WHERE i.origin = o.number)),"
    "over AS (UPDATE operation SET state = 5, reason = 'HOLD_NOT_STANDING', end_time = $2 WHERE number IN "
    "(SELECT origin FROM gone UNION SELECT number FROM waiting) RETURNING number)"
    "DELETE FROM work WHERE origin IN (SELECT number FROM over)"};

// Read as a worker, for all tenants.
constexpr pg::Query kOpenTenants{
    "reconcile.tenants",
    "SELECT DISTINCT n.id FROM relay r JOIN tenant n ON n.number = r.tenant_no WHERE r.holds = 0 AND "
    "(r.observed = 2 OR (r.opened AND r.observed = 0)) "
    "AND NOT EXISTS (SELECT FROM run_item i WHERE i.meter_no = r.meter_no AND i.priority = 4) "
    // Operations without an item: they wait for another's, or were forgotten.
    "UNION SELECT w.tenant FROM work w WHERE w.kind >= 2 AND NOT EXISTS (SELECT FROM run_item i WHERE i.origin = "
    "w.origin) LIMIT 100"};
constexpr pg::Query kQueueForgotten{
    "reconcile.queue_forgotten",
    "INSERT INTO run_item (origin, meter_no, bus_no, tenant_no, priority, phase, due_time) "
    "SELECT DISTINCT ON (o.meter_no) o.number, m.number, m.bus_no, m.tenant_no, 4, CASE WHEN o.state = 1 THEN 1 ELSE 3 "
    "END, $2 FROM work w JOIN operation o ON o.number = w.origin JOIN meter m ON m.number = o.meter_no "
    "WHERE w.tenant = $1 AND w.kind >= 2 AND o.state < 4 "
    "AND NOT EXISTS (SELECT FROM run_item i WHERE i.meter_no = o.meter_no AND i.priority = 4) "
    "ORDER BY o.meter_no, o.number LIMIT 64 ON CONFLICT DO NOTHING"};
constexpr pg::Query kToClose{
    "reconcile.to_close",
    "SELECT m.number, m.id, m.tenant_no, m.bus_no, m.site_path FROM relay r JOIN meter m ON m.number = r.meter_no "
    "JOIN tenant n ON n.number = r.tenant_no WHERE n.id = $1 AND r.holds = 0 AND "
    "(r.observed = 2 OR (r.opened AND r.observed = 0)) AND NOT m.archived "
    "AND NOT EXISTS (SELECT FROM run_item i WHERE i.meter_no = r.meter_no AND i.priority = 4) "
    "AND NOT EXISTS (SELECT FROM operation o WHERE o.meter_no = r.meter_no AND o.kind >= 2 AND (o.state < 4 OR "
    "o.end_time > $2)) "
    "ORDER BY m.number LIMIT 64 FOR UPDATE OF r SKIP LOCKED"};

Hold HoldAt(const pg::Result& rows, int row) {
  Hold hold;
  hold.set_name(NameOf("holds", rows.Text(row, 0)));
  hold.set_tenant(rows.Text(row, 1));
  hold.set_meter(NameOf("meters", rows.Text(row, 2)));
  hold.set_owner(static_cast<Hold::Owner>(rows.Int(row, 3)));
  hold.set_reason(rows.Text(row, 4));
  hold.set_author(rows.Text(row, 5));
  *hold.mutable_create_time() = ToProto(rows.Time(row, 6));
  return hold;
}

std::string IdOfName(const std::string& name) { return name.substr(name.find('/') + 1); }

}  // namespace

absl::Status RelayStore::InsertHold(pg::Tx& tx, const MeterRow& meter, const Hold& hold) {
  VW_RETURN_IF_ERROR(tx.Execute(kLockRelay, meter.number, meter.tenant_no).status());
  VW_ASSIGN_OR_RETURN(const pg::Result standing, tx.Execute(kStands, meter.number, static_cast<int>(hold.owner())));
  if (standing.rows() > 0) {
    return base::AlreadyExists("HOLD_ALREADY_STANDS", "this owner holds the meter already",
                               {{"hold", NameOf("holds", standing.Text(0, 0))}});
  }
  VW_RETURN_IF_ERROR(tx.Execute(kInsertHold, IdOfName(hold.name()), hold.tenant(), meter.id, meter.number,
                                static_cast<int>(hold.owner()), hold.reason(), hold.author(),
                                FromProto(hold.create_time()))
                         .status());
  VW_RETURN_IF_ERROR(tx.Execute(kCountHolds, meter.number).status());
  VW_RETURN_IF_ERROR(tx.Execute(kHurry, meter.number, FromProto(hold.create_time())).status());
  return tx.Notify(kFastChannel);
}

absl::StatusOr<bool> RelayStore::LiftHold(pg::Tx& tx, const std::string& tenant, const std::string& id,
                                          Hold::Owner owner, absl::Time now, std::string& meter) {
  VW_ASSIGN_OR_RETURN(const pg::Result found, tx.Execute(kGetHold, id, tenant));
  if (found.rows() == 0) return base::NotFound("HOLD_NOT_FOUND", "no such hold", {{"hold", id}});
  if (found.Int(0, 2) != owner) {
    return base::PermissionDenied("HOLD_OF_ANOTHER_OWNER", "each owner lifts only its own holds", {{"hold", id}});
  }
  meter = found.Text(0, 0);
  const int64_t meter_no = found.Int(0, 1);
  VW_ASSIGN_OR_RETURN(const pg::Result tenant_no, tx.Execute(kTenantOf, meter_no));
  VW_RETURN_IF_ERROR(tx.Execute(kLockRelay, meter_no, tenant_no.Int(0, 0)).status());
  VW_ASSIGN_OR_RETURN(const pg::Result lifted, tx.Execute(kLift, id, now));
  if (lifted.affected() == 0)
    return base::FailedPrecondition("HOLD_NOT_STANDING", "it was lifted before", {{"hold", id}});
  VW_ASSIGN_OR_RETURN(const pg::Result left, tx.Execute(kCountHolds, meter_no));
  return left.Int(0, 0) == 0;
}

absl::StatusOr<std::vector<Hold>> RelayStore::ListHolds(pg::Tx& tx, const std::string& tenant, int32_t meter_no,
                                                        const std::string& after, int limit) {
  absl::StatusOr<pg::Result> rows = meter_no == 0 ? tx.Execute(kListHolds, tenant, after, limit + 1)
                                                  : tx.Execute(kListHoldsOf, tenant, after, limit + 1, meter_no);
  if (!rows.ok()) return rows.status();
  std::vector<Hold> holds;
  for (int row = 0; row < rows->rows(); ++row) holds.push_back(HoldAt(*rows, row));
  return holds;
}

absl::Status RelayStore::CheckPermit(pg::Tx& tx, const MeterRow& meter, const std::string& hold) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kMayOpen, meter.tenant_no, hold, meter.number));
  if (rows.Bool(0, 0)) return base::FailedPrecondition("CUTS_STOPPED", "all cuts are stopped");
  if (!rows.Bool(0, 1))
    return base::FailedPrecondition("HOLD_NOT_STANDING", "the hold does not stand", {{"hold", hold}});
  return absl::OkStatus();
}

absl::Status RelayStore::InsertPermit(pg::Tx& tx, const Permit& permit, const std::string& id, const std::string& hold,
                                      int64_t operation) {
  return tx
      .Execute(kInsertPermit, id, permit.tenant(), IdOfName(permit.meter()), hold, FromProto(permit.not_after()),
               permit.guard_record(), permit.author(), operation)
      .status();
}

absl::Status RelayStore::SetCutStop(pg::Tx& tx, const std::string& tenant, bool stopped, const std::string& reason,
                                    const std::string& author, absl::Time now) {
  pg::Batch batch;
  batch.Add(kTenant, tenant);
  batch.Add(kCutStop, tenant, stopped, reason, author, now);
  return tx.Run(batch).status();
}

absl::Status RelayStore::ReadRelay(pg::Tx& tx, int32_t meter_no, voltwell::scheduler::v1::GetRelayResponse& response) {
  response.set_desired(voltwell::codec::v1::RELAY_STATE_CLOSED);
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kRelay, meter_no));
  if (rows.rows() == 0) return absl::OkStatus();
  if (rows.Int(0, 0) > 0 && rows.Bool(0, 1)) response.set_desired(voltwell::codec::v1::RELAY_STATE_OPEN);
  response.set_observed(static_cast<voltwell::codec::v1::RelayState>(rows.Int(0, 2)));
  // Of a relay that may have moved since it was seen nothing is told.
  if (const auto time = rows.TimeOrNull(0, 3); time && rows.Int(0, 2) != 0)
    *response.mutable_observed_time() = ToProto(*time);
  return absl::OkStatus();
}

absl::Status RelayStore::DropOpenings(pg::Tx& tx, int32_t meter_no, absl::Time now) {
  VW_RETURN_IF_ERROR(tx.Execute(kDropOpenings, meter_no, now).status());
  return tx.Notify(kOperationChannel);
}

absl::StatusOr<int> RelayStore::Reconcile(pg::Pool& pool, absl::Time now) {
  std::vector<std::string> tenants;
  const absl::Status looked =
      pool.Transact({.name = "reconcile.look", .read_only = true}, [&](pg::Tx& tx) -> absl::Status {
        tenants.clear();
        VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kOpenTenants));
        for (int row = 0; row < rows.rows(); ++row) tenants.push_back(rows.Text(row, 0));
        return absl::OkStatus();
      });
  if (!looked.ok()) return looked;
  int total = 0;
  for (const std::string& tenant : tenants) {
    int made = 0;
    const absl::Status done =
        pool.Transact({.name = "reconcile.close", .tenant = tenant}, [&](pg::Tx& tx) -> absl::Status {
          VW_ASSIGN_OR_RETURN(const pg::Result queued, tx.Execute(kQueueForgotten, tenant, now));
          if (queued.affected() > 0) VW_RETURN_IF_ERROR(tx.Notify(kFastChannel));
          VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kToClose, tenant, now - kReconcilePause));
          made = rows.rows() + static_cast<int>(queued.affected());
          for (int row = 0; row < rows.rows(); ++row) {
            const MeterRow meter = {.number = static_cast<int32_t>(rows.Int(row, 0)),
                                    .id = rows.Text(row, 1),
                                    .tenant_no = static_cast<int32_t>(rows.Int(row, 2)),
                                    .bus_no = static_cast<int32_t>(rows.Int(row, 3)),
                                    .site_path = rows.Text(row, 4)};
            VW_RETURN_IF_ERROR(OperationStore::Insert(tx, tenant, meter,
                                                      {.kind = domain::Kind::kClose,
                                                       .action = voltwell::codec::v1::RELAY_ACTION_PERMIT_CLOSE,
                                                       .author = "meter_scheduler",
                                                       .now = now,
                                                       .give_up_time = now + domain::kCloseFor})
                                   .status());
          }
          return absl::OkStatus();
        });
    if (!done.ok()) return done;
    total += made;
  }
  return total;
}

}  // namespace voltwell::scheduler
