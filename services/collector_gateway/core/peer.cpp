// Addresses; see peer.h.
#include "services/collector_gateway/core/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace voltwell::gateway {
namespace {

constexpr size_t kV4Offset = 12;  // ::ffff:a.b.c.d
constexpr std::array<uint8_t, kV4Offset> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool IsV4(const Address& address) { return std::equal(kV4Prefix.begin(), kV4Prefix.end(), address.begin()); }

}  // namespace

Peer PeerOf(const sockaddr_storage& socket_address) {
  Peer peer;
  if (socket_address.ss_family == AF_INET) {
    sockaddr_in v4 = {};
    std::memcpy(&v4, &socket_address, sizeof(v4));
    std::copy(kV4Prefix.begin(), kV4Prefix.end(), peer.address.begin());
    std::memcpy(peer.address.data() + kV4Offset, &v4.sin_addr, sizeof(v4.sin_addr));
    peer.port = ntohs(v4.sin_port);
  } else if (socket_address.ss_family == AF_INET6) {
    sockaddr_in6 v6 = {};
    std::memcpy(&v6, &socket_address, sizeof(v6));
    std::memcpy(peer.address.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
    peer.port = ntohs(v6.sin6_port);
  }
  return peer;
}

std::string ToText(const Peer& peer) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (IsV4(peer.address)) {
    inet_ntop(AF_INET, peer.address.data() + kV4Offset, text.data(), text.size());
    return absl::StrCat(text.data(), ":", peer.port);
  }
  inet_ntop(AF_INET6, peer.address.data(), text.data(), text.size());
  return absl::StrCat("[", text.data(), "]:", peer.port);
}

std::optional<Network> ParseNetwork(absl::string_view text) {
  Network network;
  if (text.empty()) return network;
  const size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  const bool v4 = inet_pton(AF_INET, address.c_str(), network.address.data() + kV4Offset) == 1;
  if (v4) {
    std::copy(kV4Prefix.begin(), kV4Prefix.end(), network.address.begin());
  } else if (inet_pton(AF_INET6, address.c_str(), network.address.data()) != 1) {
    return std::nullopt;
  }
  const int bits = v4 ? 32 : 128;
  network.prefix = bits;
  if (slash != absl::string_view::npos &&
      (!absl::SimpleAtoi(text.substr(slash + 1), &network.prefix) || network.prefix < 0 || network.prefix > bits)) {
    return std::nullopt;
  }
  if (v4) network.prefix += static_cast<int>(kV4Offset) * 8;
  return network;
}

}  // namespace voltwell::gateway
