// The six address bytes of a DL/T 645 frame. On the wire the low digits come first: 202411110002 goes out as
// 02 00 11 11 24 20. Some vendors use bytes that are no BCD, so an address is six bytes printed as hexadecimal.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"

namespace voltwell::codec::dlt645 {

inline constexpr uint8_t kAddressWildcard = 0xAA;
inline constexpr size_t kAddressSize = 6;

struct Address {
  std::array<uint8_t, kAddressSize> wire = {};  // As sent: the lowest byte first.

  friend bool operator==(const Address& a, const Address& b) = default;
};

// 1 to 12 hexadecimal digits, filled up with zeros on the left; AA in high digits is the wildcard.
// BAD_METER_ADDRESS with metadata position otherwise.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// 12 digits, upper case.
std::string FormatAddress(const Address& address);

// The reply bears the real address; where the request had AA, any byte will do.
bool AnswersTo(const Address& request, const Address& reply);

}  // namespace voltwell::codec::dlt645
