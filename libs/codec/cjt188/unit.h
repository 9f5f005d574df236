// Unit codes of CJ/T 188: a byte behind (in some meters before) a number. The codes of units and of their tens and
// hundreds are those of the fixed data structure of M-Bus.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace voltwell::codec::cjt188 {

struct Unit {
  uint8_t code = 0;
  absl::string_view name = "";  // Without its factor: "kWh".
  int power = 0;                // 0, 1, 2: the number counts ones, tens, hundreds of it.
};

// Null for a code that is not in the table.
const Unit* FindUnit(uint8_t code);

inline constexpr uint8_t kCubicMetres = 0x2C;
inline constexpr uint8_t kLitres = 0x29;

}  // namespace voltwell::codec::cjt188
