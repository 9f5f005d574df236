// For tests: a registry as main wires it, over a schema and a Redis of its own, and people who call it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "libs/directory/directory.h"
#include "libs/directory/sealed_key.h"
#include "libs/events/events.h"
#include "libs/pg/outbox.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/eventually.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_postgres.h"
#include "libs/testing/temp_redis.h"
#include "services/registry/collector_keys.h"
#include "services/registry/service_collector.h"
#include "services/registry/service_meter.h"
#include "services/registry/service_session.h"
#include "services/registry/service_site.h"
#include "services/registry/worker_directory.h"
#include "services/registry/worker_housekeeping.h"
#include "services/registry/worker_links.h"

namespace voltwell::registry {

inline constexpr char kAdminPassword[] = "correct horse";

// Redis takes a moment to start, so the tests of a program share one, emptied by each.
inline testing::TempRedis& SharedRedis() {
  static testing::TempRedis redis;
  return redis;
}

struct Parts {
  pg::Config database = testing::SharedPostgres().config(testing::NewSchema());
  redis::Config redis = SharedRedis().config();
};

// One replica.
class TestWorld {
 public:
  explicit TestWorld(Parts parts = {})
      : parts_(std::move(parts)), pool(parts_.database, clock, metrics), redis(parts_.redis, metrics) {
    VW_CHECK(os::WriteFile(sealing_file, crypto::Base64Url(unsealing.PublicKey())).ok());
    server.Add(sessions).Add(sites).Add(collectors).Add(meters).Add(*events);
    server.Health("postgres", [this] { return bootstrap.done() && pool.Healthy(); });
    door.Require([this] { return bootstrap.Ready(); });
    VW_CHECK(server.Start());
    channel_ = grpc::CreateChannel(absl::StrCat("127.0.0.1:", server.port()), grpc::InsecureChannelCredentials());
  }
  ~TestWorld() { server.Stop(); }

  bool Serves() {
    return testing::Eventually([this] { return bootstrap.done(); }, absl::Seconds(20));
  }

  rpc::Identity Admin(const std::string& tenant = "demo") const {
    return {.tenant = tenant,
            .subject = absl::StrCat("users/admin-", tenant),
            .permissions = {"*"},
            .caller_kind = "OPERATOR"};
  }

