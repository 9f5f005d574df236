#include "services/registry/domain/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::registry {
namespace {

constexpr size_t kIdMax = 64;

// Number of characters, or -1 where the bytes are not UTF-8 or hold a control character.
int CountCharacters(absl::string_view text) {
  int count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x20 || lead == 0x7f) return -1;
    const size_t length = lead < 0x80 ? 1 : lead >> 5 == 0x6 ? 2 : lead >> 4 == 0xe ? 3 : lead >> 3 == 0x1e ? 4 : 0;
    if (length == 0 || i + length > text.size()) return -1;
    for (size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return -1;
    }
    i += length;
  }
  return count;
}

}  // namespace

absl::StatusOr<std::string> IdOf(absl::string_view collection, absl::string_view name, absl::string_view field) {
  const std::string prefix = absl::StrCat(collection, "/");
  const absl::string_view id = name.substr(std::min(prefix.size(), name.size()));
  const auto allowed = [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_';
  };
  if (name.substr(0, prefix.size()) != prefix || id.empty() || id.size() > kIdMax ||
      !std::all_of(id.begin(), id.end(), allowed)) {
    return base::InvalidArgument("BAD_NAME", absl::StrCat(field, " must be ", prefix, "{id}"),
                                 {{"field", std::string(field)}});
  }
  return std::string(id);
}

absl::Status CheckDisplayName(absl::string_view name) {
  const int characters = CountCharacters(name);
  if (characters < 1 || characters > kDisplayNameMax) {
    return base::InvalidArgument("BAD_DISPLAY_NAME",
                                 "display_name must be 1 to 100 characters, none of them a control character",
                                 {{"field", "display_name"}});
  }
  return absl::OkStatus();
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked < 0) {
    return base::InvalidArgument("BAD_PAGE_SIZE", "page_size must not be negative", {{"field", "page_size"}});
  }
  return asked == 0 ? kPageSizeDefault : std::min(asked, kPageSizeMax);
}

}  // namespace voltwell::registry
