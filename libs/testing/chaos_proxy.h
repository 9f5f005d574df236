// A TCP proxy that fails on request: a test's client talks to it, and it to the real server. One thread serves all
// connections. Modes apply to what comes after the call, on all connections.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"

namespace voltwell::testing {

class ChaosProxy {
 public:
  explicit ChaosProxy(int target_port);  // On 127.0.0.1.
  ~ChaosProxy();

  int port() const;
  int connections() const;  // Open now.
  int accepted() const;     // Ever.

  void Pass();                      // Everything flows again.
  void Delay(absl::Duration by);    // Answers come late.
  void Blackhole();                 // Nothing flows, nothing closes; new connections are accepted and hang.
  void Cut();                       // Closes what is open; new connections pass.
  void Refuse();                    // Closes what is open, and whatever connects.
  void Garbage(std::string bytes);  // Each answer is replaced by these bytes.
  // Once: the request that contains `text` reaches the server, its answer is lost and the connection closed.
  void LoseAnswerTo(std::string text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace voltwell::testing
