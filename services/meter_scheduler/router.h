// Which gateway pod holds the session of a bus, and where that pod listens: Redis, in one round trip for a batch (and
// one more when a pod is new).
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/os/clock.h"
#include "libs/redis/redis.h"

namespace voltwell::scheduler {

// Addresses of pods change when a pod restarts: they are believed for so long.
inline constexpr absl::Duration kPodAddressFor = absl::Seconds(5);
inline constexpr size_t kPodsMax = 256;

struct BusName {
  std::string registration_id = {};  // Of the collector.
  int bus = 1;
  auto operator<=>(const BusName&) const = default;  // NOLINT(modernize-use-nullptr): its 0 is no pointer.
};

class Router {
 public:
  Router(redis::Client& redis, os::Clock& clock) : redis_(redis), clock_(clock) {}

  // Address of the pod for each bus, in order; empty: no session.
  absl::StatusOr<std::vector<std::string>> Route(const std::vector<BusName>& buses);
  // Of a pod; empty: it is not known to Redis.
  absl::StatusOr<std::string> AddressOf(const std::string& pod);
  // Pod -> address of all that are known.
  absl::StatusOr<std::map<std::string, std::string>> Pods();

 private:
  struct Known {
    std::string address;
    absl::Duration until;
  };
  absl::Status Learn(const std::vector<std::string>& pods);

  redis::Client& redis_;
  os::Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;
};

}  // namespace voltwell::scheduler
