// The gateway's copy of the collector directory, immutable once made, and the rule by which the first bytes of a
// connection tell who dials. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "services/collector_gateway/domain/assurance.h"
#include "services/collector_gateway/domain/dialect.h"
#include "services/collector_gateway/domain/group_run.h"

namespace voltwell::gateway {

// IPv6, or IPv4 as ::ffff:a.b.c.d.
using Address = std::array<uint8_t, 16>;

struct Network {
  Address address = {};
  int prefix = 0;  // Bits of the 128 that count; 0: every address.
  bool Contains(const Address& other) const;
};

// A collector's key: bytes that it shares with us alone.
using KeyPtr = std::shared_ptr<const std::string>;
inline bool SameKey(const KeyPtr& a, const KeyPtr& b) { return a == b || (a != nullptr && b != nullptr && *a == *b); }

// One bus of one collector, as the registry publishes it.
struct BusEntry {
  // The bytes that its connection sends first; where its dialect has a template, what stands for {id} in it.
  std::string registration = {};
  std::string registration_id = {};  // The same as people write it: the field of the directory's hash.
  std::string collector = {};
  std::string tenant = {};
  int bus = 1;
  BusTiming timing = {};
  std::string heartbeat = {};  // Empty: none.
  Network source = {};
  std::string dial_target = {};          // "host:port"; empty: it dials us.
  int port = -1;                         // In the packets of the collector's one connection; -1: it has one of its own.
  Assurance assurance = Assurance::kId;  // What is demanded of its connection.
  KeyPtr key = {};                       // The collector's; null: none, or it could not be unsealed.
  DialectPtr dialect = {};               // Null: transparent.
};
using BusEntryPtr = std::shared_ptr<const BusEntry>;

// Whether a connection from the entry's network that has shown so much (kId: nothing but the id) may be this bus's.
inline bool IsSureEnough(Assurance shown, const BusEntry& entry) {
  const bool from_its_network = entry.source.prefix > 0;
  return std::max(shown, from_its_network ? Assurance::kNetwork : Assurance::kId) >= entry.assurance;
}

// Registration bytes end at the first gap of this length. An id may be the beginning of another, known (VW-1 and
// VW-1/2) or not (VW-12), so that a match alone proves nothing until the sender has paused; boxes send the packet in
// one piece.
inline constexpr absl::Duration kRegistrationGap = absl::Milliseconds(50);

struct Identified {
  enum class Kind {
    kWait,     // More bytes or a gap will tell.
    kKnown,    // `entry` registered with the first `used` bytes.
    kUnknown,  // No id of the directory; might still become one when `may_grow`.
    kClash,    // These bytes are `entry` by its dialect and another one by its own: nobody can say whose they are.
  };
  Kind kind = Kind::kWait;
  BusEntryPtr entry = {};
  size_t used = 0;
  bool may_grow = false;
  std::string sent = {};  // Of kUnknown: the id, where a dialect tells where it stands; else all bytes.
};

// What the box takes out of the stream and what is taken out of its own; views into the entry.
Keepalives KeepalivesOf(const BusEntry& entry);

class DirectoryCopy {
 public:
  DirectoryCopy() = default;
  // Of two entries with the same bytes under different registration ids only one is taken in, the one in plain text: a
  // second spelling of an id must not take over the box.
  DirectoryCopy(int64_t generation, std::vector<BusEntryPtr> entries, std::shared_ptr<const Dialects> dialects = {});
  // This copy with some entries written and others (by registration_id) removed.
  DirectoryCopy With(const std::vector<BusEntryPtr>& written, const std::vector<std::string>& removed) const;

  // Who sent these first bytes. `quiet`: nothing followed them for kRegistrationGap.
  //   The longest known id at the beginning counts, if what follows it is nothing, a line end or zero byte (both belong
  //   to the packet), the beginning of a frame (FE, or 68 with a second 68 seven bytes on), or the box's own heartbeat,
  //   once or more, and then one of these. Without quiet only a line end, a zero byte or the heartbeat proves that the
  //   id is complete.
  // Where dialects with templates are in use, a template's packet counts likewise, and one that ends with fixed bytes
  // proves itself. An id that a template shows and the directory lacks is unknown.
  Identified Identify(base::ByteView bytes, bool quiet) const;

  // By exact registration bytes (BusEntry.registration); null when there is none.
  BusEntryPtr Find(absl::string_view registration) const;
  // Of a collector, by its registration id as people write it; null when it has none.
  KeyPtr KeyOf(absl::string_view collector) const;
  // All buses of a collector that share one connection.
  std::vector<BusEntryPtr> PortsOf(absl::string_view collector) const;
  // Those that gateways dial, by collector and bus.
  std::vector<BusEntryPtr> Dialled() const;
  size_t size() const { return direct_.size() + by_template_.size(); }
  int64_t generation() const { return generation_; }
  // Entries not taken in because another one has their bytes.
  int clashes() const { return clashes_; }

 private:
  using Entries = absl::btree_map<std::string, BusEntryPtr>;
  void TakeIn(BusEntryPtr entry);
  Identified IdentifyDirect(absl::string_view text, bool quiet) const;
  bool IsBeginning(absl::string_view bytes) const;
  // The id that some dialect shows in an unknown packet.
  std::string ShownId(absl::string_view text) const;

  int64_t generation_ = 0;  // 0: never loaded.
  int clashes_ = 0;
  Entries direct_;       // By the bytes that are sent.
  Entries by_template_;  // By what stands for {id}; an id is unique in the installation, whatever the dialect.
  std::shared_ptr<const Dialects> dialects_;                       // All that were loaded. May be null.
  std::vector<DialectPtr> used_;                                   // Those with a template that some entry has.
  absl::flat_hash_map<std::string, KeyPtr> keys_;                  // By collector.
  absl::btree_map<std::string, std::vector<BusEntryPtr>> ported_;  // By collector.
  std::vector<size_t> lengths_;                                    // Of the ids, longest first.
};

}  // namespace voltwell::gateway
