// The road from a schedule to stored readings, on a real PostgreSQL and Redis with the real codec.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "services/meter_scheduler/testing/suite.h"

namespace voltwell::scheduler::testing {
namespace {

namespace v1 = voltwell::scheduler::v1;
using ::voltwell::testing::Eventually;

v1::RunItem ItemOf(Suite& suite, const std::string& run, const std::string& meter) {
  v1::ListRunItemsRequest request;
  request.set_run(run);
  request.set_page_size(1000);
  const auto items = suite.Call<v1::ScheduleService>(&v1::ScheduleService::Stub::ListRunItems, request);
  REQUIRE_OK(items);
  for (const v1::RunItem& item : items->items()) {
    if (item.meter() == meter) return item;
  }
  FAIL("no item of " << meter);
  return {};
}

}  // namespace

TEST_CASE("a run reads each meter once, and the readings stand in history, latest values and events") {
  Suite suite;
  suite.AddMeters(2, 2, 5);
  const std::string run = suite.RunNow(suite.MakeSchedule());
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  const v1::Run done = suite.GetRun(run);
  CHECK(done.items_total() == 20);
  CHECK(done.items_stored() == 20);
  CHECK(done.items_failed() == 0);
  CHECK(suite.field.exchanges() == 20);
  CHECK(suite.CountOf("SELECT count(*) FROM event WHERE type = 'reading.stored'") == 20);
  CHECK(suite.CountOf("SELECT count(*) FROM exchange_bytes WHERE length(request) > 12 AND length(reply) > 12") == 20);

  v1::ListReadingsRequest history;
  history.set_meter(Suite::Meter(7));
  const auto readings = suite.Call<v1::ReadingService>(&v1::ReadingService::Stub::ListReadings, history);
  REQUIRE_OK(readings);
  REQUIRE(readings->readings_size() == 1);
  CHECK(readings->readings(0).value().value() == "1000.07");
  CHECK(readings->readings(0).unit() == "kWh");
  CHECK(readings->readings(0).origin() == run);
  CHECK(readings->readings(0).source() == v1::Reading::SOURCE_SCHEDULED);

  v1::GetLatestReadingsRequest latest;
  const auto all = suite.Call<v1::ReadingService>(&v1::ReadingService::Stub::GetLatestReadings, latest);
  REQUIRE_OK(all);
  CHECK(all->readings_size() == 20);
}

TEST_CASE("history and latest values come in pages without gap or repetition") {
  Suite suite;
  suite.AddMeters(1, 1, 3);
  const std::string schedule = suite.MakeSchedule();
  for (int i = 0; i < 5; ++i) {
    const std::string run = suite.RunNow(schedule);
    REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  }
  v1::ListReadingsRequest request;
  request.set_meter(Suite::Meter(1));
  request.set_page_size(2);
  std::vector<std::string> origins;
  do {
    const auto page = suite.Call<v1::ReadingService>(&v1::ReadingService::Stub::ListReadings, request);
    REQUIRE_OK(page);
    for (const v1::Reading& reading : page->readings()) origins.push_back(reading.origin());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  REQUIRE(origins.size() == 5);
  CHECK(std::is_sorted(origins.rbegin(), origins.rend()));
  CHECK(std::adjacent_find(origins.begin(), origins.end()) == origins.end());

  v1::GetLatestReadingsRequest latest;
  latest.set_page_size(2);
  const auto first = suite.Call<v1::ReadingService>(&v1::ReadingService::Stub::GetLatestReadings, latest);
  REQUIRE_OK(first);
  CHECK(first->readings_size() == 2);
  latest.set_page_token(first->next_page_token());
  const auto second = suite.Call<v1::ReadingService>(&v1::ReadingService::Stub::GetLatestReadings, latest);
  REQUIRE_OK(second);
  CHECK(second->readings_size() == 1);
  CHECK(second->next_page_token().empty());
}

TEST_CASE("512 meters behind 4 collectors with two buses each keep the hop budget") {
  Suite suite;
  suite.AddMeters(4, 2, 64);
  const std::string schedule = suite.MakeSchedule();
  const Replica& replica = *suite.replicas.front();
  const auto calls = [&](const char* method) {
    return replica.Count(absl::StrCat("voltwell_rpc_client_calls_total{code=\"OK\",method=\"voltwell.", method, "\"}"));
  };
  const auto transactions = [&](const char* name) {
    return replica.Count(absl::StrCat("voltwell_pg_transactions_total{name=\"", name, "\",result=\"committed\"}"));
  };
  const double claims_before = transactions("road.claim");
  const std::string run = suite.RunNow(schedule);
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  CHECK(suite.GetRun(run).items_stored() == 512);
  CHECK(calls("codec.v1.CodecService.Encode") == 1);
  REQUIRE(Eventually([&] { return calls("gateway.v1.GatewayService.Exchange") == 1; }));
  CHECK(calls("codec.v1.CodecService.Decode") <= 3);
  // Planned by RunSchedule's own transaction here, by tick.fire when the clock fires it: one more either way.
  const double claims = transactions("road.claim") - claims_before;
  CHECK(1 + claims + transactions("road.store") <= 5);
  CHECK(transactions("partition.create") <= 4);
  CHECK(replica.Count("voltwell_redis_round_trips_total{name=\"mget\"}") <= 2);
}

TEST_CASE("a meter that stays silent fails with its reason after its attempts, and its run ends") {
  Suite suite;
  suite.AddMeters(1, 1, 3);
  suite.field.SetManner(Suite::Address(1), Manner::kSilent);
  const std::string run = suite.RunNow(suite.MakeSchedule(2, absl::Seconds(4)));
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  const v1::Run done = suite.GetRun(run);
  CHECK(done.items_stored() == 2);
  CHECK(done.items_failed() == 1);
  CHECK(done.failures().at("TIMEOUT") == 1);
  const v1::RunItem item = ItemOf(suite, run, Suite::Meter(1));
  CHECK(item.state() == v1::RunItem::STATE_FAILED);
  CHECK(item.reason() == "TIMEOUT");
  CHECK(item.attempts() == 2);
}

TEST_CASE("a collector without session is waited for until the window closes, and read when it comes back") {
  Suite suite;
  suite.AddMeters(2, 1, 2);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-1}:1"}).ok());
  const std::string run = suite.RunNow(suite.MakeSchedule(1, absl::Seconds(20)));
  REQUIRE(Eventually([&] { return suite.GetRun(run).items_stored() == 2; }));
  CHECK_FALSE(suite.IsOver(run));
  REQUIRE(suite.redis->Call({"SET", "session:{VW-t1-1}:1", "pod-1 1.2 1"}).ok());
  REQUIRE(Eventually([&] { return suite.IsOver(run); }, absl::Seconds(25)));
  CHECK(suite.GetRun(run).items_stored() == 4);
}

TEST_CASE("a collector that comes back is read at once, however long its window is") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  const std::string run = suite.RunNow(suite.MakeSchedule(1, absl::Hours(24)));
  // The second time it is found dark it is put off for about a minute.
  REQUIRE(Eventually([&] {
    return suite.CountOf(
               "SELECT count(*) FROM run_item WHERE reason = 'OFFLINE' AND due_time > now() + interval '30 s'") == 2;
  }));
  REQUIRE(suite.redis->Call({"SET", "session:{VW-t1-0}:1", "pod-1 1.2 1"}).ok());
  REQUIRE(suite.redis->Call({"XADD", "links", "*", "kind", "online", "collector", "VW-t1-0", "bus", "1"}).ok());
  REQUIRE(Eventually([&] { return suite.IsOver(run); }, absl::Seconds(5)));
  CHECK(suite.GetRun(run).items_stored() == 2);
}

