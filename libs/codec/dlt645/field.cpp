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

int64_t BcdToInt(uint64_t raw, size_t length) {
  int64_t value = 0;
  for (size_t i = length; i > 0; --i) {
    const auto byte = static_cast<int64_t>(raw >> (8 * (i - 1)) & 0xFF);
    value = value * 100 + (byte >> 4) * 10 + (byte & 0xF);
  }
  return value;
}

int Pair(uint64_t raw, size_t index) { return static_cast<int>(BcdToInt(raw >> (8 * index) & 0xFF, 1)); }

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
  bool all_ff = true;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i] - kOffset);
    all_ff = all_ff && byte == 0xFF;
    value.raw |= uint64_t{byte} << (8 * i);
  }
  if (all_ff) {
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
  const int64_t units = BcdToInt(digits, bytes.size());
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
