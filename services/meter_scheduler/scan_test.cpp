// Searches for the meters of a bus, on a real PostgreSQL and Redis with the real codec.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/directory/directory.h"
#include "libs/directory/route.h"
#include "services/meter_scheduler/store_scans.h"
#include "services/meter_scheduler/testing/suite.h"
#include "services/meter_scheduler/worker_scan.h"

namespace voltwell::scheduler::testing {
namespace {

namespace v1 = voltwell::scheduler::v1;
using ::voltwell::testing::Eventually;
using Stub = v1::OperationService::Stub;

constexpr char kCollector[] = "collectors/c-t1-0";

// Adds it to what the registry knows, with two buses and a session on each.
void AddCollector(Suite& suite, const std::string& name, const std::string& id, const std::string& tenant = "t1") {
  voltwell::registry::v1::Collector& collector = suite.registry.collectors[name];
  collector.set_name(name);
  collector.set_tenant(tenant);
  collector.set_registration_id(id);
  collector.set_site_path("/s0/");
  for (int bus = 1; bus <= 2; ++bus) {
    collector.add_buses()->set_number(bus);
    REQUIRE(suite.redis
                ->Call({"SET", directory::SessionKey(id, bus),
                        directory::EncodeRoute({.pod = "pod-1", .generation = 1, .counter = 1, .since_ms = 1})})
                .ok());
  }
}

v1::ScanBusRequest Asked(const std::string& collector = kCollector, int bus = 1) {
  v1::ScanBusRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_scan()->set_collector(collector);
  request.mutable_scan()->set_bus(bus);
  request.mutable_scan()->add_protocols(voltwell::codec::v1::PROTOCOL_DLT645_2007);
  return request;
}

v1::Scan Get(Suite& suite, const std::string& name) {
  v1::GetScanRequest request;
  request.set_name(name);
  const auto scan = suite.Call<v1::OperationService>(&Stub::GetScan, request);
  REQUIRE_OK(scan);
  return *scan;
}

v1::Scan WhenOver(Suite& suite, const std::string& name) {
  REQUIRE(Eventually([&] { return Get(suite, name).state() != v1::Scan::STATE_RUNNING; }, absl::Seconds(60)));
  return Get(suite, name);
}

absl::StatusOr<v1::Scan> Cancel(Suite& suite, const std::string& name) {
  v1::CancelScanRequest request;
  request.set_request_id(NewRequestId());
  request.set_name(name);
  return suite.Call<v1::OperationService>(&Stub::CancelScan, request);
}

}  // namespace

TEST_CASE("a bus is searched behind all other work, and what hangs on it is told with the register's meters") {
  Suite suite(true);
  suite.AddMeters(1, 2, 1);  // Meter 0 is on bus 1.
  AddCollector(suite, kCollector, "VW-t1-0");
  for (const char* const address : {"000000000001", "000000000201", "202411110002"}) {
    suite.field.PutOnLine("VW-t1-0", 1, address);
  }
  const auto begun = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(begun);
  CHECK(begun->state() == v1::Scan::STATE_RUNNING);
  CHECK(begun->pattern() == "AAAAAAAAAAAA");
  const v1::Scan over = WhenOver(suite, begun->name());
  CHECK(over.state() == v1::Scan::STATE_DONE);
  CHECK(over.done_per_mille() == 1000);
  CHECK(over.meters_found() == 3);
  REQUIRE(over.meters_size() == 3);
  CHECK(over.meters(0).address() == "000000000001");
  CHECK(over.meters(0).meter() == Suite::Meter(0));
  CHECK(over.meters(0).protocol() == "DLT645_2007");
  CHECK(over.meters(1).address() == "000000000201");
  CHECK(over.meters(1).meter().empty());
  CHECK(over.meters(1).medium() == "ELECTRICITY");
  const auto searched = suite.field.searched();
  REQUIRE(searched.size() == 1);
  CHECK(searched.at(voltwell::gateway::v1::PRIORITY_BACKFILL) == over.questions());
  CHECK(suite.CountOf("SELECT count(*) FROM scan_work") == 0);
  CHECK(suite.CountOf("SELECT count(*) FROM event WHERE type IN ('scan.created', 'scan.ended')") == 2);

  v1::ListScansRequest list;
  list.set_collector(kCollector);
  const auto scans = suite.Call<v1::OperationService>(&Stub::ListScans, list);
  REQUIRE_OK(scans);
  REQUIRE(scans->scans_size() == 1);
  CHECK(scans->scans(0).meters_found() == 3);
}

TEST_CASE("a search whose process dies is gone on with by another one, without asking all again") {
  Suite suite(true);
  AddCollector(suite, kCollector, "VW-t1-0");
  for (int i = 0; i < 20; ++i) suite.field.PutOnLine("VW-t1-0", 1, absl::StrFormat("%012d", 1000 + 37 * i));
  const auto begun = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(begun);
  REQUIRE(Eventually([&] { return Get(suite, begun->name()).questions() > 20; }));
  // As after a kill: nothing of it is given back, and the lease runs out.
  suite.field.Hold(true);
  REQUIRE(Eventually([&] { return suite.field.searched().at(1) >= Get(suite, begun->name()).questions(); }));
  suite.Do("UPDATE scan_work SET lease = 999999");
  suite.AddReplica();
  suite.field.Hold(false);
  const v1::Scan over = WhenOver(suite, begun->name());
  CHECK(over.state() == v1::Scan::STATE_DONE);
  CHECK(over.meters_found() == 20);
  CHECK(suite.field.searched().at(1) <= over.questions() + 2);
}

TEST_CASE("a search waits for its collector and says so, and a cancelled one asks no more") {
  Suite suite(true);
  AddCollector(suite, kCollector, "VW-t1-0");
  suite.field.PutOnLine("VW-t1-0", 1, "000000000017");
  suite.field.SetLinesOffline(true);
  const auto begun = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(begun);
  REQUIRE(Eventually([&] { return Get(suite, begun->name()).reason() == "OFFLINE"; }));
  CHECK(Get(suite, begun->name()).state() == v1::Scan::STATE_RUNNING);
  suite.field.SetLinesOffline(false);
  const v1::Scan over = WhenOver(suite, begun->name());
  CHECK(over.meters_found() == 1);
  CHECK(over.reason().empty());

  suite.field.Hold(true);
  const auto second = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(second);
  const auto cancelled = Cancel(suite, second->name());
  REQUIRE_OK(cancelled);
  CHECK(cancelled->state() == v1::Scan::STATE_CANCELLED);
  const auto before = suite.field.searched();
  suite.field.Hold(false);
  // The bus is free for the next search, and what is over stays as it is.
  const auto third = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(third);
  CHECK(WhenOver(suite, third->name()).state() == v1::Scan::STATE_DONE);
  CHECK(Get(suite, second->name()).state() == v1::Scan::STATE_CANCELLED);
  CHECK(Cancel(suite, third->name())->state() == v1::Scan::STATE_DONE);
  CHECK(suite.field.searched().at(1) <= before.at(1) + 1 + 2);
}

TEST_CASE("a search whose time is over or whose questions are spent fails with its reason") {
  Suite suite(true);
  AddCollector(suite, kCollector, "VW-t1-0");
  suite.field.SetLinesOffline(true);
  const auto late = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(late);
  suite.Do("UPDATE scan SET give_up_time = now()");
  CHECK(WhenOver(suite, late->name()).reason() == "OFFLINE");

  const auto spent = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked(kCollector, 2));
  REQUIRE_OK(spent);
  suite.Do(absl::StrCat("UPDATE scan SET questions = ", kScanQuestionsMax));
  suite.field.SetLinesOffline(false);
  const v1::Scan over = WhenOver(suite, spent->name());
  CHECK(over.state() == v1::Scan::STATE_FAILED);
  CHECK(over.reason() == "SCAN_TOO_LONG");
}

