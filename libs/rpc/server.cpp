#include "libs/rpc/server.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/ext/channelz_service_plugin.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "libs/base/check.h"
#include "libs/http/http.h"
#include "libs/log/log.h"
#include "libs/os/signal.h"
#include "libs/os/worker.h"
#include "libs/rpc/callback_queue.h"
#include "libs/rpc/limits.h"

namespace voltwell::rpc {
namespace {

constexpr absl::Duration kHealthEvery = absl::Seconds(1);
constexpr absl::Duration kHealthEveryWhileLacking =
    absl::Milliseconds(100);  // A start should not wait for a second to end.
constexpr int kMetricsThreads = 1;

// Plugins register themselves for every builder of the process, so once. The first server decides on channelz.
void RegisterPlugins(bool channelz) {
  static std::once_flag once;
  std::call_once(once, [channelz] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    if (channelz) grpc::channelz::experimental::InitChannelzService();
    // Links the description of the health protocol, which reflection needs and libgrpc++ lacks.
    VW_CHECK(grpc::health::v1::HealthCheckRequest::descriptor() != nullptr);
  });
}

}  // namespace

void ServerConfig::Declare(config::Options& options) {
  if (metrics_port == 0 && port != 0) metrics_port = port + 100;
  options.Text("listen", &listen, "Address that gRPC and metrics listen on");
  options.Int("port", &port, "gRPC port; 0: any free one", {.min = 0, .max = 65535});
  options.Int("metrics-port", &metrics_port, "HTTP port of /metrics and /healthz; 0: any free one",
              {.min = 0, .max = 65535});
  options.Int("max-threads", &max_threads, "Threads that serve calls at most; beyond it calls are refused",
              {.min = 4, .max = 512});
  options.Duration("drain", &drain, "Time that calls under way get after SIGTERM", absl::ZeroDuration(),
                   absl::Minutes(10));
  options.Bool("channelz", &channelz,
               "Serve gRPC's channelz, which asks for no token: for hours of looking for a fault");
}

struct Server::State {
  struct Dependency {
    std::string name;
    std::function<bool()> healthy;
  };

  ServerConfig config;
  std::string service;
  metrics::Registry& metrics;
  prometheus::Gauge& serving_gauge;
  std::vector<grpc::Service*> services;
  std::vector<Dependency> dependencies;
  std::vector<std::function<void()>> drains;
  std::unique_ptr<grpc::Server> grpc_server;
  std::unique_ptr<http::Server> http_server;
  std::unique_ptr<os::Worker> health;
  int port = 0;
  std::mutex mutex;
  std::string missing = "starting";  // Dependencies that are not healthy, comma separated; empty: serving.
  bool draining = false;

  State(ServerConfig the_config, std::string name, metrics::Registry& the_metrics)
      : config(std::move(the_config)),
        service(std::move(name)),
        metrics(the_metrics),
        serving_gauge(metrics.Gauge("voltwell_serving", "1: all that this process needs is there and it serves")) {}

