// voltwell-api-gateway: the front door of the suite.
#include <cstdio>
#include <cstdlib>

#include "libs/http/http.h"
#include "libs/log/log.h"
#include "libs/os/clock.h"
#include "libs/os/files.h"
#include "libs/os/memory.h"
#include "libs/os/signal.h"
#include "libs/os/worker.h"
#include "services/api_gateway/front_door.h"
#include "services/api_gateway/metrics_port.h"

namespace {

using namespace voltwell;

// What cannot be set up is the operator's mistake: said once, in plain words.
template <typename T>
T OrExit(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "voltwell-api-gateway: %s\n", std::string(value.status().message()).c_str());
  std::exit(2);
}
void OrExit(const absl::Status& status) {
  if (!status.ok()) OrExit(absl::StatusOr<int>(status));
}

}  // namespace

int main(int argc, char** argv) {
  os::KeepMemorySmall();
  os::BlockTerminationSignals();
  const auto config = config::Load<front::Config>(argc, argv);
  log::Start(config.log, "api_gateway");
  os::SystemClock clock;
  metrics::Registry metrics;
  rpc::TokenIssuer issuer("api_gateway", rpc::IdentityKey(config.identity), clock);
  const auto routes = OrExit(front::Routes::Parse(OrExit(os::ReadFile(front::DescriptorsPath(config.descriptors)))));
  auto upstreams = OrExit(front::Upstreams::Connect(config.targets, issuer, clock, metrics));
  front::Sessions sessions(front::AskRegistry(upstreams.Find("registry")), clock, metrics);
  front::Live live(clock, metrics);
  live.Follow(upstreams.Find("registry"), {"collector."});
  live.Follow(upstreams.Find("scheduler"), {"reading.", "run.", "operation."});
  front::FrontDoor door({config, *routes, OrExit(front::Networks::Parse(config.trusted_proxies)), upstreams, sessions,
                         live, issuer, clock, metrics});
  http::Server server(config.listen, config.port, front::ServerLimits(config), front::kHttpThreads,
                      front::HandlerOf(door), metrics);
  front::MetricsPort metrics_port(config, door, metrics);
  OrExit(metrics_port.Start());
  OrExit(server.Start());
  os::Worker tick("front-tick", [&door] {
    door.Tick();
    return front::kLiveEvery;
  });
  log::Info("serving", {{"port", server.port()},
                        {"metrics_port", metrics_port.port()},
                        {"methods", static_cast<uint64_t>(routes->size())}});

  os::WaitForTermination();
  log::Info("draining");
  door.Drain();
  server.Drain(config.drain);
  tick.Stop();
  live.Stop();
  // A service that holds a cancelled call back for so long would find our objects gone: leave without taking them down.
  if (!door.AwaitIdle(absl::Seconds(5))) std::_Exit(0);
  log::Info("stopped");
  return 0;
}
