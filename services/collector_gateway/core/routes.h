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
      visit(i, found == slots_.end() ? nullptr : &found->route);
    }
  }
  std::vector<Route> All() const;
  size_t size() const;

 private:
  struct Slot {
    mutable Route route;  // The key's fields (entry's collector and bus) never change while it is in the set.
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(BusKey key) const { return absl::HashOf(key.collector, key.bus); }
    size_t operator()(const Slot& slot) const { return (*this)(KeyOf(slot)); }
  };
  struct Equal {
    using is_transparent = void;
    static BusKey Key(BusKey key) { return key; }
    static BusKey Key(const Slot& slot) { return KeyOf(slot); }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Key(a).collector == Key(b).collector && Key(a).bus == Key(b).bus;
    }
  };
  static BusKey KeyOf(const Slot& slot) { return {slot.route.entry->collector, slot.route.entry->bus}; }
  const Slot* Own(BusKey key, SessionId session) const;

  mutable std::mutex mutex_;
  absl::flat_hash_set<Slot, Hash, Equal> slots_;
};

}  // namespace voltwell::gateway