  // One call as a person through the front door.
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, const rpc::Identity& identity) {
    typename Service::Stub stub(channel_);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
    rpc::Bear(context, front, "registry", identity);
    Response response;
    const absl::Status status = rpc::FromGrpc((stub.*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    return Call<Service>(method, request, Admin());
  }

  void MakeTenant(const std::string& id) {
    VW_CHECK(pool.Transact({.name = "test"}, [&](pg::Tx& tx) { return store::EnsureTenant(tx, id, id); }).ok());
  }

  // Short forms for what most tests need; each with a request id of its own.
  absl::StatusOr<v1::Site> MakeSite(const std::string& name, const std::string& parent = "",
                                    const std::string& tenant = "demo") {
    v1::CreateSiteRequest request;
    request.set_request_id(NextId());
    request.mutable_site()->set_display_name(name);
    request.mutable_site()->set_kind(v1::Site::KIND_BUILDING);
    request.mutable_site()->set_parent(parent);
    return Call<v1::SiteService>(&v1::SiteService::Stub::CreateSite, request, Admin(tenant));
  }
  absl::StatusOr<v1::Collector> MakeCollector(const std::string& registration_id, const std::string& site,
                                              int buses = 1, const std::string& tenant = "demo") {
    v1::CreateCollectorRequest request;
    request.set_request_id(NextId());
    v1::Collector& collector = *request.mutable_collector();
    collector.set_registration_id(registration_id);
    collector.set_display_name(registration_id);
    collector.set_site(site);
    for (int number = 1; number <= buses; ++number) collector.add_buses()->set_number(number);
    return Call<v1::CollectorService>(&v1::CollectorService::Stub::CreateCollector, request, Admin(tenant));
  }
  v1::CreateMeterRequest MeterRequest(const std::string& address, const std::string& site,
                                      const std::string& collector) {
    v1::CreateMeterRequest request;
    request.set_request_id(NextId());
    v1::Meter& meter = *request.mutable_meter();
    meter.set_display_name(address);
    meter.set_kind(v1::Meter::KIND_ELECTRICITY);
    meter.set_site(site);
    meter.set_collector(collector);
    meter.set_address(address);
    meter.set_protocol("DLT645_2007");
    return request;
  }
  absl::StatusOr<v1::Meter> MakeMeter(const std::string& address, const std::string& site, const std::string& collector,
                                      const std::string& tenant = "demo") {
    return Call<v1::MeterService>(&v1::MeterService::Stub::CreateMeter, MeterRequest(address, site, collector),
                                  Admin(tenant));
  }
  std::string NextId() { return absl::StrCat("request-", ++requests_); }

  // Types and keys of all events so far, in order.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    VW_CHECK(pool.Transact({.name = "test"},
                           [&](pg::Tx& tx) -> absl::Status {
                             told.clear();
                             VW_ASSIGN_OR_RETURN(const auto all, pg::ReadEvents(tx, {}, pg::kEventBatchMax));
                             for (const pg::Event& event : all)
                               told.push_back(absl::StrCat(event.type, " ", event.key));
                             return absl::OkStatus();
                           })
                 .ok());
    return told;
  }

  // What a gateway would find.
  std::optional<directory::Entry> Entry(const std::string& registration_id) {
    const auto text = redis.Call({"HGET", directory::kDirectoryKey, registration_id});
    if (!text.ok() || text->nil()) return std::nullopt;
    const auto entry = directory::Decode(text->text, directory_key.PublicKey());
    VW_CHECK(entry.ok());
    return *entry;
  }
  std::string Generation() {
    const auto text = redis.Call({"GET", directory::kGenerationKey});
    return text.ok() ? text->text : "";
  }

 private:
  Parts parts_;

 public:
  os::SystemClock clock;
  os::SystemRandom random;
  metrics::Registry metrics;
  rpc::TestTrust trust;
  rpc::TokenIssuer front{"api_gateway", trust.Key("api_gateway"), clock};
  rpc::TokenIssuer scheduler{"meter_scheduler", trust.Key("meter_scheduler"), clock};
  crypto::SigningKey directory_key = *crypto::SigningKey::FromSeed(std::string(32, 'd'));
  pg::Pool pool;
  redis::Client redis;
  rpc::TokenVerifier verifier{"registry", trust.directory(), clock, metrics};
  rpc::Door door{"registry", verifier, clock, metrics};
  Bootstrap bootstrap{
      {.tenant = "demo", .tenant_name = "示范物业", .admin_user = "Admin", .admin_password = kAdminPassword},
      parts_.database,
      pool,
      clock,
      random};
  SessionService sessions{pool, door, clock, random, absl::Hours(12)};
  SiteService sites{pool, door, clock, random};
  crypto::UnsealingKey unsealing = *crypto::UnsealingKey::FromSeed(std::string(32, 's'));
  std::string sealing_file = absl::StrCat(trust.directory(), "/sealing.pub");
  CollectorKeys keys{sealing_file, random};
  CollectorService collectors{pool, door, clock, random, keys};
  MeterService meters{pool, door, clock, random};
  std::unique_ptr<grpc::Service> events = events::MakeEventService(pool, parts_.database, door, clock, metrics);
  DirectoryWorker directory{pool, parts_.database, redis, directory_key, bootstrap, metrics};
  LinkWorker links{pool, redis, bootstrap, clock, metrics, absl::Milliseconds(100)};
  Housekeeping housekeeping{pool, bootstrap, clock};
  rpc::Server server{{.drain = absl::Seconds(2)}, "registry", metrics};

 private:
  std::shared_ptr<grpc::Channel> channel_;
  int requests_ = 0;
};

}  // namespace voltwell::registry
