// The door, the server and the client together, over real sockets.
#include "libs/rpc/server.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "libs/rpc/client.h"
#include "libs/rpc/limits.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/eventually.h"
#include "libs/testing/fake_clock.h"
#include "libs/testing/status.h"
#include "voltwell/registry/v1/meter_service.grpc.pb.h"
#include "voltwell/registry/v1/session_service.grpc.pb.h"

namespace voltwell::rpc {
namespace {

using voltwell::registry::v1::GetMeterRequest;
using voltwell::registry::v1::LoginRequest;
using voltwell::registry::v1::LoginResponse;
using voltwell::registry::v1::Meter;
using voltwell::registry::v1::MeterService;
using voltwell::registry::v1::SessionService;

// Answers what the test says.
class Meters final : public MeterService::Service {
 public:
  explicit Meters(Door& door) : door_(door) {}
  grpc::Status GetMeter(grpc::ServerContext* context, const GetMeterRequest* request, Meter* response) override {
    return door_.Handle(context, *request, *response, [&](const Call& call) -> absl::Status {
      ++calls;
      last = call;
      return body(*request, *response);
    });
  }
  std::function<absl::Status(const GetMeterRequest&, Meter&)> body = [](const GetMeterRequest& request,
                                                                        Meter& response) {
    response.set_name(request.name());
    return absl::OkStatus();
  };
  std::atomic<int> calls = 0;
  Call last;

 private:
  Door& door_;
};

class Sessions final : public SessionService::Service {
 public:
  explicit Sessions(Door& door) : door_(door) {}
  grpc::Status Login(grpc::ServerContext* context, const LoginRequest* request, LoginResponse* response) override {
    return door_.Handle(context, *request, *response, [&](const Call&) -> absl::Status {
      ++calls;
      return base::Unavailable("DATABASE_DOWN", "gone");
    });
  }
  std::atomic<int> calls = 0;

 private:
  Door& door_;
};

struct World {
  os::SystemClock clock;
  metrics::Registry metrics;
  TestTrust trust;
  TokenVerifier verifier{"registry", trust.directory(), clock, metrics};
  Door door{"registry", verifier, clock, metrics};
  Meters meters{door};
  Sessions sessions{door};
  Server server{{.drain = absl::Seconds(2)}, "registry", metrics};
  TokenIssuer scheduler{"meter_scheduler", trust.Key("meter_scheduler"), clock};
  TokenIssuer front{"api_gateway", trust.Key("api_gateway"), clock};

  World() {
    server.Add(meters).Add(sessions);
    REQUIRE(server.Start());
  }
  Target target() const { return {.target = absl::StrCat("127.0.0.1:", server.port()), .service = "registry"}; }
};

TEST_CASE("a listed service calls, and its request id and deadline arrive") {
  World world;
  Client<MeterService> client(world.target(), world.scheduler, world.clock, world.metrics);
  const Call parent{.request_id = "trace-1",
                    .identity = {.tenant = "demo", .subject = "users/u1"},
                    .deadline = world.clock.Now() + absl::Seconds(3)};
  GetMeterRequest request;
  request.set_name("meters/m1");
  const auto meter = client.Call(&MeterService::Stub::GetMeter, request, {.parent = &parent});
  REQUIRE_OK(meter);
  CHECK(meter->name() == "meters/m1");
  CHECK(world.meters.last.method == "voltwell.registry.v1.MeterService.GetMeter");
  CHECK(world.meters.last.request_id == "trace-1");
  CHECK(world.meters.last.identity.tenant == "demo");
  CHECK(world.meters.last.identity.issuer == "meter_scheduler");
  CHECK(world.meters.last.deadline <= parent.deadline + absl::Milliseconds(100));
}

TEST_CASE("a call without a deadline gets the method's longest") {
  World world;
  Client<MeterService> client(world.target(), world.scheduler, world.clock, world.metrics);
  REQUIRE_OK(client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{}));
  const absl::Duration left = world.meters.last.deadline - world.clock.Now();
  CHECK(left <= absl::Seconds(10));
  CHECK(left > absl::Seconds(8));
}

TEST_CASE("a call without identity, or for which the caller is not meant, is refused with its reason") {
  World world;
  auto stub = MeterService::NewStub(grpc::CreateChannel(world.target().target, grpc::InsecureChannelCredentials()));
  Meter meter;
  {
    grpc::ClientContext context;
    CHECK_REASON(FromGrpc(stub->GetMeter(&context, GetMeterRequest{}, &meter)), "NO_IDENTITY");
  }
  {
    grpc::ClientContext context;
    Bear(context, world.front, "registry", {.permissions = {"meter.write"}, .caller_kind = "OPERATOR"});
    const absl::Status refused = FromGrpc(stub->GetMeter(&context, GetMeterRequest{}, &meter));
    CHECK_REASON(refused, "NOT_PERMITTED");
    CHECK(base::MetadataOf(refused)["permission"] == "meter.read");
    CHECK(refused.code() == absl::StatusCode::kPermissionDenied);
  }
  CHECK(world.meters.calls == 0);
}

TEST_CASE("what a library throws ends as INTERNAL, and a named error arrives whole") {
  World world;
  Client<MeterService> client(world.target(), world.scheduler, world.clock, world.metrics);
  world.meters.body = [](const GetMeterRequest&, Meter&) -> absl::Status { throw std::runtime_error("bad cast"); };
  const auto thrown = client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{});
  CHECK_REASON(thrown, "FOREIGN_EXCEPTION");
  CHECK(thrown.status().code() == absl::StatusCode::kInternal);
  world.meters.body = [](const GetMeterRequest&, Meter&) -> absl::Status {
    return base::NotFound("METER_NOT_FOUND", "no such meter", {{"name", "meters/m9"}});
  };
  const auto missing = client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{});
  CHECK_REASON(missing, "METER_NOT_FOUND");
  CHECK(missing.status().message() == "no such meter");
  CHECK(base::MetadataOf(missing.status())["name"] == "meters/m9");
}

