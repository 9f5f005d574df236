// Relays: holds, permits, the stop, and what becomes of outcomes that nobody knows.
#include <catch2/catch.hpp>

#include "services/meter_scheduler/testing/suite.h"

namespace voltwell::scheduler::testing {
namespace {

namespace v1 = voltwell::scheduler::v1;
using ::voltwell::testing::Eventually;
using Relay = v1::RelayService;
using Operation = v1::Operation;

absl::StatusOr<v1::Hold> SetHold(Suite& suite, int meter, v1::Hold::Owner owner = v1::Hold::OWNER_SAFETY) {
  v1::SetHoldRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_hold()->set_meter(Suite::Meter(meter));
  request.mutable_hold()->set_owner(owner);
  request.mutable_hold()->set_reason("test");
  return suite.Call<Relay>(&Relay::Stub::SetHold, request);
}

absl::StatusOr<v1::Permit> WritePermit(Suite& suite, int meter, const std::string& hold) {
  v1::WritePermitRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_permit()->set_meter(Suite::Meter(meter));
  request.mutable_permit()->set_hold(hold);
  request.mutable_permit()->set_guard_record(R"({"why":"test"})");
  return suite.Call<Relay>(&Relay::Stub::WritePermit, request);
}

absl::StatusOr<v1::LiftHoldResponse> LiftHold(Suite& suite, const std::string& hold,
                                              v1::Hold::Owner owner = v1::Hold::OWNER_SAFETY) {
  v1::LiftHoldRequest request;
  request.set_request_id(NewRequestId());
  request.set_name(hold);
  request.set_owner(owner);
  return suite.Call<Relay>(&Relay::Stub::LiftHold, request);
}

Operation Get(Suite& suite, const std::string& name) {
  v1::GetOperationRequest request;
  request.set_name(name);
  const auto operation = suite.Call<v1::OperationService>(&v1::OperationService::Stub::GetOperation, request);
  REQUIRE_OK(operation);
  return *operation;
}

bool IsOver(Suite& suite, const std::string& name) {
  const Operation operation = Get(suite, name);
  return operation.state() == Operation::STATE_SUCCEEDED || operation.state() == Operation::STATE_FAILED;
}

v1::GetRelayResponse GetRelay(Suite& suite, int meter) {
  v1::GetRelayRequest request;
  request.set_meter(Suite::Meter(meter));
  const auto relay = suite.Call<Relay>(&Relay::Stub::GetRelay, request);
  REQUIRE_OK(relay);
  return *relay;
}

void SetStop(Suite& suite, bool stopped) {
  v1::SetCutStopRequest request;
  request.set_request_id(NewRequestId());
  request.set_stopped(stopped);
  request.set_reason("test");
  REQUIRE_OK(suite.Call<Relay>(&Relay::Stub::SetCutStop, request));
}

}  // namespace

TEST_CASE("a permit opens the relay once, seen open; lifting the last hold closes it, seen closed") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  CHECK(suite.field.Get(Suite::Address(0)).relay_commands == 0);  // A hold alone never opens.
  const auto permit = WritePermit(suite, 0, hold->name());
  REQUIRE_OK(permit);
  REQUIRE(Eventually([&] { return IsOver(suite, permit->operation()); }));
  const Operation opened = Get(suite, permit->operation());
  CHECK(opened.state() == Operation::STATE_SUCCEEDED);
  CHECK(opened.observed_relay() == voltwell::codec::v1::RELAY_STATE_OPEN);
  CHECK(opened.move_relay().permit() == permit->name());
  CHECK(suite.field.Get(Suite::Address(0)).relay_open);
  CHECK(suite.field.Get(Suite::Address(0)).relay_commands == 1);
  CHECK(suite.field.Get(Suite::Address(0)).last_not_after_ms <= 1000);
  v1::GetRelayResponse relay = GetRelay(suite, 0);
  CHECK(relay.desired() == voltwell::codec::v1::RELAY_STATE_OPEN);
  CHECK(relay.observed() == voltwell::codec::v1::RELAY_STATE_OPEN);
  CHECK(relay.holds_size() == 1);

