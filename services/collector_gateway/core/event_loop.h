// One thread, one epoll: sockets that are ready, work posted by other threads, and timers. Bare epoll, since what Asio
// keeps for each socket (1.2 to 2.2 kB measured) is more than an idle session may cost.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

class EventLoop {
 public:
  using Task = absl::AnyInvocable<void()>;

  // What the loop calls, on its own thread.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnReady(uint64_t token, uint32_t events) = 0;
    virtual void OnTimer(uint64_t token, Instant at) = 0;
    // After each turn; returns when it wants the next one at the latest.
    virtual Instant OnTurnEnd() = 0;
  };

  EventLoop(std::string name, os::Clock& clock, Handler& handler);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Start();
  // Returns when the thread has ended. Tasks still posted are dropped.
  void Stop();

  // From any thread. Tasks run in the order of posting. Costs a system call only when the loop sleeps.
  void Post(Task task);

  // The rest: on the loop's thread only.
  bool Watch(int fd, uint32_t events, uint64_t token);
  void Change(int fd, uint32_t events, uint64_t token);
  void Unwatch(int fd);
  // Calls OnTimer(token, at) once; `at` in whole nanoseconds. There is no way to disarm: the handler ignores what it no
  // longer wants.
  void Arm(uint64_t token, Instant at);
  // The clock as of the beginning of this turn.
  Instant now() const { return now_; }

 private:
  // Sixteen bytes: each connection brings one until it has registered.
  struct Timer {
    int64_t at_ns;
    uint64_t token;
    bool operator>(const Timer& other) const { return at_ns > other.at_ns; }
    Instant at() const { return absl::Nanoseconds(at_ns); }
  };

  void Run();
  void RunTasks();
  void FireTimers();
  int TimeoutMs(Instant wanted) const;

  os::Clock& clock_;
  Handler& handler_;
  std::string name_;
  int epoll_ = -1;
  int wake_ = -1;  // An eventfd.
  Instant now_ = absl::ZeroDuration();
  std::vector<Timer> timers_;  // A heap, the first one on top.

  std::mutex mutex_;
  std::vector<Task> posted_;  // Guarded by mutex_.
  bool sleeping_ = false;     // Guarded by mutex_.
  std::vector<Task> running_;
  std::atomic<bool> stopping_ = false;
  std::unique_ptr<os::Worker> worker_;
};

}  // namespace voltwell::gateway
