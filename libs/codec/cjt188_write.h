// What changes something in a CJ/T 188 meter: valve, registers, clock, address, keys, purchases; and raw exchanges.
#pragma once

#include "absl/status/statusor.h"
#include "libs/codec/cjt188_exchange.h"
#include "libs/codec/codec.h"

namespace voltwell::codec {

inline constexpr uint16_t kValveDi = 0xA017;
inline constexpr char kValveQuery = '\x00';  // Some vendors' valves tell their state when A017 is written with 00.

// ACTION_MISSING, ACTION_NOT_SUPPORTED, BAD_RELAY_ACTION, NOT_WRITABLE, BAD_VALUE, BAD_METER_ADDRESS, BAD_AMOUNT,
// BAD_PURCHASE_NUMBER.
absl::StatusOr<ExchangeGroup> EncodeCjt188Write(const Cjt188Call& call, const Command& command);
Decoded DecodeCjt188Write(const Cjt188Call& call, const Answer& answer);

absl::StatusOr<ExchangeGroup> EncodeCjt188Raw(const Raw& raw, const Command& command, const Profile& profile);
Decoded DecodeCjt188Raw(const Answer& answer);

}  // namespace voltwell::codec
