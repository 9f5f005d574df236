// The header of PROXY protocol version 2, by which a balancer tells whose connection it forwards. Pure.
#pragma once

#include <cstdint>

#include "libs/base/bytes.h"
#include "services/collector_gateway/domain/directory_copy.h"

namespace voltwell::gateway {

// Sixteen fixed bytes, the longest pair of addresses that we take, and what balancers add (TLS details, checksums).
inline constexpr size_t kProxyHeaderMax = 536;

struct ProxyHeader {
  enum class Kind : uint8_t {
    kMore,
    kMalformed,  // Also: longer than kProxyHeaderMax, or no TCP.
    kLocal,      // The balancer itself, or an address that it does not tell.
    kForwarded,  // For `source`.
  };
  Kind kind = Kind::kMore;
  size_t length = 0;  // Of the whole header.
  Address source = {};
  uint16_t source_port = 0;
};

ProxyHeader ReadProxyHeader(base::ByteView bytes);

}  // namespace voltwell::gateway
