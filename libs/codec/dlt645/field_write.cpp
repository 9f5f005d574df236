// The way back: text to the bytes of a field; see field.h.
#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/field.h"
#include "libs/codec/dlt645/field_shape.h"

namespace voltwell::codec::dlt645 {
namespace {

absl::Status BadValue(absl::string_view why, size_t position) {
  return base::InvalidArgument("BAD_VALUE", absl::StrCat("no value of the register: ", why),
                               {{"position", absl::StrCat(position)}});
}

// Where the text stops being what is wanted: the first character that is none of `allowed`, or its end.
size_t FirstOther(absl::string_view text, bool (*allowed)(unsigned char)) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), allowed) - text.begin());
}

absl::StatusOr<std::string> EncodeHex(const FieldSpec& spec, absl::string_view text, bool low_first, bool decimal) {
  const size_t bad = FirstOther(text, decimal ? absl::ascii_isdigit : absl::ascii_isxdigit);
  const size_t size = 2 * size_t{spec.length};
  if (bad < text.size()) return BadValue(decimal ? "not a digit" : "not a hexadecimal digit", bad);
  if (text.size() != size) return BadValue(absl::StrCat(size, " digits are wanted"), std::min(text.size(), size));
  VW_ASSIGN_OR_RETURN(std::string bytes, base::FromHex(text));
  if (low_first) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

absl::StatusOr<std::string> EncodeAscii(const FieldSpec& spec, absl::string_view text) {
  const size_t bad = FirstOther(text, absl::ascii_isprint);
  if (bad < text.size()) return BadValue("not a printable ASCII character", bad);
  if (text.size() > spec.length) return BadValue(absl::StrCat(spec.length, " characters at most"), spec.length);
  std::string bytes(text);
  bytes.resize(spec.length, '\0');
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

absl::StatusOr<std::string> EncodeNumber(const FieldSpec& spec, absl::string_view text) {
  const auto number = decimal::Decimal::Parse(text);
  if (!number.ok()) {
    size_t position = 0;
    const base::ErrorMetadata metadata = base::MetadataOf(number.status());
    if (const auto at = metadata.find("position"); at != metadata.end()) {
      for (const char c : at->second) position = position * 10 + static_cast<size_t>(c - '0');
    }
    return BadValue("not a decimal", position);
  }
  const auto fitted = number->Round(spec.scale, decimal::Rounding::kDown);
  if (!fitted.ok() || !(*fitted == *number)) {
    const size_t point = std::min(text.find('.'), text.size());
    return BadValue(absl::StrCat("the register has ", spec.scale, " digits behind the point"),
                    std::min(point + 1 + spec.scale, text.size()));
  }
  const bool negative = fitted->units() < 0;
  if (negative && spec.format != Format::kSignedBcd) return BadValue("the register has no sign", 0);
  uint64_t left = negative ? ~static_cast<uint64_t>(fitted->units()) + 1 : static_cast<uint64_t>(fitted->units());
  std::string bytes;
  for (size_t i = 0; i < spec.length; ++i) {
    const uint64_t base = spec.format == Format::kBinary ? 256 : 100;
    const uint64_t low = left % base;
    bytes.push_back(static_cast<char>(base == 256 ? low : low / 10 * 16 + low % 10));
    left /= base;
  }
  const bool sign_taken = spec.format == Format::kSignedBcd && (static_cast<uint8_t>(bytes.back()) & 0x80) != 0;
  if (left != 0 || sign_taken) return BadValue("more digits than the register has", 0);
  if (negative) bytes.back() = static_cast<char>(static_cast<uint8_t>(bytes.back()) | 0x80);
  return bytes;
}

// Sunday is 0.
uint8_t Weekday(const std::array<uint8_t, 128>& pairs) {
  const absl::CivilDay day(2000 + pairs['Y'], pairs['M'], pairs['D']);
  return static_cast<uint8_t>((static_cast<int>(absl::GetWeekday(day)) + 1) % 7);
}

// The pairs of digits of a text by their letters.
absl::Status MatchShape(const Shape& shape, Format format, absl::string_view text, std::array<uint8_t, 128>& pairs) {
  size_t at = 0;
  for (const char c : shape.text) {
    const bool letter = shape.wire.find(c) != absl::string_view::npos;
    const absl::string_view literal = c == '#' ? absl::string_view("20") : absl::string_view(&c, 1);
    if (!letter) {
      for (const char wanted : literal) {
        if (at >= text.size() || text[at] != wanted) return BadValue(absl::StrCat("'", literal, "' is wanted"), at);
        ++at;
      }
      continue;
    }
    for (size_t i = at; i < at + 2; ++i) {
      if (i >= text.size() || !absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) {
        return BadValue("a digit is wanted", std::min(i, text.size()));
      }
    }
    const int value = (text[at] - '0') * 10 + (text[at + 1] - '0');
    const bool off = format == Format::kDayHour && text == "99T99";
    if (!off && !InRange(c, value)) return BadValue("no such date or time", at);
    pairs[static_cast<size_t>(c)] = static_cast<uint8_t>(value);
    at += 2;
  }
  if (at != text.size()) return BadValue("nothing more is wanted", at);
  return absl::OkStatus();
}

absl::StatusOr<std::string> EncodeShape(const Shape& shape, const FieldSpec& spec, absl::string_view text) {
  std::array<uint8_t, 128> pairs = {};
  VW_RETURN_IF_ERROR(MatchShape(shape, spec.format, text, pairs));
  const bool dated = shape.wire.find('Y') != absl::string_view::npos;
  if (dated) {
    const absl::CivilDay day(2000 + pairs['Y'], pairs['M'], pairs['D']);
    if (day.day() != pairs['D']) return BadValue("no such date", text.find('-') + 4);
    pairs['W'] = Weekday(pairs);
  }
  std::string bytes;
  for (const char letter : shape.wire) {
    const uint8_t value = pairs[static_cast<size_t>(letter)];
    bytes.push_back(static_cast<char>(value / 10 * 16 + value % 10));
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> EncodeField(const FieldSpec& spec, absl::string_view text) {
  switch (spec.format) {
    case Format::kBcd:
    case Format::kSignedBcd:
    case Format::kBinary:
      return EncodeNumber(spec, text);
    case Format::kAscii:
      return EncodeAscii(spec, text);
    case Format::kDigits:
      return EncodeHex(spec, text, /*low_first=*/true, /*decimal=*/true);
    case Format::kBits:
    case Format::kIdentifier:
      return EncodeHex(spec, text, /*low_first=*/true, /*decimal=*/false);
    case Format::kHex:
    case Format::kPassword:
      return EncodeHex(spec, text, /*low_first=*/false, /*decimal=*/false);
    default:
      return EncodeShape(ShapeOf(spec.format), spec, text);
  }
}

}  // namespace voltwell::codec::dlt645
