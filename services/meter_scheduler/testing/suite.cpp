#include "services/meter_scheduler/testing/suite.h"

#include <atomic>
#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "libs/base/check.h"
#include "libs/directory/directory.h"
#include "libs/directory/route.h"

namespace voltwell::scheduler::testing {

namespace v1 = voltwell::scheduler::v1;
using ::voltwell::testing::SharedPostgres;

namespace {

rpc::ServerConfig AnyPort() {
  rpc::ServerConfig config;
  config.port = 0;
  config.metrics_port = 0;
  config.drain = absl::Seconds(1);
  return config;
}

}  // namespace

std::string NewRequestId() {
  static std::atomic<int> next = 0;
  return absl::StrCat("request-", ++next);
}

Replica::Replica(const std::string& name, const pg::Config& pg_config, const redis::Config& redis_config,
                 const std::string& codec_address, const std::string& registry_address, const rpc::TestTrust& trust,
                 os::Clock& clock)
    : issuer("meter_scheduler", trust.Key("meter_scheduler"), clock),
      verifier("meter_scheduler", trust.directory(), clock, metrics),
      door("meter_scheduler", verifier, clock, metrics),
      pool(pg_config, clock, metrics),
      redis(redis_config, metrics),
      clients(codec_address, registry_address, issuer, clock, metrics),
      router(redis, clock),
      security({std::string("\x02\x00\x00\x00", 4), std::string(4, '\0')}),
      meters(pool),
      registers(pool),
      plans(pool, clock, cron.ForPlans()),
      catalog(clients, registers, clock),
      finder(clients, meters, clock),
      schedules(door, pool, plans, cron, catalog, clock, random),
      operations(door, pool, finder, catalog, registers, waiters, clients, clock),
      relays(door, pool, finder, clock, random),
      readings(door, pool, finder, registers, clock),
      line(door, clients, router, clock),
      workers({.pool = pool,
               .pg = pg_config,
               .sql_directory = VOLTWELL_SCHEDULER_SQL_DIR,
               .replica = name,
               .drain = absl::Seconds(1),
               .keep_bytes = true,
               .meter_zone = absl::UTCTimeZone(),
               .clients = clients,
               .redis = redis,
               .router = router,
               .meters = meters,
               .registers = registers,
               .plans = plans,
               .security = security,
               .waiters = waiters,
               .clock = clock,
               .random = random,
               .metrics = metrics}),
      server(AnyPort(), "meter_scheduler", metrics) {
  server.Add(schedules).Add(operations).Add(relays).Add(readings).Add(line);
  VW_CHECK(server.Start());
  VW_CHECK(::voltwell::testing::Eventually([&] { return workers.started(); }, absl::Seconds(30)));
}

Replica::~Replica() {
  server.Stop();
  workers.Drain();
}

std::string Replica::address() const { return absl::StrCat("127.0.0.1:", server.port()); }

double Replica::Count(const std::string& metric) const {
  for (const absl::string_view row : absl::StrSplit(metrics.Text(), '\n')) {
    const std::vector<std::string> parts = absl::StrSplit(row, absl::MaxSplits("} ", 1));
    const std::string name = parts.size() == 2 ? parts[0] + "}" : std::string(row.substr(0, row.find(' ')));
    if (name != metric) continue;
    double value = 0;
    VW_CHECK(absl::SimpleAtod(row.substr(row.rfind(' ') + 1), &value));
    return value;
  }
  return 0;
}

grpc::Status FakeRegistry::GetCollector(grpc::ServerContext*,
                                        const voltwell::registry::v1::GetCollectorRequest* request,
                                        voltwell::registry::v1::Collector* response) {
  const auto found = collectors.find(request->name());
  if (found == collectors.end()) return {grpc::StatusCode::NOT_FOUND, "no such collector"};
  *response = found->second;
  return grpc::Status::OK;
}

Suite::Suite(bool with_registry) : field("pod-1"), operator_("api_gateway", trust.Key("api_gateway"), clock) {
  schema = ::voltwell::testing::NewSchema();
  redis = std::make_unique<redis::Client>(redis_server.config(), metrics);
  trust.Key("meter_scheduler");
  codec_verifier_ = std::make_unique<rpc::TokenVerifier>("protocol_codec", trust.directory(), clock, metrics);
  codec_door_ = std::make_unique<rpc::Door>("protocol_codec", *codec_verifier_, clock, metrics);
  codec_ = std::make_unique<codec_service::CodecService>(*codec_door_, metrics, voltwell::codec::ProfileBook());
  codec_server_ = std::make_unique<rpc::Server>(AnyPort(), "protocol_codec", metrics);
  codec_server_->Add(*codec_);
  VW_CHECK(codec_server_->Start());
  field_server_ = std::make_unique<rpc::Server>(AnyPort(), "collector_gateway", metrics);
  field_server_->Add(field);
  VW_CHECK(field_server_->Start());
  VW_CHECK(
      redis->Call({"SET", directory::GatewayKey("pod-1"), absl::StrCat("127.0.0.1:", field_server_->port())}).ok());
  if (with_registry) {
    registry_server_ = std::make_unique<rpc::Server>(AnyPort(), "registry", metrics);
    registry_server_->Add(registry);
    VW_CHECK(registry_server_->Start());
  }
  AddReplica();
}

Suite::~Suite() {
  field.Hold(false);
  replicas.clear();
  field_server_->Stop();
  if (registry_server_ != nullptr) registry_server_->Stop();
  codec_server_->Stop();
}

void Suite::AddReplica() {
  replicas.push_back(std::make_unique<Replica>(
      absl::StrCat("replica-", replicas.size()), SharedPostgres().config(schema), redis_server.config(),
      absl::StrCat("127.0.0.1:", codec_server_->port()),
      absl::StrCat("127.0.0.1:", registry_server_ == nullptr ? 1 : registry_server_->port()), trust, clock));
}

std::shared_ptr<grpc::Channel> Suite::channel() {
  return grpc::CreateChannel(replicas.front()->address(), grpc::InsecureChannelCredentials());
}

std::string Suite::Address(int number) { return absl::StrFormat("%012d", number + 1); }
std::string Suite::Meter(int number) { return absl::StrCat("meters/m", number); }

void Suite::AddMeters(int collectors, int buses, int meters_per_bus, const std::string& tenant) {
  std::vector<voltwell::registry::v1::Meter> meters;
  std::vector<redis::Command> sessions;
  int number = 0;
  for (int collector = 0; collector < collectors; ++collector) {
    for (int bus = 1; bus <= buses; ++bus) {
      const std::string id = absl::StrCat("VW-", tenant, "-", collector);
      sessions.push_back({"SET", directory::SessionKey(id, bus),
                          directory::EncodeRoute({.pod = "pod-1", .generation = 1, .counter = 1, .since_ms = 1})});
      for (int i = 0; i < meters_per_bus; ++i, ++number) {
        voltwell::registry::v1::Meter& meter = meters.emplace_back();
        meter.set_name(tenant == "t1" ? Meter(number) : absl::StrCat("meters/", tenant, "-", number));
        meter.set_tenant(tenant);
        meter.set_site_path(absl::StrCat("/s", collector, "/"));
        meter.set_collector(absl::StrCat("collectors/c-", tenant, "-", collector));
        meter.set_collector_registration_id(id);
        meter.set_bus(bus);
        meter.set_baud(2400);
        meter.set_address(Address(number));
        meter.set_protocol("DLT645_2007");
        meter.set_revision(1);
        field.Put(meter.address(), {.bcd = absl::StrFormat("%08d", 100000 + number)});
      }
    }
  }
  REQUIRE(redis->Pipeline(sessions).ok());
  REQUIRE_OK(replicas.front()->meters.UpsertMany(meters));
}

std::string Suite::MakeSchedule(int max_attempts, absl::Duration window) {
  v1::CreateScheduleRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_schedule()->set_display_name("energy");
  request.mutable_schedule()->set_cron("0 0 0 1 1 *");
  request.mutable_schedule()->set_time_zone("Asia/Shanghai");
  request.mutable_schedule()->add_registers("1-0:1.8.0");
  request.mutable_schedule()->set_max_attempts(max_attempts);
  request.mutable_schedule()->mutable_window()->set_seconds(absl::ToInt64Seconds(window));
  const auto schedule = Call<v1::ScheduleService>(&v1::ScheduleService::Stub::CreateSchedule, request);
  REQUIRE_OK(schedule);
  return schedule->name();
}

std::string Suite::RunNow(const std::string& schedule) {
  v1::RunScheduleRequest request;
  request.set_request_id(NewRequestId());
  request.set_name(schedule);
  const auto run = Call<v1::ScheduleService>(&v1::ScheduleService::Stub::RunSchedule, request);
  REQUIRE_OK(run);
  return run->name();
}

v1::Run Suite::GetRun(const std::string& run) {
  v1::GetRunRequest request;
  request.set_name(run);
  const auto found = Call<v1::ScheduleService>(&v1::ScheduleService::Stub::GetRun, request);
  REQUIRE_OK(found);
  return *found;
}

bool Suite::IsOver(const std::string& run) { return GetRun(run).state() == v1::Run::STATE_DONE; }

void Suite::Do(const std::string& sql) {
  pg::Config config = SharedPostgres().config(schema);
  config.url = SharedPostgres().superuser_url();
  config.pool_size = 1;
  pg::Pool pool(config, clock, metrics);
  REQUIRE_OK(pool.Transact({.name = "test.do"}, [&](pg::Tx& tx) {
    return tx.Execute({"test.do", sql.c_str()}).status();
  }));
}

int64_t Suite::CountOf(const std::string& sql) {
  pg::Config config = SharedPostgres().config(schema);
  config.url = SharedPostgres().superuser_url();  // Row-level security does not hold for it.
  config.pool_size = 1;
  pg::Pool pool(config, clock, metrics);
  int64_t value = 0;
  const std::string name = absl::StrCat("test.count.", sql);
  REQUIRE_OK(pool.Transact({.name = "test.count"}, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute({name.c_str(), sql.c_str()}));
    value = rows.Int(0, 0);
    return absl::OkStatus();
  }));
  return value;
}

}  // namespace voltwell::scheduler::testing
