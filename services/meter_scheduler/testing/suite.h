// For tests: a whole scheduler on a real PostgreSQL and Redis, with the real codec and a fake field behind it. The
// registry is not there, or knows collectors only: meters are put into the projection.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/events/events.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/rpc/server.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/eventually.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_postgres.h"
#include "libs/testing/temp_redis.h"
#include "services/meter_scheduler/scheduler.h"
#include "services/meter_scheduler/service_line.h"
#include "services/meter_scheduler/service_operation.h"
#include "services/meter_scheduler/service_reading.h"
#include "services/meter_scheduler/service_relay.h"
#include "services/meter_scheduler/service_schedule.h"
#include "services/meter_scheduler/testing/fake_field.h"
#include "services/protocol_codec/service.h"

namespace voltwell::scheduler::testing {

// One scheduler process's parts, in this process.
class Replica {
 public:
  Replica(const std::string& name, const pg::Config& pg, const redis::Config& redis, const std::string& codec,
          const std::string& registry, const rpc::TestTrust& trust, os::Clock& clock);
  ~Replica();

  std::string address() const;
  double Count(const std::string& metric) const;  // As /metrics shows it; 0 when absent.

  metrics::Registry metrics;
  os::SystemRandom random;
  rpc::TokenIssuer issuer;
  rpc::TokenVerifier verifier;
  rpc::Door door;
  pg::Pool pool;
  redis::Client redis;
  Clients clients;
  Router router;
  PasswordModule security;
  CronBook cron;
  MeterStore meters;
  RegisterStore registers;
  PlanStore plans;
  RegisterCatalog catalog;
  MeterFinder finder;
  OperationWaiters waiters;
  ScheduleService schedules;
  OperationService operations;
  RelayService relays;
  ReadingService readings;
  LineService line;
  Scheduler workers;
  rpc::Server server;
};

// Knows the collectors that it was told of.
class FakeRegistry final : public voltwell::registry::v1::CollectorService::Service {
 public:
  grpc::Status GetCollector(grpc::ServerContext*, const voltwell::registry::v1::GetCollectorRequest* request,
                            voltwell::registry::v1::Collector* response) override;
  std::map<std::string, voltwell::registry::v1::Collector> collectors;  // By name; before the first call.
};

class Suite {
 public:
  explicit Suite(bool with_registry = false);
  ~Suite();

  // Meters on buses of collectors, all with a session on the fake gateway, and with fake meters that answer.
  void AddMeters(int collectors, int buses, int meters_per_bus, const std::string& tenant = "t1");
  static std::string Address(int number);  // Of the meter with this place, from 0.
  static std::string Meter(int number);    // meters/{meter}

  std::vector<std::string> permissions = {"*"};  // Of the operator who calls.
  std::vector<std::string> site_scope = {};      // The same; empty: all sites.

  // Calls as an operator of the tenant; the answer or the failed Status.
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, const std::string& tenant = "t1",
                                absl::Duration deadline = absl::Seconds(20)) {
    const auto stub = Service::NewStub(channel());
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
    rpc::Bear(context, operator_, "meter_scheduler",
              {.tenant = tenant,
               .subject = "users/u1",
               .permissions = permissions,
               .site_scope = site_scope,
               .caller_kind = "OPERATOR"});
    Response response;
    const grpc::Status status = (stub.get()->*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpc(status);
    return response;
  }

  // A schedule of the meters' energy that fires only when it is run; its name.
  std::string MakeSchedule(int max_attempts = 2, absl::Duration window = absl::Minutes(5));
  std::string RunNow(const std::string& schedule);  // Name of the run.
  voltwell::scheduler::v1::Run GetRun(const std::string& run);
  bool IsOver(const std::string& run);
  int64_t CountOf(const std::string& sql);  // One number, as superuser.

  void Do(const std::string& sql);  // One statement, as superuser.

  void AddReplica();

  os::SystemClock clock;
  rpc::TestTrust trust;
  std::string schema;
  ::voltwell::testing::TempRedis redis_server;
  metrics::Registry metrics;
  std::unique_ptr<redis::Client> redis;
  FakeField field;
  FakeRegistry registry;
  std::vector<std::unique_ptr<Replica>> replicas;

 private:
  std::shared_ptr<grpc::Channel> channel();
  rpc::TokenIssuer operator_;
  std::unique_ptr<rpc::TokenVerifier> codec_verifier_;
  std::unique_ptr<rpc::Door> codec_door_;
  std::unique_ptr<codec_service::CodecService> codec_;
  std::unique_ptr<rpc::Server> codec_server_;
  std::unique_ptr<rpc::Server> field_server_;
  std::unique_ptr<rpc::Server> registry_server_;
};

std::string NewRequestId();

}  // namespace voltwell::scheduler::testing
