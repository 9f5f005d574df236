// voltwell-meter-scheduler: the parts list.
#include "libs/events/events.h"
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
#include "services/meter_scheduler/config.h"
#include "services/meter_scheduler/meter_finder.h"
#include "services/meter_scheduler/scheduler.h"
#include "services/meter_scheduler/service_line.h"
#include "services/meter_scheduler/service_operation.h"
#include "services/meter_scheduler/service_reading.h"
#include "services/meter_scheduler/service_relay.h"
#include "services/meter_scheduler/service_schedule.h"

using namespace voltwell;  // NOLINT: the one place where all parts meet.

int main(int argc, char** argv) {
  os::KeepMemorySmall();
  os::BlockTerminationSignals();
  const auto config = config::Load<scheduler::Config>(argc, argv);
  log::Start(config.log, "meter_scheduler");
  os::SystemClock clock;
  os::SystemRandom random;
  metrics::Registry metrics;
  rpc::TokenIssuer issuer("meter_scheduler", rpc::IdentityKey(config.identity), clock);
  rpc::TokenVerifier verifier("meter_scheduler", config.identity.trust_dir, clock, metrics);
  rpc::Door door("meter_scheduler", verifier, clock, metrics);
  pg::Pool pool(config.pg, clock, metrics);
  redis::Client redis(config.redis, metrics);
  scheduler::Clients clients(config.codec_address, config.registry_address, issuer, clock, metrics);
  scheduler::Router router(redis, clock);
  scheduler::PasswordModule security(config.Secret());
  scheduler::CronBook cron;
  scheduler::MeterStore meters(pool);
  scheduler::RegisterStore registers(pool);
  scheduler::PlanStore plans(pool, clock, cron.ForPlans());
  scheduler::RegisterCatalog catalog(clients, registers, clock);
  scheduler::MeterFinder finder(clients, meters, clock);
  scheduler::OperationWaiters waiters;
  const auto events = events::MakeEventService(pool, config.pg, door, clock, metrics);
  scheduler::ScheduleService schedules(door, pool, plans, cron, catalog, clock, random);
  scheduler::OperationService operations(door, pool, finder, catalog, registers, waiters, clients, clock);
  scheduler::RelayService relays(door, pool, finder, clock, random);
  scheduler::ReadingService readings(door, pool, finder, registers, clock);
  scheduler::LineService line(door, clients, router, clock);
  scheduler::Scheduler workers({.pool = pool,
                                .pg = config.pg,
                                .sql_directory = config.sql_directory,
                                .replica = config.replica,
                                .drain = config.drain,
                                .keep_bytes = config.keep_exchange_bytes,
                                .meter_zone = config.MeterZone(),
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
                                .metrics = metrics});
  return rpc::Server(config.rpc, "meter_scheduler", metrics)
      .Add(schedules)
      .Add(operations)
      .Add(relays)
      .Add(readings)
      .Add(line)
      .Add(*events)
      .Health("postgres", [&] { return workers.started() && pool.Healthy(); })
      .Health("redis", [&] { return redis.Healthy(); })
      .OnDrain([&] { workers.Drain(); })
      .Run();
}
