// Finding keepalives; see keepalives.h.
#include "services/collector_gateway/domain/keepalives.h"

#include <algorithm>
#include <cstring>

namespace voltwell::gateway {
namespace {

size_t FindIn(base::ByteView bytes, base::ByteView pattern) {
  if (pattern.empty() || pattern.size() > bytes.size()) return bytes.size();
  const uint8_t* at = bytes.data();
  const uint8_t* const end = bytes.data() + (bytes.size() - pattern.size()) + 1;
  while (at < end) {
    const void* const found = std::memchr(at, pattern[0], static_cast<size_t>(end - at));
    if (found == nullptr) return bytes.size();
    at = static_cast<const uint8_t*>(found);
    if (std::memcmp(at, pattern.data(), pattern.size()) == 0) return static_cast<size_t>(at - bytes.data());
    ++at;
  }
  return bytes.size();
}

}  // namespace

Keepalives::Found Keepalives::Find(base::ByteView bytes) const {
  Found found = {bytes.size(), 0};
  for (const base::ByteView pattern : patterns_) {
    const size_t at = FindIn(bytes, pattern);
    if (at == bytes.size()) continue;
    // Of two that begin at the same byte the longer one is meant.
    if (at < found.at || (at == found.at && pattern.size() > found.length)) found = {at, pattern.size()};
  }
  return found;
}

size_t Keepalives::UnfinishedTail(base::ByteView bytes) const {
  size_t longest = 0;
  for (const base::ByteView pattern : patterns_) {
    if (pattern.empty()) continue;
    for (size_t length = std::min(pattern.size() - 1, bytes.size()); length > longest; --length) {
      if (std::memcmp(bytes.data() + bytes.size() - length, pattern.data(), length) == 0) longest = length;
    }
  }
  return longest;
}

size_t Keepalives::CountNoise(base::ByteView bytes) const {
  size_t noise = 0;
  while (!bytes.empty()) {
    const Found found = Find(bytes);
    noise += found.at;
    bytes = bytes.subspan(found.at + found.length);
  }
  return noise;
}

}  // namespace voltwell::gateway
