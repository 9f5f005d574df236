// Who dials; see directory_copy.h.
#include "services/collector_gateway/domain/directory_copy.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace voltwell::gateway {
namespace {

constexpr size_t kSecondStart = 7;  // Of a frame 68 a a a a a a 68.

// What may follow an id, and whether it proves that the id is complete.
enum class Rest { kForeign, kAllowed, kProof };

Rest JudgeWithoutHeartbeat(absl::string_view rest) {
  if (rest.empty()) return Rest::kAllowed;
  if (rest[0] == '\r' || rest[0] == '\n' || rest[0] == '\0') return Rest::kProof;
  const base::ByteView bytes = base::AsBytes(rest);
  if (bytes[0] == codec::frame::kPreamble) return Rest::kAllowed;
  const bool frame = bytes[0] == codec::frame::kDlt645Start && bytes.size() > kSecondStart &&
                     bytes[kSecondStart] == codec::frame::kDlt645Start;
  return frame ? Rest::kAllowed : Rest::kForeign;
}

// A heartbeat alone proves nothing: whoever chooses a short id and what others' ids go on with as its heartbeat would
// take in their boxes. After it must come what may also follow the id itself.
Rest Judge(absl::string_view rest, const BusEntry& entry) {
  bool beaten = false;
  for (;;) {
    const Rest judged = JudgeWithoutHeartbeat(rest);
    if (judged != Rest::kForeign) return beaten ? Rest::kProof : judged;
    if (entry.heartbeat.empty() || !absl::ConsumePrefix(&rest, entry.heartbeat)) return Rest::kForeign;
    beaten = true;
  }
}

size_t LineEnd(absl::string_view rest) {
  size_t length = 0;
  while (length < rest.size() && (rest[length] == '\r' || rest[length] == '\n' || rest[length] == '\0')) ++length;
  return length;
}

}  // namespace

bool Network::Contains(const Address& other) const {
  int left = prefix;
  for (size_t i = 0; i < address.size() && left > 0; ++i, left -= 8) {
    const unsigned mask = left >= 8 ? 0xFFu : (0xFF00u >> static_cast<unsigned>(left)) & 0xFFu;
    if ((address[i] & mask) != (other[i] & mask)) return false;
  }
  return true;
}

DirectoryCopy::DirectoryCopy(int64_t generation, std::vector<BusEntryPtr> entries) : generation_(generation) {
  for (BusEntryPtr& entry : entries) {
    const auto [held, fresh] = entries_.try_emplace(entry->registration, entry);
    if (fresh) continue;
    if (held->second->registration_id != entry->registration_id) {
      ++clashes_;
      if (entry->registration_id != entry->registration) continue;  // Spelt in hex: though there is plain text.
    }
    held->second = std::move(entry);
  }
  for (const auto& [registration, entry] : entries_) lengths_.push_back(registration.size());
  std::sort(lengths_.begin(), lengths_.end(), std::greater<>());
  lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
}

DirectoryCopy DirectoryCopy::With(const std::vector<BusEntryPtr>& written,
                                  const std::vector<std::string>& removed) const {
  const absl::flat_hash_set<absl::string_view> gone(removed.begin(), removed.end());
  std::vector<BusEntryPtr> entries;
  entries.reserve(entries_.size() + written.size());
  for (const auto& [registration, entry] : entries_) {
    if (!gone.contains(entry->registration_id)) entries.push_back(entry);
  }
  entries.insert(entries.end(), written.begin(), written.end());  // The later one of the same id wins.
  return DirectoryCopy(generation_, std::move(entries));
}

Identified DirectoryCopy::Identify(base::ByteView bytes, bool quiet) const {
  const absl::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const bool may_grow = IsBeginning(text);
  for (const size_t length : lengths_) {
    if (length > text.size()) continue;
    const auto found = entries_.find(text.substr(0, length));
    if (found == entries_.end()) continue;
    const absl::string_view rest = text.substr(length);
    const Rest judged = Judge(rest, *found->second);
    if (judged == Rest::kForeign) continue;
    if (!quiet && (judged != Rest::kProof || may_grow)) return {};
    return {Identified::Kind::kKnown, found->second, length + LineEnd(rest), false};
  }
  if (!quiet) return {};
  return {Identified::Kind::kUnknown, nullptr, 0, may_grow};
}

BusEntryPtr DirectoryCopy::Find(absl::string_view registration) const {
  const auto found = entries_.find(registration);
  return found == entries_.end() ? nullptr : found->second;
}

// True when a longer id begins with these bytes.
bool DirectoryCopy::IsBeginning(absl::string_view bytes) const {
  auto next = entries_.lower_bound(bytes);
  if (next != entries_.end() && next->first == bytes) ++next;
  return next != entries_.end() && absl::StartsWith(next->first, bytes);
}

}  // namespace voltwell::gateway
