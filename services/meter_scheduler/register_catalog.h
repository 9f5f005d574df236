// The registers that the codec knows, asked for once in a while: schedules and operations that name others are refused
// when they are made, not when the meter is read.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "libs/os/clock.h"
#include "libs/rpc/door.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/store_registers.h"

namespace voltwell::scheduler {

inline constexpr int kRegistersMax = 32;                         // Of one schedule or operation.
inline constexpr size_t kCatalogMax = 8192;                      // Remembered; then it begins anew.
inline constexpr absl::Duration kCatalogFor = absl::Minutes(5);  // A codec with new tables is noticed after this.

class RegisterCatalog {
 public:
  RegisterCatalog(Clients& clients, RegisterStore& registers, os::Clock& clock)
      : clients_(clients), registers_(registers), clock_(clock) {}

  // NO_REGISTERS, TOO_MANY_REGISTERS, or UNKNOWN_REGISTER with metadata register and position (from 0).
  absl::Status Check(const google::protobuf::RepeatedPtrField<std::string>& registers, const rpc::Call& call);

 private:
  // Which of them some protocol has; kept until the book is emptied.
  absl::StatusOr<std::set<std::string>> Learn(const std::vector<std::string>& registers, const rpc::Call& call);

  Clients& clients_;
  RegisterStore& registers_;
  os::Clock& clock_;
  std::mutex mutex_;
  std::set<std::string> known_;  // Ids that some protocol has, at most kCatalogMax.
  absl::Duration until_ = -absl::InfiniteDuration();
};

}  // namespace voltwell::scheduler
