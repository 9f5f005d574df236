// Sites, collectors and meters over real gRPC, PostgreSQL and Redis.
#include <catch2/catch.hpp>

#include "services/registry/test_world.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

struct Building {
  TestWorld& world;
  v1::Site site;
  v1::Collector collector;

  explicit Building(TestWorld& the_world, const std::string& tenant = "demo", const std::string& id = "VW-0001")
      : world(the_world) {
    const auto made = world.MakeSite("1栋", "", tenant);
    REQUIRE_OK(made);
    site = *made;
    const auto box = world.MakeCollector(id, site.name(), 2, tenant);
    REQUIRE_OK(box);
    collector = *box;
  }
};

template <typename Request>
Request Named(TestWorld& world, const std::string& name) {
  Request request;
  request.set_request_id(world.NextId());
  request.set_name(name);
  return request;
}

TEST_CASE("a meter is found with where it hangs, and told to others") {
  TestWorld world;
  REQUIRE(world.Serves());
  Building building(world);
  auto request = world.MeterRequest("260300000001", building.site.name(), building.collector.name());
  request.mutable_meter()->set_bus(2);
  const auto made = world.Call<v1::MeterService>(&v1::MeterService::Stub::CreateMeter, request);
  REQUIRE_OK(made);
  CHECK(made->site_path() == building.site.path());
  CHECK(made->collector_registration_id() == "VW-0001");
  CHECK(made->baud() == 2400);
  CHECK(made->ratio().value() == "1");
  CHECK(made->revision() == 1);
  v1::GetMeterRequest get;
  get.set_name(made->name());
  const auto got = world.Call<v1::MeterService>(&v1::MeterService::Stub::GetMeter, get);
  REQUIRE_OK(got);
  CHECK(got->DebugString() == made->DebugString());
  CHECK(world.Told() == std::vector<std::string>{"site.created " + building.site.name(),
                                                 "collector.created " + building.collector.name(),
                                                 "meter.created " + made->name()});
}

TEST_CASE("a tenant sees and touches nothing of another") {
  TestWorld world;
  REQUIRE(world.Serves());
  world.MakeTenant("other");
  Building ours(world);
  Building theirs(world, "other", "VW-0002");
  const auto meter = world.MakeMeter("260300000001", theirs.site.name(), theirs.collector.name(), "other");
  REQUIRE_OK(meter);

  v1::GetMeterRequest get;
  get.set_name(meter->name());
  CHECK_REASON(world.Call<v1::MeterService>(&v1::MeterService::Stub::GetMeter, get), "METER_NOT_FOUND");
  CHECK_OK(world.Call<v1::MeterService>(&v1::MeterService::Stub::GetMeter, get, world.Admin("other")));
  CHECK_REASON(world.Call<v1::MeterService>(&v1::MeterService::Stub::DeleteMeter,
                                            Named<v1::DeleteMeterRequest>(world, meter->name())),
               "METER_NOT_FOUND");
  const auto list = world.Call<v1::MeterService>(&v1::MeterService::Stub::ListMeters, v1::ListMetersRequest());
  REQUIRE_OK(list);
  CHECK(list->meters_size() == 0);
  CHECK_REASON(world.MakeMeter("260300000002", ours.site.name(), theirs.collector.name()), "COLLECTOR_NOT_FOUND");
  CHECK_REASON(world.MakeCollector("VW-0003", theirs.site.name()), "SITE_NOT_FOUND");
  CHECK_REASON(world.MakeSite("x", theirs.site.name()), "SITE_NOT_FOUND");
  CHECK_REASON(world.MakeSite("x", "", ""), "TENANT_REQUIRED");
  CHECK_REASON(world.MakeSite("x", "", "*"), "TENANT_REQUIRED");
}

TEST_CASE("row-level security holds also where a query forgets the tenant") {
  TestWorld world;
  REQUIRE(world.Serves());
  Building ours(world);
  static constexpr pg::Query kAll{"test.all", "SELECT count(*) FROM site"};
  const auto seen_as = [&](const std::string& tenant) {
    int64_t rows = -1;
    REQUIRE_OK(world.pool.Transact({.name = "test", .tenant = tenant}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const pg::Result result, tx.Execute(kAll));
      rows = result.Int(0, 0);
      return absl::OkStatus();
    }));
    return rows;
  };
  CHECK(seen_as("demo") == 1);
  CHECK(seen_as("other") == 0);
  CHECK(seen_as("") == 0);
  CHECK(seen_as(kAllTenants) == 1);
}

