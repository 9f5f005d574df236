// The directory's copy; see directory_follower.h.
#include "services/collector_gateway/core/directory_follower.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/crypto/crypto.h"
#include "libs/directory/sealed_key.h"
#include "libs/log/log.h"
#include "libs/os/files.h"
#include "services/collector_gateway/core/peer.h"

namespace voltwell::gateway {
namespace {

// What the box sends: text as it is, or "hex:" and its bytes.
absl::StatusOr<std::string> SentBytes(absl::string_view id) {
  if (absl::ConsumePrefix(&id, "hex:")) return base::FromHex(id);
  return std::string(id);
}

// Field registration_id of an entry of a stream: [id, [name, value, name, value...]].
std::string ChangedId(const redis::Reply& entry) {
  if (entry.items.size() < 2) return "";
  const std::vector<redis::Reply>& fields = entry.items[1].items;
  for (size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].text == directory::kFieldRegistrationId) return fields[i + 1].text;
  }
  return "";
}

}  // namespace

absl::StatusOr<std::optional<crypto::UnsealingKey>> ReadUnsealingKey(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) return std::nullopt;
  const absl::StatusOr<std::string> seed = crypto::FromBase64Url(text);
  VW_ASSIGN_OR_RETURN(crypto::UnsealingKey key, crypto::UnsealingKey::FromSeed(seed.ok() ? *seed : ""));
  return key;
}

BusEntryPtr ToBusEntry(const directory::Entry& entry, DialectPtr dialect, KeyPtr key) {
  const absl::StatusOr<std::string> registration = SentBytes(entry.registration_id);
  const absl::StatusOr<std::string> heartbeat = base::FromHex(entry.heartbeat_hex);
  const std::optional<Network> source = ParseNetwork(entry.source_network);
  if (entry.port < -1 || entry.port >= kPortsMax) return nullptr;
  const std::optional<Assurance> assurance = ParseAssurance(entry.assurance);
  if (!registration.ok() || registration->empty() || !heartbeat.ok() || !source.has_value() || !assurance.has_value()) {
    return nullptr;
  }
  BusEntry bus;
  bus.registration = *registration;
  bus.registration_id = entry.registration_id;
  bus.collector = entry.collector;
  bus.tenant = entry.tenant;
  bus.bus = entry.bus;
  bus.timing = {absl::Milliseconds(std::max(0, entry.link_time_ms)), std::max(0, entry.baud)};
  bus.heartbeat = *heartbeat;
  bus.source = *source;
  bus.assurance = *assurance;
  bus.port = entry.port;
  bus.dial_target = entry.dial_target;
  bus.dialect = std::move(dialect);
  bus.key = std::move(key);
  return std::make_shared<const BusEntry>(std::move(bus));
}

DirectoryFollower::DirectoryFollower(std::string public_key_file, redis::Client& redis, GatewayMetrics& metrics,
                                     size_t entries_max, std::shared_ptr<const Dialects> dialects,
                                     std::optional<crypto::UnsealingKey> unsealing)
    : public_key_file_(std::move(public_key_file)),
      redis_(redis),
      metrics_(metrics),
      entries_max_(entries_max),
      dialects_(dialects != nullptr ? std::move(dialects) : std::make_shared<const Dialects>()),
      unsealing_(std::move(unsealing)) {}

DirectoryFollower::~DirectoryFollower() { Stop(); }

void DirectoryFollower::Start(Publish publish) {
  publish_ = std::move(publish);
  worker_ = std::make_unique<os::Worker>("directory", [this] { return Step(); });
}

void DirectoryFollower::Stop() { worker_.reset(); }

absl::Duration DirectoryFollower::Step() {
  more_ = false;
  const absl::Status status = Look();
  if (!status.ok()) {
    // What changed meanwhile may have been trimmed from the stream; loading whole again costs only the comparison.
    reload_ = true;
    log::Debug("the directory cannot be followed", {{"error", status.ToString()}});
  }
  return more_ ? absl::ZeroDuration() : kFollowEvery;
}

