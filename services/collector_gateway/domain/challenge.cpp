// Finding the answer to a challenge; see challenge.h.
#include "services/collector_gateway/domain/challenge.h"

#include "absl/strings/str_cat.h"
#include "services/collector_gateway/domain/keepalives.h"

namespace voltwell::gateway {
namespace {

bool IsLineEnd(uint8_t byte) { return byte == '\r' || byte == '\n' || byte == '\0'; }

// Bytes of keepalives and line ends at the beginning.
size_t KeepalivesAt(base::ByteView bytes, const Keepalives& keepalives) {
  Keepalives::Search search(keepalives, bytes);
  size_t passed = 0;
  for (;;) {
    while (passed < bytes.size() && IsLineEnd(bytes[passed])) ++passed;
    const Keepalives::Found found = search.Next(bytes.size() - passed);
    if (found.length == 0 || found.at > 0) return passed;
    passed += found.length;
  }
}

}  // namespace

std::string ChallengeText(absl::string_view nonce, absl::string_view registration) {
  return absl::StrCat("VW1:", nonce, ":", registration);
}

ChallengeAnswer ReadChallengeAnswer(base::ByteView bytes, const BusEntry& entry) {
  using Kind = ChallengeAnswer::Kind;
  const Keepalives keepalives = KeepalivesOf(entry);
  const size_t passed = KeepalivesAt(bytes, keepalives);
  const base::ByteView rest = bytes.subspan(passed);
  if (rest.empty()) return {};
  const PacketTemplate::Match match = entry.dialect->response.At(rest);
  if (match.kind == PacketTemplate::Match::Kind::kMore) return {};
  if (match.kind == PacketTemplate::Match::Kind::kNo) {
    const bool half_a_keepalive = keepalives.UnfinishedTail(rest) == rest.size();
    return {half_a_keepalive ? Kind::kMore : Kind::kNo, {}, 0};
  }
  const absl::StatusOr<std::string> mac =
      base::FromHex(absl::string_view(reinterpret_cast<const char*>(match.id.data()), match.id.size()));
  if (!mac.ok()) return {Kind::kNo, {}, 0};
  return {Kind::kWhole, *mac, passed + match.length};
}

}  // namespace voltwell::gateway
