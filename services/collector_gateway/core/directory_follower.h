// Keeps the gateway's copy of the collector directory: loads it whole at start and under each new generation, follows
// its changes every second, and while the generation is absent (Redis was wiped) keeps the last copy and calls it not
// usable for telling who is unknown. Entries are believed only with the registry's signature.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/crypto/seal.h"
#include "libs/directory/directory.h"
#include "libs/os/worker.h"
#include "libs/redis/redis.h"
#include "services/collector_gateway/core/gateway_metrics.h"
#include "services/collector_gateway/domain/directory_copy.h"

namespace voltwell::gateway {

inline constexpr absl::Duration kFollowEvery = absl::Seconds(1);
// Read in one round trip.
inline constexpr int kDirectoryPage = 1000;
// More than this is no directory of ours: the rest is not taken in, with an error in the log.
inline constexpr size_t kDirectoryEntriesMax = 200'000;

class DirectoryFollower {
 public:
  // `usable` is false while the generation is absent.
  using Publish = std::function<void(std::shared_ptr<const DirectoryCopy>, bool usable)>;

  // `public_key_file`: base64url of the registry's directory key. Read when first needed, and again until it is there.
  DirectoryFollower(std::string public_key_file, redis::Client& redis, GatewayMetrics& metrics,
                    size_t entries_max = kDirectoryEntriesMax, std::shared_ptr<const Dialects> dialects = {},
                    std::optional<crypto::UnsealingKey> unsealing = {});
  ~DirectoryFollower();

  void Start(Publish publish);
  void Stop();
  // A directory was loaded since the start; it may be old.
  bool loaded() const { return loaded_; }

  // One look. The worker calls it; tests may, instead of Start, after setting the publisher by Follow.
  absl::Duration Step();
  void Follow(Publish publish) { publish_ = std::move(publish); }

 private:
  absl::Status Look();
  absl::Status Load();
  absl::Status TakeChanges(const redis::Reply& streams);
  absl::Status ReadKey();
  // The entry that a text of the hash stands for; null when it is not the registry's.
  BusEntryPtr Understand(const std::string& field, const std::string& text);
  // Null, and counted, when the entry has a key that does not open.
  KeyPtr Unseal(const directory::Entry& entry);
  // Cuts what is beyond the limit.
  void Bound(std::vector<BusEntryPtr>& entries, size_t room) const;
  void Tell(bool usable);

  const std::string public_key_file_;
  redis::Client& redis_;
  GatewayMetrics& metrics_;
  const size_t entries_max_;
  const std::shared_ptr<const Dialects> dialects_;       // Null: transparent only.
  const std::optional<crypto::UnsealingKey> unsealing_;  // None: whose key is demanded stays out.
  Publish publish_;
  std::string public_key_;
  // A signature costs 0.1 ms to verify, so what was verified once is known again by its digest.
  absl::flat_hash_map<std::string, std::pair<std::string, BusEntryPtr>> verified_;
  std::shared_ptr<const DirectoryCopy> copy_ = std::make_shared<DirectoryCopy>();
  std::shared_ptr<const DirectoryCopy> counted_ = {};  // The one whose clashes are in the metric.
  std::string last_change_ = "0-0";                    // Id in the stream of changes.
  bool reload_ = true;
  bool more_ = false;  // Changes wait beyond the page that was read.
  bool usable_ = false;
  std::atomic<bool> loaded_ = false;
  std::unique_ptr<os::Worker> worker_;
};

// Null when heartbeat, registration id, network or level of assurance cannot be read. The dialect is the caller's to
// look up.
BusEntryPtr ToBusEntry(const directory::Entry& entry, DialectPtr dialect = {}, KeyPtr key = {});

// Of the option sealing-key, base64url; none for an empty one. InvalidArgument BAD_KEY.
absl::StatusOr<std::optional<crypto::UnsealingKey>> ReadUnsealingKey(absl::string_view text);

}  // namespace voltwell::gateway
