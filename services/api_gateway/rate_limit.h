// How often one address or token may call: a token bucket for each key, in this process. With N replicas the limit is N
// times as high; counting in Redis comes with the issue on limits across replicas. Pure: time is an argument.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "absl/time/time.h"

namespace voltwell::front {

inline constexpr size_t kRateKeysMax = 10'000;  // Keys remembered; beyond it newcomers share one bucket.

struct Rate {
  double per_second = 1;
  double burst = 1;
};

class RateLimiter {
 public:
  explicit RateLimiter(Rate rate) : rate_(rate) {}
  // Zero: go on. Else: how long to wait.
  absl::Duration Take(const std::string& key, absl::Duration now);
  size_t size() const;

 private:
  struct Bucket {
    double tokens = 0;
    absl::Duration at = {};
  };
  absl::Duration TakeFrom(Bucket& bucket, absl::Duration now) const;
  void DropFull(absl::Duration now);

  const Rate rate_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
  Bucket shared_ = {.tokens = rate_.burst, .at = {}};
  absl::Duration swept_ = {};
};

}  // namespace voltwell::front
