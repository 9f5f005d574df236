// Items to commands of the codec: what is asked of the meter, with the secrets that moving a relay needs.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/meter_scheduler/domain/item.h"
#include "services/meter_scheduler/security_module.h"
#include "voltwell/codec/v1/codec.pb.h"

namespace voltwell::scheduler {

// The meter ignores a relay command that it hears later than this, by its own clock: generous, since clocks of meters
// drift.
inline constexpr absl::Duration kCommandExpiry = absl::Minutes(15);

// `action` is of operations that move the relay. A failed Status is the item's final reason: UNKNOWN_PROTOCOL, ...
absl::StatusOr<voltwell::codec::v1::Command> ToCommand(const domain::Item& item,
                                                       voltwell::codec::v1::RelayAction action,
                                                       SecurityModule& security, absl::TimeZone meter_zone,
                                                       absl::Time now);

// Name of the registry ("DLT645_2007") to the codec's number; UNSPECIFIED when there is none.
voltwell::codec::v1::Protocol ToProtocol(const std::string& name);

}  // namespace voltwell::scheduler
