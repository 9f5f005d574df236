// PROXY protocol, version 2.
#include "services/collector_gateway/domain/proxy_header.h"

#include <catch2/catch.hpp>
#include <string>

#include "services/collector_gateway/core/peer.h"

using namespace voltwell::gateway;  // NOLINT
namespace base = voltwell::base;
using Kind = ProxyHeader::Kind;

namespace {

std::string Bytes(const char* hex) { return *base::FromHex(hex); }
ProxyHeader Read(const std::string& bytes) { return ReadProxyHeader(base::AsBytes(bytes)); }

// 192.0.2.7:51234 to 192.0.2.1:7645.
const std::string kV4 = Bytes("0D0A0D0A000D0A515549540A 21 11 000C C0000207 C0000201 C822 1DDD");

}  // namespace

TEST_CASE("a forwarded IPv4 connection tells its source, at its last byte and not before") {
  for (size_t size = 0; size < kV4.size(); ++size) CHECK(Read(kV4.substr(0, size)).kind == Kind::kMore);
  const ProxyHeader header = Read(kV4 + "VW-1");
  CHECK(header.kind == Kind::kForwarded);
  CHECK(header.length == kV4.size());
  CHECK(ToText({header.source, header.source_port}) == "192.0.2.7:51234");
}

TEST_CASE("a forwarded IPv6 connection tells its source") {
  const ProxyHeader header =
      Read(Bytes("0D0A0D0A000D0A515549540A 21 21 0024 20010DB8000000000000000000000005"
                 "20010DB8000000000000000000000001 C822 1DDD"));
  CHECK(header.kind == Kind::kForwarded);
  CHECK(ToText({header.source, header.source_port}) == "[2001:db8::5]:51234");
}

TEST_CASE("what a balancer adds behind the addresses is skipped") {
  std::string longer = kV4 + Bytes("0300045A5A5A5A");
  longer[15] = static_cast<char>(12 + 7);
  CHECK(Read(longer).kind == Kind::kForwarded);
  CHECK(Read(longer).length == longer.size());
}

TEST_CASE("the balancer's own look and an address that it does not tell are local") {
  CHECK(Read(Bytes("0D0A0D0A000D0A515549540A 20 00 0000")).kind == Kind::kLocal);
  CHECK(Read(Bytes("0D0A0D0A000D0A515549540A 21 00 0000")).kind == Kind::kLocal);
}

TEST_CASE("anything else is malformed, as soon as it can be told") {
  CHECK(Read("V").kind == Kind::kMalformed);
  CHECK(Read("PROXY TCP4 192.0.2.7 192.0.2.1 51234 7645\r\n").kind == Kind::kMalformed);  // Version 1.
  const auto changed = [](size_t at, uint8_t byte) {
    std::string bytes = kV4;
    bytes[at] = static_cast<char>(byte);
    return Read(bytes).kind;
  };
  for (size_t at = 0; at < 12; ++at) CHECK(changed(at, 0xEE) == Kind::kMalformed);
  CHECK(changed(12, 0x11) == Kind::kMalformed);  // A version that is not 2.
  CHECK(changed(12, 0x22) == Kind::kMalformed);  // A command that there is not.
  CHECK(changed(13, 0x12) == Kind::kMalformed);  // UDP.
  CHECK(changed(13, 0x31) == Kind::kMalformed);  // A Unix socket.
  CHECK(changed(15, 11) == Kind::kMalformed);    // Shorter than its addresses.
}

TEST_CASE("a header of the longest length is taken and one byte more refused") {
  std::string bytes = kV4;
  const auto announce = [&bytes](size_t size) {
    bytes[14] = static_cast<char>((size - 16) >> 8);
    bytes[15] = static_cast<char>((size - 16) & 0xFF);
    bytes.resize(size);
    return Read(bytes).kind;
  };
  CHECK(announce(kProxyHeaderMax) == Kind::kForwarded);
  CHECK(announce(kProxyHeaderMax + 1) == Kind::kMalformed);
}
