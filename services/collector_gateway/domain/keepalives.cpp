// Finding keepalives; see keepalives.h.
#include "services/collector_gateway/domain/keepalives.h"

#include <algorithm>
#include <cstring>

namespace voltwell::gateway {
namespace {

// What a template may take at most: its fixed bytes, an id, two {any}. A beginning longer than this is none.
constexpr size_t kPacketMax = 2 * kTemplateBytesMax + 2 * kAnyMax;

struct Place {
  size_t at = 0;
  size_t length = 0;  // 0: nowhere.
};

Place FindBytes(base::ByteView bytes, base::ByteView pattern) {
  if (pattern.size() > bytes.size()) return {bytes.size(), 0};
  const uint8_t* at = bytes.data();
  const uint8_t* const end = bytes.data() + (bytes.size() - pattern.size()) + 1;
  while (at < end) {
    const void* const found = std::memchr(at, pattern[0], static_cast<size_t>(end - at));
    if (found == nullptr) break;
    at = static_cast<const uint8_t*>(found);
    if (std::memcmp(at, pattern.data(), pattern.size()) == 0) {
      return {static_cast<size_t>(at - bytes.data()), pattern.size()};
    }
    ++at;
  }
  return {bytes.size(), 0};
}

Place FindIn(base::ByteView bytes, const Keepalives::Pattern& pattern) {
  if (pattern.form == nullptr) return FindBytes(bytes, pattern.bytes);
  for (size_t at = 0; at < bytes.size(); ++at) {
    const PacketTemplate::Match match = pattern.form->At(bytes.subspan(at), pattern.id);
    if (match.kind == PacketTemplate::Match::Kind::kWhole) return {at, match.length};
  }
  return {bytes.size(), 0};
}

bool Begins(base::ByteView tail, const Keepalives::Pattern& pattern) {
  if (pattern.form != nullptr) return pattern.form->At(tail, pattern.id).kind == PacketTemplate::Match::Kind::kMore;
  return tail.size() < pattern.bytes.size() && std::memcmp(tail.data(), pattern.bytes.data(), tail.size()) == 0;
}

}  // namespace

Keepalives::Found Keepalives::Search::Next(size_t left) {
  const size_t from = bytes_.size() - left;
  Found found = {left, 0, false};
  for (size_t i = 0; i < places_.size(); ++i) {
    const Pattern& pattern = keepalives_.patterns_[i];
    if (pattern.empty()) continue;
    Place& place = places_[i];
    if (!place.sought || (place.length > 0 && place.at < from)) {
      const auto [at, length] = FindIn(bytes_.subspan(from), pattern);
      place = {from + at, length, true};
    }
    if (place.length == 0) continue;
    const size_t at = place.at - from;
    // Of two that begin at the same byte the longer one is meant.
    if (at < found.at || (at == found.at && place.length > found.length)) found = {at, place.length, i == 0};
  }
  return found;
}

size_t Keepalives::UnfinishedTail(base::ByteView bytes) const {
  size_t longest = 0;
  for (const Pattern& pattern : patterns_) {
    if (pattern.empty()) continue;
    const size_t most = pattern.form == nullptr ? pattern.bytes.size() - 1 : kPacketMax;
    for (size_t length = std::min(most, bytes.size()); length > longest; --length) {
      if (Begins(bytes.last(length), pattern)) longest = length;
    }
  }
  return longest;
}

void Keepalives::Count(const Found& found, KeepalivesSeen& seen) {
  if (found.length > 0) ++(found.heartbeat ? seen.heartbeats : seen.registrations);
}

size_t Keepalives::CountNoise(base::ByteView bytes) const {
  KeepalivesSeen seen;
  return CountNoise(bytes, seen);
}

size_t Keepalives::CountNoise(base::ByteView bytes, KeepalivesSeen& seen) const {
  size_t noise = 0;
  Search search(*this, bytes);
  while (!bytes.empty()) {
    const Found found = search.Next(bytes.size());
    Count(found, seen);
    noise += found.at;
    bytes = bytes.subspan(found.at + found.length);
  }
  return noise;
}

}  // namespace voltwell::gateway