absl::Status DirectoryFollower::Look() {
  VW_RETURN_IF_ERROR(ReadKey());
  VW_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies,
                      redis_.Pipeline({{"GET", directory::kGenerationKey},
                                       {"XREAD", "COUNT", absl::StrCat(kDirectoryPage), "STREAMS",
                                        directory::kChangesKey, last_change_}}));
  int64_t generation = 0;
  if (!absl::SimpleAtoi(replies[0].text, &generation) || generation == 0) {
    // The copy is kept; who is not in it may still be in the directory to come.
    if (usable_) log::Warning("the directory is gone from Redis; the last copy serves");
    reload_ = true;
    if (usable_) Tell(false);
    return absl::OkStatus();
  }
  if (reload_ || generation != copy_->generation()) return Load();
  return TakeChanges(replies[1]);
}

absl::Status DirectoryFollower::Load() {
  // The cursor first: what changes while we read is read again.
  VW_ASSIGN_OR_RETURN(const std::vector<redis::Reply> start,
                      redis_.Pipeline({{"GET", directory::kGenerationKey},
                                       {"XREVRANGE", directory::kChangesKey, "+", "-", "COUNT", "1"}}));
  int64_t generation = 0;
  if (!absl::SimpleAtoi(start[0].text, &generation) || generation == 0) return absl::OkStatus();
  std::string last_change = "0-0";
  if (!start[1].items.empty() && !start[1].items[0].items.empty()) last_change = start[1].items[0].items[0].text;

  std::vector<BusEntryPtr> entries;
  std::string cursor = "0";
  do {
    VW_ASSIGN_OR_RETURN(const redis::Reply page, redis_.Call({"HSCAN", directory::kDirectoryKey, cursor, "COUNT",
                                                              absl::StrCat(kDirectoryPage)}));
    if (page.items.size() != 2) return base::Internal("REDIS_ERROR", "HSCAN answered in a form that is not known");
    cursor = page.items[0].text;
    const std::vector<redis::Reply>& pairs = page.items[1].items;
    for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
      BusEntryPtr entry = Understand(pairs[i].text, pairs[i + 1].text);
      if (entry != nullptr) entries.push_back(std::move(entry));
    }
    if (entries.size() > entries_max_) break;
  } while (cursor != "0");
  VW_ASSIGN_OR_RETURN(const redis::Reply end, redis_.Call({"GET", directory::kGenerationKey}));
  if (end.text != start[0].text) return absl::OkStatus();  // Published anew while we read: once more in a second.

  Bound(entries, entries_max_);
  copy_ = std::make_shared<const DirectoryCopy>(generation, std::move(entries), dialects_);
  last_change_ = std::move(last_change);
  reload_ = false;
  loaded_ = true;
  absl::erase_if(verified_, [this](const auto& known) {
    return copy_->Find(known.second.second->registration) != known.second.second;
  });
  log::Info("directory loaded", {{"generation", generation}, {"buses", static_cast<uint64_t>(copy_->size())}});
  Tell(true);
  return absl::OkStatus();
}

absl::Status DirectoryFollower::TakeChanges(const redis::Reply& streams) {
  // Nil, or [[key, [entry, entry...]]].
  if (streams.items.empty() || streams.items[0].items.size() < 2) return absl::OkStatus();
  const std::vector<redis::Reply>& changes = streams.items[0].items[1].items;
  if (changes.empty()) return absl::OkStatus();
  std::vector<std::string> ids;
  for (const redis::Reply& change : changes) {
    std::string id = ChangedId(change);
    if (!id.empty()) ids.push_back(std::move(id));
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());

  redis::Command command = {"HMGET", directory::kDirectoryKey};
  command.insert(command.end(), ids.begin(), ids.end());
  std::vector<BusEntryPtr> written;
  std::vector<std::string> removed;
  if (!ids.empty()) {
    VW_ASSIGN_OR_RETURN(const redis::Reply texts, redis_.Call(command));
    for (size_t i = 0; i < ids.size() && i < texts.items.size(); ++i) {
      BusEntryPtr entry = texts.items[i].nil() ? nullptr : Understand(ids[i], texts.items[i].text);
      // Also what is no longer signed: the old entry does not hold either.
      removed.push_back(ids[i]);
      if (entry != nullptr) {
        written.push_back(std::move(entry));
      } else {
        verified_.erase(ids[i]);
      }
    }
  }
  const DirectoryCopy without = copy_->With({}, removed);
  Bound(written, entries_max_ - std::min(entries_max_, without.size()));
  copy_ = std::make_shared<const DirectoryCopy>(without.With(written, {}));
  last_change_ = changes.back().items[0].text;
  more_ = changes.size() >= kDirectoryPage;
  Tell(true);
  return absl::OkStatus();
}

