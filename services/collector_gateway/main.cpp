// voltwell-collector-gateway: the parts list.
#include "libs/config/config.h"
#include "libs/log/log.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/memory.h"
#include "libs/os/random.h"
#include "libs/os/signal.h"
#include "libs/redis/redis.h"
#include "libs/rpc/door.h"
#include "libs/rpc/identity.h"
#include "libs/rpc/server.h"
#include "services/collector_gateway/config.h"
#include "services/collector_gateway/core/dialect_files.h"
#include "services/collector_gateway/core/gateway.h"
#include "services/collector_gateway/service.h"

using namespace voltwell;  // NOLINT: the one place where all parts meet.

int main(int argc, char** argv) {
  os::KeepMemorySmall();
  os::BlockTerminationSignals();
  const auto config = config::Load<gateway::Config>(argc, argv);
  log::Start(config.log, "collector_gateway");
  os::SystemClock clock;
  os::SystemRandom random;
  metrics::Registry registry;
  gateway::GatewayMetrics metrics(registry);
  redis::Client redis(config.redis, registry);
  const auto dialects = gateway::LoadDialects(config.dialect_directory);
  if (!dialects.ok()) {
    log::Error("cannot start", {{"error", dialects.status().ToString()}});
    return 1;
  }
  const auto unsealing = gateway::ReadUnsealingKey(config.sealing_key);
  if (!unsealing.ok()) {
    log::Error("cannot start", {{"option", "sealing-key"}, {"error", unsealing.status().ToString()}});
    return 1;
  }
  gateway::Gateway gateway(config.hub, {config.pod, config.Advertised()}, config.DirectoryKeyFile(), redis, clock,
                           random, metrics, std::make_shared<const gateway::Dialects>(*dialects), *unsealing,
                           config.Dial());
  rpc::TokenVerifier verifier("collector_gateway", config.identity.trust_dir, clock, registry);
  rpc::Door door("collector_gateway", verifier, clock, registry);
  gateway::GatewayService service(config.pod, gateway, door, clock, metrics);
  if (const absl::Status started = gateway.Start(); !started.ok()) {
    log::Error("cannot start", {{"error", started.ToString()}});
    return 1;
  }
  return rpc::Server(config.rpc, "collector_gateway", registry)
      .Add(service)
      .Health("redis", [&] { return gateway.links().reached(); })
      .Health("directory", [&] { return gateway.directory().loaded(); })
      .Run();
}
