// Which session of this process carries which bus. Asked by the threads of the calls and by the worker that restates
// sessions in Redis; written by the shards.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "services/collector_gateway/core/session.h"
#include "services/collector_gateway/core/slab.h"

namespace voltwell::gateway {

struct Route {
  SessionId session = kNoSession;
  BusEntryPtr entry = {};  // Its collector and bus are the key.
  Peer peer = {};
  int64_t since_ms = 0;
  Epoch epoch = {};
  bool through_proxy = false;
  Assurance shown = Assurance::kId;  // What its connection proved, the network aside.
};

struct BusKey {
  absl::string_view collector = {};
  int bus = 1;
};

class Routes {
 public:
  // The new connection wins; what it replaced is returned.
  std::optional<Route> Insert(Route route);
  // Only if it is still this session's.
  std::optional<Route> Erase(const BusEntry& entry, SessionId session);
  // False when the bus is no longer this session's.
  bool SetEpoch(const BusEntry& entry, SessionId session, Epoch epoch);
  bool SetEntry(SessionId session, const BusEntryPtr& entry);

  std::optional<Route> Find(BusKey key) const;
  // One lock for a whole batch: `visit(i, route or null)` for each key.
  template <typename Key, typename Visit>
  void FindAll(size_t count, const Key& key_of, const Visit& visit) const {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < count; ++i) {
      const auto found = slots_.find(key_of(i));
      visit(i, found == slots_.end() ? nullptr : &routes_[*found]);
    }
  }
  std::vector<Route> All() const;
  // Of all that are there: what a walk over many sessions keeps of them.
  std::vector<BusEntryPtr> Entries() const;
  size_t size() const;

 private:
  // The set holds places in the slab: its empty slots, nearly as many as its full ones, then cost five bytes each and
  // not a whole route.
  using Place = uint32_t;
  using Slots = Slab<Route>;
  static BusKey KeyOf(const Slots&, BusKey key) { return key; }
  static BusKey KeyOf(const Slots& routes, Place place) {
    const BusEntry& entry = *routes[place].entry;
    return {entry.collector, entry.bus};
  }
  struct Hash {
    using is_transparent = void;
    const Slots* routes;
    template <typename Key>
    size_t operator()(Key key) const {
      const BusKey bus = KeyOf(*routes, key);
      return absl::HashOf(bus.collector, bus.bus);
    }
  };
  struct Equal {
    using is_transparent = void;
    const Slots* routes;
    template <typename A, typename B>
    bool operator()(A first, B second) const {
      const BusKey a = KeyOf(*routes, first);
      const BusKey b = KeyOf(*routes, second);
      return a.collector == b.collector && a.bus == b.bus;
    }
  };
  Route* Own(BusKey key, SessionId session);

  mutable std::mutex mutex_;
  // Guarded by mutex_. The fields of a key (entry's collector and bus) never change while its place is in the set.
  Slots routes_;
  std::vector<Place> free_;
  absl::flat_hash_set<Place, Hash, Equal> slots_{0, Hash{&routes_}, Equal{&routes_}};
};

}  // namespace voltwell::gateway
