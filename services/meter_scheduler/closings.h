// What an attempt that has ended means for its item: readings and a final state, another attempt, or the next step of a
// relay.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/meter_scheduler/attempt.h"
#include "services/meter_scheduler/store_close.h"
#include "services/meter_scheduler/store_registers.h"
#include "voltwell/codec/v1/codec_service.pb.h"

namespace voltwell::scheduler {

struct ClosingRules {
  absl::TimeZone meter_zone = absl::UTCTimeZone();  // In which meters stamp their values.
  double jitter = 0;                                // [0, 1), anew for each call.
};

// Takes what the codec found into the attempt.
void TakeDecoded(Attempt& attempt, voltwell::codec::v1::DecodeResult& result);

// Ends the attempt. Fails only when register numbers cannot be had from the database.
absl::StatusOr<Closing> ToClosing(Attempt& attempt, RegisterStore& registers, const ClosingRules& rules,
                                  absl::Time now);

// An item whose claim was its end.
Closing Refused(const domain::Item& item, const std::string& reason, absl::Time now);

}  // namespace voltwell::scheduler
