// For tests: the whole front door on real sockets, before the services of services_testing.h.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>

#include "grpcpp/server_builder.h"
#include "libs/http/client_testing.h"
#include "libs/os/worker.h"
#include "libs/testing/eventually.h"
#include "services/api_gateway/envelope.h"
#include "services/api_gateway/front_door.h"
#include "services/api_gateway/metrics_port.h"
#include "services/api_gateway/services_testing.h"

namespace voltwell::front::testing_suite {

using http::TestClient;

// Everything between a browser's socket and the service behind.
struct Suite {
  explicit Suite(const std::function<void(Config&)>& change = nullptr) {
    probe = std::make_unique<ProbeService>(behind);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&sessions_service);
    builder.RegisterService(&events_service);
    builder.RegisterCallbackGenericService(probe.get());
    grpc_server = builder.BuildAndStart();
    REQUIRE(grpc_server != nullptr);
    if (change) change(config);
    auto parsed = Routes::Parse(Descriptors());
    REQUIRE(parsed.ok());
    routes = *std::move(parsed);
    const std::string here = absl::StrCat("127.0.0.1:", port);
    auto connected =
        Upstreams::Connect({"registry=" + here, "probe=" + here, "scheduler=" + here}, issuer, clock, metrics);
    REQUIRE(connected.ok());
    upstreams = std::make_unique<Upstreams>(*std::move(connected));
    sessions = std::make_unique<Sessions>(AskRegistry(upstreams->Find("registry")), clock, metrics);
    live = std::make_unique<Live>(clock, metrics);
    live->Follow(upstreams->Find("registry"), {"collector."});
    door = std::make_unique<FrontDoor>(FrontDoor::Parts{config, *routes, *Networks::Parse(config.trusted_proxies),
                                                        *upstreams, *sessions, *live, issuer, clock, metrics});
    server = std::make_unique<http::Server>("127.0.0.1", 0, ServerLimits(config), 2, HandlerOf(*door), metrics);
    REQUIRE(server->Start().ok());
    tick = std::make_unique<os::Worker>("tick", [this] {
      door->Tick();
      return absl::Milliseconds(50);
    });
  }
  ~Suite() {
    door->Drain();
    server->Drain(absl::Seconds(5));
    tick->Stop();
    live->Stop();
    CHECK(door->AwaitIdle(absl::Seconds(5)));
    grpc_server->Shutdown(std::chrono::system_clock::now());
  }

  http::TestAnswer Call(const std::string& method, const std::string& json,
                        const std::string& more = "Authorization: Bearer good\r\n") {
    TestClient client(server->port());
    REQUIRE(client.Send(http::Post("/voltwell." + method, "application/json", json, more)));
    return client.Read();
  }
  static bool Has(const http::TestAnswer& answer, const std::string& text) {
    return answer.body.find(text) != std::string::npos;
  }

  Config config;
  os::SystemClock clock;
  metrics::Registry metrics;
  rpc::TokenIssuer issuer{"api_gateway", *crypto::SigningKey::FromSeed(std::string(32, 's')), clock};
  Behind behind;
  std::unique_ptr<ProbeService> probe;
  FakeSessions sessions_service;
  FakeEvents events_service;
  std::unique_ptr<grpc::Server> grpc_server;
  std::unique_ptr<Routes> routes;
  std::unique_ptr<Upstreams> upstreams;
  std::unique_ptr<Sessions> sessions;
  std::unique_ptr<Live> live;
  std::unique_ptr<FrontDoor> door;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<os::Worker> tick;
};

inline constexpr char kEcho[] = "probe.v1.ProbeService/Echo";

// The envelopes that have come, chunk by chunk; the last one is the end.
struct Frame {
  int flags = -1;
  std::string payload;
};
inline Frame ReadFrame(TestClient& client) {
  std::string chunk;
  if (client.ReadChunk(chunk) != TestClient::kMore || chunk.size() < kEnvelopeHead) return {};
  return {static_cast<unsigned char>(chunk[0]), chunk.substr(kEnvelopeHead)};
}

inline void StartStream(TestClient& client, const std::string& path, const std::string& json,
                        const std::string& more = "Authorization: Bearer good\r\n") {
  REQUIRE(client.Send(http::Post("/voltwell." + path, "application/connect+json", Envelope(0, json), more)));
  const auto head = client.ReadHead();
  REQUIRE(head.status == 200);
  CHECK(head.headers.at("content-type") == "application/connect+json");
}

}  // namespace voltwell::front::testing_suite
