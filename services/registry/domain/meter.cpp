#include "services/registry/domain/meter.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "libs/base/status.h"
#include "libs/decimal/decimal.h"
#include "services/registry/domain/collector.h"
#include "services/registry/domain/names.h"

namespace voltwell::registry {
namespace {

constexpr int kKindLast = 2;  // WATER
constexpr size_t kProfileMax = 64;

absl::Status Bad(absl::string_view reason, const std::string& field, absl::string_view message) {
  return base::InvalidArgument(reason, message, {{"field", field}});
}

bool IsDigits(const std::string& text, size_t count) {
  return text.size() == count &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// How each protocol prints an address.
absl::Status CheckAddress(const std::string& protocol, const std::string& address) {
  if (protocol == "DLT645_2007" || protocol == "DLT645_1997") {
    return IsDigits(address, 12) ? absl::OkStatus() : Bad("BAD_ADDRESS", "address", "a DL/T 645 address has 12 digits");
  }
  if (protocol == "CJT188") {
    return IsDigits(address, 14) ? absl::OkStatus() : Bad("BAD_ADDRESS", "address", "a CJ/T 188 address has 14 digits");
  }
  if (protocol == "MBUS") {
    int primary = 0;
    const bool fits = IsDigits(address, 8) ||
                      (address.size() <= 3 && absl::SimpleAtoi(address, &primary) && primary >= 1 && primary <= 250);
    return fits ? absl::OkStatus()
                : Bad("BAD_ADDRESS", "address", "an M-Bus address is 1 to 250, or an identification of 8 digits");
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
  if (meter.kind < 1 || meter.kind > kKindLast) return Bad("BAD_KIND", "kind", "must be electricity or water");
  if (meter.bus < 1 || meter.bus > kBusesMax) return Bad("BAD_BUS", "bus", "buses are numbered from 1 to 16");
  VW_RETURN_IF_ERROR(CheckAddress(meter.protocol, meter.address));
  if (meter.profile.size() > kProfileMax) return Bad("BAD_PROFILE", "profile", "longer than 64 characters");
  const auto ratio = decimal::Decimal::Parse(meter.ratio);
  if (!ratio.ok() || !(*ratio > decimal::Decimal())) {
    return Bad("BAD_RATIO", "ratio", "must be a decimal number of more than zero");
  }
  return absl::OkStatus();
}

}  // namespace voltwell::registry
