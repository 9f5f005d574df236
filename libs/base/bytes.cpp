#include "libs/base/bytes.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::base {

std::string ToHex(ByteView bytes) {
  std::string hex =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  absl::AsciiStrToUpper(&hex);
  return hex;
}

absl::StatusOr<std::string> FromHex(absl::string_view hex) {
  std::string digits;
  for (size_t i = 0; i < hex.size(); ++i) {
    if (absl::ascii_isspace(hex[i]) && digits.size() % 2 == 0) continue;
    if (!absl::ascii_isxdigit(hex[i])) {
      return InvalidArgument("BAD_HEX", "not a hexadecimal digit", {{"position", absl::StrCat(i)}});
    }
    digits.push_back(hex[i]);
  }
  if (digits.size() % 2 != 0) {
    return InvalidArgument("BAD_HEX", "odd number of digits", {{"position", absl::StrCat(hex.size())}});
  }
  return absl::HexStringToBytes(digits);
}

}  // namespace voltwell::base
