// Names of records as registers: an OBIS id where EN 13757-1 and OMS have one (8-0:1.0.0 is the volume of a cold water
// meter, 6-0:1.0.0 the energy of a heat meter; *n: storage n), else our own "mbus:{storage}.{tariff}.{subunit}:{VIF}".
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "libs/codec/mbus/telegram.h"

namespace voltwell::codec::mbus {

// Everything that a readout says.
inline constexpr absl::string_view kAllRegisters = "mbus:*";
// A valve, as its profile's bytes tell it.
inline constexpr absl::string_view kValveRegister = "0-0:96.3.10";
inline constexpr size_t kRegisterIdMax = 96;

struct ObisRow {
  uint8_t group = 0;          // A of the id; 0: of every medium.
  const char* quantity = "";  // Name of a VIF row.
  uint8_t modifier = 0;       // The only VIFE that may follow; 0: none may.
  uint8_t c = 0;
  uint8_t d = 0;
  bool tariffs = false;  // E is the tariff; else E is 0 and there is none.
  const char* unit = "";
  const char* title_en = "";
  const char* title_zh = "";
  const char* vif = "";  // Hexadecimal, of the VIF row that it is from.
};
std::span<const ObisRow> ObisRows();

inline constexpr uint8_t kHeatAndCoolingMedium = 0x0D;  // Counts both.
// A of the ids of a medium; 0: none.
uint8_t ObisGroup(uint8_t medium);

std::string RegisterId(const Record& record, base::ByteView frame, uint8_t medium);
// The same without looking for an OBIS id.
std::string OwnId(const Record& record, base::ByteView frame);

// The row that an OBIS id is of, any tariff and storage; nullptr: none.
const ObisRow* FindObisRow(absl::string_view id);
// Whether a command may ask for it.
bool IsRegisterId(absl::string_view id);

}  // namespace voltwell::codec::mbus
