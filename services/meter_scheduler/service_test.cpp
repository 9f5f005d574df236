// What the services refuse, by which name, and that twice is once.
#include <catch2/catch.hpp>

#include "services/meter_scheduler/testing/suite.h"

namespace voltwell::scheduler::testing {
namespace {

namespace v1 = voltwell::scheduler::v1;
using ::voltwell::testing::Eventually;
using Schedules = v1::ScheduleService;
using Operations = v1::OperationService;

v1::CreateScheduleRequest GoodSchedule() {
  v1::CreateScheduleRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_schedule()->set_display_name("energy");
  request.mutable_schedule()->set_cron("0 */15 * * * *");
  request.mutable_schedule()->set_time_zone("Asia/Shanghai");
  request.mutable_schedule()->add_registers("1-0:1.8.0");
  return request;
}

v1::ExecuteOperationRequest ReadNow(const std::string& meter, bool wait) {
  v1::ExecuteOperationRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_operation()->set_meter(meter);
  request.mutable_operation()->mutable_read_now()->add_registers("1-0:1.8.0");
  request.set_wait(wait);
  return request;
}

}  // namespace

TEST_CASE("a schedule that cannot be is refused with a reason and the position of the mistake") {
  Suite suite;
  const auto create = [&](const v1::CreateScheduleRequest& request) {
    return suite.Call<Schedules>(&Schedules::Stub::CreateSchedule, request);
  };
  v1::CreateScheduleRequest request = GoodSchedule();
  request.mutable_schedule()->set_cron("0 61 * * * *");
  auto refused = create(request);
  CHECK_REASON(refused, "BAD_CRON");
  CHECK(base::MetadataOf(refused.status())["field"] == "minute");
  CHECK(base::MetadataOf(refused.status())["position"] == "2");
  request = GoodSchedule();
  request.mutable_schedule()->set_time_zone("Asia/Atlantis");
  CHECK_REASON(create(request), "UNKNOWN_TIME_ZONE");
  request = GoodSchedule();
  request.mutable_schedule()->add_registers("1-0:99.99.99");
  refused = create(request);
  CHECK_REASON(refused, "UNKNOWN_REGISTER");
  CHECK(base::MetadataOf(refused.status())["register"] == "1-0:99.99.99");
  CHECK(base::MetadataOf(refused.status())["position"] == "1");
  request = GoodSchedule();
  request.mutable_schedule()->clear_registers();
  CHECK_REASON(create(request), "NO_REGISTERS");
  for (int i = 0; i <= kRegistersMax; ++i) request.mutable_schedule()->add_registers("1-0:1.8.0");
  CHECK_REASON(create(request), "TOO_MANY_REGISTERS");
  request = GoodSchedule();
  request.mutable_schedule()->set_max_attempts(11);
  CHECK_REASON(create(request), "BAD_MAX_ATTEMPTS");
  request = GoodSchedule();
  request.mutable_schedule()->mutable_selection()->add_meters("sites/s1");
  CHECK_REASON(create(request), "BAD_NAME");
  for (int i = 0; i <= kSelectionMax; ++i) request.mutable_schedule()->mutable_selection()->add_sites("sites/s1");
  request.mutable_schedule()->mutable_selection()->clear_meters();
  CHECK_REASON(create(request), "SELECTION_TOO_LARGE");
}

TEST_CASE("a schedule lives: made, seen, listed, changed, paused, deleted") {
  Suite suite;
  const v1::CreateScheduleRequest request = GoodSchedule();
  const auto made = suite.Call<Schedules>(&Schedules::Stub::CreateSchedule, request);
  REQUIRE_OK(made);
  CHECK(made->has_next_fire_time());
  CHECK(made->max_attempts() == 3);
  const auto again = suite.Call<Schedules>(&Schedules::Stub::CreateSchedule, request);
  REQUIRE_OK(again);
  CHECK(again->SerializeAsString() == made->SerializeAsString());
  v1::CreateScheduleRequest other = request;
  other.mutable_schedule()->set_display_name("another");
  CHECK_REASON(suite.Call<Schedules>(&Schedules::Stub::CreateSchedule, other), "REQUEST_ID_REUSED");
  REQUIRE_OK(suite.Call<Schedules>(&Schedules::Stub::CreateSchedule, GoodSchedule()));

  v1::ListSchedulesRequest list;
  list.set_page_size(1);
  const auto first = suite.Call<Schedules>(&Schedules::Stub::ListSchedules, list);
  REQUIRE_OK(first);
  REQUIRE(first->schedules_size() == 1);
  CHECK(first->schedules(0).name() == made->name());
  list.set_page_token(first->next_page_token());
  const auto second = suite.Call<Schedules>(&Schedules::Stub::ListSchedules, list);
  REQUIRE_OK(second);
  CHECK(second->schedules_size() == 1);
  CHECK(second->next_page_token().empty());

  v1::UpdateScheduleRequest update;
  update.set_request_id(NewRequestId());
  update.mutable_schedule()->set_name(made->name());
  update.mutable_schedule()->set_paused(true);
  update.mutable_update_mask()->add_paths("paused");
  const auto paused = suite.Call<Schedules>(&Schedules::Stub::UpdateSchedule, update);
  REQUIRE_OK(paused);
  CHECK(paused->paused());
  CHECK(paused->display_name() == "energy");
  CHECK_FALSE(paused->has_next_fire_time());
  update.set_request_id(NewRequestId());
  update.mutable_update_mask()->add_paths("tenant");
  CHECK_REASON(suite.Call<Schedules>(&Schedules::Stub::UpdateSchedule, update), "BAD_UPDATE_MASK");

  v1::DeleteScheduleRequest remove;
  remove.set_request_id(NewRequestId());
  remove.set_name(made->name());
  REQUIRE_OK(suite.Call<Schedules>(&Schedules::Stub::DeleteSchedule, remove));
  REQUIRE_OK(suite.Call<Schedules>(&Schedules::Stub::DeleteSchedule, remove));
  v1::GetScheduleRequest get;
  get.set_name(made->name());
  CHECK_REASON(suite.Call<Schedules>(&Schedules::Stub::GetSchedule, get), "SCHEDULE_NOT_FOUND");
}

TEST_CASE("a preview tells the next instants of an expression") {
  Suite suite;
  v1::PreviewScheduleRequest request;
  request.set_cron("0 0 6 * * *");
  request.set_time_zone("Asia/Shanghai");
  request.set_count(2);
  const auto preview = suite.Call<Schedules>(&Schedules::Stub::PreviewSchedule, request);
  REQUIRE_OK(preview);
  REQUIRE(preview->fire_times_size() == 2);
  CHECK(preview->fire_times(1).seconds() - preview->fire_times(0).seconds() == 86400);
  CHECK(preview->fire_times(0).seconds() % 86400 == 22 * 3600);  // 06:00 at UTC+8.
  request.set_count(kPreviewMax + 1);
  CHECK_REASON(suite.Call<Schedules>(&Schedules::Stub::PreviewSchedule, request), "BAD_COUNT");
}

TEST_CASE("a read now that waits answers with what the meter showed") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const v1::ExecuteOperationRequest request = ReadNow(Suite::Meter(0), true);
  const auto read = suite.Call<Operations>(&Operations::Stub::ExecuteOperation, request);
  REQUIRE_OK(read);
  CHECK(read->state() == v1::Operation::STATE_SUCCEEDED);
  REQUIRE(read->readings_size() == 1);
  CHECK(read->readings(0).value().value() == "1000.00");
  CHECK(read->readings(0).source() == v1::Reading::SOURCE_INTERACTIVE);
  CHECK(read->readings(0).origin() == read->name());
  // The same request again reads nothing, and answers the same operation.
  const auto again = suite.Call<Operations>(&Operations::Stub::ExecuteOperation, request);
  REQUIRE_OK(again);
  CHECK(again->name() == read->name());
  CHECK(suite.field.Get(Suite::Address(0)).reads == 1);
  v1::ListOperationsRequest list;
  list.set_meter(Suite::Meter(0));
  const auto listed = suite.Call<Operations>(&Operations::Stub::ListOperations, list);
  REQUIRE_OK(listed);
  REQUIRE(listed->operations_size() == 1);
  CHECK(listed->operations(0).readings_size() == 1);
}

