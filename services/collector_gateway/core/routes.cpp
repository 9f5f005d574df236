// The table of routes; see routes.h.
#include "services/collector_gateway/core/routes.h"

#include <algorithm>

namespace voltwell::gateway {

std::optional<Route> Routes::Insert(Route route) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(BusKey{route.entry->collector, route.entry->bus});
  if (found != slots_.end()) return std::exchange(routes_[*found], std::move(route));
  Place place = static_cast<Place>(routes_.size());
  if (free_.empty()) {
    routes_.Add() = std::move(route);
  } else {
    place = free_.back();
    free_.pop_back();
    routes_[place] = std::move(route);
  }
  slots_.insert(place);
  return std::nullopt;
}

std::optional<Route> Routes::Erase(const BusEntry& entry, SessionId session) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(BusKey{entry.collector, entry.bus});
  if (found == slots_.end() || routes_[*found].session != session) return std::nullopt;
  const Place place = *found;
  slots_.erase(found);
  free_.push_back(place);
  return std::exchange(routes_[place], Route());
}

Route* Routes::Own(BusKey key, SessionId session) {
  const auto found = slots_.find(key);
  return found == slots_.end() || routes_[*found].session != session ? nullptr : &routes_[*found];
}

bool Routes::SetEpoch(const BusEntry& entry, SessionId session, Epoch epoch) {
  const std::lock_guard lock(mutex_);
  Route* const route = Own({entry.collector, entry.bus}, session);
  if (route == nullptr) return false;
  route->epoch = epoch;
  return true;
}

bool Routes::SetEntry(SessionId session, const BusEntryPtr& entry) {
  const std::lock_guard lock(mutex_);
  Route* const route = Own({entry->collector, entry->bus}, session);
  if (route == nullptr) return false;
  route->entry = entry;
  return true;
}

std::optional<Route> Routes::Find(BusKey key) const {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(key);
  if (found == slots_.end()) return std::nullopt;
  return routes_[*found];
}

std::vector<Route> Routes::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<Route> all;
  all.reserve(slots_.size());
  for (const Place place : slots_) all.push_back(routes_[place]);
  return all;
}

std::vector<BusEntryPtr> Routes::Entries() const {
  const std::lock_guard lock(mutex_);
  std::vector<BusEntryPtr> entries;
  entries.reserve(slots_.size());
  for (const Place place : slots_) entries.push_back(routes_[place].entry);
  return entries;
}

size_t Routes::size() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace voltwell::gateway
