// Addresses of M-Bus meters as people write them: primary "p5" (or "5"), or secondary: 8 digits, or 16 with
// manufacturer, version and medium as libmbus and its tools print them (bytes as on the wire): "12345678" + "C514" +
// "01" + "06".
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::codec::mbus {

struct Header;

// A digit FH of the id and bytes FFH of the rest match every meter.
struct SecondaryAddress {
  uint32_t id = 0xFFFFFFFF;  // Eight digits, the first in the highest nibble.
  uint16_t manufacturer = 0xFFFF;
  uint8_t version = 0xFF;
  uint8_t medium = 0xFF;

  friend bool operator==(const SecondaryAddress& a, const SecondaryAddress& b) = default;
};

struct MeterAddress {
  bool is_secondary = false;
  uint8_t primary = 0;
  SecondaryAddress secondary = {};
};

// BAD_METER_ADDRESS with metadata position.
absl::StatusOr<MeterAddress> ParseMeterAddress(absl::string_view text);

// 16 digits.
std::string FormatSecondary(const SecondaryAddress& address);
SecondaryAddress AddressOf(const Header& header);
// Whether the mask lets this meter through.
bool Covers(const SecondaryAddress& mask, const SecondaryAddress& meter);

// "ACW"; characters that are no capital letters are told as '?'.
std::string ManufacturerText(uint16_t manufacturer);

}  // namespace voltwell::codec::mbus
