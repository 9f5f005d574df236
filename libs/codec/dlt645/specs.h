// Short forms for the fields of table rows.
#pragma once

#include "libs/codec/dlt645/field.h"

namespace voltwell::codec::dlt645 {

constexpr FieldSpec Bcd(uint8_t length, uint8_t scale, absl::string_view unit = "") {
  return {.format = Format::kBcd, .length = length, .scale = scale, .unit = unit};
}
constexpr FieldSpec SignedBcd(uint8_t length, uint8_t scale, absl::string_view unit = "") {
  return {.format = Format::kSignedBcd, .length = length, .scale = scale, .unit = unit};
}
constexpr FieldSpec Ascii(uint8_t length) { return {.format = Format::kAscii, .length = length}; }
constexpr FieldSpec Digits(uint8_t length) { return {.format = Format::kDigits, .length = length}; }
constexpr FieldSpec Plain(Format format, uint8_t length) { return {.format = format, .length = length}; }
constexpr FieldSpec Bits(uint8_t length, std::span<const BitName> bits = {}) {
  return {.format = Format::kBits, .length = length, .bits = bits};
}
// The same field under its own name within a row.
constexpr FieldSpec As(FieldSpec spec, absl::string_view suffix, absl::string_view zh, absl::string_view en,
                       uint8_t count = 1, uint8_t first = 1) {
  spec.suffix = suffix;
  spec.zh = zh;
  spec.en = en;
  spec.count = count;
  spec.first = first;
  return spec;
}

inline constexpr FieldSpec kDateTimeField = Plain(Format::kDateTime, 5);
inline constexpr FieldSpec kDateTimeSecField = Plain(Format::kDateTimeSec, 6);

}  // namespace voltwell::codec::dlt645
