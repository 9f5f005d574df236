#include "services/api_gateway/client_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"

namespace voltwell::front {
namespace {

constexpr int kMappedBits = 96;  // ::ffff:0:0/96 holds IPv4.

std::optional<std::array<unsigned char, 16>> ParseAddress(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes = {};
  bytes[10] = bytes[11] = 0xff;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) return bytes;
  return std::nullopt;
}

bool SameBits(const std::array<unsigned char, 16>& a, const std::array<unsigned char, 16>& b, int bits) {
  const size_t whole = static_cast<size_t>(bits) / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8) & 0xff;
  return (a[whole] & mask) == (b[whole] & mask);
}

// "1.2.3.4", "1.2.3.4:567", "[::1]:567".
std::string WithoutPort(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (!text.empty() && text.front() == '[') return std::string(text.substr(1, text.find(']') - 1));
  const size_t colon = text.find(':');
  if (colon != absl::string_view::npos && text.find(':', colon + 1) == absl::string_view::npos)
    text = text.substr(0, colon);
  return std::string(text);
}

}  // namespace

absl::StatusOr<Networks> Networks::Parse(const std::vector<std::string>& cidrs) {
  Networks networks;
  for (const std::string& cidr : cidrs) {
    const std::vector<std::string> halves = absl::StrSplit(cidr, absl::MaxSplits('/', 1));
    const auto address = ParseAddress(halves.front());
    const bool v4 = halves.front().find(':') == std::string::npos;
    int bits = v4 ? 32 : 128;
    const bool bits_ok =
        halves.size() == 1 || (absl::SimpleAtoi(halves[1], &bits) && bits >= 0 && bits <= (v4 ? 32 : 128));
    if (!address.has_value() || !bits_ok) {
      return base::InvalidArgument("BAD_NETWORK", absl::StrCat(cidr, " is no network"), {{"network", cidr}});
    }
    networks.networks_.push_back({*address, v4 ? bits + kMappedBits : bits});
  }
  return networks;
}

bool Networks::Contain(absl::string_view address) const {
  const auto bytes = ParseAddress(std::string(address));
  if (!bytes.has_value()) return false;
  for (const Network& network : networks_) {
    if (SameBits(network.address, *bytes, network.bits)) return true;
  }
  return false;
}

std::string ClientAddress(const std::string& peer, absl::string_view forwarded, const Networks& trusted) {
  std::string client = peer;
  std::vector<absl::string_view> hops = absl::StrSplit(forwarded, ',', absl::SkipWhitespace());
  while (trusted.Contain(client) && !hops.empty()) {
    std::string hop = WithoutPort(hops.back());
    if (!ParseAddress(hop).has_value()) break;  // "unknown", or garbage: the last one known counts.
    client = std::move(hop);
    hops.pop_back();
  }
  return client;
}

std::string AddressKey(const std::string& address) {
  auto bytes = ParseAddress(address.substr(0, address.find('%')));  // "fe80::1%eth0" has a zone.
  if (!bytes.has_value()) return address;
  static constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char text[INET6_ADDRSTRLEN] = {};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes->begin())) {
    ::inet_ntop(AF_INET, bytes->data() + kMapped.size(), text, sizeof text);
    return text;
  }
  std::fill(bytes->begin() + 8, bytes->end(), 0);
  ::inet_ntop(AF_INET6, bytes->data(), text, sizeof text);
  return absl::StrCat(text, "/64");
}

}  // namespace voltwell::front
