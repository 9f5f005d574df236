// The record of one TCP connection. There may be twenty thousand in a process and nearly all are idle, so what an idle
// one does not need stands behind pointers that are empty while it idles.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "services/collector_gateway/core/peer.h"
#include "services/collector_gateway/domain/bus_facts.h"
#include "services/collector_gateway/domain/bus_queue.h"
#include "services/collector_gateway/domain/directory_copy.h"
#include "services/collector_gateway/domain/group_run.h"

namespace voltwell::gateway {

// Names a connection in the process and is never used again: shard, slot in the shard, use of the slot.
using SessionId = uint64_t;
inline constexpr SessionId kNoSession = 0;

inline constexpr int kShardBits = 8;
inline constexpr int kSlotBits = 24;
inline constexpr SessionId MakeSessionId(uint32_t shard, uint32_t slot, uint32_t use) {
  return (uint64_t{use} << 32) | (uint64_t{shard} << kSlotBits) | slot;
}
inline constexpr uint32_t ShardOf(SessionId id) { return static_cast<uint32_t>(id >> kSlotBits) & 0xFF; }
inline constexpr uint32_t SlotOf(SessionId id) { return static_cast<uint32_t>(id) & 0xFFFFFF; }
inline constexpr uint32_t UseOf(SessionId id) { return static_cast<uint32_t>(id >> 32); }

// (generation of the directory, counter), compared in this order. Zero: not yet claimed.
struct Epoch {
  int64_t generation = 0;
  int64_t counter = 0;
  auto operator<=>(const Epoch&) const = default;  // NOLINT(modernize-use-nullptr): its 0 is no pointer.
};

// Since the connection was made.
struct SessionCounts {
  int64_t exchanges_ok = 0;
  int64_t exchanges_failed = 0;
  int64_t bytes_in = 0;
  int64_t bytes_out = 0;
  int64_t bad_checksums = 0;
  int64_t noise_bytes = 0;
};

// Until it has registered.
struct Arrival {
  std::string bytes = {};
  Instant connected = absl::ZeroDuration();
  Instant first_byte = absl::InfiniteDuration();
  Instant last_byte = absl::InfiniteDuration();
  bool judged = false;       // The bytes as they are were looked at after a gap.
  bool quarantined = false;  // Recorded; no second record for the same connection.
  bool proxied = false;      // From a trusted balancer whose header has not come yet.
  // Its id has a live session: until asked_until the claim waits for the verdict on that one.
  bool asked = false;
  SessionId holder = kNoSession;  // Of whom it was asked last.
  std::optional<Identified> claim = {};
  // It was asked to prove its key, and has not answered.
  struct Challenge {
    std::string nonce = {};         // As it was sent; used once.
    std::string registration = {};  // Of the entry that it claims.
    Instant until = absl::InfiniteDuration();
  };
  std::unique_ptr<Challenge> challenge = {};
  KeyPtr proven_with = {};  // It has answered, with this key.
  Instant asked_until = absl::InfiniteDuration();
};

// While its bus has work, or must fall quiet.
struct BusWork {
  BusQueue queue = {};
  std::optional<GroupRun> run = {};
  std::string unsent = {};      // What the socket did not take.
  LineCounts line_before = {};  // As the run under way found them.
  // Nothing is asked until the line was quiet for kQuietAfterFailure, or until quiet_end.
  bool quieting = false;
  Instant quiet_since = absl::ZeroDuration();
  Instant quiet_end = absl::ZeroDuration();
  // All that waits is for meters whose late answer may still come.
  Instant held_until = absl::InfiniteDuration();
};

// An Instant in whole nanoseconds, never earlier: eight bytes instead of sixteen.
class ShortInstant {
 public:
  ShortInstant(Instant at) : ns_(absl::ToInt64Nanoseconds(at)) {  // NOLINT: it stands for an Instant.
    if (ns_ != kInfinite && absl::Nanoseconds(ns_) < at) ++ns_;
  }
  operator Instant() const {  // NOLINT
    return ns_ == kInfinite ? absl::InfiniteDuration() : absl::Nanoseconds(ns_);
  }

 private:
  static constexpr int64_t kInfinite = std::numeric_limits<int64_t>::max();
  int64_t ns_;
};

struct Session {
  int fd = -1;                // -1: the slot is free.
  uint32_t slot = 0;          // Its place in the shard.
  uint32_t use = 1;           // How often the slot has been taken.
  uint32_t registered_s = 0;  // Monotonic seconds.
  Peer peer = {};
  bool entry_changed = false;  // The directory has a newer one; a run under way still has views into this.
  bool counted = false;        // By the gate, under peer's network.
  // One of several buses of its connection; the shard holds the trunk.
  bool ported : 1 = false;
  bool tls : 1 = false;  // The shard holds its link.
  // Came with a PROXY header: at the other end of the TCP connection is a balancer.
  bool through_proxy : 1 = false;
  Assurance shown = Assurance::kId;  // When it registered; kId: nothing but the id.
  int64_t connected_ms = 0;          // Unix, for people.
  ShortInstant last_byte = absl::ZeroDuration();
  ShortInstant armed_at = absl::InfiniteDuration();  // The earliest timer that is on its way.
  BusEntryPtr entry = {};                            // Empty until registered.
  std::unique_ptr<Arrival> arrival = {};
  std::unique_ptr<BusWork> work = {};
  std::unique_ptr<BusFacts> facts = {};  // From the first work or noise on; the other counts are there.
  int64_t bytes_in = 0;
  int64_t bytes_out = 0;
};
// Twenty thousand of them: whoever adds a byte here should know it.
static_assert(sizeof(Session) <= 128);

}  // namespace voltwell::gateway
