// A named thread that runs a function again and again until stopped; between two runs it waits, and can be woken early.
// It is joined by Stop and by the destructor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"

namespace voltwell::os {

class Worker {
 public:
  // `step` returns how long to wait before the next run. It must return soon once stopping() is true.
  Worker(const std::string& name, std::function<absl::Duration()> step);
  ~Worker();
  void Wake();
  void Stop();
  bool stopping() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace voltwell::os