TEST_CASE("a service that asks for no tenant sees the meters of all, with the cursor of the first page") {
  TestWorld world;
  REQUIRE(world.Serves());
  world.MakeTenant("other");
  Building ours(world);
  Building theirs(world, "other", "VW-0002");
  REQUIRE_OK(world.MakeMeter("260300000001", ours.site.name(), ours.collector.name()));
  REQUIRE_OK(world.MakeMeter("260300000002", theirs.site.name(), theirs.collector.name(), "other"));
  rpc::Client<v1::MeterService> client(
      {.target = absl::StrCat("127.0.0.1:", world.server.port()), .service = "registry"}, world.scheduler, world.clock,
      world.metrics);
  v1::ListMetersRequest request;
  request.set_page_size(1);
  const auto first = client.Call(&v1::MeterService::Stub::ListMeters, request);
  REQUIRE_OK(first);
  REQUIRE(first->meters_size() == 1);
  CHECK(first->cursor().xid() > 0);
  REQUIRE_OK(world.MakeMeter("260300000003", ours.site.name(), ours.collector.name()));
  request.set_page_token(first->next_page_token());
  const auto second = client.Call(&v1::MeterService::Stub::ListMeters, request);
  REQUIRE_OK(second);
  REQUIRE(second->meters_size() == 1);
  CHECK(second->meters(0).tenant() == "other");
  CHECK(second->cursor().DebugString() == first->cursor().DebugString());
}