TEST_CASE("a read now goes past planned reads that wait for a slow line") {
  Suite suite;
  suite.AddMeters(2, 1, 100);
  suite.field.Hold(true);
  suite.RunNow(suite.MakeSchedule());
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item WHERE lease <> 0") >= 128; }));
  const auto read = suite.Call<Operations>(&Operations::Stub::ExecuteOperation, ReadNow(Suite::Meter(150), false));
  REQUIRE_OK(read);
  REQUIRE(
      Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item WHERE priority = 3 AND lease <> 0") == 1; },
                 absl::Seconds(3)));
}

TEST_CASE("a read now of a collector that is not there fails at once") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  const auto read = suite.Call<Operations>(&Operations::Stub::ExecuteOperation, ReadNow(Suite::Meter(0), true));
  REQUIRE_OK(read);
  CHECK(read->state() == v1::Operation::STATE_FAILED);
  CHECK(read->reason() == "OFFLINE");
}

TEST_CASE("operations that cannot be are refused by name") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  v1::ExecuteOperationRequest request = ReadNow(Suite::Meter(0), false);
  request.mutable_operation()->mutable_move_relay()->set_action(voltwell::codec::v1::RELAY_ACTION_OPEN);
  CHECK_REASON(suite.Call<Operations>(&Operations::Stub::ExecuteOperation, request), "USE_RELAY_SERVICE");
  request.mutable_operation()->clear_kind();
  CHECK_REASON(suite.Call<Operations>(&Operations::Stub::ExecuteOperation, request), "NO_KIND");
  request = ReadNow(Suite::Meter(0), false);
  request.mutable_operation()->mutable_read_now()->add_registers("1-0:1.8.0");
  CHECK_REASON(suite.Call<Operations>(&Operations::Stub::ExecuteOperation, request), "REGISTER_TWICE");
  v1::GetOperationRequest get;
  get.set_name("operations/999999");
  CHECK_REASON(suite.Call<Operations>(&Operations::Stub::GetOperation, get), "OPERATION_NOT_FOUND");
  get.set_name("meters/1");
  CHECK_REASON(suite.Call<Operations>(&Operations::Stub::GetOperation, get), "BAD_NAME");
}

