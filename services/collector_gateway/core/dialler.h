// Dials the collectors that wait for connections (Ethernet serial servers), on a thread of its own; names are resolved
// on a second one, since a resolver may take seconds. Of all gateways the one that holds the lease dial:{collector} in
// Redis dials; it is renewed while it is held, and who cannot renew it hangs up before another may have it. What a name
// resolves to is judged (dial_rules.h), and that very address is connected to.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/os/worker.h"
#include "libs/redis/redis.h"
#include "services/collector_gateway/core/gateway_metrics.h"
#include "services/collector_gateway/core/peer.h"
#include "services/collector_gateway/core/routes.h"
#include "services/collector_gateway/domain/dial_rules.h"

namespace voltwell::gateway {

// A lease lasts so long, is renewed or tried so often, and is given up so long before its end.
inline constexpr absl::Duration kDialLeaseTtl = absl::Seconds(15);
inline constexpr absl::Duration kDialLeaseEvery = absl::Seconds(2);
inline constexpr absl::Duration kDialLeaseMargin = absl::Seconds(2);
// Leases asked for in one round trip.
inline constexpr size_t kDialLeaseBatch = 512;
// Lines that are dialled by one installation; what is beyond waits for ever, with an error in the log.
inline constexpr size_t kDialledMax = 4'096;
// Of them at once in the resolver or on their way.
inline constexpr size_t kDiallingMax = 64;
// From the first SYN to the connection.
inline constexpr absl::Duration kDialTimeout = absl::Seconds(10);
// From the connection until the shard has taken it in.
inline constexpr absl::Duration kDialAdoptMax = absl::Seconds(2);

struct DiallerConfig {
  std::string pod = {};
  std::vector<std::string> networks = {};  // That may be dialled; empty: nobody is.
  std::vector<std::string> refused = {};   // Of the cluster.
  bool loopback = false;                   // For tests.
};

class Dialler {
 public:
  // Takes over fd, the connected socket of this bus.
  using Adopt = std::function<void(int fd, const Peer& peer, const BusEntryPtr& entry)>;
  using HangUp = std::function<void(const std::string& collector, const char* reason)>;
  // Blocks; on the resolver's thread. Ports are the caller's.
  using Resolve = std::function<absl::StatusOr<std::vector<Address>>(const std::string& host)>;

  Dialler(DiallerConfig config, redis::Client& redis, const Routes& routes, os::Clock& clock, os::Random& random,
          GatewayMetrics& metrics, Resolve resolve = {});
  ~Dialler();

  // InvalidArgument BAD_NETWORK.
  absl::Status Start(Adopt adopt, HangUp hang_up);
  // Dials no more. What is connected stays the hub's.
  void Stop();
  // After Stop, when the lines are down: others may dial at once.
  void Release();
  // From any thread.
  void UseDirectory(std::shared_ptr<const DirectoryCopy> directory);

  // One round. The worker calls it; tests may, instead of the worker, after Prepare.
  absl::Status Prepare(Adopt adopt, HangUp hang_up);
  absl::Duration Step();

 private:
  using Key = std::pair<std::string, int>;  // Collector, bus.
  enum class State { kIdle, kResolving, kConnecting, kHanded, kUp };
  struct Line {
    BusEntryPtr entry = {};
    State state = State::kIdle;
    int fd = -1;  // While connecting.
    Peer peer = {};
    Instant since = absl::ZeroDuration();  // When the state began.
    Instant retry_at = absl::ZeroDuration();
    int failures = 0;
    std::string reason = {};  // Of the last failure that was told.
  };
  struct Lease {
    bool held = false;
    Instant until = absl::ZeroDuration();
  };
  struct Resolved {
    Key key;
    std::string target;
    absl::StatusOr<std::vector<Address>> addresses;
  };

  void TakeDirectory();
  void RenewLeases(Instant now);
  void Lose(const std::string& collector, Lease& lease, const char* reason);
  void TakeResolved(Instant now);
  void Look(const Key& key, Line& line, Instant now);
  void Begin(const Key& key, Line& line, Instant now);
  void Connect(Line& line, const std::vector<Address>& addresses, Instant now);
  void LookAtSocket(Line& line, Instant now);
  void Fail(Line& line, Instant now, const std::string& reason);
  void Tell(const Line& line, const std::string& reason);
  void Forget(Line& line);
  bool Holds(const std::string& collector, Instant now) const;
  size_t Dialling() const;
  absl::Duration ResolveOne();

  const DiallerConfig config_;
  redis::Client& redis_;
  const Routes& routes_;
  os::Clock& clock_;
  os::Random& random_;
  GatewayMetrics& metrics_;
  Resolve resolve_;
  DialRules rules_;
  Adopt adopt_;
  HangUp hang_up_;

  std::mutex mutex_;
  std::shared_ptr<const DirectoryCopy> directory_;                             // Guarded by mutex_; null when taken.
  std::deque<std::pair<Key, std::pair<std::string, std::string>>> questions_;  // Guarded by mutex_; host, target.
  std::deque<Resolved> answers_;                                               // Guarded by mutex_.

  // Of the worker.
  std::map<Key, Line> lines_;
  std::map<std::string, Lease> leases_;  // By collector.
  size_t dialling_ = 0;                  // In this round.
  Instant next_look_ = -absl::InfiniteDuration();
  Instant next_lease_ = -absl::InfiniteDuration();

  std::unique_ptr<os::Worker> resolver_;
  std::unique_ptr<os::Worker> worker_;
};

}  // namespace voltwell::gateway
