// The request target: path and query as they come over the wire. Pure, and fuzzed, since anybody can send it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace voltwell::http {

inline constexpr size_t kQueryParametersMax = 64;  // Beyond it ParseQuery refuses.

// "%41" to "A"; nothing for a cut or wrong escape and for a zero byte. `plus_is_space`: as in forms and queries.
std::optional<std::string> PercentDecode(absl::string_view text, bool plus_is_space);

// "a=1&b=x%20y", decoded, in order. Nothing when an escape is wrong or there are too many.
std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(absl::string_view query);

struct Target {
  std::string path = {};   // Decoded; begins with '/', or is "*".
  std::string query = {};  // As sent.
};

// "/a%20b?x=1", "http://host/a" (which a proxy may send) or "*".
std::optional<Target> ParseTarget(absl::string_view target);

}  // namespace voltwell::http
