// Reads the bytes behind data identifier and sequence into typed, exact values. Allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "libs/base/bytes.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/cjt188/register_table.h"
#include "libs/decimal/decimal.h"

namespace voltwell::codec::cjt188 {

// A vendor's peculiarities; -1: as the table says.
struct BodyOptions {
  int volume_decimals = -1;                     // Of volumes with a unit.
  bool number_bcd = false;                      // The purchase number is BCD, not binary.
  std::span<const std::string> sentinels = {};  // Raw fields on the wire that mean "no value".
  std::array<int8_t, kRegAll> scale = MakeUnset();
  std::array<int8_t, kRegAll> length = MakeUnset();

 private:
  static constexpr std::array<int8_t, kRegAll> MakeUnset() {
    std::array<int8_t, kRegAll> unset = {};
    for (int8_t& value : unset) value = -1;
    return unset;
  }
};

struct FieldValue {
  enum class Kind : uint8_t {
    kNoValue,   // A sentinel: all FF, 99999999, a clock of zeros, or what the profile names.
    kNumber,    // See number and unit.
    kTime,      // See TimeText().
    kBits,      // See word: the first status byte lowest.
    kDigits,    // See HexText(): highest byte first.
    kRaw,       // Bytes without a meaning known to us, or a key.
    kNotValid,  // Digits that are none, a date that is none, a unit that is none.
  };
  Reg reg = Reg::kUnknown;
  Kind kind = Kind::kRaw;
  Format format = Format::kUnknown;
  uint8_t offset = 0;       // In the body.
  uint8_t length = 0;       // Without the unit byte.
  uint8_t unit_offset = 0;  // Where the field has a unit byte; see has_unit.
  bool has_unit = false;
  bool high_first = false;  // Of kTime.
  uint8_t unit_code = 0;
  uint16_t word = 0;
  decimal::Decimal number = {};
  absl::string_view unit = "";
  std::array<uint8_t, kFieldMax> raw = {};  // As on the wire.

  std::string TimeText() const;  // "YYYY-MM-DDThh:mm:ss"
  std::string HexText() const;   // Highest byte first.
  std::string WireText() const;  // As on the wire.
  // As shown to people: number, time, digits, bits; empty for kNoValue and kNotValid.
  std::string Text() const;
};

struct Body {
  std::array<FieldValue, kFieldsMax> fields = {};
  size_t count = 0;
  bool unit_first = false;

  const FieldValue* Find(Reg reg) const;
};

// False: no layout fits the identifier, the meter's type and the length.
bool DecodeBody(uint16_t di, Use use, uint8_t meter_type, base::ByteView body, const BodyOptions& options, Body& out);

// One field, its unit behind it where it has one.
FieldValue DecodeField(const Field& field, base::ByteView bytes, base::ByteView unit, const BodyOptions& options);

}  // namespace voltwell::codec::cjt188
