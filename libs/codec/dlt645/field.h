// Reads one field of a meter's data into a typed, exact value. No double: digits keep their scale.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/bytes.h"
#include "libs/decimal/decimal.h"

namespace voltwell::codec::dlt645 {

// How the bytes of a field are read. Names after the notation of the standard.
enum class Format : uint8_t {
  kBcd,           // XX..XX packed BCD, low byte first; the scale stands in the register table.
  kSignedBcd,     // The same; the highest bit of the highest byte is the sign.
  kDateWeek,      // YYMMDDWW, 4 bytes: WW DD MM YY on the wire.
  kTime,          // hhmmss, 3 bytes: ss mm hh on the wire.
  kDateTimeWeek,  // YYMMDDWWhhmmss, 7 bytes: ss mm hh WW DD MM YY on the wire.
  kBits,          // A bit word of 2 bytes, bit 0 is D0 of the first byte.
  kDigits,        // NN..NN a number that is a name (an address): all digits count.
};

// Bytes of the longest field of the table.
inline constexpr size_t kFieldMax = 7;

// What a field holds. Small and without allocation: decoding is a hot path.
struct FieldValue {
  enum class Kind : uint8_t {
    kNoValue,   // All bytes FF: the meter's sentinel for "not available".
    kNumber,    // See number.
    kText,      // See Text(): dates, times, digits.
    kBits,      // See raw.
    kNotValid,  // Digits that are none, or a date that is none.
  };
  Kind kind = Kind::kNotValid;
  Format format = Format::kBcd;
  uint8_t length = 0;
  decimal::Decimal number = {};
  uint64_t raw = 0;  // The bytes without 33H, the first one lowest.

  // Dates as "2016-01-11", times as "21:53:55", both as "2016-01-11T21:53:55" (the meter's local time; the century is
  // taken as 20), bit words as "0050", digits as they are. Empty for numbers and where there is no value.
  std::string Text() const;
};

// Bytes with 33H added, 1 to kFieldMax of them.
FieldValue DecodeField(base::ByteView bytes, Format format, int scale);

}  // namespace voltwell::codec::dlt645
