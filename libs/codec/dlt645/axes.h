// The axes that rows of the register tables have in common; see register_table.h.
#pragma once

#include "libs/codec/dlt645/register_table.h"

namespace voltwell::codec::dlt645 {

// 2007: DI1 00 all, 01 to 3F tariffs; DI0 00 now, 01 to 0C settlement days back.
inline constexpr Axis kTariffs = {.letter = 't', .shift = 8, .count = 64, .usual = 5, .words = AxisWords::kTariff};
inline constexpr Axis kSettlements = {.letter = 'n', .count = 13, .words = AxisWords::kSettlement};
// DI1 01 to 03, or 00 to 03 with the sum first.
inline constexpr Axis kPhases = {.letter = 'p', .shift = 8, .count = 3, .words = AxisWords::kPhase};
inline constexpr Axis kTotalAndPhases = {.letter = 'p', .shift = 8, .count = 4, .words = AxisWords::kTotalPhase};
// Classes 00 and 01: DI2 15, 29, 3D are the phases' forward energies, and so on.
inline constexpr Axis kPhasesInDi2 = {
    .letter = 'p', .shift = 16, .step = 0x14, .count = 3, .block = false, .words = AxisWords::kPhase};
inline constexpr Axis kQuadrants = {.letter = 'q', .shift = 16, .count = 4, .block = false, .shown = -4};

// The last n records of an event, the newest first.
inline constexpr Axis kLastTen = {.letter = 'n', .count = 10, .block = false};

}  // namespace voltwell::codec::dlt645
