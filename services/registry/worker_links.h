// Reads the gateways' link stream into presence, history and quarantine, and tells collector.online and
// collector.offline.
//
// Facts are read by a consumer group and acknowledged after their transaction: a kill in between brings them again, and
// epochs make the second time do nothing. What no gateway could tell (kill -9 of a gateway whose collectors do not come
// back) is found by looking for the sessions' keys.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "libs/pg/pg.h"
#include "libs/redis/redis.h"
#include "services/registry/bootstrap.h"
#include "services/registry/store_links.h"

namespace voltwell::registry {

inline constexpr int kFactsMax = 500;  // Of one transaction.

class LinkWorker {
 public:
  LinkWorker(pg::Pool& pool, redis::Client& redis, const Bootstrap& bootstrap, os::Clock& clock,
             metrics::Registry& metrics, absl::Duration sweep_every = absl::Seconds(15));
  ~LinkWorker();

 private:
  struct Batch {
    std::vector<std::string> ids;  // Of the stream, to be acknowledged.
    std::vector<store::LinkFact> links;
    std::vector<store::Quarantined> quarantined;
  };

  absl::Duration Step();
  absl::StatusOr<Batch> Read();
  absl::Status MakeGroup();
  absl::Status Apply(const std::vector<store::LinkFact>& links, const std::vector<store::Quarantined>& quarantined);
  absl::Duration SweepStep();
  absl::Status Sweep();
  absl::StatusOr<std::vector<store::LinkFact>> Compare(const std::vector<store::KnownLink>& known,
                                                       std::set<std::string>& missing);

  pg::Pool& pool_;
  redis::Client& redis_;
  const Bootstrap& bootstrap_;
  os::Clock& clock_;
  const absl::Duration sweep_every_;
  prometheus::Counter& facts_;
  prometheus::Counter& lost_;
  bool pending_ = true;  // Facts read and not acknowledged, by us before a failure or a kill, come first.
  bool failing_ = false;
  std::set<std::string> missing_;  // Session keys that were absent at the last sweep.
  os::Worker worker_;              // Last: their threads use the rest.
  os::Worker sweeper_;
};

}  // namespace voltwell::registry
