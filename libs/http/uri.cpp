// RFC 3986 sections 2.1 and 3.3, as strict as a server may be: what does not parse is refused, never guessed.
#include "libs/http/uri.h"

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace voltwell::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> PercentDecode(absl::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;  // A path that C would cut short is nobody's honest path.
    decoded.push_back(c);
  }
  return decoded;
}

std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(absl::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  if (query.empty()) return parameters;
  for (const absl::string_view part : absl::StrSplit(query, '&')) {
    if (part.empty()) continue;
    if (parameters.size() == kQueryParametersMax) return std::nullopt;
    const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(part, absl::MaxSplits('=', 1));
    auto name = PercentDecode(halves.first, true);
    auto value = PercentDecode(halves.second, true);
    if (!name.has_value() || !value.has_value()) return std::nullopt;
    parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

std::optional<Target> ParseTarget(absl::string_view target) {
  if (target == "*") return Target{"*", ""};
  for (const absl::string_view scheme : {"http://", "https://"}) {
    if (!absl::StartsWithIgnoreCase(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const size_t slash = target.find_first_of("/?");
    if (slash == absl::string_view::npos || target[slash] == '?') return std::nullopt;
    target.remove_prefix(slash);
    break;
  }
  if (target.empty() || target.front() != '/') return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(target, absl::MaxSplits('?', 1));
  auto path = PercentDecode(halves.first, false);
  if (!path.has_value()) return std::nullopt;
  return Target{std::move(*path), std::string(halves.second)};
}

}  // namespace voltwell::http
