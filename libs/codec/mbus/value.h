// A record's value as a decimal, a time or a text. Allocates only for texts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "libs/codec/mbus/telegram.h"
#include "libs/codec/mbus/vif_table.h"
#include "libs/decimal/decimal.h"

namespace voltwell::codec::mbus {

// kNumber: exact. kFloat: the shortest decimal that reads back to the same float, with the unit's factor.
// None for other kinds, for numbers beyond what a Decimal holds, and for floats that are no number.
std::optional<decimal::Decimal> NumberOf(const Record& record);

// A float as sent, with the unit's factor, where NumberOf has none: "1.5e+30", "nan".
std::string FloatText(const Record& record);

// Types F, G, I and J. Fields that the type lacks are -1.
struct MeterTime {
  int year = -1;
  int month = -1;
  int day = -1;
  int hour = -1;
  int minute = -1;
  int second = -1;
  bool summer = false;
  bool valid = false;  // False also where the meter says so itself (IV), or shows its "none".
};
MeterTime TimeOf(const Record& record);
// "YYYY-MM-DD", "YYYY-MM-DDThh:mm[:ss]", "hh:mm:ss"; empty when it is not valid.
std::string TimeText(const MeterTime& time);

// Characters of ISO 8859-1 as UTF-8, in reading order; control characters are told as '?'.
std::string CharactersOf(const Record& record, base::ByteView frame);

// Hexadecimal, the highest byte first as a person reads a number.
std::string HexOf(const Record& record, base::ByteView frame);

// What the record is of, and its VIFE behind the one that the row is of.
inline const VifRow& RowOf(const Record& record) { return VifRows()[record.row]; }
base::ByteView ModifiersOf(const Record& record, base::ByteView frame);
// Those of them that are of the first table; those of the second stand behind a 7CH each.
std::vector<uint8_t> FirstTableModifiersOf(const Record& record, base::ByteView frame);
// The unit of VIF 7CH and FCH in plain text; empty for others.
std::string PlainTextUnit(const Record& record, base::ByteView frame);
// The unit as it is with "per" and "times" VIFE: "m3/h", "kWh/d", "V*s".
std::string UnitOf(const Record& record, base::ByteView frame);

// English names, stable: "instantaneous", "maximum", "minimum", "error".
absl::string_view FunctionName(Function function);

// "cold water"; zh "冷水". Of a code without name: "reserved".
absl::string_view MediumText(uint8_t medium, bool zh);
// Of CI 70H.
absl::string_view ApplicationErrorText(uint8_t code, bool zh);

}  // namespace voltwell::codec::mbus