TEST_CASE("beyond so many who wait, an operation is answered without waiting") {
  OperationWaiters waiters;
  for (int i = 0; i < kWaitersMax; ++i) REQUIRE(waiters.Enter());
  CHECK_FALSE(waiters.Enter());
  waiters.Leave();
  CHECK(waiters.Enter());
}

TEST_CASE("instants of further attempts are remembered so far, the nearest first") {
  DueTimes times;
  const absl::Time start = absl::FromUnixSeconds(1000);
  std::vector<absl::Time> many;
  for (size_t i = 0; i <= kDueTimesMax; ++i)
    many.push_back(start + absl::Seconds(static_cast<int64_t>(kDueTimesMax - i)));
  times.Add(many);
  CHECK(times.Until(start, absl::Hours(10)) <= absl::Milliseconds(100));
  CHECK_FALSE(times.TakeReached(start - absl::Seconds(1)));
  CHECK(times.TakeReached(start + absl::Seconds(1)));
  // The farthest was let go.
  CHECK(times.TakeReached(start + absl::Seconds(static_cast<int64_t>(kDueTimesMax) - 1) + absl::Milliseconds(200)));
  CHECK_FALSE(times.TakeReached(start + absl::Hours(5)));
}

TEST_CASE("the line shows the tenant's sessions, and frames are explained with secrets masked") {
  Suite suite;
  using Line = v1::LineService;
  const auto sessions = suite.Call<Line>(&Line::Stub::ListSessions, v1::ListSessionsRequest());
  REQUIRE_OK(sessions);
  REQUIRE(sessions->sessions_size() == 1);
  CHECK(sessions->sessions(0).tenant() == "t1");
  REQUIRE(suite.redis->Call({"SET", "gateway:pod-2", "127.0.0.1:1"}).ok());
  const auto one_silent = suite.Call<Line>(&Line::Stub::ListSessions, v1::ListSessionsRequest());
  REQUIRE_OK(one_silent);
  CHECK(one_silent->sessions_size() == 1);
  REQUIRE(one_silent->silent_pods_size() == 1);
  CHECK(one_silent->silent_pods(0) == "pod-2");
  v1::ListRegistersRequest registers;
  registers.set_protocol(voltwell::codec::v1::PROTOCOL_DLT645_2007);
  const auto table = suite.Call<Line>(&Line::Stub::ListRegisters, registers);
  REQUIRE_OK(table);
  CHECK(table->registers_size() > 20);
  v1::ExplainRequest explain;
  explain.set_frame(std::string(kExplainMax + 1, 'x'));
  CHECK_REASON(suite.Call<Line>(&Line::Stub::Explain, explain), "FRAME_TOO_LONG");
}