  const auto lifted = LiftHold(suite, hold->name());
  REQUIRE_OK(lifted);
  REQUIRE_FALSE(lifted->operation().empty());
  REQUIRE(Eventually([&] { return IsOver(suite, lifted->operation()); }));
  CHECK(Get(suite, lifted->operation()).state() == Operation::STATE_SUCCEEDED);
  CHECK_FALSE(suite.field.Get(Suite::Address(0)).relay_open);
  relay = GetRelay(suite, 0);
  CHECK(relay.desired() == voltwell::codec::v1::RELAY_STATE_CLOSED);
  CHECK(relay.observed() == voltwell::codec::v1::RELAY_STATE_CLOSED);
}

TEST_CASE("an opening whose answer was lost is settled by looking at the relay, not by opening again") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  suite.field.SetManner(Suite::Address(0), Manner::kActsThenSilent);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  const auto permit = WritePermit(suite, 0, hold->name());
  REQUIRE_OK(permit);
  REQUIRE(Eventually([&] { return IsOver(suite, permit->operation()); }));
  CHECK(Get(suite, permit->operation()).state() == Operation::STATE_SUCCEEDED);
  CHECK(suite.field.Get(Suite::Address(0)).relay_commands == 1);
}

TEST_CASE("a closing whose answer was lost is confirmed by looking") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  suite.field.Put(Suite::Address(0), {.relay_open = true, .manner = Manner::kActsThenSilent});
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  const auto lifted = LiftHold(suite, hold->name());
  REQUIRE_OK(lifted);
  REQUIRE(Eventually([&] { return IsOver(suite, lifted->operation()); }));
  CHECK(Get(suite, lifted->operation()).state() == Operation::STATE_SUCCEEDED);
  CHECK_FALSE(suite.field.Get(Suite::Address(0)).relay_open);
}

TEST_CASE("a relay that is stuck closed fails the opening after one command and several looks") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  suite.field.SetManner(Suite::Address(0), Manner::kRelayStuck);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  const auto permit = WritePermit(suite, 0, hold->name());
  REQUIRE_OK(permit);
  REQUIRE(Eventually([&] { return suite.field.Get(Suite::Address(0)).reads >= 3; }, absl::Seconds(20)));
  CHECK(suite.field.Get(Suite::Address(0)).relay_commands == 1);
}

TEST_CASE("the stop of all cuts refuses permits, and what was permitted before is not sent") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  // No session: the opening waits under its permit.
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  const auto permit = WritePermit(suite, 0, hold->name());
  REQUIRE_OK(permit);
  REQUIRE(Eventually([&] { return Get(suite, permit->operation()).reason() == "OFFLINE"; }));
  SetStop(suite, true);
  REQUIRE(suite.redis->Call({"SET", "session:{VW-t1-0}:1", "pod-1 1.2 1"}).ok());
  REQUIRE(Eventually([&] { return IsOver(suite, permit->operation()); }));
  CHECK(Get(suite, permit->operation()).reason() == "CUTS_STOPPED");
  CHECK(suite.field.Get(Suite::Address(0)).relay_commands == 0);
  CHECK_REASON(WritePermit(suite, 0, hold->name()), "CUTS_STOPPED");
  SetStop(suite, false);
  const auto second = WritePermit(suite, 0, hold->name());
  REQUIRE_OK(second);
  REQUIRE(Eventually([&] { return suite.field.Get(Suite::Address(0)).relay_open; }));
}

TEST_CASE("an opening whose hold was lifted before it was sent never opens") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  const auto permit = WritePermit(suite, 0, hold->name());
  REQUIRE_OK(permit);
  REQUIRE(Eventually([&] { return Get(suite, permit->operation()).reason() == "OFFLINE"; }));
  REQUIRE_OK(LiftHold(suite, hold->name()));
  REQUIRE(suite.redis->Call({"SET", "session:{VW-t1-0}:1", "pod-1 1.2 1"}).ok());
  REQUIRE(Eventually([&] { return IsOver(suite, permit->operation()); }));
  CHECK(Get(suite, permit->operation()).reason() == "HOLD_NOT_STANDING");
  CHECK_FALSE(suite.field.Get(Suite::Address(0)).relay_open);
}

