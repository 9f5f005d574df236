// A thread that is joined by Join or by its destructor. Threads are made here and in workers, nowhere else, so that who
// runs beside whom can be found by looking for two words.
#pragma once

#include <functional>
#include <thread>

namespace voltwell::os {

class Thread {
 public:
  explicit Thread(std::function<void()> body) : thread_(std::move(body)) {}
  ~Thread() { Join(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

}  // namespace voltwell::os
