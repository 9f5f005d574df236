// Finding keepalives; see keepalives.h.
#include "services/collector_gateway/domain/keepalives.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace voltwell::gateway {
namespace {

// What a template may take at most: its fixed bytes, an id, two {any}. A beginning longer than this is none.
constexpr size_t kPacketMax = 2 * kTemplateBytesMax + 2 * kAnyMax;

struct Place {
  size_t at = 0;
  size_t length = 0;  // 0: nowhere.
};

std::optional<uint8_t> FirstByte(const Keepalives::Pattern& pattern) {
  return pattern.form == nullptr ? pattern.bytes[0] : pattern.form->FirstByte(pattern.id);
}

// The first place from `at` on where a pattern that begins with this byte may begin; bytes.size() when there is none.
// Nearly all bytes are asked for this only: the patterns themselves are held against few.
size_t Candidate(base::ByteView bytes, size_t at, std::optional<uint8_t> first) {
  if (!first.has_value() || at >= bytes.size()) return at;
  const void* const found = std::memchr(bytes.data() + at, *first, bytes.size() - at);
  return found == nullptr ? bytes.size() : static_cast<size_t>(static_cast<const uint8_t*>(found) - bytes.data());
}

// How many bytes at the beginning are a whole one; 0: none.
size_t WholeAt(base::ByteView bytes, const Keepalives::Pattern& pattern) {
  if (pattern.form != nullptr) {
    const PacketTemplate::Match match = pattern.form->At(bytes, pattern.id);
    return match.kind == PacketTemplate::Match::Kind::kWhole ? match.length : 0;
  }
  const bool whole = pattern.bytes.size() <= bytes.size() &&
                     std::memcmp(bytes.data(), pattern.bytes.data(), pattern.bytes.size()) == 0;
  return whole ? pattern.bytes.size() : 0;
}

Place FindIn(base::ByteView bytes, const Keepalives::Pattern& pattern) {
  const std::optional<uint8_t> first = FirstByte(pattern);
  for (size_t at = Candidate(bytes, 0, first); at < bytes.size(); at = Candidate(bytes, at + 1, first)) {
    const size_t length = WholeAt(bytes.subspan(at), pattern);
    if (length > 0) return {at, length};
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

Keepalives::Start Keepalives::AtStart(base::ByteView bytes) const {
  Start start;
  for (size_t i = 0; i < patterns_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    if (pattern.empty()) continue;
    size_t length = 0;
    if (pattern.form != nullptr) {
      const PacketTemplate::Match match = pattern.form->At(bytes, pattern.id);
      if (match.kind == PacketTemplate::Match::Kind::kWhole) length = match.length;
    } else if (pattern.bytes.size() <= bytes.size() &&
               std::memcmp(bytes.data(), pattern.bytes.data(), pattern.bytes.size()) == 0) {
      length = pattern.bytes.size();
    }
    if (length > start.length) start = {length, i == 0, start.may_be};
    if (length == 0 && Begins(bytes, pattern)) start.may_be = true;
  }
  return start;
}

size_t Keepalives::UnfinishedTail(base::ByteView bytes) const {
  size_t longest = 0;
  for (const Pattern& pattern : patterns_) {
    if (pattern.empty()) continue;
    const size_t most = pattern.form == nullptr ? pattern.bytes.size() - 1 : kPacketMax;
    const std::optional<uint8_t> first = FirstByte(pattern);
    size_t at = Candidate(bytes, bytes.size() - std::min(most, bytes.size()), first);
    while (at + longest < bytes.size() && !Begins(bytes.subspan(at), pattern)) at = Candidate(bytes, at + 1, first);
    if (at + longest < bytes.size()) longest = bytes.size() - at;
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