TEST_CASE("pages hold each meter once, also while meters are added") {
  TestWorld world;
  REQUIRE(world.Serves());
  Building building(world);
  for (int i = 0; i < 7; ++i) {
    REQUIRE_OK(world.MakeMeter(absl::StrCat("26030000000", i), building.site.name(), building.collector.name()));
  }
  std::vector<std::string> seen;
  v1::ListMetersRequest request;
  request.set_page_size(3);
  request.set_site(building.site.name());
  request.set_collector(building.collector.name());
  do {
    const auto page = world.Call<v1::MeterService>(&v1::MeterService::Stub::ListMeters, request);
    REQUIRE_OK(page);
    for (const v1::Meter& meter : page->meters()) seen.push_back(meter.address());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  CHECK(seen == std::vector<std::string>{"260300000000", "260300000001", "260300000002", "260300000003", "260300000004",
                                         "260300000005", "260300000006"});
  request.set_page_token("nonsense");
  CHECK_REASON(world.Call<v1::MeterService>(&v1::MeterService::Stub::ListMeters, request), "BAD_PAGE_TOKEN");
}

TEST_CASE("the same request twice makes one meter; another under its id is refused") {
  TestWorld world;
  REQUIRE(world.Serves());
  Building building(world);
  auto request = world.MeterRequest("260300000001", building.site.name(), building.collector.name());
  const auto first = world.Call<v1::MeterService>(&v1::MeterService::Stub::CreateMeter, request);
  const auto second = world.Call<v1::MeterService>(&v1::MeterService::Stub::CreateMeter, request);
  REQUIRE_OK(first);
  REQUIRE_OK(second);
  CHECK(first->name() == second->name());
  CHECK(first->DebugString() == second->DebugString());
  request.mutable_meter()->set_address("260300000002");
  CHECK_REASON(world.Call<v1::MeterService>(&v1::MeterService::Stub::CreateMeter, request), "REQUEST_ID_REUSED");
  request.set_request_id("");
  CHECK_REASON(world.Call<v1::MeterService>(&v1::MeterService::Stub::CreateMeter, request), "BAD_REQUEST_ID");
  CHECK(world.Told().size() == 3);
}

TEST_CASE("an address is taken once a bus, an id once an installation") {
  TestWorld world;
  REQUIRE(world.Serves());
  world.MakeTenant("other");
  Building building(world);
  REQUIRE_OK(world.MakeMeter("260300000001", building.site.name(), building.collector.name()));
  CHECK_REASON(world.MakeMeter("260300000001", building.site.name(), building.collector.name()), "METER_ADDRESS_TAKEN");
  CHECK_REASON(world.MakeCollector("VW-0001", building.site.name()), "REGISTRATION_ID_TAKEN");
  CHECK_REASON(world.MakeCollector("VW-0001/2", building.site.name()), "REGISTRATION_ID_TAKEN");
  const auto their_site = world.MakeSite("x", "", "other");
  REQUIRE_OK(their_site);
  CHECK_REASON(world.MakeCollector("VW-0001", their_site->name(), 1, "other"), "REGISTRATION_ID_TAKEN");
}

TEST_CASE("an update changes what its mask names") {
  TestWorld world;
  REQUIRE(world.Serves());
  Building building(world);
  const auto meter = world.MakeMeter("260300000001", building.site.name(), building.collector.name());
  REQUIRE_OK(meter);
  v1::UpdateMeterRequest request;
  request.set_request_id(world.NextId());
  request.mutable_meter()->set_name(meter->name());
  request.mutable_meter()->set_display_name("1-2-301");
  request.mutable_meter()->mutable_ratio()->set_value("40");
  request.mutable_update_mask()->add_paths("ratio");
  const auto updated = world.Call<v1::MeterService>(&v1::MeterService::Stub::UpdateMeter, request);
  REQUIRE_OK(updated);
  CHECK(updated->ratio().value() == "40");
  CHECK(updated->display_name() == "260300000001");
  CHECK(updated->revision() == 2);
  request.set_request_id(world.NextId());
  request.mutable_update_mask()->add_paths("revision");
  const auto refused = world.Call<v1::MeterService>(&v1::MeterService::Stub::UpdateMeter, request);
  CHECK_REASON(refused, "BAD_UPDATE_MASK");
  CHECK(base::MetadataOf(refused.status())["field"] == "revision");
}

TEST_CASE("what is still used is not deleted, and what is deleted is gone from lists") {
  TestWorld world;
  REQUIRE(world.Serves());
  Building building(world);
  const auto meter = world.MakeMeter("260300000001", building.site.name(), building.collector.name());
  REQUIRE_OK(meter);
  const auto delete_site = [&] {
    return world.Call<v1::SiteService>(&v1::SiteService::Stub::DeleteSite,
                                       Named<v1::DeleteSiteRequest>(world, building.site.name()));
  };
  const auto delete_collector = [&] {
    return world.Call<v1::CollectorService>(&v1::CollectorService::Stub::DeleteCollector,
                                            Named<v1::DeleteCollectorRequest>(world, building.collector.name()));
  };
  CHECK_REASON(delete_site(), "SITE_IN_USE");
  CHECK_REASON(delete_collector(), "COLLECTOR_IN_USE");
  REQUIRE_OK(world.Call<v1::MeterService>(&v1::MeterService::Stub::DeleteMeter,
                                          Named<v1::DeleteMeterRequest>(world, meter->name())));
  REQUIRE_OK(delete_collector());
  REQUIRE_OK(delete_site());
  const auto list =
      world.Call<v1::CollectorService>(&v1::CollectorService::Stub::ListCollectors, v1::ListCollectorsRequest());
  REQUIRE_OK(list);
  CHECK(list->collectors_size() == 0);
  CHECK_REASON(delete_site(), "SITE_NOT_FOUND");
  // Its id is free again.
  const auto site = world.MakeSite("2栋");
  REQUIRE_OK(site);
  CHECK_OK(world.MakeCollector("VW-0001", site->name()));
}

TEST_CASE("a bus with meters cannot go; its speed can change") {
  TestWorld world;
  REQUIRE(world.Serves());
  Building building(world);
  REQUIRE_OK(world.MakeMeter("260300000001", building.site.name(), building.collector.name()));
  v1::UpdateCollectorRequest request;
  request.set_request_id(world.NextId());
  request.mutable_collector()->set_name(building.collector.name());
  request.mutable_collector()->add_buses()->set_number(2);
  request.mutable_update_mask()->add_paths("buses");
  CHECK_REASON(world.Call<v1::CollectorService>(&v1::CollectorService::Stub::UpdateCollector, request), "BUS_IN_USE");
  request.mutable_collector()->mutable_buses(0)->set_number(1);
  request.mutable_collector()->mutable_buses(0)->set_baud(9600);
  const auto updated = world.Call<v1::CollectorService>(&v1::CollectorService::Stub::UpdateCollector, request);
  REQUIRE_OK(updated);
  CHECK(updated->buses_size() == 1);
  CHECK(updated->display_name() == "VW-0001");
  REQUIRE(testing::Eventually([&] { return world.Entry("VW-0001").value_or(directory::Entry{}).baud == 9600; }));
  CHECK_FALSE(world.Entry("VW-0001/2").has_value());
}

TEST_CASE("ports of buses and a dial target come back and stand in the directory; only the platform's operator dials") {
  TestWorld world;
  REQUIRE(world.Serves());
  const auto site = world.MakeSite("1栋");
  REQUIRE_OK(site);
  v1::CreateCollectorRequest request;
  request.set_request_id(world.NextId());
  v1::Collector& wanted = *request.mutable_collector();
  wanted.set_registration_id("VW-MOXA");
  wanted.set_display_name("serial server");
  wanted.set_site(site->name());
  wanted.set_dial_target("10.20.0.7:4001");
  for (const int port : {0, 7}) {
    v1::Bus& bus = *wanted.add_buses();
    bus.set_number(wanted.buses_size());
    bus.set_port(port);
  }
  rpc::Identity operator_of_tenant = world.Admin();
  operator_of_tenant.permissions = {"collector.write", "collector.read"};
  const auto create = &v1::CollectorService::Stub::CreateCollector;
  CHECK_REASON(world.Call<v1::CollectorService>(create, request, operator_of_tenant), "NOT_PERMITTED");
  const auto made = world.Call<v1::CollectorService>(create, request);
  REQUIRE_OK(made);
  CHECK(made->dial_target() == "10.20.0.7:4001");
  REQUIRE(made->buses_size() == 2);
  CHECK(made->buses(0).has_port());
  CHECK(made->buses(0).port() == 0);
  CHECK(made->buses(1).port() == 7);
  REQUIRE(testing::Eventually([&] { return world.Entry("VW-MOXA/2").has_value(); }));
  CHECK(world.Entry("VW-MOXA")->port == 0);
  CHECK(world.Entry("VW-MOXA/2")->port == 7);
  CHECK(world.Entry("VW-MOXA/2")->dial_target == "10.20.0.7:4001");

  v1::UpdateCollectorRequest change;
  change.set_request_id(world.NextId());
  *change.mutable_collector() = *made;
  change.mutable_collector()->set_dial_target("10.20.0.8:4001");
  change.mutable_update_mask()->add_paths("dial_target");
  const auto update = &v1::CollectorService::Stub::UpdateCollector;
  CHECK_REASON(world.Call<v1::CollectorService>(update, change, operator_of_tenant), "NOT_PERMITTED");
  // To let it dial us again, or to rename it, needs no such permission.
  change.mutable_collector()->clear_dial_target();
  const auto changed = world.Call<v1::CollectorService>(update, change, operator_of_tenant);
  REQUIRE_OK(changed);
  CHECK(changed->dial_target().empty());
  CHECK(changed->buses(1).port() == 7);
}

TEST_CASE("who is limited to a site sees and touches only what is below it") {
  TestWorld world;
  REQUIRE(world.Serves());
  Building building(world);
  const auto floor = world.MakeSite("3F", building.site.name());
  REQUIRE_OK(floor);
  REQUIRE_OK(world.MakeMeter("260300000001", building.site.name(), building.collector.name()));
  REQUIRE_OK(world.MakeMeter("260300000002", floor->name(), building.collector.name()));
  rpc::Identity caretaker = world.Admin();
  caretaker.site_scope = {floor->path()};
  const auto meters =
      world.Call<v1::MeterService>(&v1::MeterService::Stub::ListMeters, v1::ListMetersRequest(), caretaker);
  REQUIRE_OK(meters);
  REQUIRE(meters->meters_size() == 1);
  CHECK(meters->meters(0).address() == "260300000002");
  const auto elsewhere = world.MeterRequest("260300000003", building.site.name(), building.collector.name());
  CHECK_REASON(world.Call<v1::MeterService>(&v1::MeterService::Stub::CreateMeter, elsewhere, caretaker),
               "SITE_NOT_FOUND");
  v1::CreateSiteRequest root;
  root.set_request_id(world.NextId());
  root.mutable_site()->set_display_name("x");
  root.mutable_site()->set_kind(v1::Site::KIND_BUILDING);
  CHECK_REASON(world.Call<v1::SiteService>(&v1::SiteService::Stub::CreateSite, root, caretaker), "OUT_OF_SCOPE");
}

}  // namespace
}  // namespace voltwell::registry
