// Planning in chunks, and what survives when the process that planned dies between two of them.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "services/meter_scheduler/testing/suite.h"

namespace voltwell::scheduler::testing {

using ::voltwell::testing::Eventually;
namespace v1 = voltwell::scheduler::v1;
using Schedules = v1::ScheduleService;

namespace {

std::string IdIn(const std::string& name) { return name.substr(name.find('/') + 1); }

// By SQL, as many as the test needs.
void InsertMeters(Suite& suite, int count) {
  REQUIRE(suite.CountOf(absl::StrCat(
              "WITH made AS (INSERT INTO meter (id, tenant_no, site_path, bus_no, address, protocol, profile, "
              "revision, archived) SELECT 'x' || g, tenant_no, '/s0/t' || g % 100 || '/', bus_no, "
              "lpad(g::text, 12, '9'), protocol, '', 1, false FROM meter, generate_series(1, ",
              count, ") g WHERE id = 'm0' RETURNING 1) SELECT count(*) FROM made")) == count);
}

// DDL, which CountOf cannot do.
void Alter(Suite& suite, const std::string& sql) {
  REQUIRE_OK(suite.replicas.front()->pool.Transact({.name = "test.alter"}, [&](pg::Tx& tx) -> absl::Status {
    return tx.Execute({sql.c_str(), sql.c_str()}).status();
  }));
}

v1::CreateScheduleRequest Energy(const std::string& cron) {
  v1::CreateScheduleRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_schedule()->set_display_name("energy");
  request.mutable_schedule()->set_cron(cron);
  request.mutable_schedule()->set_time_zone("Asia/Shanghai");
  request.mutable_schedule()->add_registers("1-0:1.8.0");
  return request;
}

std::string Make(Suite& suite, const v1::CreateScheduleRequest& request) {
  const auto made = suite.Call<Schedules>(&Schedules::Stub::CreateSchedule, request);
  REQUIRE_OK(made);
  return made->name();
}

}  // namespace

TEST_CASE("a run of more meters than a chunk is planned in several, each meter once, later meters left out") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const std::string run_schedule = suite.MakeSchedule();
  suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).IgnoreError();
  // Meters by SQL: as many as two chunks and one.
  CHECK(suite.CountOf(absl::StrCat(
            "WITH made AS (INSERT INTO meter (id, tenant_no, site_path, bus_no, address, protocol, profile, revision, "
            "archived) "
            "SELECT 'x' || g, tenant_no, '/s0/', bus_no, lpad(g::text, 12, '9'), protocol, '', 1, false FROM meter, "
            "generate_series(1, ",
            2 * kPlanChunkMax, ") g WHERE id = 'm0' RETURNING 1) SELECT count(*) FROM made")) == 2 * kPlanChunkMax);
  const std::string run = suite.RunNow(run_schedule);
  // Frozen at its first chunk: this one is younger.
  suite.CountOf(
      "WITH made AS (INSERT INTO meter (id, tenant_no, site_path, bus_no, address, protocol, profile, revision, "
      "archived) "
      "SELECT 'young', tenant_no, '/s0/', bus_no, '999', protocol, '', 1, false FROM meter WHERE id = 'm0' RETURNING "
      "1) "
      "SELECT count(*) FROM made");
  REQUIRE(Eventually([&] { return suite.GetRun(run).state() == voltwell::scheduler::v1::Run::STATE_RUNNING; },
                     absl::Seconds(20)));
  CHECK(suite.GetRun(run).items_total() == 2 * kPlanChunkMax + 1);
  CHECK(suite.CountOf("SELECT count(DISTINCT meter_no) FROM run_item") == 2 * kPlanChunkMax + 1);
  CHECK(suite.CountOf("SELECT count(*) FROM run_plan") == 0);
}