TEST_CASE("the bus doctor is the tenant's own, and a trace shows no password, not even in half a frame") {
  Suite suite;
  using Line = v1::LineService;
  REQUIRE(suite.redis->Call({"SET", "session:{VW-t1}:1", "pod-1 1.1 1000"}).ok());
  REQUIRE(suite.redis->Call({"SET", "session:{VW-t2}:1", "pod-1 1.1 1000"}).ok());
  v1::GetBusHealthRequest health;
  health.set_collector("VW-t1");
  const auto doctor = suite.Call<Line>(&Line::Stub::GetBusHealth, health);
  REQUIRE_OK(doctor);
  CHECK(doctor->health().verdict() == voltwell::gateway::v1::BUS_VERDICT_NOISY);
  health.set_collector("VW-t2");
  CHECK_REASON(suite.Call<Line>(&Line::Stub::GetBusHealth, health), "SESSION_NOT_HERE");
  health.set_collector("VW-none");
  CHECK_REASON(suite.Call<Line>(&Line::Stub::GetBusHealth, health), "SESSION_NOT_HERE");
  health.clear_collector();
  CHECK_REASON(suite.Call<Line>(&Line::Stub::GetBusHealth, health), "BAD_NAME");

  v1::StartTraceRequest start;
  start.set_collector("VW-t1");
  const auto started = suite.Call<Line>(&Line::Stub::StartTrace, start);
  REQUIRE_OK(started);
  CHECK(started->end_time().seconds() == 1600);
  v1::GetTraceRequest get;
  get.set_collector("VW-t1");
  suite.permissions = {"line.trace"};
  const auto trace = suite.Call<Line>(&Line::Stub::GetTrace, get);
  REQUIRE_OK(trace);
  REQUIRE(trace->frames_size() == 3);
  for (const v1::ExplainedFrame& frame : trace->frames()) {
    std::string shown;
    for (const auto& part : frame.explanations()) shown += part.hex() + part.meaning();
    // As it stands on the line (33H added) and as it is; the suite's caller may not see secrets.
    for (const char* secret : {"894567", "89 45 67", "561234", "56 12 34", "341256"})
      CHECK(shown.find(secret) == std::string::npos);
  }
  get.set_collector("VW-t2");
  CHECK_REASON(suite.Call<Line>(&Line::Stub::GetTrace, get), "TRACE_NOT_HERE");
}

}  // namespace voltwell::scheduler::testing
