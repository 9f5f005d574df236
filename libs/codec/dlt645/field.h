// One field of a meter's data as a typed, exact value, and the way back. No double: digits keep their scale.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "libs/decimal/decimal.h"

namespace voltwell::codec::dlt645 {

// How the bytes of a field are read. Names after the notation of the standard; "on the wire" is the order of bytes.
enum class Format : uint8_t {
  kBcd,            // XX..XX packed BCD, low byte first; FieldSpec::scale digits stand behind the point.
  kSignedBcd,      // The same; the highest bit of the highest byte is the sign.
  kBinary,         // Unsigned integer, low byte first, with a scale (07xxxxFF: amounts in fen).
  kDateTime,       // YYMMDDhhmm, 5 bytes: mm hh DD MM YY.
  kDateTimeSec,    // YYMMDDhhmmss, 6 bytes: ss mm hh DD MM YY.
  kDateWeek,       // YYMMDDWW, 4 bytes: WW DD MM YY.
  kTime,           // hhmmss, 3 bytes: ss mm hh.
  kDateTimeWeek,   // YYMMDDWWhhmmss, 7 bytes: ss mm hh WW DD MM YY.
  kMonthDayTime,   // MMDDhhmm, 4 bytes: mm hh DD MM.
  kMonthDayTable,  // MMDDNN, 3 bytes: NN DD MM. A year zone: from this day on by day table NN.
  kTimeTariff,     // hhmmNN, 3 bytes: NN mm hh. A period: from this time on tariff NN.
  kHoliday,        // YYMMDDNN, 4 bytes: NN DD MM YY.
  kMonthDayHour,   // MMDDhh, 3 bytes: hh DD MM.
  kDayHour,        // DDhh, 2 bytes: hh DD; 9999 is off.
  kHourMinute,     // hhmm, 2 bytes: mm hh.
  kAscii,          // The last character first; filled with 00 or 20.
  kBits,           // A bit word, bit 0 is D0 of the first byte.
  kDigits,         // NN..NN a number that is a name (an address): all digits count.
  kIdentifier,     // A data identifier, low byte first; any byte.
  kHex,            // Bytes whose meaning is not ours, in the order of the wire.
  kPassword,       // PA P0 P1 P2: write only, a secret.
};

// Bits of a word that say something: (word >> shift) & mask(width) == value. Width 0 ends none; see kBits.
struct BitName {
  uint8_t shift = 0;
  uint8_t width = 1;
  uint8_t value = 1;
  absl::string_view zh = "";
  absl::string_view en = "";
};

// One field of a row of a register table.
struct FieldSpec {
  Format format = Format::kBcd;
  uint8_t length = 0;  // Bytes; of one repetition.
  uint8_t scale = 0;   // Digits behind the point.
  absl::string_view unit = "";
  // Behind the id of the row, e.g. "/start"; {i} is the number of the repetition. Empty: the row's own value.
  absl::string_view suffix = "";
  absl::string_view zh = "";
  absl::string_view en = "";
  uint8_t count = 1;     // Repetitions; 0: as many as there are bytes for (last field of a row only).
  uint8_t first = 1;     // Number of the first repetition.
  bool is_time = false;  // When the values of this row were taken (RegisterValue::meter_time), no value itself.
  std::span<const BitName> bits = {};
};

// What a field holds. Without allocation: decoding is a hot path. The bytes it was decoded from must outlive it when
// they are more than eight (ASCII).
struct FieldValue {
  enum class Kind : uint8_t {
    kNoValue,   // All bytes FF: the meter's sentinel for "not available"; a date and time of zeros: never.
    kNumber,    // See number.
    kText,      // See Text(): dates, times, digits, names.
    kBits,      // See raw.
    kNotValid,  // Digits that are none, or a date that is none.
  };
  Kind kind = Kind::kNotValid;
  Format format = Format::kBcd;
  uint8_t length = 0;
  decimal::Decimal number = {};
  uint64_t raw = 0;           // Up to eight bytes without 33H, the first one lowest.
  base::ByteView bytes = {};  // As they came, with 33H.

  // Dates as "2016-01-11", times as "21:53:55", both as "2016-01-11T21:53:55" (the meter's local time; the century is
  // taken as 20), without a year "01-11T21:53"; tables as "01-11/03" and "08:30/02"; a settlement day as "01T00"; bit
  // words as "0050", digits as they are, names trimmed. Empty for numbers and where there is no value.
  std::string Text() const;
};

// Bytes with 33H added, at least one; numbers have at most 7.
FieldValue DecodeField(base::ByteView bytes, const FieldSpec& spec);
FieldValue DecodeField(base::ByteView bytes, Format format, int scale);

// The inverse: text as DecodeField shows it (a decimal, or FieldValue::Text) to bytes WITHOUT 33H, spec.length of them.
// BAD_VALUE with metadata position: the first character that cannot be.
absl::StatusOr<std::string> EncodeField(const FieldSpec& spec, absl::string_view text);

// As the standard writes it: "XXXXXX.XX", "XX.XXXX signed", "YYMMDDhhmm".
std::string Notation(const FieldSpec& spec);

}  // namespace voltwell::codec::dlt645