TEST_CASE("searches are limited by bus and by tenant, and refused by name where there is nothing to search") {
  Suite suite(true);
  suite.field.Hold(true);
  std::vector<std::string> names;
  for (int i = 0; i <= kScansOfTenantMax / 2; ++i) {
    names.push_back(absl::StrCat("collectors/c", i));
    AddCollector(suite, names.back(), absl::StrCat("VW-", i));
  }
  AddCollector(suite, "collectors/theirs", "VW-theirs", "t2");
  const auto reason = [&](const v1::ScanBusRequest& request) {
    return base::ReasonOf(suite.Call<v1::OperationService>(&Stub::ScanBus, request).status());
  };
  for (int i = 0; i < kScansOfTenantMax; ++i) {
    const v1::ScanBusRequest request = Asked(names[static_cast<size_t>(i / 2)], 1 + i % 2);
    REQUIRE_OK(suite.Call<v1::OperationService>(&Stub::ScanBus, request));
    // Twice is once.
    CHECK(reason(request).empty());
    if (i + 1 < kScansOfTenantMax)
      CHECK(reason(Asked(names[static_cast<size_t>(i / 2)], 1 + i % 2)) == "SCAN_UNDER_WAY");
  }
  CHECK(reason(Asked(names.back(), 1)) == "TOO_MANY_SCANS");
  CHECK(reason(Asked("collectors/theirs")) == "COLLECTOR_NOT_FOUND");
  CHECK(reason(Asked("collectors/none")) == "COLLECTOR_NOT_FOUND");
  CHECK(reason(Asked("meters/none")) == "BAD_NAME");
  CHECK(reason(Asked(names[0], 3)) == "BUS_NOT_FOUND");
  v1::ScanBusRequest slow = Asked(names.back());
  slow.mutable_scan()->mutable_patience()->set_seconds(11);
  CHECK(reason(slow) == "BAD_PATIENCE");
  v1::GetScanRequest none;
  none.set_name("scans/4711");
  CHECK(base::ReasonOf(suite.Call<v1::OperationService>(&Stub::GetScan, none).status()) == "SCAN_NOT_FOUND");
  suite.permissions = {"operation.*"};
  CHECK(reason(Asked(names.back(), 2)) == "NOT_PERMITTED");
}

