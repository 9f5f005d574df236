// Admission for all shards: the listening one asks it before it accepts, each tells it who left. One lock, taken once
// for each connection that comes or goes.
#pragma once

#include <mutex>

#include "absl/strings/string_view.h"
#include "services/collector_gateway/domain/admission.h"

namespace voltwell::gateway {

class ArrivalGate {
 public:
  explicit ArrivalGate(AdmissionLimits limits) : admission_(limits) {}

  Instant AcceptAt(Instant now) {
    const std::lock_guard lock(mutex_);
    return admission_.AcceptAt(now);
  }
  void Accepted(Instant now) {
    const std::lock_guard lock(mutex_);
    admission_.Accepted(now);
  }
  Admission::Verdict Knock(const Address& address, Instant now) {
    const std::lock_guard lock(mutex_);
    return admission_.Knock(address, now);
  }
  void Gone(const Address& address, Instant now) {
    const std::lock_guard lock(mutex_);
    admission_.Gone(address, now);
  }
  void Ended(absl::string_view registration, absl::Duration lived, Instant now) {
    const std::lock_guard lock(mutex_);
    flaps_.Ended(registration, lived, now);
  }
  absl::Duration HeldOff(absl::string_view registration, Instant now) const {
    const std::lock_guard lock(mutex_);
    return flaps_.HeldOff(registration, now);
  }

 private:
  mutable std::mutex mutex_;
  Admission admission_;  // Guarded by mutex_.
  FlapBook flaps_;       // Guarded by mutex_.
};

}  // namespace voltwell::gateway
