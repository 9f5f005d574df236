// Remote addresses: eighteen bytes each, since every session has one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "services/collector_gateway/domain/directory_copy.h"

struct sockaddr_storage;

namespace voltwell::gateway {

struct Peer {
  Address address = {};
  uint16_t port = 0;
};

Peer PeerOf(const sockaddr_storage& socket_address);
// "10.1.2.3:40112" or "[2001:db8::1]:40112".
std::string ToText(const Peer& peer);
// "10.8.0.0/16", "2001:db8::/32", or one address. Empty text: every address. None when it is no network.
std::optional<Network> ParseNetwork(absl::string_view text);

}  // namespace voltwell::gateway
