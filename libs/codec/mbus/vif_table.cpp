// Expands the rows, at compile time, into arrays that a byte indexes; see vif_table.h.
#include "libs/codec/mbus/vif_table.h"

#include <string_view>

#include "libs/codec/mbus/vif_rows.h"

namespace voltwell::codec::mbus {
namespace {

constexpr const char* kSecondsUnits[] = {"s", "min", "h", "d"};
constexpr const char* kMinutesUnits[] = {"min", "h", "d"};
constexpr const char* kHoursUnits[] = {"h", "d", "months", "years"};
constexpr const char* kMonthsUnits[] = {"months", "years"};
constexpr size_t kUnitsMax = 64;
static_assert(std::size(kVifRows) < 255, "a row's number is a byte");

constexpr const char* UnitOf(const VifRow& row, size_t step) {
  switch (row.steps) {
    case Steps::kSeconds:
      return kSecondsUnits[step];
    case Steps::kMinutes:
      return kMinutesUnits[step];
    case Steps::kHours:
      return kHoursUnits[step];
    case Steps::kMonths:
      return kMonthsUnits[step];
    case Steps::kOne:
    case Steps::kDecades:
      break;
  }
  return row.unit;
}

// Numbers of type C: those that name something, and baud rates and bit times.
constexpr bool IsUnsigned(VifTable table, size_t code) {
  if (table == VifTable::kPrimary) return code >= 0x78 && code <= 0x7A;
  return table == VifTable::kFd && ((code >= 0x08 && code <= 0x0F) || (code >= 0x1C && code <= 0x1E));
}

constexpr ReadsAs ReadsAsOf(const VifRow& row, size_t code) {
  switch (row.meaning) {
    case Meaning::kBits:
      return ReadsAs::kBits;
    case Meaning::kDate:
      return ReadsAs::kDate;
    case Meaning::kTime:
    case Meaning::kDateOf:
      return ReadsAs::kTime;
    default:
      return IsUnsigned(row.table, code) ? ReadsAs::kUnsigned : ReadsAs::kNumber;
  }
}

struct Tables {
  std::array<VifEntries, 4> entries = {};
  std::array<const char*, kUnitsMax> units = {};  // A unit's index here is its number.
  size_t unit_count = 1;

  // Beyond kUnitsMax this does not compile.
  constexpr uint8_t NumberOf(std::string_view unit, const char* text) {
    for (size_t i = 0; i < unit_count; ++i) {
      if (unit == units[i]) return static_cast<uint8_t>(i);
    }
    units[unit_count] = text;
    return static_cast<uint8_t>(unit_count++);
  }
};

constexpr Tables Expand() {
  Tables tables;
  tables.units[0] = "";
  uint8_t reserved = 0;
  while (kVifRows[reserved].meaning != Meaning::kReserved) ++reserved;
  for (VifEntries& table : tables.entries) table.fill({.row = reserved});
  for (size_t i = 0; i < std::size(kVifRows); ++i) {
    const VifRow& row = kVifRows[i];
    for (size_t code = row.first; code <= row.last; ++code) {
      const size_t step = code - row.first;
      const int exponent = row.exponent + (row.steps == Steps::kDecades ? static_cast<int>(step) : 0);
      const char* const unit = UnitOf(row, step);
      tables.entries[static_cast<size_t>(row.table)][code] = {static_cast<uint8_t>(i), static_cast<int8_t>(exponent),
                                                              tables.NumberOf(unit, unit), ReadsAsOf(row, code),
                                                              row.meaning};
    }
  }
  return tables;
}

constexpr Tables kTables = Expand();

}  // namespace

constexpr std::array<VifEntries, 4> kVifEntries = kTables.entries;

std::span<const VifRow> VifRows() { return kVifRows; }

absl::string_view UnitText(uint8_t unit) { return kTables.units[unit]; }

}  // namespace voltwell::codec::mbus
