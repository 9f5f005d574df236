// The gateway without its gRPC face: routes, link book, hub and directory in one, started and stopped in the one right
// order.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "libs/metrics/metrics.h"
#include "services/collector_gateway/core/dialler.h"
#include "services/collector_gateway/core/directory_follower.h"
#include "services/collector_gateway/core/hub.h"
#include "services/collector_gateway/core/link_keeper.h"
#include "services/collector_gateway/core/session_feed.h"

namespace voltwell::gateway {

// Exchanges under way may take this long once we are told to go; the longest reply timeout is less.
inline constexpr absl::Duration kDrainMax = absl::Seconds(8);
inline constexpr absl::Duration kLinkFlushMax = absl::Seconds(2);

class Gateway {
 public:
  Gateway(HubConfig hub, LinkKeeperConfig links, std::string directory_key_file, redis::Client& redis, os::Clock& clock,
          os::Random& random, GatewayMetrics& metrics, std::shared_ptr<const Dialects> dialects = {},
          std::optional<crypto::UnsealingKey> unsealing = {}, DiallerConfig dial = {});
  ~Gateway();

  absl::Status Start();
  // Finishes what is on the buses, closes all sessions and takes them out of Redis.
  void Drain();

  Hub& hub() { return hub_; }
  // As the follower does; tests without one.
  void UseDirectory(const std::shared_ptr<const DirectoryCopy>& copy, bool usable);
  SessionFeed& feed() { return feed_; }
  const LinkKeeper& links() const { return links_; }
  const DirectoryFollower& directory() const { return directory_; }

 private:
  // Threads end before what they use: directory and links call the hub, the hub's shards call links.
  void Stop();

  Routes routes_;
  LinkKeeper links_;
  SessionFeed feed_;
  Hub hub_;
  Dialler dialler_;
  DirectoryFollower directory_;
};

}  // namespace voltwell::gateway
