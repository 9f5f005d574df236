// A Redis of its own for a test: on a free port of 127.0.0.1, in memory only, gone with the object.
#pragma once

#include <memory>

#include "libs/redis/redis.h"
#include "libs/testing/process.h"

namespace voltwell::testing {

class TempRedis {
 public:
  TempRedis();
  ~TempRedis();
  int port() const { return port_; }
  redis::Config config() const;
  void Kill();   // Everything in it is lost.
  void Start();  // Empty again, on the same port.
  void Flush();  // As if wiped while running.

 private:
  bool Answers() const;
  TempDirectory directory_;
  int port_ = 0;
  std::unique_ptr<Process> server_;
};

}  // namespace voltwell::testing
