// voltwell-registry: what exists and who may. This is its parts list.
#include "libs/events/events.h"
#include "libs/os/memory.h"
#include "libs/os/signal.h"
#include "services/registry/collector_keys.h"
#include "services/registry/config.h"
#include "services/registry/service_collector.h"
#include "services/registry/service_meter.h"
#include "services/registry/service_session.h"
#include "services/registry/service_site.h"
#include "services/registry/worker_directory.h"
#include "services/registry/worker_housekeeping.h"
#include "services/registry/worker_links.h"

int main(int argc, char** argv) {
  using namespace voltwell;
  os::KeepMemorySmall();
  os::BlockTerminationSignals();
  const auto config = config::Load<registry::Config>(argc, argv);
  log::Start(config.log, "registry");
  os::SystemClock clock;
  os::SystemRandom random;
  metrics::Registry metrics;
  pg::Pool pool(config.pg, clock, metrics);
  redis::Client redis(config.redis, metrics);
  rpc::TokenVerifier verifier("registry", config.identity.trust_dir, clock, metrics);
  rpc::Door door("registry", verifier, clock, metrics);
  registry::Bootstrap bootstrap(config.bootstrap, config.pg, pool, clock, random);
  door.Require([&] { return bootstrap.Ready(); });

  registry::SessionService sessions(pool, door, clock, random, config.session_lifetime);
  registry::SiteService sites(pool, door, clock, random);
  registry::CollectorKeys keys(config.SealingPublicKeyFile(), random);
  registry::CollectorService collectors(pool, door, clock, random, keys);
  registry::MeterService meters(pool, door, clock, random);
  const auto events = events::MakeEventService(pool, config.pg, door, clock, metrics);
  registry::DirectoryWorker directory(pool, config.pg, redis, rpc::KeyOfOption("directory-key", config.directory_key),
                                      bootstrap, metrics);
  registry::LinkWorker links(pool, redis, bootstrap, clock, metrics);
  registry::Housekeeping housekeeping(pool, bootstrap, clock);

  return rpc::Server(config.rpc, "registry", metrics)
      .Add(sessions)
      .Add(sites)
      .Add(collectors)
      .Add(meters)
      .Add(*events)
      .Health("postgres", [&] { return bootstrap.done() && pool.Healthy(); })
      .Run();
}
