// Who is at the other end, when proxies stand between: the rightmost address of X-Forwarded-For that is not one of our
// own proxies. What stands left of it anybody may have written. Pure.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::front {

class Networks {
 public:
  // "10.0.0.0/8", "fd00::/8", "127.0.0.1". BAD_NETWORK (INVALID_ARGUMENT) with metadata network.
  static absl::StatusOr<Networks> Parse(const std::vector<std::string>& cidrs);
  bool Contain(absl::string_view address) const;

 private:
  struct Network {
    std::array<unsigned char, 16> address = {};  // IPv4 as ::ffff:a.b.c.d.
    int bits = 128;
  };
  std::vector<Network> networks_;
};

// `forwarded`: all X-Forwarded-For fields joined by commas, in order.
std::string ClientAddress(const std::string& peer, absl::string_view forwarded, const Networks& trusted);

// Under which name an address is counted: IPv6 by its /64, since whoever has one address of it has them all.
std::string AddressKey(const std::string& address);

}  // namespace voltwell::front