TEST_CASE("a run whose planner died is planned on by another") {
  Suite suite;
  suite.AddMeters(1, 1, 10);
  const std::string schedule = suite.MakeSchedule();
  const std::string id = schedule.substr(schedule.find('/') + 1);
  // As it stands after the first chunk of a process that died: four of ten planned.
  suite.CountOf(absl::StrCat(
      "WITH run AS (INSERT INTO run (number, tenant, schedule, fire_time, state, items_total) VALUES (7777, 't1', '",
      id,
      "', now(), 1, 4) RETURNING number), "
      "work AS (INSERT INTO work SELECT 7777, 't1', number, 0, '{1-0:1.8.0}', 2, now() + interval '1 hour' FROM tenant "
      "WHERE id = 't1' RETURNING 1), "
      "items AS (INSERT INTO run_item (origin, meter_no, bus_no, tenant_no, priority, due_time) "
      "SELECT 7777, number, bus_no, tenant_no, 2, now() FROM meter ORDER BY number LIMIT 4 RETURNING meter_no) "
      "INSERT INTO run_plan SELECT 7777, 't1', (SELECT min(tenant_no) FROM meter), (SELECT max(meter_no) FROM items), "
      "(SELECT max(number) FROM meter), '{}', '{}', '{}' FROM run RETURNING 1"));
  REQUIRE(Eventually([&] { return suite.IsOver("runs/7777"); }, absl::Seconds(20)));
  CHECK(suite.GetRun("runs/7777").items_stored() == 10);
}

TEST_CASE("a rhythm goes on through the hour that comes twice, a time of day comes once") {
  CronBook book;
  const auto next = [&](const std::string& cron, const std::string& after) {
    const auto firing = book.Next(cron, "Europe/Berlin", v1::Schedule::GAP_RULE_AT_GAP_END);
    REQUIRE_OK(firing);
    absl::Time time;
    REQUIRE(absl::ParseTime(absl::RFC3339_full, after, &time, nullptr));
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *(*firing)(time), absl::UTCTimeZone());
  };
  // 03:00 summer time becomes 02:00 at 01:00 UTC.
  CHECK(next("*/15 * * * * *", "2026-10-25T00:59:45Z") == "2026-10-25T01:00:00Z");
  CHECK(next("*/15 * * * * *", "2026-10-25T01:00:00Z") == "2026-10-25T01:00:15Z");
  CHECK(next("0 0 * * * *", "2026-10-25T00:00:00Z") == "2026-10-25T01:00:00Z");
  CHECK(next("0 30 2 * * *", "2026-10-25T00:30:00Z") == "2026-10-26T01:30:00Z");
  CHECK(next("0 0 0-22 * * *", "2026-10-25T00:00:00Z") == "2026-10-25T02:00:00Z");
}

TEST_CASE("a selection of 10,000 names among 100,000 meters is planned within a statement's time") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  InsertMeters(suite, 100'000);
  v1::CreateScheduleRequest by_meter = Energy("0 0 0 1 1 *");
  v1::CreateScheduleRequest by_site = by_meter;
  by_site.set_request_id(NewRequestId());
  for (int i = 0; i < kSelectionMax; ++i) {
    by_meter.mutable_schedule()->mutable_selection()->add_meters(absl::StrCat("meters/", i < 2 ? "x99" : "none", i));
    by_site.mutable_schedule()->mutable_selection()->add_sites(absl::StrCat("sites/", i < 2 ? "t" : "none", i));
  }
  const absl::Time start = absl::Now();
  const std::string meters = suite.RunNow(Make(suite, by_meter));
  const std::string sites = suite.RunNow(Make(suite, by_site));
  INFO(absl::FormatDuration(absl::Now() - start));
  CHECK(absl::Now() - start < absl::Seconds(10));
  CHECK(suite.GetRun(meters).items_total() == 2);  // x990, x991
  CHECK(suite.GetRun(sites).items_total() == 2000);
}

TEST_CASE("a schedule that cannot be fired does not keep others from firing") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const std::string bad = Make(suite, Energy("* * * * * *"));
  const std::string good = Make(suite, Energy("* * * * * *"));
  Alter(suite, absl::StrCat("ALTER TABLE run ADD CONSTRAINT broken CHECK (schedule <> '", IdIn(bad), "') NOT VALID"));
  const std::string count = absl::StrCat("SELECT count(*) FROM run WHERE schedule = '", IdIn(good), "'");
  // The broken one is due before the good one from now on.
  REQUIRE(Eventually([&] { return suite.replicas.front()->Count("voltwell_scheduler_fire_failures_total") >= 1; }));
  const int64_t before = suite.CountOf(count);
  REQUIRE(Eventually([&] { return suite.CountOf(count) >= before + 2; }, absl::Seconds(10)));
}

