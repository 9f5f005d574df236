// Fields that several requests of a meter share.
#pragma once

#include <cstdint>
#include <optional>

#include "tools/field_sim/load.h"

namespace voltwell::field_sim {

// Bits of the error word.
inline constexpr uint8_t kOtherError = 0x01, kNoSuchData = 0x02, kUnauthorised = 0x04;

// The first four bytes, lowest first.
inline uint32_t DiOf(Bytes data) {
  return static_cast<uint32_t>(data[0] | data[1] << 8 | data[2] << 16) | static_cast<uint32_t>(data[3]) << 24;
}

// ss mm hh DD MM YY, as seconds of the meter's own clock; nothing when a digit or a field is none.
std::optional<int64_t> ParseClock(Bytes data);

}  // namespace voltwell::field_sim
