// The table of routes; see routes.h.
#include "services/collector_gateway/core/routes.h"

#include <algorithm>

namespace voltwell::gateway {

std::optional<Route> Routes::Insert(Route route) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(BusKey{route.entry->collector, route.entry->bus});
  if (found == slots_.end()) {
    slots_.insert(Slot{std::move(route)});
    return std::nullopt;
  }
  return std::exchange(found->route, std::move(route));
}

std::optional<Route> Routes::Erase(const BusEntry& entry, SessionId session) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(BusKey{entry.collector, entry.bus});
  if (found == slots_.end() || found->route.session != session) return std::nullopt;
  Route route = found->route;
  slots_.erase(found);
  return route;
}

const Routes::Slot* Routes::Own(BusKey key, SessionId session) const {
  const auto found = slots_.find(key);
  return found == slots_.end() || found->route.session != session ? nullptr : &*found;
}

bool Routes::SetEpoch(const BusEntry& entry, SessionId session, Epoch epoch) {
  const std::lock_guard lock(mutex_);
  const Slot* const slot = Own({entry.collector, entry.bus}, session);
  if (slot == nullptr) return false;
  slot->route.epoch = epoch;
  return true;
}

bool Routes::SetEntry(SessionId session, const BusEntryPtr& entry) {
  const std::lock_guard lock(mutex_);
  const Slot* const slot = Own({entry->collector, entry->bus}, session);
  if (slot == nullptr) return false;
  slot->route.entry = entry;
  return true;
}

std::optional<Route> Routes::Find(BusKey key) const {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(key);
  if (found == slots_.end()) return std::nullopt;
  return found->route;
}

std::vector<Route> Routes::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<Route> all;
  all.reserve(slots_.size());
  for (const Slot& slot : slots_) all.push_back(slot.route);
  return all;
}

size_t Routes::size() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace voltwell::gateway