TEST_CASE("a dark collector's items end as OFFLINE when their window closes") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  const std::string run = suite.RunNow(suite.MakeSchedule(3, absl::Seconds(2)));
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  CHECK(suite.GetRun(run).failures().at("OFFLINE") == 2);
}

TEST_CASE("a session that moved is followed once, at once") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  suite.field.SetManner(Suite::Address(0), Manner::kMoved);
  const std::string run = suite.RunNow(suite.MakeSchedule(1));
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  CHECK(suite.GetRun(run).items_stored() == 2);
  CHECK(ItemOf(suite, run, Suite::Meter(0)).attempts() == 1);
}

TEST_CASE("items of a process that died are read by another, and what it still brings is dropped") {
  Suite suite;
  suite.AddMeters(1, 1, 8);
  // A process that claims and then stops renewing its lease.
  Replica& replica = *suite.replicas.front();
  pg::ProcessLease ghost(replica.pool, suite.clock, suite.metrics, "meter_scheduler", "ghost");
  REQUIRE_OK(ghost.Renew());
  suite.field.Hold(true);
  const std::string run = suite.RunNow(suite.MakeSchedule());
  // Whatever the replica has claimed already is given to the ghost, as if it had been first.
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item WHERE lease <> 0") == 8; }));
  REQUIRE(suite.CountOf(absl::StrCat("WITH taken AS (UPDATE run_item SET lease = ", ghost.epoch(),
                                     " RETURNING 1) SELECT count(*) FROM taken")) == 8);
  suite.field.Hold(false);
  // The replica's own results come back now and close nothing; after the ghost is dead the items are read again.
  REQUIRE(Eventually([&] { return suite.IsOver(run); }, absl::Seconds(20)));
  CHECK(suite.GetRun(run).items_stored() == 8);
  CHECK(suite.CountOf("SELECT count(*) FROM reading") == 8);
  CHECK(suite.CountOf("SELECT count(*) FROM run_item_end") == 8);
  CHECK(suite.field.exchanges() == 16);
  CHECK(replica.Count("voltwell_scheduler_items_total{state=\"dropped\"}") == 8);
}

