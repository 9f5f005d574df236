// What a caller who is limited to sites may do, whose a hold may be, and that a repeated request gets its first answer
// whatever changed since.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "services/meter_scheduler/testing/suite.h"

namespace voltwell::scheduler::testing {
namespace {

namespace v1 = voltwell::scheduler::v1;
using ::voltwell::testing::Eventually;
using Schedules = v1::ScheduleService;
using Operations = v1::OperationService;
using Relay = v1::RelayService;

// Calls of any issuer and identity.
class Caller {
 public:
  Caller(Suite& suite, const std::string& issuer, rpc::Identity identity)
      : suite_(suite), issuer_(issuer, suite.trust.Key(issuer), suite.clock), identity_(std::move(identity)) {}

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    const auto stub =
        Service::NewStub(grpc::CreateChannel(suite_.replicas.front()->address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
    rpc::Bear(context, issuer_, "meter_scheduler", identity_);
    Response response;
    const grpc::Status status = (stub.get()->*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpc(status);
    return response;
  }

 private:
  Suite& suite_;
  rpc::TokenIssuer issuer_;
  rpc::Identity identity_;
};

rpc::Identity Person(std::vector<std::string> permissions = {"*"}, std::vector<std::string> scope = {}) {
  return {.tenant = "t1",
          .subject = "users/u2",
          .permissions = std::move(permissions),
          .site_scope = std::move(scope),
          .caller_kind = "OPERATOR"};
}

v1::ExecuteOperationRequest ReadNow(int meter) {
  v1::ExecuteOperationRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_operation()->set_meter(Suite::Meter(meter));
  request.mutable_operation()->mutable_read_now()->add_registers("1-0:1.8.0");
  request.set_wait(true);
  return request;
}

v1::SetHoldRequest HoldOf(int meter, v1::Hold::Owner owner) {
  v1::SetHoldRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_hold()->set_meter(Suite::Meter(meter));
  request.mutable_hold()->set_owner(owner);
  request.mutable_hold()->set_reason("test");
  return request;
}

v1::CreateScheduleRequest Energy() {
  v1::CreateScheduleRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_schedule()->set_display_name("energy");
  request.mutable_schedule()->set_cron("0 0 0 1 1 *");
  request.mutable_schedule()->set_time_zone("Asia/Shanghai");
  request.mutable_schedule()->add_registers("1-0:1.8.0");
  return request;
}

}  // namespace

TEST_CASE("operations and holds of meters beyond the caller's sites are not shown") {
  Suite suite;
  suite.AddMeters(2, 1, 1);  // m0 at /s0/, m1 at /s1/.
  Caller caller(suite, "api_gateway", Person({"*"}, {"/s0/"}));
  const auto inside = suite.Call<Operations>(&Operations::Stub::ExecuteOperation, ReadNow(0));
  const auto beyond = suite.Call<Operations>(&Operations::Stub::ExecuteOperation, ReadNow(1));
  REQUIRE_OK(inside);
  REQUIRE_OK(beyond);
  v1::GetOperationRequest get;
  get.set_name(inside->name());
  CHECK_OK(caller.Call<Operations>(&Operations::Stub::GetOperation, get));
  get.set_name(beyond->name());
  CHECK_REASON(caller.Call<Operations>(&Operations::Stub::GetOperation, get), "OUT_OF_SCOPE");
  const auto listed = caller.Call<Operations>(&Operations::Stub::ListOperations, v1::ListOperationsRequest());
  REQUIRE_OK(listed);
  REQUIRE(listed->operations_size() == 1);
  CHECK(listed->operations(0).name() == inside->name());

  for (int meter = 0; meter < 2; ++meter)
    REQUIRE_OK(suite.Call<Relay>(&Relay::Stub::SetHold, HoldOf(meter, v1::Hold::OWNER_OPERATOR)));
  const auto holds = caller.Call<Relay>(&Relay::Stub::ListHolds, v1::ListHoldsRequest());
  REQUIRE_OK(holds);
  REQUIRE(holds->holds_size() == 1);
  CHECK(holds->holds(0).meter() == Suite::Meter(0));
  v1::SetCutStopRequest stop;
  stop.set_request_id(NewRequestId());
  stop.set_stopped(true);
  stop.set_reason("test");
  CHECK_REASON(caller.Call<Relay>(&Relay::Stub::SetCutStop, stop), "OUT_OF_SCOPE");
  // A bus carries meters of several sites, and its frames are their readings.
  v1::GetTraceRequest trace;
  trace.set_collector("VW-t1");
  CHECK_REASON(caller.Call<v1::LineService>(&v1::LineService::Stub::GetTrace, trace), "OUT_OF_SCOPE");
}

TEST_CASE("schedules and runs beyond the caller's sites are neither made, changed, run nor shown") {
  Suite suite;
  suite.AddMeters(2, 1, 1);
  Caller caller(suite, "api_gateway", Person({"*"}, {"/s0/"}));
  const auto create = [&](const std::function<void(v1::Selection&)>& select) {
    v1::CreateScheduleRequest request = Energy();
    select(*request.mutable_schedule()->mutable_selection());
    return caller.Call<Schedules>(&Schedules::Stub::CreateSchedule, request);
  };
  CHECK_REASON(create([](v1::Selection&) {}), "OUT_OF_SCOPE");
  CHECK_REASON(create([](v1::Selection& s) { s.add_meters("meters/m1"); }), "OUT_OF_SCOPE");
  CHECK_REASON(create([](v1::Selection& s) { s.add_sites("sites/s1"); }), "OUT_OF_SCOPE");
  CHECK_REASON(create([](v1::Selection& s) { s.add_collectors("collectors/c-t1-1"); }), "OUT_OF_SCOPE");
  CHECK_OK(create([](v1::Selection& s) { s.add_meters("meters/m0"); }));
  CHECK_OK(create([](v1::Selection& s) { s.add_collectors("collectors/c-t1-0"); }));
  const auto own = create([](v1::Selection& s) { s.add_sites("sites/s0"); });
  REQUIRE_OK(own);
  v1::UpdateScheduleRequest update;
  update.set_request_id(NewRequestId());
  update.mutable_schedule()->set_name(own->name());
  update.mutable_update_mask()->add_paths("selection");  // To all.
  CHECK_REASON(caller.Call<Schedules>(&Schedules::Stub::UpdateSchedule, update), "OUT_OF_SCOPE");

  v1::RunScheduleRequest run;
  run.set_request_id(NewRequestId());
  run.set_name(own->name());
  const auto mine = caller.Call<Schedules>(&Schedules::Stub::RunSchedule, run);
  REQUIRE_OK(mine);
  const std::string all = suite.MakeSchedule();
  run.set_request_id(NewRequestId());
  run.set_name(all);
  CHECK_REASON(caller.Call<Schedules>(&Schedules::Stub::RunSchedule, run), "OUT_OF_SCOPE");
  const std::string theirs = suite.RunNow(all);
  v1::GetRunRequest get;
  get.set_name(theirs);
  CHECK_REASON(caller.Call<Schedules>(&Schedules::Stub::GetRun, get), "OUT_OF_SCOPE");
  get.set_name(mine->name());
  CHECK_OK(caller.Call<Schedules>(&Schedules::Stub::GetRun, get));
  const auto runs = caller.Call<Schedules>(&Schedules::Stub::ListRuns, v1::ListRunsRequest());
  REQUIRE_OK(runs);
  CHECK(runs->runs_size() == 1);
  v1::CancelRunRequest cancel;
  cancel.set_request_id(NewRequestId());
  cancel.set_name(theirs);
  CHECK_REASON(caller.Call<Schedules>(&Schedules::Stub::CancelRun, cancel), "OUT_OF_SCOPE");
  v1::ListRunItemsRequest items;
  items.set_run(theirs);
  const auto shown = caller.Call<Schedules>(&Schedules::Stub::ListRunItems, items);
  REQUIRE_OK(shown);
  REQUIRE(shown->items_size() == 1);
  CHECK(shown->items(0).meter() == Suite::Meter(0));
}

TEST_CASE(
    "a hold is set and lifted in the name of those only who may: arrears by billing, safety with its permission") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  Caller person(suite, "api_gateway", Person({"relay.hold"}));
  Caller all(suite, "api_gateway", Person());
  Caller billing(suite, "billing", {.tenant = "t1", .subject = "billing", .caller_kind = "INTERNAL"});
  Caller tools(suite, "tools", Person());
  const auto arrears = HoldOf(0, v1::Hold::OWNER_ARREARS);
  CHECK_REASON(person.Call<Relay>(&Relay::Stub::SetHold, HoldOf(0, v1::Hold::OWNER_SAFETY)), "OWNER_NOT_ALLOWED");
  CHECK_REASON(person.Call<Relay>(&Relay::Stub::SetHold, arrears), "OWNER_NOT_ALLOWED");
  CHECK_REASON(all.Call<Relay>(&Relay::Stub::SetHold, arrears), "OWNER_NOT_ALLOWED");
  CHECK_OK(person.Call<Relay>(&Relay::Stub::SetHold, HoldOf(0, v1::Hold::OWNER_OPERATOR)));
  CHECK_OK(all.Call<Relay>(&Relay::Stub::SetHold, HoldOf(0, v1::Hold::OWNER_SAFETY)));
  const auto hold = billing.Call<Relay>(&Relay::Stub::SetHold, arrears);
  REQUIRE_OK(hold);
  v1::LiftHoldRequest lift;
  lift.set_request_id(NewRequestId());
  lift.set_name(hold->name());
  lift.set_owner(v1::Hold::OWNER_ARREARS);
  CHECK_REASON(all.Call<Relay>(&Relay::Stub::LiftHold, lift), "OWNER_NOT_ALLOWED");
  CHECK_OK(tools.Call<Relay>(&Relay::Stub::LiftHold, lift));
}

TEST_CASE("a person's permit says why; billing's record is its own") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  const auto hold = suite.Call<Relay>(&Relay::Stub::SetHold, HoldOf(0, v1::Hold::OWNER_OPERATOR));
  REQUIRE_OK(hold);
  const auto write = [&](auto& caller, const std::string& record) {
    v1::WritePermitRequest request;
    request.set_request_id(NewRequestId());
    request.mutable_permit()->set_meter(Suite::Meter(0));
    request.mutable_permit()->set_hold(hold->name());
    request.mutable_permit()->set_guard_record(record);
    return caller.template Call<Relay>(&Relay::Stub::WritePermit, request);
  };
  for (const char* record : {"{}", R"({"why":""})", R"({"reason":7})"}) {
    CHECK_REASON(write(suite, record), "BAD_GUARD_RECORD");
  }
  CHECK_OK(write(suite, R"({"reason":"water in the basement"})"));
  Caller billing(suite, "billing", {.tenant = "t1", .subject = "billing", .caller_kind = "INTERNAL"});
  CHECK_OK(write(billing, R"({"balance":"-12.00"})"));
}

TEST_CASE("a repeated request gets its first answer although it could not be made any more") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  // A schedule that was deleted since.
  const std::string schedule = suite.MakeSchedule();
  v1::UpdateScheduleRequest update;
  update.set_request_id(NewRequestId());
  update.mutable_schedule()->set_name(schedule);
  update.mutable_schedule()->set_display_name("renamed");
  update.mutable_update_mask()->add_paths("display_name");
  REQUIRE_OK(suite.Call<Schedules>(&Schedules::Stub::UpdateSchedule, update));
  v1::DeleteScheduleRequest remove;
  remove.set_request_id(NewRequestId());
  remove.set_name(schedule);
  REQUIRE_OK(suite.Call<Schedules>(&Schedules::Stub::DeleteSchedule, remove));
  const auto updated = suite.Call<Schedules>(&Schedules::Stub::UpdateSchedule, update);
  REQUIRE_OK(updated);
  CHECK(updated->display_name() == "renamed");
  // A permit whose time is over.
  const auto hold = suite.Call<Relay>(&Relay::Stub::SetHold, HoldOf(0, v1::Hold::OWNER_OPERATOR));
  REQUIRE_OK(hold);
  v1::WritePermitRequest permit;
  permit.set_request_id(NewRequestId());
  permit.mutable_permit()->set_meter(Suite::Meter(0));
  permit.mutable_permit()->set_hold(hold->name());
  permit.mutable_permit()->set_guard_record(R"({"why":"test"})");
  const int64_t end = absl::ToUnixSeconds(suite.clock.Now()) + 3;
  permit.mutable_permit()->mutable_not_after()->set_seconds(end);
  const auto written = suite.Call<Relay>(&Relay::Stub::WritePermit, permit);
  REQUIRE_OK(written);
  REQUIRE(Eventually([&] { return absl::ToUnixSeconds(suite.clock.Now()) > end; }));
  const auto written_again = suite.Call<Relay>(&Relay::Stub::WritePermit, permit);
  REQUIRE_OK(written_again);
  CHECK(written_again->name() == written->name());
  // A meter that was deleted since.
  const v1::ExecuteOperationRequest read = ReadNow(0);
  const auto done = suite.Call<Operations>(&Operations::Stub::ExecuteOperation, read);
  REQUIRE_OK(done);
  suite.CountOf("WITH gone AS (UPDATE meter SET archived = true RETURNING 1) SELECT count(*) FROM gone");
  const auto again = suite.Call<Operations>(&Operations::Stub::ExecuteOperation, read);
  REQUIRE_OK(again);
  CHECK(again->name() == done->name());
  CHECK_REASON(suite.Call<Operations>(&Operations::Stub::ExecuteOperation, ReadNow(0)), "METER_ARCHIVED");
}

}  // namespace voltwell::scheduler::testing
