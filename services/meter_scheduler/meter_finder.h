// The meter that a call names. One that is not in the projection is waited for a little, then the registry is asked;
// only then it is not there. (The road never asks: it knows meters by what was planned.)
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "libs/os/clock.h"
#include "libs/rpc/door.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/store_meters.h"

namespace voltwell::scheduler {

inline constexpr absl::Duration kProjectionWait = absl::Seconds(2);

class MeterFinder {
 public:
  MeterFinder(Clients& clients, MeterStore& meters, os::Clock& clock)
      : clients_(clients), meters_(meters), clock_(clock) {}

  // A meter of the caller's tenant and scope; METER_NOT_FOUND, OUT_OF_SCOPE. Archived ones too.
  absl::StatusOr<MeterRow> Require(const rpc::Call& call, const std::string& id);

 private:
  absl::StatusOr<MeterRow> Ask(const rpc::Call& call, const std::string& id);

  Clients& clients_;
  MeterStore& meters_;
  os::Clock& clock_;
};

}  // namespace voltwell::scheduler