TEST_CASE("two schedulers share a run, and no meter is read twice") {
  Suite suite;
  suite.AddReplica();
  suite.AddMeters(10, 2, 64);
  const std::string run = suite.RunNow(suite.MakeSchedule());
  REQUIRE(Eventually([&] { return suite.IsOver(run); }, absl::Seconds(20)));
  CHECK(suite.GetRun(run).items_stored() == 1280);
  CHECK(suite.field.exchanges() == 1280);
  CHECK(suite.CountOf("SELECT count(*) FROM reading") == 1280);
  double claimed = 0;
  for (const auto& replica : suite.replicas) claimed += replica->Count("voltwell_scheduler_claimed_total");
  CHECK(claimed == 1280);
}

TEST_CASE("a selection reads only the sites, collectors and meters that it names") {
  Suite suite;
  suite.AddMeters(3, 1, 4);
  v1::CreateScheduleRequest request;
  request.set_request_id(NewRequestId());
  auto& schedule = *request.mutable_schedule();
  schedule.set_display_name("some");
  schedule.set_cron("0 0 0 1 1 *");
  schedule.set_time_zone("UTC");
  schedule.add_registers("1-0:1.8.0");
  schedule.mutable_selection()->add_sites("sites/s1");
  schedule.mutable_selection()->add_meters(Suite::Meter(0));
  const auto made = suite.Call<v1::ScheduleService>(&v1::ScheduleService::Stub::CreateSchedule, request);
  REQUIRE_OK(made);
  const std::string run = suite.RunNow(made->name());
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  CHECK(suite.GetRun(run).items_total() == 5);
  CHECK(suite.field.Get(Suite::Address(5)).reads == 1);
  CHECK(suite.field.Get(Suite::Address(9)).reads == 0);
}

TEST_CASE("a run without a meter is done at once") {
  Suite suite;
  suite.AddMeters(1, 1, 1, "t2");
  suite.CountOf("WITH made AS (INSERT INTO tenant (id) VALUES ('t1') RETURNING 1) SELECT count(*) FROM made");
  const std::string run = suite.RunNow(suite.MakeSchedule());
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  CHECK(suite.GetRun(run).items_total() == 0);
}

TEST_CASE("a schedule fires at its instants by itself, once for each") {
  Suite suite;
  suite.AddReplica();
  suite.AddMeters(1, 1, 2);
  v1::CreateScheduleRequest request;
  request.set_request_id(NewRequestId());
  auto& schedule = *request.mutable_schedule();
  schedule.set_display_name("each second");
  schedule.set_cron("* * * * * *");
  schedule.set_time_zone("UTC");
  schedule.add_registers("1-0:1.8.0");
  REQUIRE_OK(suite.Call<v1::ScheduleService>(&v1::ScheduleService::Stub::CreateSchedule, request));
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM run WHERE state = 3") >= 3; }));
  CHECK(suite.CountOf("SELECT count(*) - count(DISTINCT fire_time) FROM run") == 0);
  CHECK(suite.CountOf("SELECT count(*) FROM run WHERE fire_time <> date_trunc('second', fire_time)") == 0);
}

