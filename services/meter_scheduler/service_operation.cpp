#include "services/meter_scheduler/service_operation.h"

#include <algorithm>
#include <limits>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "libs/base/status.h"
#include "libs/once/once.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/scope.h"

namespace voltwell::scheduler {
namespace {

namespace v1 = voltwell::scheduler::v1;

// Another replica's end is told by NOTIFY; should one be lost, the row is looked at this often.
constexpr absl::Duration kLookEvery = absl::Seconds(2);

bool IsOver(const v1::Operation& operation) {
  return operation.state() == v1::Operation::STATE_SUCCEEDED || operation.state() == v1::Operation::STATE_FAILED;
}

}  // namespace

absl::Status OperationService::AddReadings(pg::Tx& tx, Operation& operation) {
  if (!operation.has_read_now() || operation.state() != Operation::STATE_SUCCEEDED) return absl::OkStatus();
  VW_ASSIGN_OR_RETURN(const std::string meter, IdOf("meters", operation.meter(), "meter"));
  VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("operations", operation.name(), "name"));
  VW_ASSIGN_OR_RETURN(
      std::vector<v1::Reading> readings,
      readings_.OfOperation(tx, meter, number, FromProto(operation.create_time()), FromProto(operation.end_time())));
  for (v1::Reading& reading : readings) *operation.add_readings() = std::move(reading);
  return absl::OkStatus();
}

absl::StatusOr<v1::Operation> OperationService::Load(const rpc::Call& call, int64_t number) {
  VW_RETURN_IF_ERROR(CheckTenant(call.identity));
  Operation operation;
  const pg::TxOptions options = {
      .name = "operation.get", .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true};
  const absl::Status done = pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(operation, OperationStore::Get(tx, call.identity.tenant, number));
    VW_ASSIGN_OR_RETURN(const ScopeFilter filter, ScopeFilter::Of(tx, call.identity, {operation.meter()}));
    if (!filter.Holds(operation.meter())) {
      return base::PermissionDenied("OUT_OF_SCOPE", "it is at a site beyond your scope");
    }
    return AddReadings(tx, operation);
  });
  if (!done.ok()) return done;
  return operation;
}

absl::Status OperationService::WaitUntilOver(const rpc::Call& call, Operation& operation) {
  VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("operations", operation.name(), "name"));
  if (!waiters_.Enter()) {
    VW_ASSIGN_OR_RETURN(operation, Load(call, number));
    return absl::OkStatus();
  }
  const auto leave = absl::MakeCleanup([this] { waiters_.Leave(); });
  for (;;) {
    const int64_t seen = waiters_.round();
    VW_ASSIGN_OR_RETURN(operation, Load(call, number));
    const absl::Duration left = call.deadline - clock_.Now() - kWaitMargin;
    if (IsOver(operation) || left <= absl::ZeroDuration()) return absl::OkStatus();
    waiters_.Wait(seen, std::min(left, kLookEvery));
  }
}

grpc::Status OperationService::ExecuteOperation(grpc::ServerContext* context,
                                                const v1::ExecuteOperationRequest* request, Operation* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    const Operation& asked = request->operation();
    if (asked.has_move_relay()) {
      return base::InvalidArgument("USE_RELAY_SERVICE", "relays move by holds and permits: see RelayService");
    }
    if (!asked.has_read_now())
      return base::InvalidArgument("NO_KIND", "say what to do: read_now", {{"field", "operation.kind"}});
    VW_ASSIGN_OR_RETURN(const std::string meter_id, IdOf("meters", asked.meter(), "operation.meter"));
    VW_ASSIGN_OR_RETURN(const MeterRow meter, finder_.Require(call, meter_id));
    // Asked before the transaction, told inside it: a repeated request gets its first answer.
    const absl::Status registers = catalog_.Check(asked.read_now().registers(), call);
    const absl::Time now = clock_.Now();
    const NewOperation operation = {
        .kind = domain::Kind::kReadNow,
        .registers = {asked.read_now().registers().begin(), asked.read_now().registers().end()},
        .author = call.identity.subject,
        .now = now,
        .give_up_time = now + kReadNowFor,
        .max_attempts = kReadNowAttempts};
    const absl::Status written = once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      if (meter.archived)
        return base::FailedPrecondition("METER_ARCHIVED", "the meter was deleted", {{"meter", meter_id}});
      VW_RETURN_IF_ERROR(registers);
      VW_ASSIGN_OR_RETURN(const int64_t number, OperationStore::Insert(tx, call.identity.tenant, meter, operation));
      VW_ASSIGN_OR_RETURN(*response, OperationStore::Get(tx, call.identity.tenant, number));
      return absl::OkStatus();
    });
    if (!written.ok() || !request->wait()) return written;
    return WaitUntilOver(call, *response);
  });
}

grpc::Status OperationService::GetOperation(grpc::ServerContext* context, const v1::GetOperationRequest* request,
                                            Operation* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("operations", request->name(), "name"));
    VW_ASSIGN_OR_RETURN(*response, Load(call, number));
    return absl::OkStatus();
  });
}

grpc::Status OperationService::ListOperations(grpc::ServerContext* context, const v1::ListOperationsRequest* request,
                                              v1::ListOperationsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const int limit, PageSize(request->page_size()));
    int64_t before = std::numeric_limits<int64_t>::max();
    if (!request->page_token().empty() && !absl::SimpleAtoi(request->page_token(), &before)) {
      return base::InvalidArgument("BAD_PAGE_TOKEN", "page_token is not one that was given");
    }
    int32_t meter_no = 0;
    if (!request->meter().empty()) {
      VW_ASSIGN_OR_RETURN(const std::string id, IdOf("meters", request->meter(), "meter"));
      VW_ASSIGN_OR_RETURN(const MeterRow meter, finder_.Require(call, id));
      meter_no = meter.number;
    }
    const pg::TxOptions options = {
        .name = "operation.list", .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      VW_ASSIGN_OR_RETURN(std::vector<Operation> operations,
                          OperationStore::List(tx, call.identity.tenant, meter_no, before, limit));
      if (operations.size() > static_cast<size_t>(limit)) {
        operations.pop_back();
        response->set_next_page_token(*IdOf("operations", operations.back().name(), "name"));
      }
      std::vector<std::string> meters;
      for (const Operation& operation : operations) meters.push_back(operation.meter());
      VW_ASSIGN_OR_RETURN(const ScopeFilter filter, ScopeFilter::Of(tx, call.identity, meters));
      for (Operation& operation : operations) {
        if (!filter.Holds(operation.meter())) continue;
        VW_RETURN_IF_ERROR(AddReadings(tx, operation));
        *response->add_operations() = std::move(operation);
      }
      return absl::OkStatus();
    });
  });
}

}  // namespace voltwell::scheduler
