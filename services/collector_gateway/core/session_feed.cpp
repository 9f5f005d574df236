// Watchers and what they are told; see session_feed.h.
#include "services/collector_gateway/core/session_feed.h"

#include <algorithm>

namespace voltwell::gateway {

void SessionFeed::Registered(const Route& route) {
  book_.Registered(route);
  Tell(route, true, "");
}

void SessionFeed::Gone(const Route& route, const char* reason) {
  book_.Gone(route, reason);
  Tell(route, false, reason);
}

void SessionFeed::Tell(const Route& route, bool online, const char* reason) {
  if (count_.load() == 0) return;
  const SessionChange change = {.entry = route.entry,
                                .peer = route.peer,
                                .online = online,
                                .reason = reason,
                                .at_ms = absl::ToUnixMillis(clock_.Now())};
  const std::lock_guard lock(mutex_);
  for (const auto& watcher : watchers_) watcher->Changed(change);
}

bool SessionFeed::Watch(const std::shared_ptr<SessionWatcher>& watcher) {
  const std::lock_guard lock(mutex_);
  if (watchers_.size() >= kWatchersMax) return false;
  watchers_.push_back(watcher);
  count_ = watchers_.size();
  return true;
}

void SessionFeed::Close() {
  const std::lock_guard lock(mutex_);
  for (const auto& watcher : watchers_) watcher->Closing();
}

void SessionFeed::Unwatch(const SessionWatcher* watcher) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [watcher](const auto& known) { return known.get() == watcher; });
  count_ = watchers_.size();
}

}  // namespace voltwell::gateway