TEST_CASE("a method that may be repeated is tried four times, one that may not once") {
  World world;
  Client<MeterService> meters(world.target(), world.scheduler, world.clock, world.metrics);
  std::vector<absl::Duration> waits;
  meters.caller().SetSleeper([&](absl::Duration wait) { waits.push_back(wait); });
  world.meters.body = [&](const GetMeterRequest&, Meter&) -> absl::Status {
    return world.meters.calls < 3 ? base::Unavailable("DATABASE_DOWN", "gone") : absl::OkStatus();
  };
  CHECK_OK(meters.Call(&MeterService::Stub::GetMeter, GetMeterRequest{}));
  CHECK(world.meters.calls == 3);
  REQUIRE(waits.size() == 2);
  CHECK((waits[0] >= kFirstBackOff / 2 && waits[0] <= kFirstBackOff));
  CHECK((waits[1] >= kFirstBackOff && waits[1] <= kFirstBackOff * 2));

  world.meters.calls = 0;
  world.meters.body = [](const GetMeterRequest&, Meter&) { return base::Unavailable("DATABASE_DOWN", "gone"); };
  CHECK_REASON(meters.Call(&MeterService::Stub::GetMeter, GetMeterRequest{}), "DATABASE_DOWN");
  CHECK(world.meters.calls == kTriesMax);

  Client<SessionService> sessions(world.target(), world.front, world.clock, world.metrics);
  CHECK_REASON(sessions.Call(&SessionService::Stub::Login, LoginRequest{}), "DATABASE_DOWN");
  CHECK(world.sessions.calls == 1);
}

TEST_CASE("back-off never sleeps past the deadline") {
  World world;
  Client<MeterService> client(world.target(), world.scheduler, world.clock, world.metrics);
  world.meters.body = [](const GetMeterRequest&, Meter&) { return base::Unavailable("DATABASE_DOWN", "gone"); };
  int sleeps = 0;
  client.caller().SetSleeper([&](absl::Duration) { ++sleeps; });
  // Less than half of the first back-off is left.
  (void)client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{},
                    {.deadline = world.clock.Now() + absl::Milliseconds(20)});
  CHECK(sleeps == 0);
}

TEST_CASE("a service that is gone is named so") {
  os::SystemClock clock;
  metrics::Registry metrics;
  TestTrust trust;
  TokenIssuer issuer("meter_scheduler", trust.Key("meter_scheduler"), clock);
  Client<MeterService> client({.target = absl::StrCat("127.0.0.1:", testing::FreePort()), .service = "registry"},
                              issuer, clock, metrics);
  client.caller().SetSleeper([](absl::Duration) {});
  CHECK_REASON(client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{}), "SERVICE_DOWN");
}

TEST_CASE("a message beyond 16 MiB is refused") {
  World world;
  Client<MeterService> client(world.target(), world.scheduler, world.clock, world.metrics);
  client.caller().SetSleeper([](absl::Duration) {});
  GetMeterRequest request;
  request.set_name(std::string(kMessageBytesMax - 1000, 'x'));
  CHECK_OK(client.Call(&MeterService::Stub::GetMeter, request));
  request.set_name(std::string(kMessageBytesMax + 1, 'x'));
  CHECK_REASON(client.Call(&MeterService::Stub::GetMeter, request), "SERVICE_BUSY");
}

TEST_CASE("while a gate is closed calls answer what it says, but only to who may call") {
  World world;
  std::atomic<bool> open = false;
  world.door.Require([&] { return open ? absl::OkStatus() : base::Unavailable("DATABASE_DOWN", "not migrated yet"); });
  Client<MeterService> client(world.target(), world.scheduler, world.clock, world.metrics);
  client.caller().SetSleeper([](absl::Duration) {});
  CHECK_REASON(client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{}), "DATABASE_DOWN");
  CHECK(world.meters.calls == 0);
  open = true;
  CHECK_OK(client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{}));
}

TEST_CASE("a call under way is finished while the server drains") {
  World world;
  std::atomic<bool> inside = false;
  std::atomic<bool> leave = false;
  world.meters.body = [&](const GetMeterRequest&, Meter&) -> absl::Status {
    inside = true;
    return testing::Eventually([&] { return leave.load(); }) ? absl::OkStatus() : absl::UnknownError("");
  };
  Client<MeterService> client(world.target(), world.scheduler, world.clock, world.metrics);
  absl::Status answer = absl::UnknownError("none");
  std::thread caller([&] { answer = client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{}).status(); });
  REQUIRE(testing::Eventually([&] { return inside.load(); }));
  world.server.OnDrain([&] { leave = true; });
  world.server.Stop();
  caller.join();
  CHECK_OK(answer);
}

}  // namespace
}  // namespace voltwell::rpc
