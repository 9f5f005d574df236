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

absl::StatusOr<Operation> ReadNow(Suite& suite, int meter) {
  v1::ExecuteOperationRequest read;
  read.set_request_id(NewRequestId());
  read.mutable_operation()->set_meter(Suite::Meter(meter));
  read.mutable_operation()->mutable_read_now()->add_registers("1-0:1.8.0");
  read.set_wait(true);
  return suite.Call<v1::OperationService>(&v1::OperationService::Stub::ExecuteOperation, read);
}

// An opening does not wait for a connection: whoever wants to see its first try makes one before.
void Connect(Suite& suite) { REQUIRE_OK(ReadNow(suite, 0)); }

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
  const auto operation = SetHold(suite, 0, v1::Hold::OWNER_OPERATOR);
  REQUIRE_OK(safety);
  REQUIRE_OK(operation);
  CHECK_REASON(SetHold(suite, 0), "HOLD_ALREADY_STANDS");
  CHECK_REASON(LiftHold(suite, safety->name(), v1::Hold::OWNER_OPERATOR), "HOLD_OF_ANOTHER_OWNER");
  const auto first = LiftHold(suite, safety->name());
  REQUIRE_OK(first);
  CHECK(first->operation().empty());
  CHECK_REASON(LiftHold(suite, safety->name()), "HOLD_NOT_STANDING");
  const auto last = LiftHold(suite, operation->name(), v1::Hold::OWNER_OPERATOR);
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
  Connect(suite);
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

TEST_CASE("an opening that was claimed leaves a relay of which nothing is known, and which is closed without a hold") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  suite.Do("UPDATE relay SET observed = 1, observed_time = now()");
  CHECK(GetRelay(suite, 0).observed() == voltwell::codec::v1::RELAY_STATE_CLOSED);
  Connect(suite);
  suite.field.Hold(true);
  REQUIRE_OK(WritePermit(suite, 0, hold->name()));
  REQUIRE(
      Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item WHERE phase = 2 AND lease <> 0") == 1; }));
  const v1::GetRelayResponse relay = GetRelay(suite, 0);
  CHECK(relay.observed() == voltwell::codec::v1::RELAY_STATE_UNSPECIFIED);
  CHECK_FALSE(relay.has_observed_time());
  // The hold goes and the operation ends without anybody having seen the relay.
  suite.Do("UPDATE hold SET lift_time = now()");
  suite.Do("UPDATE operation SET state = 5, reason = 'OUTCOME_UNKNOWN', end_time = now() - interval '1 hour'");
  suite.Do("DELETE FROM work");
  suite.Do("DELETE FROM run_item");
  suite.Do("UPDATE relay SET holds = 0");
  suite.field.Hold(false);
  REQUIRE(Eventually(
      [&] {
        const FakeMeter meter = suite.field.Get(Suite::Address(0));
        return meter.relay_commands == 2 && !meter.relay_open;
      },
      absl::Seconds(20)));
}

TEST_CASE("an operation on a relay that nobody queued is queued by the reconciler") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  suite.field.Put(Suite::Address(0), {.relay_open = true});
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  const auto lifted = LiftHold(suite, hold->name());
  REQUIRE_OK(lifted);
  REQUIRE(Eventually([&] { return Get(suite, lifted->operation()).reason() == "OFFLINE"; }));
  suite.Do("DELETE FROM run_item");
  REQUIRE(suite.redis->Call({"SET", "session:{VW-t1-0}:1", "pod-1 1.2 1"}).ok());
  REQUIRE(Eventually([&] { return IsOver(suite, lifted->operation()); }, absl::Seconds(20)));
  CHECK_FALSE(suite.field.Get(Suite::Address(0)).relay_open);
}

TEST_CASE("many operations on one relay, made while others end, are all carried out") {
  Suite suite;
  suite.AddReplica();
  suite.AddMeters(1, 1, 1);
  for (int i = 0; i < 8; ++i) {
    const auto hold = SetHold(suite, 0);
    REQUIRE_OK(hold);
    REQUIRE_OK(WritePermit(suite, 0, hold->name()));
    REQUIRE_OK(LiftHold(suite, hold->name()));
  }
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM operation WHERE state < 4") == 0; },
                     absl::Seconds(30)));
  CHECK_FALSE(suite.field.Get(Suite::Address(0)).relay_open);
  CHECK(suite.CountOf("SELECT count(*) FROM work WHERE kind >= 2") == 0);
}

TEST_CASE("an item without its common part fails alone, and what is claimed beside it goes on") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  suite.Do(
      "INSERT INTO run_item (origin, meter_no, bus_no, tenant_no, priority, due_time) "
      "SELECT 1000000, number, bus_no, tenant_no, 3, now() - interval '1 hour' FROM meter WHERE id = 'm0'");
  const auto done = ReadNow(suite, 1);
  REQUIRE_OK(done);
  CHECK(done->state() == Operation::STATE_SUCCEEDED);
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item") == 0; }));
}

TEST_CASE("what somebody waits for is read while no relay can be claimed") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  suite.Do("ALTER TABLE permit RENAME TO permit_away");
  const auto lifted = LiftHold(suite, hold->name());
  REQUIRE_OK(lifted);
  const auto done = ReadNow(suite, 1);
  REQUIRE_OK(done);
  CHECK(done->state() == Operation::STATE_SUCCEEDED);
  CHECK_FALSE(IsOver(suite, lifted->operation()));
  suite.Do("ALTER TABLE permit_away RENAME TO permit");
  REQUIRE(Eventually([&] { return IsOver(suite, lifted->operation()); }));
}

TEST_CASE("an operation that waits for a dark collector is told once, not each time it is tried") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const auto hold = SetHold(suite, 0);
  REQUIRE_OK(hold);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  REQUIRE_OK(LiftHold(suite, hold->name()));
  const Replica& replica = *suite.replicas.front();
  for (int tries = 1; tries <= 2; ++tries) {
    REQUIRE(Eventually([&] { return replica.Count("voltwell_scheduler_items_total{state=\"again\"}") >= tries; },
                       absl::Seconds(20)));
    suite.Do("UPDATE run_item SET due_time = now() WHERE lease = 0");
  }
  CHECK(suite.CountOf("SELECT count(*) FROM event WHERE type = 'operation.updated'") == 1);
}

TEST_CASE("items that are stored one by one wait for a database that is away for a moment") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  suite.Do("CREATE SEQUENCE test_fault");
  suite.Do(
      "CREATE FUNCTION test_fault() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE n bigint := nextval('test_fault'); "
      "BEGIN IF n = 1 THEN RAISE 'refused' USING ERRCODE = '22000'; END IF; "
      "IF n < 5 THEN RAISE 'away' USING ERRCODE = '53200'; END IF; RETURN NEW; END $$");
  suite.Do("ALTER FUNCTION test_fault() SECURITY DEFINER");
  suite.Do("CREATE TRIGGER test_fault BEFORE INSERT ON run_item_end FOR EACH ROW EXECUTE FUNCTION test_fault()");
  const std::string run = suite.RunNow(suite.MakeSchedule());
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  CHECK(suite.GetRun(run).items_stored() == 2);
}

}  // namespace voltwell::scheduler::testing
