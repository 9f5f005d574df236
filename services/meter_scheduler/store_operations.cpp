#include "services/meter_scheduler/store_operations.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/events/events.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/store_claim.h"

namespace voltwell::scheduler {
namespace {

using voltwell::scheduler::v1::Operation;

constexpr pg::Query kInsert{
    "operation.insert",
    "INSERT INTO operation (number, tenant, meter, meter_no, kind, registers, action, permit, state, author, "
    "create_time) "
    "VALUES (nextval('origin_number'), $1, $2, $3, $4, $5, $6, $7, 1, $8, $9) RETURNING number"};
constexpr pg::Query kWork{"operation.work",
                          "INSERT INTO work (origin, tenant, tenant_no, kind, registers, max_attempts, give_up_time) "
                          "VALUES ($1, $2, $3, $4, $5, $6, $7)"};
// A second relay item of the meter is left out; it follows when the first is over.
constexpr pg::Query kQueue{"operation.queue",
                           "INSERT INTO run_item (origin, meter_no, bus_no, tenant_no, priority, phase, due_time) "
                           "VALUES ($1, $2, $3, $4, $5, $6, $7) "
                           "ON CONFLICT DO NOTHING"};
// Who queues a relay operation and who ends one take turns for each meter: otherwise the one would not see the other's
// item go, nor the other the one's operation come, and nobody would queue it.
constexpr pg::Query kLockRelay{"operation.lock_relay",
                               "INSERT INTO relay (meter_no, tenant_no) VALUES ($1, $2) "
                               "ON CONFLICT (meter_no) DO UPDATE SET tenant_no = excluded.tenant_no"};
#define VW_OPERATION_COLUMNS                                                                                        \
  "o.number, o.tenant, o.meter, o.kind, o.registers, o.action, o.permit, o.state, o.reason, o.observed, o.author, " \
  "o.create_time, o.end_time"
constexpr pg::Query kGet{"operation.get",
                         "SELECT " VW_OPERATION_COLUMNS " FROM operation o WHERE o.number = $1 AND o.tenant = $2"};
constexpr pg::Query kList{"operation.list",
                          "SELECT " VW_OPERATION_COLUMNS
                          " FROM operation o WHERE o.tenant = $1 AND o.number < $2 ORDER BY o.number DESC LIMIT $3"};
constexpr pg::Query kListOf{
    "operation.list_of_meter",
    "SELECT " VW_OPERATION_COLUMNS
    " FROM operation o WHERE o.tenant = $1 AND o.meter_no = $4 AND o.number < $2 ORDER BY o.number DESC LIMIT $3"};
constexpr pg::Query kOpenRelay{
    "operation.open_relay",
    "SELECT number FROM operation WHERE meter_no = $1 AND kind >= 2 AND state < 4 ORDER BY number LIMIT 1"};

Operation OperationAt(const pg::Result& rows, int row) {
  Operation operation;
  operation.set_name(NameOf("operations", rows.Int(row, 0)));
  operation.set_tenant(rows.Text(row, 1));
  operation.set_meter(NameOf("meters", rows.Text(row, 2)));
  if (rows.Int(row, 3) == static_cast<int>(domain::Kind::kReadNow)) {
    operation.mutable_read_now();
    for (const std::string& id : rows.TextArray(row, 4)) operation.mutable_read_now()->add_registers(id);
  } else {
    auto& move = *operation.mutable_move_relay();
    move.set_action(static_cast<voltwell::codec::v1::RelayAction>(rows.Int(row, 5)));
    if (const std::string permit = rows.Text(row, 6); !permit.empty()) move.set_permit(NameOf("permits", permit));
  }
  operation.set_state(static_cast<Operation::State>(rows.Int(row, 7)));
  operation.set_reason(rows.Text(row, 8));
  operation.set_observed_relay(static_cast<voltwell::codec::v1::RelayState>(rows.Int(row, 9)));
  operation.set_author(rows.Text(row, 10));
  *operation.mutable_create_time() = ToProto(rows.Time(row, 11));
  if (const auto end = rows.TimeOrNull(row, 12)) *operation.mutable_end_time() = ToProto(*end);
  return operation;
}

}  // namespace

absl::StatusOr<int64_t> OperationStore::Insert(pg::Tx& tx, const std::string& tenant, const MeterRow& meter,
                                               const NewOperation& operation) {
  const bool relay = operation.kind != domain::Kind::kReadNow;
  const int kind = static_cast<int>(operation.kind);
  if (relay) VW_RETURN_IF_ERROR(tx.Execute(kLockRelay, meter.number, meter.tenant_no).status());
  VW_ASSIGN_OR_RETURN(const pg::Result rows,
                      tx.Execute(kInsert, tenant, meter.id, meter.number, kind, operation.registers, operation.action,
                                 operation.permit, operation.author, operation.now));
  const int64_t number = rows.Int(0, 0);
  const auto priority = relay ? domain::Priority::kRelay : domain::Priority::kInteractive;
  const auto phase = relay ? domain::Phase::kToAttempt : domain::Phase::kRead;
  pg::Batch batch;
  batch.Add(kWork, number, tenant, meter.tenant_no, kind, operation.registers, operation.max_attempts,
            operation.give_up_time);
  batch.Add(kQueue, number, meter.number, meter.bus_no, meter.tenant_no, static_cast<int>(priority),
            static_cast<int>(phase), operation.now);
  VW_RETURN_IF_ERROR(tx.Run(batch).status());
  VW_ASSIGN_OR_RETURN(const Operation told, Get(tx, tenant, number));
  VW_RETURN_IF_ERROR(events::Append(tx, {.type = "operation.created",
                                         .key = told.meter(),
                                         .tenant = tenant,
                                         .site_path = meter.site_path,
                                         .permission = "operation.read",
                                         .payload = &told}));
  VW_RETURN_IF_ERROR(tx.Notify(kFastChannel));
  return number;
}

absl::StatusOr<Operation> OperationStore::Get(pg::Tx& tx, const std::string& tenant, int64_t number) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kGet, number, tenant));
  if (rows.rows() == 0) {
    return base::NotFound("OPERATION_NOT_FOUND", "no such operation", {{"operation", absl::StrCat(number)}});
  }
  return OperationAt(rows, 0);
}

absl::StatusOr<std::vector<Operation>> OperationStore::List(pg::Tx& tx, const std::string& tenant, int32_t meter_no,
                                                            int64_t before, int limit) {
  absl::StatusOr<pg::Result> rows = meter_no == 0 ? tx.Execute(kList, tenant, before, limit + 1)
                                                  : tx.Execute(kListOf, tenant, before, limit + 1, meter_no);
  if (!rows.ok()) return rows.status();
  std::vector<Operation> operations;
  for (int row = 0; row < rows->rows(); ++row) operations.push_back(OperationAt(*rows, row));
  return operations;
}

absl::StatusOr<int64_t> OperationStore::OpenRelayOperation(pg::Tx& tx, int32_t meter_no) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kOpenRelay, meter_no));
  return rows.rows() == 0 ? int64_t{0} : rows.Int(0, 0);
}

}  // namespace voltwell::scheduler
