// Redis by hiredis: a small pool of blocking connections with timeouts, pipelines, and scripts by SHA.
// Errors: REDIS_DOWN Unavailable, REDIS_TIMEOUT DeadlineExceeded, REDIS_ERROR Internal (metadata message).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/config/config.h"
#include "libs/metrics/metrics.h"

namespace voltwell::redis {

struct Config {
  std::string host = "127.0.0.1";
  int port = 16379;
  std::string password;  // secret
  int pool_size = 4;
  absl::Duration timeout = absl::Seconds(1);
  void Declare(config::Options& options);
};

// A reply, as a value. Arrays nest.
struct Reply {
  enum class Kind { kNil, kText, kInteger, kArray, kError };
  Kind kind = Kind::kNil;
  std::string text = {};
  int64_t integer = 0;
  std::vector<Reply> items = {};
  bool nil() const { return kind == Kind::kNil; }
};

using Command = std::vector<std::string>;

// EVALSHA with EVAL as the fall-back.
struct Script {
  const char* name;
  const char* source;
};

class Client {
 public:
  Client(Config config, metrics::Registry& metrics);
  ~Client();
  // One command, one round trip.
  absl::StatusOr<Reply> Call(const Command& command);
  // A command that waits in Redis (XREAD BLOCK, BLPOP): the answer may take `block` longer. Holds a connection of the
  // pool.
  absl::StatusOr<Reply> CallBlocking(const Command& command, absl::Duration block);
  // Many commands, one round trip; an error reply is an item of kind kError, not a failed call.
  absl::StatusOr<std::vector<Reply>> Pipeline(const std::vector<Command>& commands);
  absl::StatusOr<Reply> Run(const Script& script, const std::vector<std::string>& keys,
                            const std::vector<std::string>& arguments);
  bool Healthy();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace voltwell::redis
