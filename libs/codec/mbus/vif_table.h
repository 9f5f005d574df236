// What VIF and VIFE mean, as data: one row for each code or range of codes of EN 13757-3, expanded once into arrays
// that a byte indexes.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

namespace voltwell::codec::mbus {

// Which byte is looked up: a VIF, the byte behind FBH or FDH, or a VIFE that says more of what stands before it.
enum class VifTable : uint8_t { kPrimary, kFb, kFd, kCombinable };

// How units and factors go on within a range.
enum class Steps : uint8_t {
  kOne,      // One code, or codes that differ in nothing.
  kDecades,  // Each code is ten times the one before.
  kSeconds,  // s, min, h, d.
  kMinutes,  // min, h, d.
  kHours,    // h, d, months, years.
  kMonths,   // months, years.
};

// What the data is, where it is not a number of the unit.
enum class Meaning : uint8_t {
  kNumber,
  kDate,      // Type G by data field 2.
  kTime,      // Types F, J, I by data field 4, 3, 6; G by 2.
  kBits,      // Unsigned, each bit its own.
  kLabel,     // Combinable: only says more; no value changes.
  kFactor,    // Combinable: the value is multiplied.
  kDateOf,    // Combinable: the value is a date (and time).
  kDuration,  // Combinable: the value is a time of the row's unit.
  kPer,       // Combinable: the unit is divided by the row's unit.
  kTimes,     // Combinable: the unit is multiplied by the row's unit.
  kFailed,    // Combinable: the meter says why there is no value.
  kVendor,    // What follows is the vendor's.
  kReserved,
};

struct VifRow {
  VifTable table = VifTable::kPrimary;
  uint8_t first = 0;
  uint8_t last = 0;
  const char* name = "";  // Stable.
  const char* title_en = "";
  const char* title_zh = "";
  const char* unit = "";
  int8_t exponent = 0;  // Of `first`: value = data * 10^exponent units.
  Steps steps = Steps::kOne;
  Meaning meaning = Meaning::kNumber;
  const char* proof = "";  // The vector of vectors/mbus.vec that shows it; empty: unproven.
};

// All rows, in the order of table and code.
std::span<const VifRow> VifRows();

// How the decoder reads an integer.
enum class ReadsAs : uint8_t { kNumber, kBits, kDate, kTime, kUnsigned };
inline constexpr size_t kReadsAsCount = 5;

// One code, ready for the decoder, and loaded by it as one word.
struct alignas(8) VifEntry {
  uint8_t row = 0;  // Index in VifRows(); of a reserved code the row "reserved" of its table.
  int8_t exponent = 0;
  uint8_t unit = 0;  // Index for UnitText.
  ReadsAs reads_as = ReadsAs::kNumber;
  Meaning meaning = Meaning::kReserved;
};
using VifEntries = std::array<VifEntry, 128>;        // Indexed by the low seven bits.
extern const std::array<VifEntries, 4> kVifEntries;  // By VifTable.

inline const VifEntries& Entries(VifTable table) { return kVifEntries[static_cast<size_t>(table)]; }

absl::string_view UnitText(uint8_t unit);

}  // namespace voltwell::codec::mbus
