// The loop; see event_loop.h.
#include "services/collector_gateway/core/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <utility>

#include "libs/base/check.h"

namespace voltwell::gateway {
namespace {

constexpr int kEventsPerTurn = 256;
constexpr uint64_t kWakeToken = ~uint64_t{0};
constexpr size_t kTimersKept = 4096;
// An idle loop looks around at least this often.
constexpr absl::Duration kLongestSleep = absl::Seconds(1);

}  // namespace

EventLoop::EventLoop(std::string name, os::Clock& clock, Handler& handler)
    : clock_(clock), handler_(handler), name_(std::move(name)) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  VW_CHECK(epoll_ >= 0 && wake_ >= 0);
  VW_CHECK(Watch(wake_, EPOLLIN, kWakeToken));
}

EventLoop::~EventLoop() {
  Stop();
  close(wake_);
  close(epoll_);
}

void EventLoop::Start() {
  now_ = clock_.Monotonic();
  worker_ = std::make_unique<os::Worker>(name_, [this] {
    Run();
    return absl::InfiniteDuration();
  });
}

void EventLoop::Stop() {
  if (worker_ == nullptr) return;
  stopping_ = true;
  Post([] {});
  worker_->Stop();
  worker_.reset();
}

void EventLoop::Post(Task task) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
  if (!sleeping_) return;
  sleeping_ = false;
  const uint64_t one = 1;
  // A full counter wakes as well, so the result tells nothing.
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof(one));
}

bool EventLoop::Watch(int fd, uint32_t events, uint64_t token) {
  epoll_event event = {.events = events, .data = {.u64 = token}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventLoop::Change(int fd, uint32_t events, uint64_t token) {
  epoll_event event = {.events = events, .data = {.u64 = token}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::Unwatch(int fd) { epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::Arm(uint64_t token, Instant at) {
  timers_.push_back({absl::ToInt64Nanoseconds(at), token});
  std::push_heap(timers_.begin(), timers_.end(), std::greater<>());
}

void EventLoop::Run() {
  std::array<epoll_event, kEventsPerTurn> events;
  Instant wanted = absl::InfiniteDuration();
  while (!stopping_) {
    int timeout = TimeoutMs(wanted);
    {
      const std::lock_guard lock(mutex_);
      if (!posted_.empty()) timeout = 0;
      sleeping_ = timeout != 0;
    }
    const int count = epoll_wait(epoll_, events.data(), kEventsPerTurn, timeout);
    VW_CHECK(count >= 0 || errno == EINTR);
    now_ = clock_.Monotonic();
    RunTasks();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.u64 != kWakeToken) {
        handler_.OnReady(event.data.u64, event.events);
        continue;
      }
      uint64_t ignored = 0;
      [[maybe_unused]] const auto drained = read(wake_, &ignored, sizeof(ignored));
    }
    FireTimers();
    wanted = handler_.OnTurnEnd();
  }
}

void EventLoop::RunTasks() {
  {
    const std::lock_guard lock(mutex_);
    sleeping_ = false;
    running_.swap(posted_);
  }
  for (Task& task : running_) task();
  running_.clear();
}

void EventLoop::FireTimers() {
  // What is armed meanwhile waits for the next turn, so that sockets get theirs.
  const int64_t now_ns = absl::ToInt64Nanoseconds(now_);
  for (size_t left = timers_.size(); left > 0 && timers_.front().at_ns <= now_ns; --left) {
    const Timer timer = timers_.front();
    std::pop_heap(timers_.begin(), timers_.end(), std::greater<>());
    timers_.pop_back();
    handler_.OnTimer(timer.token, timer.at());
  }
  // What a storm of connections took is given back.
  if (timers_.capacity() > kTimersKept && timers_.size() < timers_.capacity() / 4) timers_.shrink_to_fit();
}

int EventLoop::TimeoutMs(Instant wanted) const {
  if (!timers_.empty()) wanted = std::min(wanted, timers_.front().at());
  const absl::Duration left = std::clamp(wanted - clock_.Monotonic(), absl::ZeroDuration(), kLongestSleep);
  // Rounded up: waking a fraction of a millisecond early would spin.
  return static_cast<int>(absl::ToInt64Milliseconds(left + absl::Nanoseconds(999'999)));
}

}  // namespace voltwell::gateway
