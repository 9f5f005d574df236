#include "services/api_gateway/rate_limit.h"

#include <algorithm>

namespace voltwell::front {
namespace {

constexpr absl::Duration kSweepEvery = absl::Seconds(1);  // Looking through all keys is not done more often.

}  // namespace

absl::Duration RateLimiter::TakeFrom(Bucket& bucket, absl::Duration now) const {
  bucket.tokens = std::min(rate_.burst, bucket.tokens + absl::ToDoubleSeconds(now - bucket.at) * rate_.per_second);
  bucket.at = now;
  if (bucket.tokens < 1) return absl::Seconds((1 - bucket.tokens) / rate_.per_second);
  bucket.tokens -= 1;
  return absl::ZeroDuration();
}

// A full bucket says the same as none.
void RateLimiter::DropFull(absl::Duration now) {
  if (now < swept_ + kSweepEvery) return;
  swept_ = now;
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    const double tokens = it->second.tokens + absl::ToDoubleSeconds(now - it->second.at) * rate_.per_second;
    it = tokens >= rate_.burst ? buckets_.erase(it) : std::next(it);
  }
}

absl::Duration RateLimiter::Take(const std::string& key, absl::Duration now) {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(key);
  if (found != buckets_.end()) return TakeFrom(found->second, now);
  if (buckets_.size() >= kRateKeysMax) DropFull(now);
  if (buckets_.size() >= kRateKeysMax) return TakeFrom(shared_, now);
  return TakeFrom(buckets_.emplace(key, Bucket{rate_.burst, now}).first->second, now);
}

size_t RateLimiter::size() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace voltwell::front