TEST_CASE("a run that cannot be planned keeps neither other runs nor schedules waiting") {
  Suite suite;
  suite.AddMeters(1, 1, 4);
  const std::string id = IdIn(suite.MakeSchedule());
  Alter(suite, "ALTER TABLE run_item ADD CONSTRAINT broken CHECK (origin <> 7777) NOT VALID");
  for (const int run : {7777, 7778}) {
    suite.CountOf(absl::StrCat("WITH run AS (INSERT INTO run (number, tenant, schedule, fire_time, state) VALUES (",
                               run, ", 't1', '", id, "', now() + ", run, " * interval '1 second', 1) RETURNING 1), ",
                               "work AS (INSERT INTO work SELECT ", run,
                               ", 't1', number, 0, '{1-0:1.8.0}', 2, now() + interval '1 hour' FROM tenant WHERE id = "
                               "'t1' RETURNING 1) INSERT INTO run_plan SELECT ",
                               run, ", 't1', (SELECT min(tenant_no) FROM meter), 0, (SELECT max(number) FROM meter), ",
                               "'{}', '{}', '{}' FROM run RETURNING 1"));
  }
  const std::string good = Make(suite, Energy("* * * * * *"));
  REQUIRE(Eventually([&] { return suite.GetRun("runs/7778").items_total() == 4; }, absl::Seconds(20)));
  REQUIRE(Eventually(
      [&] { return suite.CountOf(absl::StrCat("SELECT count(*) FROM run WHERE schedule = '", IdIn(good), "'")) >= 2; },
      absl::Seconds(10)));
  CHECK(suite.GetRun("runs/7777").items_total() == 0);
}

TEST_CASE("a schedule that is due keeps its firing when its name changes, and books it as missed when its times do") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const std::string name = suite.MakeSchedule();
  const std::string where = absl::StrCat(" WHERE schedule = '", IdIn(name), "'");
  suite.replicas.front()->workers.Drain();  // Nothing fires meanwhile.
  const auto set_due = [&](const std::string& time) {
    CHECK(suite.CountOf(absl::StrCat("WITH moved AS (UPDATE schedule_due SET next_fire_time = ", time, where,
                                     " RETURNING 1) SELECT count(*) FROM moved")) == 1);
  };
  set_due("now() - interval '1 minute'");
  v1::UpdateScheduleRequest update;
  update.set_request_id(NewRequestId());
  update.mutable_schedule()->set_name(name);
  update.mutable_schedule()->set_display_name("renamed");
  update.mutable_update_mask()->add_paths("display_name");
  const auto renamed = suite.Call<Schedules>(&Schedules::Stub::UpdateSchedule, update);
  REQUIRE_OK(renamed);
  CHECK(renamed->display_name() == "renamed");
  CHECK(renamed->next_fire_time().seconds() < absl::ToUnixSeconds(suite.clock.Now()));
  CHECK(suite.CountOf("SELECT count(*) FROM schedule_due" + where + " AND next_fire_time < now()") == 1);
  CHECK(suite.CountOf("SELECT count(*) FROM missed_firing" + where) == 0);

  update.set_request_id(NewRequestId());
  update.mutable_schedule()->set_cron("0 0 12 1 1 *");
  update.mutable_update_mask()->add_paths("cron");
  const auto moved = suite.Call<Schedules>(&Schedules::Stub::UpdateSchedule, update);
  REQUIRE_OK(moved);
  CHECK(moved->next_fire_time().seconds() > absl::ToUnixSeconds(suite.clock.Now()));
  CHECK(suite.CountOf("SELECT count(*) FROM schedule_due" + where + " AND next_fire_time > now()") == 1);
  CHECK(suite.CountOf("SELECT sum(firings) FROM missed_firing" + where) == 1);
}

}  // namespace voltwell::scheduler::testing
