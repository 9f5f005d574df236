// Tells watchers which sessions began and ended: wraps the link book, which hears of all of them anyway. A watcher that
// is too slow for what happens is told so and dropped; it lists and watches again.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "services/collector_gateway/core/link_book.h"

namespace voltwell::gateway {

// Watchers of a process: each scheduler has one or two.
inline constexpr size_t kWatchersMax = 64;

struct SessionChange {
  BusEntryPtr entry = {};
  Peer peer = {};
  bool online = false;
  std::string reason = {};
  int64_t at_ms = 0;  // Unix.
};

// Called on shards' threads: must not block.
class SessionWatcher {
 public:
  virtual ~SessionWatcher() = default;
  virtual void Changed(const SessionChange& change) = 0;
  // The process goes.
  virtual void Closing() = 0;
};

class SessionFeed final : public LinkBook {
 public:
  SessionFeed(LinkBook& book, os::Clock& clock) : book_(book), clock_(clock) {}

  void Registered(const Route& route) override;
  void Gone(const Route& route, const char* reason) override;
  void Quarantined(const std::string& sent, const Peer& peer) override { book_.Quarantined(sent, peer); }
  void WhoHolds(std::vector<Sought> buses, Answer answer) override {
    book_.WhoHolds(std::move(buses), std::move(answer));
  }

  // False when there are kWatchersMax.
  bool Watch(const std::shared_ptr<SessionWatcher>& watcher);
  void Unwatch(const SessionWatcher* watcher);
  void Close();

 private:
  void Tell(const Route& route, bool online, const char* reason);

  LinkBook& book_;
  os::Clock& clock_;
  std::atomic<size_t> count_ = 0;  // Of watchers_: nobody watches most of the time, and then no lock is taken.
  std::mutex mutex_;
  std::vector<std::shared_ptr<SessionWatcher>> watchers_;
};

}  // namespace voltwell::gateway