TEST_CASE("a search that finds more than a line holds ends with its reason, and what it found is told") {
  Suite suite(true);
  AddCollector(suite, kCollector, "VW-t1-0");
  suite.field.PutOnLine("VW-t1-0", 1, "000000000017");
  suite.field.SetLinesOffline(true);
  const auto begun = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(begun);
  suite.Do(absl::StrCat(
      "INSERT INTO scan_meter SELECT s.number, s.tenant, 4, 'x' || n, false, '{}', '', '', NULL, now() FROM scan s, "
      "generate_series(2, ",
      kScanMetersMax, ") n"));
  suite.field.SetLinesOffline(false);
  const v1::Scan over = WhenOver(suite, begun->name());
  CHECK(over.reason() == "TOO_MANY_METERS");
  CHECK(over.meters_found() == kScanMetersMax);
}

TEST_CASE("the last searches are kept") {
  Suite suite(true);
  AddCollector(suite, kCollector, "VW-t1-0");
  const auto first = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(first);
  WhenOver(suite, first->name());
  suite.Do(absl::StrCat(
      "INSERT INTO scan SELECT nextval('origin_number'), tenant, collector, bus, registration_id, site_path, baud, "
      "protocols, patience_ms, thorough, without_primary, state, reason, position, done_per_mille, protocol, pattern, "
      "questions, failures, author, create_time, end_time, give_up_time FROM scan, generate_series(1, ",
      kScansKeptMax, ")"));
  REQUIRE_OK(suite.Call<v1::OperationService>(&Stub::ScanBus, Asked()));
  CHECK(suite.CountOf("SELECT count(*) FROM scan") == kScansKeptMax);
}

TEST_CASE("a search belongs to its collector's site: others neither begin, see nor end it") {
  Suite suite(true);
  AddCollector(suite, kCollector, "VW-t1-0");  // At /s0/.
  suite.site_scope = {"/s1/"};
  CHECK(base::ReasonOf(suite.Call<v1::OperationService>(&Stub::ScanBus, Asked()).status()) == "OUT_OF_SCOPE");
  suite.site_scope = {"/s0/"};
  const auto begun = suite.Call<v1::OperationService>(&Stub::ScanBus, Asked());
  REQUIRE_OK(begun);
  CHECK(suite.Call<v1::OperationService>(&Stub::ListScans, v1::ListScansRequest())->scans_size() == 1);
  suite.site_scope = {"/s1/"};
  v1::GetScanRequest get;
  get.set_name(begun->name());
  CHECK(base::ReasonOf(suite.Call<v1::OperationService>(&Stub::GetScan, get).status()) == "OUT_OF_SCOPE");
  CHECK(base::ReasonOf(Cancel(suite, begun->name()).status()) == "OUT_OF_SCOPE");
  CHECK(suite.Call<v1::OperationService>(&Stub::ListScans, v1::ListScansRequest())->scans_size() == 0);
}

}  // namespace voltwell::scheduler::testing
