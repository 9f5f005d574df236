// Planning in chunks, and what survives when the process that planned dies between two of them.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "services/meter_scheduler/testing/suite.h"

namespace voltwell::scheduler::testing {

using ::voltwell::testing::Eventually;

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

}  // namespace voltwell::scheduler::testing
