// Decoding fields; see field.h.
#include "libs/codec/dlt645/field.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/check.h"
#include "libs/codec/dlt645/field_shape.h"
#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec::dlt645 {
namespace {

// Bytes that FieldValue::raw holds, and of the longest number (16 digits do not all fit the carries of IsBcd).
constexpr size_t kRawMax = 8;
constexpr size_t kNumberMax = 7;

// Every nibble is a digit: adding 6 to each carries out of none. The highest nibble is looked at for itself.
bool IsBcd(uint64_t raw) {
  constexpr uint64_t kSixes = 0x0666666666666666;
  const uint64_t low = raw & 0x0FFFFFFFFFFFFFFF;
  const uint64_t sum = low + kSixes;
  return ((sum ^ low ^ kSixes) & 0x1111111111111110) == 0 && raw >> 60 <= 9;
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

// February 30th is left to the reader of the clock: a meter that shows it is wrong, but its bytes are understood.
bool FitsShape(uint64_t raw, size_t length, const Shape& shape) {
  if (shape.wire.size() != length || !IsBcd(raw)) return false;
  for (size_t i = 0; i < length; ++i) {
    if (!InRange(shape.wire[i], Pair(raw, i))) return false;
  }
  return true;
}

FieldValue::Kind NumberKind(FieldValue& value, int scale) {
  if (value.length > kNumberMax) return FieldValue::Kind::kNotValid;
  if (value.format == Format::kBinary) {
    value.number = decimal::Decimal(static_cast<int64_t>(value.raw), scale);
    return FieldValue::Kind::kNumber;
  }
  uint64_t digits = value.raw;
  bool negative = false;
  if (value.format == Format::kSignedBcd) {
    const uint64_t sign = uint64_t{0x80} << (8 * (value.length - 1));
    negative = (digits & sign) != 0;
    digits &= ~sign;
  }
  if (!IsBcd(digits)) return FieldValue::Kind::kNotValid;
  const int64_t units = BcdToInt(digits);
  value.number = decimal::Decimal(negative ? -units : units, scale);
  return FieldValue::Kind::kNumber;
}

std::string Plain(base::ByteView bytes) {
  std::string plain = base::ToString(bytes);
  for (char& c : plain) c = static_cast<char>(static_cast<uint8_t>(c) - kOffset);
  return plain;
}

// The bytes of a value without 33H. Up to eight are in the value itself, so that it may outlive what it was decoded
// from.
std::string PlainOf(const FieldValue& value) {
  if (value.length > kRawMax) return Plain(value.bytes);
  std::string plain;
  for (size_t i = 0; i < value.length; ++i) plain.push_back(static_cast<char>(value.raw >> (8 * i) & 0xFF));
  return plain;
}

std::string AsciiText(std::string text) {
  std::reverse(text.begin(), text.end());
  const auto filler = [](char c) { return c == ' ' || c == '\0'; };
  while (!text.empty() && filler(text.back())) text.pop_back();
  const auto begin = std::find_if_not(text.begin(), text.end(), filler);
  text.erase(text.begin(), begin);
  return text;
}

// One pass without a copy: printable characters, with filler only around them.
bool IsAscii(base::ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) {
    const auto c = static_cast<uint8_t>(byte - kOffset);
    return c == 0 || (c >= 0x20 && c < 0x7F);
  });
}

bool IsDigits(base::ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) {
    const auto plain = static_cast<uint8_t>(byte - kOffset);
    return plain >> 4 <= 9 && (plain & 0xF) <= 9;
  });
}

bool IsText(const FieldValue& value) {
  switch (value.format) {
    case Format::kAscii:
      return IsAscii(value.bytes);
    case Format::kDigits:
      return IsDigits(value.bytes);
    case Format::kIdentifier:
    case Format::kHex:
    case Format::kPassword:
      return true;
    default:
      break;
  }
  // A settlement day of 99 is off.
  if (value.format == Format::kDayHour && value.raw == 0x9999) return true;
  return FitsShape(value.raw, value.length, ShapeOf(value.format));
}

std::string ReversedHex(std::string plain) {
  std::reverse(plain.begin(), plain.end());
  return base::ToHex(base::AsBytes(plain));
}

}  // namespace

FieldValue DecodeField(base::ByteView bytes, const FieldSpec& spec) {
  return DecodeField(bytes, spec.format, spec.scale);
}

FieldValue DecodeField(base::ByteView bytes, Format format, int scale) {
  VW_CHECK(!bytes.empty() && bytes.size() <= 0xFF);
  FieldValue value;
  value.format = format;
  value.length = static_cast<uint8_t>(bytes.size());
  value.bytes = bytes;
  if (bytes.size() <= kRawMax) {
    const uint64_t used = ~uint64_t{0} >> (8 * (kRawMax - bytes.size()));
    value.raw = WithoutOffset(Load(bytes)) & used;
    // A mode word of one byte may have all its bits set.
    if (value.raw == used && !(format == Format::kBits && bytes.size() == 1)) {
      value.kind = FieldValue::Kind::kNoValue;
      return value;
    }
  } else if (std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == uint8_t(0xFF + kOffset); })) {
    value.kind = FieldValue::Kind::kNoValue;
    return value;
  }
  switch (format) {
    case Format::kBcd:
    case Format::kSignedBcd:
    case Format::kBinary:
      value.kind = NumberKind(value, scale);
      return value;
    case Format::kBits:
      value.kind = FieldValue::Kind::kBits;
      return value;
    default:
      break;
  }
  if (value.raw == 0 && ShapeOf(format).zeros_are_none) {
    value.kind = FieldValue::Kind::kNoValue;
  } else {
    value.kind = IsText(value) ? FieldValue::Kind::kText : FieldValue::Kind::kNotValid;
  }
  return value;
}

std::string FieldValue::Text() const {
  if (kind != Kind::kText && kind != Kind::kBits) return "";
  switch (format) {
    case Format::kAscii:
      return AsciiText(PlainOf(*this));
    case Format::kHex:
    case Format::kPassword:
      return base::ToHex(base::AsBytes(PlainOf(*this)));
    case Format::kBits:
    case Format::kDigits:
    case Format::kIdentifier:
      return ReversedHex(PlainOf(*this));
    default:
      break;
  }
  std::string text;
  const Shape shape = ShapeOf(format);
  for (const char c : shape.text) {
    const size_t at = shape.wire.find(c);
    if (at != absl::string_view::npos) {
      absl::StrAppendFormat(&text, "%02X", raw >> (8 * at) & 0xFF);
    } else if (c == '#') {
      text += "20";
    } else {
      text.push_back(c);
    }
  }
  return text;
}

std::string Notation(const FieldSpec& spec) {
  const Shape shape = ShapeOf(spec.format);
  if (!shape.notation.empty()) return std::string(shape.notation);
  switch (spec.format) {
    case Format::kBcd:
    case Format::kSignedBcd: {
      std::string digits(2 * spec.length, 'X');
      if (spec.scale > 0) digits.insert(digits.size() - spec.scale, ".");
      return absl::StrCat("BCD ", digits, spec.format == Format::kSignedBcd ? " signed" : "");
    }
    case Format::kBinary:
      return "binary";
    case Format::kAscii:
      return "ASCII";
    case Format::kBits:
      return "bits";
    case Format::kDigits:
      return std::string(2 * spec.length, 'N');
    case Format::kIdentifier:
      return "identifier";
    case Format::kPassword:
      return "PA P0 P1 P2";
    default:
      return "bytes";
  }
}

}  // namespace voltwell::codec::dlt645
