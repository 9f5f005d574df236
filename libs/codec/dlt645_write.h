// Everything that changes a DL/T 645 meter: relay, registers, address, clock, freeze, speed, password, clearing.
#pragma once

#include <vector>

#include "libs/codec/dlt645_exchange.h"

namespace voltwell::codec {

// Errors of all: BAD_PASSWORD_LENGTH, BAD_OPERATOR_LENGTH, ACTION_NOT_SUPPORTED (the edition has no such command).
// BAD_RELAY_ACTION, BAD_EXPIRY, BAD_DELAY.
absl::StatusOr<ExchangeGroup> EncodeDlt645Relay(const Dlt645Call& call, const ControlRelay& relay);
// UNKNOWN_REGISTER, NOT_WRITABLE, BAD_VALUE, VALUE_TOO_LONG.
absl::StatusOr<ExchangeGroup> EncodeDlt645Write(const Dlt645Call& call, const WriteRegister& write);
// BAD_METER_ADDRESS. The meter may answer by its old or its new address.
absl::StatusOr<ExchangeGroup> EncodeDlt645WriteAddress(const Dlt645Call& call, const WriteAddress& write);
// BAD_TIME. The telegram 08H without a password, date and time written with one.
absl::StatusOr<ExchangeGroup> EncodeDlt645SetClock(const Dlt645Call& call, const SetClock& clock);
// BAD_FREEZE.
absl::StatusOr<ExchangeGroup> EncodeDlt645Freeze(const Dlt645Call& call, const Freeze& freeze);
// BAD_BAUD.
absl::StatusOr<ExchangeGroup> EncodeDlt645ChangeBaud(const Dlt645Call& call, const ChangeBaud& change);
// BAD_PASSWORD_LEVEL.
absl::StatusOr<ExchangeGroup> EncodeDlt645ChangePassword(const Dlt645Call& call, const ChangePassword& change);
// BAD_CLEAR, UNKNOWN_REGISTER.
absl::StatusOr<ExchangeGroup> EncodeDlt645Clear(const Dlt645Call& call, const Clear& clear);

// Whether the meter took it: no error, or METER_REFUSED with the bits in words. Without replies for what is never
// answered.
Decoded DecodeDlt645Relay(const Dlt645Call& call, const std::vector<ReplyFrames>& replies);
Decoded DecodeDlt645Write(const Dlt645Call& call, const std::vector<ReplyFrames>& replies);
Decoded DecodeDlt645WriteAddress(const Dlt645Call& call, const std::vector<ReplyFrames>& replies);
Decoded DecodeDlt645SetClock(const Dlt645Call& call, const SetClock& clock, const std::vector<ReplyFrames>& replies);
Decoded DecodeDlt645Freeze(const Dlt645Call& call, const Freeze& freeze, const std::vector<ReplyFrames>& replies);
// FRAME_NOT_UNDERSTOOD when the meter confirms another speed.
Decoded DecodeDlt645ChangeBaud(const Dlt645Call& call, const ChangeBaud& change,
                               const std::vector<ReplyFrames>& replies);
Decoded DecodeDlt645ChangePassword(const Dlt645Call& call, const std::vector<ReplyFrames>& replies);
Decoded DecodeDlt645Clear(const Dlt645Call& call, const Clear& clear, const std::vector<ReplyFrames>& replies);

}  // namespace voltwell::codec
