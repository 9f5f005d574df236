// Decoding fields; see field.h.
#include "libs/codec/dlt645/field.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/check.h"
#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec::dlt645 {
namespace {

// Every nibble is a digit: adding 6 to each carries out of none.
bool IsBcd(uint64_t raw) {
  constexpr uint64_t kSixes = 0x0666666666666666;
  const uint64_t sum = raw + kSixes;
  return ((sum ^ raw ^ kSixes) & 0x1111111111111110) == 0;
}

// All sixteen digits at once: nibbles to bytes of 0..99, those to 0..9999, and so on.
int64_t BcdToInt(uint64_t raw) {
  raw -= 6 * (raw >> 4 & 0x0F0F0F0F0F0F0F0F);
  raw = (raw & 0x00FF00FF00FF00FF) + 100 * (raw >> 8 & 0x00FF00FF00FF00FF);
  raw = (raw & 0x0000FFFF0000FFFF) + 10'000 * (raw >> 16 & 0x0000FFFF0000FFFF);
  return static_cast<int64_t>((raw & 0xFFFFFFFF) + 100'000'000 * (raw >> 32));
}

// Takes 33H from each byte without borrowing from its neighbour.
uint64_t WithoutOffset(uint64_t raw) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  constexpr uint64_t kOffsets = 0x3333333333333333;
  return ((raw | kHighBits) - kOffsets) ^ ((raw ^ ~kOffsets) & kHighBits);
}

// The first byte is the lowest.
uint64_t Load(base::ByteView bytes) {
  uint64_t raw = 0;
  for (size_t i = bytes.size(); i > 0; --i) raw = raw << 8 | bytes[i - 1];
  return raw;
}

int Pair(uint64_t raw, size_t index) { return static_cast<int>(BcdToInt(raw >> (8 * index) & 0xFF)); }

// Month 1..12, day 1..31 of the year, month and day at the three given bytes. February 30th is left to the reader of
// the clock: a meter that shows it is wrong, but its bytes are understood.
bool IsDate(uint64_t raw, size_t day_index) {
  const int day = Pair(raw, day_index);
  const int month = Pair(raw, day_index + 1);
  return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

bool IsTime(uint64_t raw) { return Pair(raw, 0) < 60 && Pair(raw, 1) < 60 && Pair(raw, 2) < 24; }

bool IsValidText(uint64_t raw, Format format) {
  if (!IsBcd(raw)) return false;
  switch (format) {
    case Format::kDateWeek:
      return IsDate(raw, 1);
    case Format::kTime:
      return IsTime(raw);
    case Format::kDateTimeWeek:
      return IsTime(raw) && IsDate(raw, 4);
    default:
      return true;
  }
}

std::string DateText(uint64_t raw, size_t day_index) {
  return absl::StrFormat("20%02d-%02d-%02d", Pair(raw, day_index + 2), Pair(raw, day_index + 1), Pair(raw, day_index));
}

std::string TimeText(uint64_t raw) {
  return absl::StrFormat("%02d:%02d:%02d", Pair(raw, 2), Pair(raw, 1), Pair(raw, 0));
}

}  // namespace

FieldValue DecodeField(base::ByteView bytes, Format format, int scale) {
  VW_CHECK(!bytes.empty() && bytes.size() <= kFieldMax);
  FieldValue value;
  value.format = format;
  value.length = static_cast<uint8_t>(bytes.size());
  const uint64_t used = (uint64_t{1} << (8 * bytes.size())) - 1;
  value.raw = WithoutOffset(Load(bytes)) & used;
  if (value.raw == used) {
    value.kind = FieldValue::Kind::kNoValue;
    return value;
  }
  if (format == Format::kBits) {
    value.kind = FieldValue::Kind::kBits;
    return value;
  }
  if (format != Format::kBcd && format != Format::kSignedBcd) {
    value.kind = IsValidText(value.raw, format) ? FieldValue::Kind::kText : FieldValue::Kind::kNotValid;
    return value;
  }
  uint64_t digits = value.raw;
  bool negative = false;
  if (format == Format::kSignedBcd) {
    const uint64_t sign = uint64_t{0x80} << (8 * (bytes.size() - 1));
    negative = (digits & sign) != 0;
    digits &= ~sign;
  }
  if (!IsBcd(digits)) return value;
  const int64_t units = BcdToInt(digits);
  value.kind = FieldValue::Kind::kNumber;
  value.number = decimal::Decimal(negative ? -units : units, scale);
  return value;
}

std::string FieldValue::Text() const {
  if (kind == Kind::kBits) return absl::StrFormat("%0*X", 2 * length, raw);
  if (kind != Kind::kText) return "";
  switch (format) {
    case Format::kDateWeek:
      return DateText(raw, 1);
    case Format::kTime:
      return TimeText(raw);
    case Format::kDateTimeWeek:
      return absl::StrCat(DateText(raw, 4), "T", TimeText(raw));
    default:
      return absl::StrFormat("%0*X", 2 * length, raw);
  }
}

}  // namespace voltwell::codec::dlt645
