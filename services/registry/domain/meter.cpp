#include "services/registry/domain/meter.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/decimal/decimal.h"
#include "services/registry/domain/collector.h"
#include "services/registry/domain/names.h"

namespace voltwell::registry {
namespace {

constexpr int kKindElectricity = 1, kKindWater = 2, kKindHeat = 3, kKindGas = 4;  // voltwell.registry.v1.Meter.Kind
constexpr size_t kProfileMax = 64;
constexpr int kMbusPrimaryLast = 250;

absl::Status Bad(absl::string_view reason, const std::string& field, absl::string_view message) {
  return base::InvalidArgument(reason, message, {{"field", field}});
}

bool IsDigits(const std::string& text, size_t count) {
  return text.size() == count &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// What every meter of a bus takes for its own, so it is nobody's.
bool IsBroadcast(absl::string_view digits) { return digits.find_first_not_of('9') == absl::string_view::npos; }

// A byte FF of manufacturer, version or medium stands for any.
bool HasMbusWildcard(absl::string_view rest) {
  for (size_t i = 0; i + 1 < rest.size(); i += 2) {
    if (rest.substr(i, 2) == "FF") return true;
  }
  return false;
}

bool IsMbusAddress(const std::string& address) {
  if (!address.empty() && address[0] == 'p') {
    const absl::string_view digits = absl::string_view(address).substr(1);
    int primary = 0;
    // One spelling each: "p05" would hide that p5 is taken.
    return absl::SimpleAtoi(digits, &primary) && primary >= 0 && primary <= kMbusPrimaryLast &&
           absl::StrCat(primary) == digits;
  }
  if (address.size() == 8) return IsDigits(address, 8);
  return address.size() == 16 && IsDigits(address.substr(0, 8), 8) &&
         !HasMbusWildcard(absl::string_view(address).substr(8)) &&
         std::all_of(address.begin(), address.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c) || (c >= 'A' && c <= 'F'); });
}

// A CJ/T 188 address begins with the type of the meter: 10 to 19 water, 20 to 29 heat, 30 to 39 gas, 40 to 49 others.
absl::Status CheckKind(const Meter& meter) {
  if (meter.kind < kKindElectricity || meter.kind > kKindGas) {
    return Bad("BAD_KIND", "kind", "must be electricity, water, heat or gas");
  }
  if (meter.protocol != "CJT188" || meter.address[0] < '1' || meter.address[0] > '3') return absl::OkStatus();
  constexpr int kByType[] = {kKindWater, kKindHeat, kKindGas};
  return meter.kind == kByType[meter.address[0] - '1']
             ? absl::OkStatus()
             : Bad("BAD_KIND", "kind", "the type in the CJ/T 188 address says otherwise: 1x water, 2x heat, 3x gas");
}

bool IsProfileName(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-' || c == '.';
  });
}

// How each protocol prints an address.
absl::Status CheckAddress(const std::string& protocol, const std::string& address) {
  if (protocol == "DLT645_2007" || protocol == "DLT645_1997") {
    return IsDigits(address, 12) && !IsBroadcast(address)
               ? absl::OkStatus()
               : Bad("BAD_ADDRESS", "address", "a DL/T 645 address has 12 digits, not all of them 9");
  }
  if (protocol == "CJT188") {
    return IsDigits(address, 16) && !IsBroadcast(absl::string_view(address).substr(2))
               ? absl::OkStatus()
               : Bad("BAD_ADDRESS", "address",
                     "a CJ/T 188 address has 16 digits: 2 of the meter's type, then 14, not all of them 9");
  }
  if (protocol == "MBUS") {
    return IsMbusAddress(address)
               ? absl::OkStatus()
               : Bad("BAD_ADDRESS", "address",
                     "an M-Bus address is p0 to p250, or 8 digits of identification, or those with manufacturer, "
                     "version and medium, 16 hexadecimal digits in all");
  }
  return Bad("UNKNOWN_PROTOCOL", "protocol", "no protocol that the codec knows");
}

}  // namespace

Meter WithDefaults(Meter meter) {
  if (meter.bus == 0) meter.bus = 1;
  if (meter.ratio.empty())
    meter.ratio = std::string("1");  // Assigning the literal makes g++ 12 warn falsely (-Wrestrict).
  return meter;
}

absl::Status CheckMeter(const Meter& meter) {
  VW_RETURN_IF_ERROR(CheckDisplayName(meter.display_name));
  if (meter.bus < 1 || meter.bus > kBusesMax) return Bad("BAD_BUS", "bus", "buses are numbered from 1 to 16");
  VW_RETURN_IF_ERROR(CheckAddress(meter.protocol, meter.address));
  VW_RETURN_IF_ERROR(CheckKind(meter));
  if (meter.profile.size() > kProfileMax || !IsProfileName(meter.profile)) {
    return Bad("BAD_PROFILE", "profile", "at most 64 small letters, digits, '_', '-' and '.'");
  }
  const auto ratio = decimal::Decimal::Parse(meter.ratio);
  if (!ratio.ok() || !(*ratio > decimal::Decimal())) {
    return Bad("BAD_RATIO", "ratio", "must be a decimal number of more than zero");
  }
  return absl::OkStatus();
}

}  // namespace voltwell::registry
