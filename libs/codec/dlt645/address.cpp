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
  Address address;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!absl::ascii_isxdigit(c)) return bad(i, "not a digit");
    const int digit = c <= '9' ? c - '0' : absl::ascii_toupper(c) - 'A' + 10;
    const size_t place = text.size() - 1 - i;  // From the last digit, which is the low half of the first byte.
    address.wire[place / 2] |= static_cast<uint8_t>(place % 2 == 0 ? digit : digit << 4);
  }
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
