// A gRPC server with health, reflection and (on request) channelz, a cap on threads, a port for metrics and /healthz,
// and drain on SIGTERM.
//
//   return rpc::Server(config.rpc, "registry", registry).Add(meters).Add(sites).Health("postgres", [&] { return
//   pool.Healthy(); }).Run();
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/impl/codegen/service_type.h"
#include "libs/config/config.h"
#include "libs/metrics/metrics.h"

namespace voltwell::rpc {

struct ServerConfig {
  std::string listen = "127.0.0.1";
  int port = 0;          // Set by the service before Declare; 0: any free port.
  int metrics_port = 0;  // gRPC port + 100 by default; 0: any free port.
  int max_threads =
      24;  // ResourceQuota: sync handlers block on libpq, so near 2 x the pool. Beyond: RESOURCE_EXHAUSTED.
  absl::Duration drain = absl::Seconds(10);  // Calls under way may take this long after SIGTERM.
  bool channelz = false;                     // Answers whoever reaches the port: peers and call counts, no payload.
  void Declare(config::Options& options);
};

// A service with streams that live on: Add calls its Drain when the server drains, so that they end at once instead of
// holding the process until the drain's deadline.
class Drains {
 public:
  virtual ~Drains() = default;
  virtual void Drain() = 0;
};

class Server {
 public:
  Server(ServerConfig config, std::string service, metrics::Registry& metrics);
  ~Server();
  Server& Add(grpc::Service& service);
  // A dependency: while it is not healthy, health is NOT_SERVING and /healthz 503 with its name. Checked every second.
  Server& Health(std::string dependency, std::function<bool()> healthy);
  // Called first when draining: stop accepting work, tell streams.
  Server& OnDrain(std::function<void()> drain);
  // Serves until SIGTERM or SIGINT (which main blocked before threads began: see os/signal.h), drains, returns the exit
  // code.
  int Run();
  // For tests: serve in the background on free ports, and stop.
  bool Start();  // False when the port is taken.
  int port() const;
  int metrics_port() const;
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace voltwell::rpc