  bool StartGrpc() {
    RegisterPlugins(config.channelz);
    HoldCallbackQueue();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat(config.listen, ":", config.port), grpc::InsecureServerCredentials(), &port);
    // Two processes on one port would share its calls at random.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // Clients ping streams that are silent for long (client.cpp); do not take that for an attack.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.SetMaxReceiveMessageSize(kMessageBytesMax);
    builder.SetMaxSendMessageSize(kMessageBytesMax);
    grpc::ResourceQuota quota(service);
    quota.SetMaxThreads(config.max_threads);
    builder.SetResourceQuota(quota);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
    for (grpc::Service* added : services) builder.RegisterService(added);
    grpc_server = builder.BuildAndStart();
    if (grpc_server == nullptr || port == 0) {
      log::Error("cannot listen; is another process on the port?", {{"address", config.listen}, {"port", config.port}});
      return false;
    }
    return true;
  }

  bool StartHttp() {
    const auto handler = [this](http::Request request, const std::shared_ptr<http::Responder>& responder) {
      if (request.path == "/metrics") {
        responder->Respond({.status = 200, .fields = {{"Content-Type", "text/plain; version=0.0.4"}}}, metrics.Text());
      } else if (request.path == "/healthz") {
        const std::string lacking = Missing();
        responder->Respond({.status = lacking.empty() ? 200 : 503, .fields = {{"Content-Type", "text/plain"}}},
                           lacking.empty() ? "ok\n" : absl::StrCat("waits for: ", lacking, "\n"));
      } else {
        responder->Respond({.status = 404, .fields = {{"Content-Type", "text/plain"}}},
                           "/metrics and /healthz are here\n");
      }
    };
    http_server = std::make_unique<http::Server>(config.listen, config.metrics_port,
                                                 http::Limits{.connections = 64, .connections_per_address = 64},
                                                 kMetricsThreads, handler, metrics);
    const absl::Status started = http_server->Start();
    if (!started.ok()) {
      log::Error("cannot serve metrics", {{"port", config.metrics_port}, {"error", started.ToString()}});
    }
    return started.ok();
  }

  std::string Missing() {
    const std::lock_guard lock(mutex);
    return draining ? "draining" : missing;
  }

  void SetMissing(std::string names) {
    const std::lock_guard lock(mutex);
    if (draining) return;
    if (names != missing) {
      if (names.empty()) {
        log::Info("serving", {{"port", port}});
      } else {
        log::Warning("not serving", {{"waits_for", names}});
      }
    }
    missing = std::move(names);
    serving_gauge.Set(missing.empty() ? 1 : 0);
    grpc_server->GetHealthCheckService()->SetServingStatus(missing.empty());
  }

  absl::Duration CheckHealth() {
    std::vector<std::string> lacking;
    for (const Dependency& dependency : dependencies) {
      if (!dependency.healthy()) lacking.push_back(dependency.name);
    }
    SetMissing(absl::StrJoin(lacking, ", "));
    return lacking.empty() ? kHealthEvery : kHealthEveryWhileLacking;
  }
};

Server::Server(ServerConfig config, std::string service, metrics::Registry& metrics)
    : state_(std::make_unique<State>(std::move(config), std::move(service), metrics)) {}

Server::~Server() { Stop(); }

Server& Server::Add(grpc::Service& service) {
  state_->services.push_back(&service);
  if (auto* drains = dynamic_cast<Drains*>(&service); drains != nullptr) OnDrain([drains] { drains->Drain(); });
  return *this;
}

Server& Server::Health(std::string dependency, std::function<bool()> healthy) {
  state_->dependencies.push_back({std::move(dependency), std::move(healthy)});
  return *this;
}

Server& Server::OnDrain(std::function<void()> drain) {
  state_->drains.push_back(std::move(drain));
  return *this;
}

bool Server::Start() {
  if (!state_->StartGrpc() || !state_->StartHttp()) return false;
  state_->grpc_server->GetHealthCheckService()->SetServingStatus(false);
  state_->health = std::make_unique<os::Worker>("health", [state = state_.get()] { return state->CheckHealth(); });
  log::Info(
      "listening",
      {{"address", state_->config.listen}, {"port", state_->port}, {"metrics_port", state_->http_server->port()}});
  return true;
}

int Server::port() const { return state_->port; }
int Server::metrics_port() const { return state_->http_server == nullptr ? 0 : state_->http_server->port(); }

void Server::Stop() {
  if (state_->grpc_server == nullptr) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->draining = true;
    state_->grpc_server->GetHealthCheckService()->SetServingStatus(false);
  }
  for (const auto& drain : state_->drains) drain();
  state_->grpc_server->Shutdown(absl::ToChronoTime(absl::Now() + state_->config.drain));
  state_->health.reset();
  if (state_->http_server != nullptr) state_->http_server->Drain(absl::ZeroDuration());
  state_->http_server.reset();
  state_->grpc_server.reset();
}

int Server::Run() {
  if (!Start()) {
    Stop();
    return 1;
  }
  const int signal = os::WaitForTermination();
  log::Info("draining", {{"signal", signal}});
  Stop();
  log::Info("stopped");
  return 0;
}

}  // namespace voltwell::rpc
