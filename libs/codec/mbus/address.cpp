// Primary and secondary addresses; see address.h.
#include "libs/codec/mbus/address.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "libs/codec/mbus/link.h"
#include "libs/codec/mbus/telegram.h"

namespace voltwell::codec::mbus {
namespace {

absl::Status BadAddress(absl::string_view text, size_t position) {
  return base::InvalidArgument("BAD_METER_ADDRESS",
                               "an M-Bus address is p0 to p250, 8 digits, or 16 with manufacturer, version and medium",
                               {{"address", std::string(text)}, {"position", absl::StrCat(position)}});
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

absl::StatusOr<MeterAddress> ParsePrimary(absl::string_view text) {
  const size_t digits_at = text[0] == 'p' || text[0] == 'P' ? 1 : 0;
  const absl::string_view digits = text.substr(digits_at);
  const size_t other = digits.find_first_not_of("0123456789");
  if (digits.empty() || other != absl::string_view::npos) {
    return BadAddress(text, digits_at + (other == absl::string_view::npos ? 0 : other));
  }
  int number = 0;
  if (digits.size() > 3 || !absl::SimpleAtoi(digits, &number) || number > kPrimaryMax) {
    return BadAddress(text, digits_at);
  }
  MeterAddress address;
  address.primary = static_cast<uint8_t>(number);
  return address;
}

}  // namespace

absl::StatusOr<MeterAddress> ParseMeterAddress(absl::string_view text) {
  if (text.empty()) return BadAddress(text, 0);
  if (text.size() <= 4) return ParsePrimary(text);
  if (text.size() != 8 && text.size() != 16) return BadAddress(text, std::min<size_t>(text.size(), 16));
  uint64_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return BadAddress(text, i);
    digits = digits << 4 | static_cast<uint64_t>(digit);
  }
  MeterAddress address;
  address.is_secondary = true;
  if (text.size() == 8) {
    address.secondary.id = static_cast<uint32_t>(digits);
    return address;
  }
  address.secondary.id = static_cast<uint32_t>(digits >> 32);
  address.secondary.manufacturer = __builtin_bswap16(static_cast<uint16_t>(digits >> 16));
  address.secondary.version = static_cast<uint8_t>(digits >> 8);
  address.secondary.medium = static_cast<uint8_t>(digits);
  return address;
}

std::string FormatSecondary(const SecondaryAddress& address) {
  return absl::StrFormat("%08X%04X%02X%02X", address.id, __builtin_bswap16(address.manufacturer), address.version,
                         address.medium);
}

SecondaryAddress AddressOf(const Header& header) {
  return {header.id, header.manufacturer, header.version, header.medium};
}

bool Covers(const SecondaryAddress& mask, const SecondaryAddress& meter) {
  for (int shift = 0; shift < 32; shift += 4) {
    const uint32_t wanted = (mask.id >> shift) & 0xF;
    if (wanted != 0xF && wanted != ((meter.id >> shift) & 0xF)) return false;
  }
  return (mask.manufacturer == 0xFFFF || mask.manufacturer == meter.manufacturer) &&
         (mask.version == 0xFF || mask.version == meter.version) &&
         (mask.medium == 0xFF || mask.medium == meter.medium);
}

std::string ManufacturerText(uint16_t manufacturer) {
  std::string text;
  for (const int shift : {10, 5, 0}) {
    const int letter = (manufacturer >> shift) & 0x1F;
    text.push_back(letter >= 1 && letter <= 26 ? static_cast<char>('A' + letter - 1) : '?');
  }
  return text;
}

}  // namespace voltwell::codec::mbus