TEST_CASE("each owner lifts only its own hold, and the supply stays cut while another stands") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const auto safety = SetHold(suite, 0);
  const auto arrears = SetHold(suite, 0, v1::Hold::OWNER_ARREARS);
  REQUIRE_OK(safety);
  REQUIRE_OK(arrears);
  CHECK_REASON(SetHold(suite, 0), "HOLD_ALREADY_STANDS");
  CHECK_REASON(LiftHold(suite, safety->name(), v1::Hold::OWNER_ARREARS), "HOLD_OF_ANOTHER_OWNER");
  const auto first = LiftHold(suite, safety->name());
  REQUIRE_OK(first);
  CHECK(first->operation().empty());
  CHECK_REASON(LiftHold(suite, safety->name()), "HOLD_NOT_STANDING");
  const auto last = LiftHold(suite, arrears->name(), v1::Hold::OWNER_ARREARS);
  REQUIRE_OK(last);
  CHECK_FALSE(last->operation().empty());
}

TEST_CASE("a relay that a reading shows open for no reason is closed by the reconciler") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  suite.field.Put(Suite::Address(0), {.relay_open = true});
  v1::ExecuteOperationRequest look;
  look.set_request_id(NewRequestId());
  look.mutable_operation()->set_meter(Suite::Meter(0));
  look.mutable_operation()->mutable_read_now()->add_registers("0-0:96.3.10");
  look.set_wait(true);
  const auto seen = suite.Call<v1::OperationService>(&v1::OperationService::Stub::ExecuteOperation, look);
  REQUIRE_OK(seen);
  CHECK(seen->observed_relay() == voltwell::codec::v1::RELAY_STATE_OPEN);
  REQUIRE(Eventually([&] { return !suite.field.Get(Suite::Address(0)).relay_open; }, absl::Seconds(15)));
}

TEST_CASE("a process that died with an opening on the line leaves an unknown outcome that is settled by looking") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  Replica& replica = *suite.replicas.front();
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  suite.field.Hold(true);
  const auto permit = WritePermit(suite, 0, hold->name());
  REQUIRE_OK(permit);
  REQUIRE(
      Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item WHERE phase = 2 AND lease <> 0") == 1; }));
  CHECK(Get(suite, permit->operation()).state() == Operation::STATE_RUNNING);
  // Its lease is taken by a process that is dead already.
  pg::ProcessLease ghost(replica.pool, suite.clock, suite.metrics, "meter_scheduler", "ghost");
  REQUIRE_OK(ghost.Renew());
  suite.CountOf(absl::StrCat("WITH taken AS (UPDATE run_item SET lease = ", ghost.epoch(),
                             " RETURNING 1) SELECT count(*) FROM taken"));
  suite.field.Hold(false);
  REQUIRE(Eventually([&] { return IsOver(suite, permit->operation()); }, absl::Seconds(20)));
  CHECK(Get(suite, permit->operation()).state() == Operation::STATE_SUCCEEDED);
  CHECK(suite.field.Get(Suite::Address(0)).relay_commands == 1);
}

TEST_CASE("a permit needs a standing hold, a record and a near end") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  CHECK_REASON(WritePermit(suite, 1, hold->name()), "HOLD_NOT_STANDING");  // Of another meter.
  v1::WritePermitRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_permit()->set_meter(Suite::Meter(0));
  request.mutable_permit()->set_hold(hold->name());
  request.mutable_permit()->set_guard_record("not json");
  CHECK_REASON(suite.Call<Relay>(&Relay::Stub::WritePermit, request), "BAD_GUARD_RECORD");
  request.mutable_permit()->set_guard_record("{}");
  request.mutable_permit()->mutable_not_after()->set_seconds(absl::ToUnixSeconds(suite.clock.Now()) + 90);
  CHECK_REASON(suite.Call<Relay>(&Relay::Stub::WritePermit, request), "BAD_NOT_AFTER");
}

}  // namespace voltwell::scheduler::testing
