// Mean, deviation and back-off; see turnaround.h.
#include "services/collector_gateway/domain/turnaround.h"

#include <algorithm>

namespace voltwell::gateway {
namespace {

// No exchange may take longer (kReplyTimeoutMax is 60 s), and it fits 32 bits of microseconds.
constexpr absl::Duration kSampleMax = absl::Minutes(2);

}  // namespace

void Turnaround::Learn(absl::Duration sample) {
  const int64_t us = absl::ToInt64Microseconds(std::clamp(sample, absl::ZeroDuration(), kSampleMax));
  back_off_ = 0;
  if (samples_ == 0) {
    mean_us_ = static_cast<uint32_t>(us);
    deviation_us_ = static_cast<uint32_t>(us / 2);
  } else {
    const int64_t error = us - int64_t{mean_us_};
    deviation_us_ = static_cast<uint32_t>((3 * int64_t{deviation_us_} + (error < 0 ? -error : error)) / 4);
    mean_us_ = static_cast<uint32_t>(int64_t{mean_us_} + error / 8);
  }
  if (samples_ < kTurnaroundSamplesMin) ++samples_;
}

void Turnaround::BackOff() {
  if (back_off_ < kTurnaroundBackOffMax) ++back_off_;
}

absl::Duration Turnaround::limit() const {
  if (!known()) return absl::InfiniteDuration();
  return (mean() + std::max(4 * deviation(), kTurnaroundSlack)) * (int64_t{1} << back_off_);
}

}  // namespace voltwell::gateway