TEST_CASE("firings that downtime swallowed are recorded, and the last one is run") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  const std::string schedule = suite.MakeSchedule();
  const std::string id = schedule.substr(schedule.find('/') + 1);
  suite.CountOf(absl::StrCat("WITH changed AS (UPDATE schedule SET cron = '0 * * * * *' WHERE id = '", id,
                             "' RETURNING 1) SELECT count(*) FROM changed"));
  suite.CountOf(
      absl::StrCat("WITH changed AS (UPDATE schedule_due SET next_fire_time = date_trunc('minute', now()) - interval "
                   "'10 minutes' WHERE schedule = '",
                   id, "' RETURNING 1) SELECT count(*) FROM changed"));
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM run") == 1; }, absl::Seconds(15)));
  CHECK(suite.CountOf("SELECT firings FROM missed_firing") >= 10);
  CHECK(suite.CountOf("SELECT count(*) FROM run WHERE fire_time > now() - interval '65 seconds'") == 1);
}

TEST_CASE("cancelling a run leaves no item without its final state") {
  Suite suite;
  suite.AddMeters(1, 1, 200);
  suite.field.Hold(true);
  const std::string run = suite.RunNow(suite.MakeSchedule());
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item WHERE lease <> 0") == 64; }));
  v1::CancelRunRequest request;
  request.set_request_id(NewRequestId());
  request.set_name(run);
  const auto cancelled = suite.Call<v1::ScheduleService>(&v1::ScheduleService::Stub::CancelRun, request);
  REQUIRE_OK(cancelled);
  CHECK(cancelled->items_cancelled() == 136);
  suite.field.Hold(false);
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item_end") == 200; }));
  const v1::Run over = suite.GetRun(run);
  CHECK(over.state() == v1::Run::STATE_CANCELLED);
  CHECK(over.items_stored() == 64);
  CHECK(over.has_end_time());
  // The same request again gets the first answer.
  const auto again = suite.Call<v1::ScheduleService>(&v1::ScheduleService::Stub::CancelRun, request);
  REQUIRE_OK(again);
  CHECK(again->items_cancelled() == 136);
}

TEST_CASE("a meter that is archived between planning and claim fails with that reason") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  REQUIRE(suite.redis->Call({"DEL", "session:{VW-t1-0}:1"}).ok());
  const std::string run = suite.RunNow(suite.MakeSchedule(1, absl::Seconds(20)));
  REQUIRE(Eventually([&] { return suite.CountOf("SELECT count(*) FROM run_item WHERE reason = 'OFFLINE'") == 2; }));
  suite.CountOf(
      "WITH gone AS (UPDATE meter SET archived = true WHERE id = 'm0' RETURNING 1) SELECT count(*) FROM gone");
  REQUIRE(suite.redis->Call({"SET", "session:{VW-t1-0}:1", "pod-1 1.2 1"}).ok());
  REQUIRE(Eventually([&] { return suite.IsOver(run); }, absl::Seconds(25)));
  CHECK(ItemOf(suite, run, Suite::Meter(0)).reason() == "METER_ARCHIVED");
  CHECK(ItemOf(suite, run, Suite::Meter(1)).state() == v1::RunItem::STATE_STORED);
}

TEST_CASE("what one tenant has another does not see") {
  Suite suite;
  suite.AddMeters(1, 1, 2);
  const std::string schedule = suite.MakeSchedule();
  const std::string run = suite.RunNow(schedule);
  REQUIRE(Eventually([&] { return suite.IsOver(run); }));
  v1::GetRunRequest get;
  get.set_name(run);
  CHECK_REASON(suite.Call<v1::ScheduleService>(&v1::ScheduleService::Stub::GetRun, get, "t2"), "RUN_NOT_FOUND");
  v1::GetScheduleRequest get_schedule;
  get_schedule.set_name(schedule);
  CHECK_REASON(suite.Call<v1::ScheduleService>(&v1::ScheduleService::Stub::GetSchedule, get_schedule, "t2"),
               "SCHEDULE_NOT_FOUND");
  const auto latest = suite.Call<v1::ReadingService>(&v1::ReadingService::Stub::GetLatestReadings,
                                                     v1::GetLatestReadingsRequest(), "t2");
  REQUIRE_OK(latest);
  CHECK(latest->readings_size() == 0);
}

}  // namespace voltwell::scheduler::testing
