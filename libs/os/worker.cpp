// The loop behind Worker: run, wait (or be woken), run again.
#include "libs/os/worker.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace voltwell::os {
namespace {

constexpr size_t kThreadNameMax = 15;                     // The kernel's limit, without the final zero.
constexpr absl::Duration kLongestWait = absl::Hours(24);  // So that an infinite wait does not overflow the clock.

}  // namespace

struct Worker::State {
  std::function<absl::Duration()> step;
  mutable std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  bool stopping = false;
  std::thread thread;

  void Run() {
    for (;;) {
      {
        const std::lock_guard lock(mutex);
        if (stopping) return;
        woken = false;  // A wake during the step is kept for the wait after it.
      }
      const absl::Duration wait = std::clamp(step(), absl::ZeroDuration(), kLongestWait);
      std::unique_lock lock(mutex);
      changed.wait_for(lock, absl::ToChronoNanoseconds(wait), [&] { return woken || stopping; });
    }
  }
};

Worker::Worker(const std::string& name, std::function<absl::Duration()> step) : state_(std::make_shared<State>()) {
  state_->step = std::move(step);
  state_->thread = std::thread([state = state_.get()] { state->Run(); });
  pthread_setname_np(state_->thread.native_handle(), name.substr(0, kThreadNameMax).c_str());
}

Worker::~Worker() { Stop(); }

void Worker::Wake() {
  const std::lock_guard lock(state_->mutex);
  state_->woken = true;
  state_->changed.notify_one();
}

void Worker::Stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_one();
  }
  if (state_->thread.joinable()) state_->thread.join();
}

bool Worker::stopping() const {
  const std::lock_guard lock(state_->mutex);
  return state_->stopping;
}

}  // namespace voltwell::os