absl::Status DirectoryFollower::ReadKey() {
  if (!public_key_.empty()) return absl::OkStatus();
  VW_ASSIGN_OR_RETURN(const std::string text, os::ReadFile(public_key_file_));
  VW_ASSIGN_OR_RETURN(public_key_, crypto::FromBase64Url(absl::StripAsciiWhitespace(text)));
  return absl::OkStatus();
}

BusEntryPtr DirectoryFollower::Understand(const std::string& field, const std::string& text) {
  const std::string digest = crypto::Sha256(text);
  if (const auto known = verified_.find(field); known != verified_.end() && known->second.first == digest) {
    return known->second.second;
  }
  const absl::StatusOr<directory::Entry> entry = directory::Decode(text, public_key_);
  // An entry signed for another id must not stand under this one.
  const Dialects::Named named = entry.ok() ? dialects_->Find(entry->dialect) : Dialects::Named{true, nullptr};
  if (!named.known) {
    // Signed, but written for a gateway that has this dialect: the box stays out here, and somebody must be told.
    metrics_.directory_unknown_dialects.Increment();
    log::Error("a collector's dialect is not among those loaded",
               {{"collector", entry->collector}, {"dialect", entry->dialect}});
    return nullptr;
  }
  if (entry.ok() && !ParseAssurance(entry->assurance).has_value()) {
    // Signed, by a registry that is newer than we are: never weaker than it demands.
    metrics_.directory_unknown_assurances.Increment();
    log::Error("a collector's level of assurance is not one that this gateway knows",
               {{"collector", entry->collector}, {"assurance", entry->assurance}});
    return nullptr;
  }
  if (entry.ok() && (entry->port >= 0) != (named.dialect != nullptr && !named.dialect->packet.empty())) {
    metrics_.directory_unknown_dialects.Increment();
    log::Error("a bus has a port and its dialect none, or the other way round",
               {{"collector", entry->collector}, {"bus", entry->bus}, {"dialect", entry->dialect}});
    return nullptr;
  }
  const BusEntryPtr bus =
      entry.ok() && entry->registration_id == field ? ToBusEntry(*entry, named.dialect, Unseal(*entry)) : nullptr;
  if (bus == nullptr) {
    metrics_.directory_bad_entries.Increment();
    log::Error("a directory entry is not one that the registry signed", {{"registration_id", field}});
    return nullptr;
  }
  verified_[field] = {digest, bus};
  return bus;
}

KeyPtr DirectoryFollower::Unseal(const directory::Entry& entry) {
  if (entry.sealed_key.empty()) return nullptr;
  const absl::StatusOr<std::string> key = unsealing_.has_value()
                                              ? directory::UnsealKey(*unsealing_, entry.collector, entry.sealed_key)
                                              : base::DataLoss("NOT_UNSEALED", "this gateway has no sealing-key");
  if (key.ok()) return std::make_shared<const std::string>(*key);
  metrics_.directory_unopened_keys.Increment();
  log::Error("a collector's key cannot be unsealed; where it is demanded the collector stays out",
             {{"collector", entry.collector}, {"error", key.status().ToString()}});
  return nullptr;
}

void DirectoryFollower::Bound(std::vector<BusEntryPtr>& entries, size_t room) const {
  if (entries.size() <= room) return;
  log::Error("the directory is larger than a gateway takes in; the rest is unknown here",
             {{"limit", static_cast<uint64_t>(entries_max_)}});
  entries.resize(room);
}

void DirectoryFollower::Tell(bool usable) {
  usable_ = usable;
  if (copy_->clashes() > 0 && copy_ != counted_) {
    metrics_.directory_clashes.Increment(copy_->clashes());
    log::Error("directory entries with bytes that another entry has are not taken in", {{"count", copy_->clashes()}});
  }
  counted_ = copy_;
  metrics_.directory_entries.Set(static_cast<double>(copy_->size()));
  metrics_.directory_generation.Set(static_cast<double>(copy_->generation()));
  if (publish_) publish_(copy_, usable);
}

}  // namespace voltwell::gateway
