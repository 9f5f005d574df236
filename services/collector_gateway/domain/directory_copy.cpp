// Who dials; see directory_copy.h.
#include "services/collector_gateway/domain/directory_copy.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"

namespace voltwell::gateway {
namespace {

constexpr size_t kSecondStart = 7;  // Of a frame 68 a a a a a a 68.

// What may follow an id, and whether it proves that the id is complete.
enum class Rest { kForeign, kAllowed, kProof };

Rest JudgeWithoutHeartbeat(absl::string_view rest, const BusEntry& entry) {
  if (rest.empty()) return Rest::kAllowed;
  if (entry.port >= 0) {
    const bool packet = entry.dialect->packet.At(base::AsBytes(rest)).kind != PacketHeader::Match::Kind::kNo;
    return packet ? Rest::kAllowed : Rest::kForeign;
  }
  if (rest[0] == '\r' || rest[0] == '\n' || rest[0] == '\0') return Rest::kProof;
  const base::ByteView bytes = base::AsBytes(rest);
  if (bytes[0] == codec::frame::kPreamble) return Rest::kAllowed;
  const bool frame = bytes[0] == codec::frame::kDlt645Start && bytes.size() > kSecondStart &&
                     bytes[kSecondStart] == codec::frame::kDlt645Start;
  return frame ? Rest::kAllowed : Rest::kForeign;
}

size_t HeartbeatAt(absl::string_view rest, const BusEntry& entry) {
  const base::ByteView bytes = base::AsBytes(rest);
  if (entry.dialect != nullptr && !entry.dialect->heartbeat.empty()) {
    const PacketTemplate::Match match = entry.dialect->heartbeat.At(bytes, base::AsBytes(entry.registration));
    return match.kind == PacketTemplate::Match::Kind::kWhole ? match.length : 0;
  }
  return absl::StartsWith(rest, entry.heartbeat) ? entry.heartbeat.size() : 0;
}

// A heartbeat alone proves nothing: whoever chooses a short id and what others' ids go on with as its heartbeat would
// take in their boxes. After it must come what may also follow the id itself.
Rest Judge(absl::string_view rest, const BusEntry& entry) {
  bool beaten = false;
  for (;;) {
    const Rest judged = JudgeWithoutHeartbeat(rest, entry);
    if (judged != Rest::kForeign) return beaten ? Rest::kProof : judged;
    const size_t heartbeat = HeartbeatAt(rest, entry);
    if (heartbeat == 0) return Rest::kForeign;
    rest.remove_prefix(heartbeat);
    beaten = true;
  }
}

size_t LineEnd(absl::string_view rest, const BusEntry& entry) {
  if (entry.port >= 0) return 0;  // A port may be 0, 10 or 13.
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

Keepalives KeepalivesOf(const BusEntry& entry) {
  const base::ByteView id = base::AsBytes(entry.registration);
  Keepalives::Pattern heartbeat = {base::AsBytes(entry.heartbeat)};
  Keepalives::Pattern registration = {id};
  if (const Dialect* const dialect = entry.dialect.get(); dialect != nullptr) {
    if (!dialect->heartbeat.empty()) heartbeat = {{}, &dialect->heartbeat, id};
    if (!dialect->registration.empty()) registration = {{}, &dialect->registration, id};
  }
  return Keepalives(heartbeat, registration);
}

DirectoryCopy::DirectoryCopy(int64_t generation, std::vector<BusEntryPtr> entries,
                             std::shared_ptr<const Dialects> dialects)
    : generation_(generation), dialects_(std::move(dialects)) {
  for (BusEntryPtr& entry : entries) TakeIn(std::move(entry));
  for (const Entries* const taken : {&direct_, &by_template_}) {
    for (const auto& [registration, entry] : *taken) {
      if (entry->key != nullptr) keys_[entry->collector] = entry->key;
    }
  }
  for (const auto& [registration, entry] : direct_) lengths_.push_back(registration.size());
  std::sort(lengths_.begin(), lengths_.end(), std::greater<>());
  lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
  for (const Entries* const held : {&direct_, &by_template_}) {
    for (const auto& [id, entry] : *held) {
      if (entry->port >= 0) ported_[entry->collector].push_back(entry);
    }
  }
  for (const auto& [id, entry] : by_template_) {
    if (std::find(used_.begin(), used_.end(), entry->dialect) == used_.end()) used_.push_back(entry->dialect);
  }
}

void DirectoryCopy::TakeIn(BusEntryPtr entry) {
  const bool templated = entry->dialect != nullptr && !entry->dialect->registration.empty();
  const auto [held, fresh] = (templated ? by_template_ : direct_).try_emplace(entry->registration, entry);
  if (fresh) return;
  if (held->second->registration_id != entry->registration_id) {
    ++clashes_;
    if (entry->registration_id != entry->registration) return;  // Spelt in hex: though there is plain text.
  }
  held->second = std::move(entry);
}

DirectoryCopy DirectoryCopy::With(const std::vector<BusEntryPtr>& written,
                                  const std::vector<std::string>& removed) const {
  const absl::flat_hash_set<absl::string_view> gone(removed.begin(), removed.end());
  std::vector<BusEntryPtr> entries;
  entries.reserve(size() + written.size());
  for (const Entries* const held : {&direct_, &by_template_}) {
    for (const auto& [registration, entry] : *held) {
      if (!gone.contains(entry->registration_id)) entries.push_back(entry);
    }
  }
  entries.insert(entries.end(), written.begin(), written.end());  // The later one of the same id wins.
  return DirectoryCopy(generation_, std::move(entries), dialects_);
}

Identified DirectoryCopy::IdentifyDirect(absl::string_view text, bool quiet) const {
  const bool may_grow = IsBeginning(text);
  for (const size_t length : lengths_) {
    if (length > text.size()) continue;
    const auto found = direct_.find(text.substr(0, length));
    if (found == direct_.end()) continue;
    const absl::string_view rest = text.substr(length);
    const Rest judged = Judge(rest, *found->second);
    if (judged == Rest::kForeign) continue;
    if (!quiet && (judged != Rest::kProof || may_grow)) return {};
    return {Identified::Kind::kKnown, found->second, length + LineEnd(rest, *found->second), false, {}};
  }
  if (!quiet) return {};
  return {Identified::Kind::kUnknown, nullptr, 0, may_grow, {}};
}

Identified DirectoryCopy::Identify(base::ByteView bytes, bool quiet) const {
  const absl::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Identified identified = IdentifyDirect(text, quiet);
  bool proven = identified.kind == Identified::Kind::kKnown;
  for (const DialectPtr& dialect : used_) {
    const PacketTemplate::Match match = dialect->registration.At(bytes);
    if (match.kind == PacketTemplate::Match::Kind::kMore) identified.may_grow = true;
    if (match.kind != PacketTemplate::Match::Kind::kWhole) continue;
    const auto found =
        by_template_.find(absl::string_view(reinterpret_cast<const char*>(match.id.data()), match.id.size()));
    if (found == by_template_.end() || found->second->dialect != dialect) continue;
    const absl::string_view rest = text.substr(match.length);
    const Rest judged = Judge(rest, *found->second);
    if (judged == Rest::kForeign) continue;
    if (identified.entry != nullptr) return {Identified::Kind::kClash, found->second, 0, false, {}};
    identified.entry = found->second;
    identified.used = match.length + LineEnd(rest, *found->second);
    proven = judged == Rest::kProof || dialect->registration.ends_fixed();
  }
  if (identified.entry != nullptr) {
    // What only a pause can tell is left to the pause: that the bytes go on, or are another one's by themselves.
    if (!quiet && (!proven || identified.may_grow || IsBeginning(text))) return {};
    if (!quiet && identified.kind != Identified::Kind::kKnown && IdentifyDirect(text, true).entry != nullptr) return {};
    identified.kind = Identified::Kind::kKnown;
    return identified;
  }
  if (identified.kind == Identified::Kind::kUnknown) identified.sent = ShownId(text);
  return identified;
}

std::string DirectoryCopy::ShownId(absl::string_view text) const {
  std::string shown(text);
  size_t best = 0;  // Fixed bytes that matched: the more, the surer.
  if (dialects_ == nullptr) return shown;
  for (const DialectPtr& dialect : dialects_->all()) {
    const PacketTemplate::Match match = dialect->registration.At(base::AsBytes(text));
    const size_t fixed = dialect->registration.fixed_bytes();
    if (match.kind != PacketTemplate::Match::Kind::kWhole || fixed <= best) continue;
    best = fixed;
    shown = base::ToString(match.id);
  }
  return shown;
}

std::vector<BusEntryPtr> DirectoryCopy::PortsOf(absl::string_view collector) const {
  const auto found = ported_.find(collector);
  return found == ported_.end() ? std::vector<BusEntryPtr>() : found->second;
}

std::vector<BusEntryPtr> DirectoryCopy::Dialled() const {
  std::vector<BusEntryPtr> dialled;
  for (const Entries* const held : {&direct_, &by_template_}) {
    for (const auto& [registration, entry] : *held) {
      if (!entry->dial_target.empty()) dialled.push_back(entry);
    }
  }
  std::sort(dialled.begin(), dialled.end(), [](const BusEntryPtr& a, const BusEntryPtr& b) {
    return a->collector == b->collector ? a->bus < b->bus : a->collector < b->collector;
  });
  return dialled;
}

BusEntryPtr DirectoryCopy::Find(absl::string_view registration) const {
  for (const Entries* const entries : {&direct_, &by_template_}) {
    const auto found = entries->find(registration);
    if (found != entries->end()) return found->second;
  }
  return nullptr;
}

KeyPtr DirectoryCopy::KeyOf(absl::string_view collector) const {
  const auto found = keys_.find(collector);
  return found == keys_.end() ? nullptr : found->second;
}

// True when a longer id begins with these bytes.
bool DirectoryCopy::IsBeginning(absl::string_view bytes) const {
  auto next = direct_.lower_bound(bytes);
  if (next != direct_.end() && next->first == bytes) ++next;
  return next != direct_.end() && absl::StartsWith(next->first, bytes);
}

}  // namespace voltwell::gateway
