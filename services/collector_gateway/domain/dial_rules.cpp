// Whom and when; see dial_rules.h.
#include "services/collector_gateway/domain/dial_rules.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace voltwell::gateway {
namespace {

constexpr Network V4(uint8_t a, uint8_t b, int prefix) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, a, b, 0, 0}, 96 + prefix};
}
constexpr Network V6(uint8_t a, uint8_t b, int prefix) { return {{a, b}, prefix}; }

struct Kind {
  Network network;
  absl::string_view why;
};
constexpr absl::string_view kLoopback = "loopback";
// ::/96 first bits zero: ::, ::1 and the old way to write IPv4; 64:ff9b::/96 and 2002::/16 carry an IPv4 address that
// would have to be judged by itself.
constexpr Kind kNever[] = {
    {V4(127, 0, 8), kLoopback},        {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128}, kLoopback},
    {V4(0, 0, 8), "unspecified"},      {{{}, 96}, "unspecified"},
    {V4(169, 254, 16), "link-local"},  {V6(0xFE, 0x80, 10), "link-local"},
    {V4(224, 0, 4), "multicast"},      {V6(0xFF, 0, 8), "multicast"},
    {V4(240, 0, 4), "reserved"},       {{{0, 0x64, 0xFF, 0x9B}, 96}, "translated"},
    {V6(0x20, 0x02, 16), "translated"}};

bool In(const std::vector<Network>& networks, const Address& address) {
  return std::any_of(networks.begin(), networks.end(), [&](const Network& each) { return each.Contains(address); });
}

}  // namespace

absl::string_view WhyNotDial(const Address& address, const DialRules& rules) {
  for (const Kind& kind : kNever) {
    if (!kind.network.Contains(address)) continue;
    if (kind.why == kLoopback && rules.loopback) break;
    return kind.why;
  }
  if (In(rules.refused, address)) return "a network of the cluster";
  return In(rules.allowed, address) ? "" : "not in a network that may be dialled";
}

absl::Duration DialBackoff(int failures, double chance) {
  const absl::Duration full =
      std::min(kDialBackoffMax, kDialBackoffFirst * (int64_t{1} << std::clamp(failures - 1, 0, 10)));
  return full / 2 + full / 2 * chance;
}

DialTarget DialTargetOf(const BusEntry& entry) {
  absl::string_view target = entry.dial_target;
  const size_t colon = target.rfind(':');
  DialTarget read;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(target.substr(colon + 1), &read.port)) return {};
  absl::string_view host = target.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[") && !absl::ConsumeSuffix(&host, "]")) return {};
  if (entry.port < 0) read.port += entry.bus - 1;
  if (host.empty() || read.port < 1 || read.port > 65'535) return {};
  read.host = std::string(host);
  return read;
}

}  // namespace voltwell::gateway
