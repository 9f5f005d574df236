// Who is let in, at any times: rates and limits hold against a plain count, flapping ids are held off and let in again,
// what is remembered stays bounded, and a PROXY header is read the same however it is cut.
#include <map>
#include <string>

#include "libs/base/check.h"
#include "services/collector_gateway/domain/admission.h"
#include "services/collector_gateway/domain/proxy_header.h"

namespace {

using namespace voltwell::gateway;  // NOLINT
using voltwell::base::ByteView;

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    return byte;
  }
  bool empty() const { return rest_.empty(); }
  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

// 10.0.n.h or, for odd n, 2001:db8::n:h of one /64 each.
Address AddressOf(uint8_t byte) {
  Address address = {};
  if ((byte & 1) == 0) {
    address[10] = address[11] = 0xFF;
    address[12] = 10;
    address[14] = byte >> 4;
  } else {
    address[0] = 0x20;
    address[7] = byte >> 4;
  }
  address[15] = byte & 0x0F;
  return address;
}

absl::Duration Pause(uint8_t byte) {
  return (byte & 0x80) != 0 ? absl::Seconds(byte & 0x7F) : absl::Milliseconds(byte * 8);
}

void LetIn(Input& input) {
  const AdmissionLimits limits = {.accepts_per_second = 1 + input.Byte() % 8,
                                  .accept_burst = 1 + input.Byte() % 8,
                                  .network_accepts_per_second = 1 + input.Byte() % 4,
                                  .network_accept_burst = 1 + input.Byte() % 8,
                                  .network_connections_max = 1 + input.Byte() % 6};
  Admission admission(limits);
  std::map<Address, int> open;  // By network.
  Instant now = absl::Seconds(1);
  const Instant began = now;
  int64_t accepted = 0;
  while (!input.empty()) {
    now += Pause(input.Byte());
    const Address address = AddressOf(input.Byte());
    int& mine = open[NetworkOf(address)];
    if ((input.Byte() & 3) == 0) {
      if (mine > 0) {
        admission.Gone(address, now);
        --mine;
      }
      continue;
    }
    const Instant next = admission.AcceptAt(now);
    VW_CHECK(next >= now && next <= now + absl::Milliseconds(1001));
    if (next > now) continue;
    admission.Accepted(now);
    ++accepted;
    VW_CHECK(static_cast<double>(accepted) <=
             limits.accept_burst + limits.accepts_per_second * absl::ToDoubleSeconds(now - began) + 1e-6);
    const Admission::Verdict verdict = admission.Knock(address, now);
    if (verdict == Admission::Verdict::kIn) ++mine;
    VW_CHECK(mine <= limits.network_connections_max);
    VW_CHECK(verdict != Admission::Verdict::kNetworkFull || mine == limits.network_connections_max);
    VW_CHECK(admission.networks() <= open.size());
  }
  // All go, long after the last: nobody is remembered who was counted.
  now += absl::Hours(1);
  size_t had = 0;
  for (const auto& [network, count] : open) {
    had += count > 0 ? 1 : 0;
    for (int i = 0; i < count; ++i) admission.Gone(network, now);
  }
  VW_CHECK(admission.networks() + had <= open.size());
}

void Flap(Input& input) {
  FlapBook book;
  Instant now = absl::Seconds(1);
  while (!input.empty()) {
    now += Pause(input.Byte());
    const uint8_t byte = input.Byte();
    const std::string id(1, static_cast<char>('a' + byte % 4));
    const absl::Duration before = book.HeldOff(id, now);
    VW_CHECK(before >= absl::ZeroDuration() && before <= kHoldOffMax);
    const absl::Duration lived = Pause(input.Byte());
    book.Ended(id, lived, now);
    VW_CHECK(lived < kFlapLife || book.HeldOff(id, now) == before);
    VW_CHECK(book.HeldOff(id, now) <= kHoldOffMax && book.size() <= 4);
    VW_CHECK(book.HeldOff(id, now + kHoldOffMax) == absl::ZeroDuration());
  }
}

void Header(ByteView bytes) {
  const ProxyHeader header = ReadProxyHeader(bytes);
  const bool whole = header.kind == ProxyHeader::Kind::kLocal || header.kind == ProxyHeader::Kind::kForwarded;
  VW_CHECK(!whole || (header.length >= 16 && header.length <= std::min(bytes.size(), kProxyHeaderMax)));
  for (size_t size = 0; size < bytes.size(); ++size) {
    const ProxyHeader part = ReadProxyHeader(bytes.first(size));
    if (part.kind == ProxyHeader::Kind::kMore) continue;
    // Whatever was said of a part stays so.
    VW_CHECK(part.kind == header.kind && part.length == header.length && part.source == header.source &&
             part.source_port == header.source_port);
    VW_CHECK(!whole || size >= header.length);
  }
  VW_CHECK(header.kind != ProxyHeader::Kind::kMore || bytes.size() < kProxyHeaderMax);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  switch (input.Byte() % 3) {
    case 0:
      LetIn(input);
      break;
    case 1:
      Flap(input);
      break;
    default:
      Header(input.rest());
  }
  return 0;
}
