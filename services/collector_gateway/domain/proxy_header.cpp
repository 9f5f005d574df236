// PROXY protocol, version 2 (haproxy's doc/proxy-protocol.txt, section 2.2); see proxy_header.h.
#include "services/collector_gateway/domain/proxy_header.h"

#include <algorithm>
#include <array>

namespace voltwell::gateway {
namespace {

constexpr std::array<uint8_t, 12> kSignature = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
constexpr size_t kVersionAt = 12;
constexpr size_t kFamilyAt = 13;
constexpr size_t kLengthAt = 14;
constexpr size_t kFixed = 16;
constexpr uint8_t kVersion2Local = 0x20;
constexpr uint8_t kVersion2Proxy = 0x21;
constexpr uint8_t kUnspecified = 0x00;
constexpr uint8_t kTcpV4 = 0x11;
constexpr uint8_t kTcpV6 = 0x21;
constexpr size_t kV4Addresses = 12;  // Two of 4 bytes, two ports.
constexpr size_t kV6Addresses = 36;
constexpr size_t kV4Offset = 12;  // In ::ffff:a.b.c.d.

uint16_t BigEndian(base::ByteView bytes, size_t at) {
  return static_cast<uint16_t>((static_cast<unsigned>(bytes[at]) << 8) | bytes[at + 1]);
}

void ReadV4(base::ByteView bytes, ProxyHeader& header) {
  header.source[10] = header.source[11] = 0xFF;
  std::copy_n(bytes.begin() + kFixed, 4, header.source.begin() + kV4Offset);
  header.source_port = BigEndian(bytes, kFixed + 8);
}

void ReadV6(base::ByteView bytes, ProxyHeader& header) {
  std::copy_n(bytes.begin() + kFixed, 16, header.source.begin());
  header.source_port = BigEndian(bytes, kFixed + 32);
}

}  // namespace

ProxyHeader ReadProxyHeader(base::ByteView bytes) {
  using Kind = ProxyHeader::Kind;
  ProxyHeader header;
  // Each byte is judged as it comes: whoever speaks no PROXY is found out by the first.
  const size_t signed_bytes = std::min(bytes.size(), kSignature.size());
  if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(signed_bytes), kSignature.begin())) {
    header.kind = Kind::kMalformed;
    return header;
  }
  if (bytes.size() > kVersionAt && bytes[kVersionAt] != kVersion2Local && bytes[kVersionAt] != kVersion2Proxy) {
    header.kind = Kind::kMalformed;
    return header;
  }
  if (bytes.size() < kFixed) return header;
  const size_t announced = BigEndian(bytes, kLengthAt);
  const bool local = bytes[kVersionAt] == kVersion2Local;
  const uint8_t family = bytes[kFamilyAt];
  const size_t needed = local || family == kUnspecified ? 0 : family == kTcpV4 ? kV4Addresses : kV6Addresses;
  const bool known = local || family == kUnspecified || family == kTcpV4 || family == kTcpV6;
  if (!known || announced < needed || kFixed + announced > kProxyHeaderMax) {
    header.kind = Kind::kMalformed;
    return header;
  }
  if (bytes.size() < kFixed + announced) return header;
  header.length = kFixed + announced;
  header.kind = needed == 0 ? Kind::kLocal : Kind::kForwarded;
  if (needed == kV4Addresses) ReadV4(bytes, header);
  if (needed == kV6Addresses) ReadV6(bytes, header);
  return header;
}

}  // namespace voltwell::gateway
