// Reading and printing addresses; see address.h.
#include "libs/codec/dlt645/address.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::codec::dlt645 {

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const auto bad = [text](size_t position, absl::string_view why) {
    return base::InvalidArgument("BAD_METER_ADDRESS", why,
                                 {{"address", std::string(text.substr(0, 32))}, {"position", absl::StrCat(position)}});
  };
  constexpr size_t kDigits = 2 * kAddressSize;
  if (text.empty() || text.size() > kDigits) return bad(0, "a DL/T 645 address has 1 to 12 digits");
  for (size_t i = 0; i < text.size(); ++i) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return bad(i, "not a digit");
  }
  const std::string digits = std::string(kDigits - text.size(), '0') + std::string(text);
  VW_ASSIGN_OR_RETURN(std::string bytes, base::FromHex(digits));
  Address address;
  std::reverse_copy(bytes.begin(), bytes.end(), address.wire.begin());
  return address;
}

std::string FormatAddress(const Address& address) {
  std::array<uint8_t, kAddressSize> high_first;
  std::reverse_copy(address.wire.begin(), address.wire.end(), high_first.begin());
  return base::ToHex(high_first);
}

bool AnswersTo(const Address& request, const Address& reply) {
  for (size_t i = 0; i < kAddressSize; ++i) {
    if (request.wire[i] != kAddressWildcard && request.wire[i] != reply.wire[i]) return false;
  }
  return true;
}

}  // namespace voltwell::codec::dlt645
