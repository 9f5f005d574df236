// What a CJ/T 188 meter can be asked and told, as data: registers with their ids and names, and layouts, which say how
// the bytes behind data identifier and sequence fall into registers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace voltwell::codec::cjt188 {

// Index into Registers().
enum class Reg : uint8_t {
  kVolume,
  kVolumeSettled,
  kFlow,
  kVolumeHistory,
  kHeat,
  kHeatSettled,
  kPower,
  kHeatFlow,
  kHeatVolume,
  kSupplyTemperature,
  kReturnTemperature,
  kWorkingHours,
  kHeatHistory,
  kCold,
  kColdSettled,
  kSupplyPressure,
  kReturnPressure,
  kClock,
  kStatus,
  kBattery,
  kPrice1,
  kStep1,
  kPrice2,
  kStep2,
  kPrice3,
  kSettlementDay,
  kReadingDay,
  kPurchaseNumber,
  kLastAmount,
  kAccumulated,
  kRemaining,
  kKeyVersion,
  kAddress,
  kClockAlone,
  kD2Volume,
  kD2Heat,
  kD2Cold,
  kD2HeatVolume,
  kD3Time,
  kD3Volume,
  kD3Flow,
  kD3Temperature,
  kD3Pressure,
  kD4Time,
  kD4Volume,
  kD4Flow,
  kD4Temperature,
  kD4Pressure,
  kPriceTable,
  kFactoryEnable,
  // Below: parts of requests that are no registers.
  kPriceStartDay,
  kKey,
  kValveAction,
  kUnknown,
};
inline constexpr size_t kRegisterCount = static_cast<size_t>(Reg::kPriceStartDay);
inline constexpr size_t kRegAll = static_cast<size_t>(Reg::kUnknown) + 1;

// Which meters have it: water and gas count volume; heat meters have bodies of their own.
enum class Family : uint8_t { kAny, kVolume, kHeat };
Family FamilyOf(uint8_t meter_type);

enum class Format : uint8_t {
  kBcd,      // Packed digits, low byte first.
  kBinary,   // An unsigned number, low byte first.
  kDay,      // A day of the month, BCD.
  kTime,     // ss mm hh DD MM YY CC, or CC YY MM DD hh mm ss.
  kStatus,   // S0 S1.
  kDigits,   // An address: digits that are a name, low byte first.
  kValve,    // 55H, 99H and vendors' codes.
  kSecret,   // A key.
  kUnknown,  // Bytes that nobody has explained.
};

struct Register {
  Reg reg = Reg::kUnknown;
  // OBIS id, {n} for an index. Of Family::kVolume with a leading "8-0:" it is that of cold water: hot water has 9 in
  // place of 8, gas has gas_id.
  absl::string_view id = "";
  absl::string_view gas_id = "";
  Family family = Family::kAny;
  absl::string_view name = "";
  absl::string_view title_zh = "";
  absl::string_view title_en = "";
  absl::string_view unit = "";
  uint16_t di = 0;       // Reads it; with {n}: the one of n_first.
  uint16_t n_first = 0;  // 0: no index.
  uint16_t n_last = 0;
  uint16_t write_di = 0;  // 0: not written alone.
  absl::string_view format = "";
  uint8_t length = 0;
  absl::string_view source = "";
  absl::string_view proof = "";  // Vector id in vectors/cjt188.vec; empty: unproven.
};

std::span<const Register> Registers();
const Register& RegisterOf(Reg reg);
// Ids as printed for one medium: cold water 8, hot water 9, gas 7; others have one id for all.
std::string IdFor(const Register& row, uint8_t meter_type, uint16_t n);

struct Found {
  const Register* row = nullptr;
  uint16_t n = 0;
  uint16_t di() const { return static_cast<uint16_t>(row->di + (row->n_first == 0 ? 0 : n - row->n_first)); }
};
// Null row: no register has this id.
Found FindById(absl::string_view id);

struct Field {
  Reg reg = Reg::kUnknown;
  Format format = Format::kUnknown;
  uint8_t length = 0;  // Without the unit byte.
  uint8_t scale = 0;
  bool unit = false;  // A unit code stands behind it.
};

// Bytes of the longest field, and fields of the longest body.
inline constexpr size_t kFieldMax = 8;
inline constexpr size_t kFieldsMax = 16;

enum class Use : uint8_t { kReply, kWrite, kWriteReply };

struct Layout {
  uint16_t first = 0;  // Data identifiers.
  uint16_t last = 0;
  Use use = Use::kReply;
  Family family = Family::kAny;
  std::span<const Field> fields = {};

  size_t length() const;
};

std::span<const Layout> Layouts();

// What an identifier is for, also those of vendors whose data is not known.
struct Identifier {
  uint16_t first = 0;
  uint16_t last = 0;
  absl::string_view title_zh = "";
  absl::string_view title_en = "";
  absl::string_view proof = "";  // Of commands: the vector that shows them.
};
std::span<const Identifier> Identifiers();
const Identifier* FindIdentifier(uint16_t di);

// The identifier that stands at the head of data, in whichever order it is known; low first where neither is.
struct WireIdentifier {
  uint16_t di = 0;
  bool known = false;
  bool low_first = true;
};
WireIdentifier RecogniseIdentifier(uint8_t first, uint8_t second);

}  // namespace voltwell::codec::cjt188
