// What a register shows, made twice from the same state: its bytes on the wire and, for the admin port, what they mean.
// Layouts write the fields of a register down in a word each, so that registers nobody simulates can still be made up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/string_view.h"
#include "tools/field_sim/load.h"

namespace voltwell::field_sim {

class Sheet {
 public:
  // Packed BCD with `scale` digits behind the point; a negative value sets the highest bit.
  void Bcd(int64_t value, size_t bytes, int scale, absl::string_view unit);
  // All FF: the register has no value.
  void Nothing(size_t bytes);
  // Letters stand for pairs of digits, lowest byte first as on the wire: s m h D M Y, W weekday, N number. "mhDMY" is a
  // time without seconds. Told in ISO 8601, a number behind a slash.
  void Civil(absl::string_view wire_letters, const CivilTime& time, int number = 0);
  // When the field before was taken: YYMMDDhhmm.
  void TakenAt(const CivilTime& time);
  // Sent last character first, filled with zeros.
  void Ascii(absl::string_view text, size_t bytes);
  // A number in hexadecimal digits, lowest byte first: bit words, addresses, data identifiers.
  void Word(uint64_t value, size_t bytes);
  // Bytes without a meaning, told as on the wire.
  void Opaque(const std::vector<uint8_t>& bytes);

  // Fields with values made up from the seed, the same in each run. Words, each with "3*" in front for three of it:
  //   b4.2:kWh BCD of 4 bytes with 2 digits behind the point and its unit; s3.4:kW the same, signed
  //   c:mhDMY a time (see Civil); @ YYMMDDhhmm of the field before; a10 ASCII; w2 word; n6 digits; o11 bytes
  void Invent(absl::string_view layout, uint64_t seed);

  const std::vector<uint8_t>& wire() const { return wire_; }
  // [{"value": "12.34", "unit": "kWh", "time": ...}, {"text": "..."}, {"none": true}]
  const nlohmann::json& fields() const { return fields_; }

 private:
  std::vector<uint8_t> wire_;
  nlohmann::json fields_ = nlohmann::json::array();
};

// A row of registers of one layout. Axes are "shift:count" or "shift:count:step" words: from di on so many indices, in
// the bits from `shift` of the identifier.
struct SheetRow {
  uint32_t di = 0;
  absl::string_view axes;
  absl::string_view layout;
};

bool RowHas(const SheetRow& row, uint32_t di);
std::vector<uint32_t> MembersOf(const SheetRow& row);
std::string Fixed(int64_t value, int scale);

}  // namespace voltwell::field_sim
