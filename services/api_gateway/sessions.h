// Whose token is it? Asks registry in batches and believes the answer for half a second, so that a session that was
// ended is ended here too before a person can look up. Open streams are asked about again and again for as long as they
// live.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/rpc/identity.h"

namespace voltwell::front {

inline constexpr absl::Duration kSessionBelieved = absl::Milliseconds(500);
inline constexpr size_t kSessionsCached = 10'000;        // Beyond it the oldest is asked for again.
inline constexpr size_t kAuthenticateBatchMax = 512;     // The contract's limit of one Authenticate.
inline constexpr int kAuthenticateFlightsMax = 4;        // Calls under way; what comes meanwhile goes with the next.
inline constexpr size_t kAuthenticateWaitingMax = 4096;  // Tokens waiting; beyond it FRONT_BUSY.
inline constexpr size_t kTokenBytesMax = 512;            // A longer one is nobody's.
// While registry cannot be asked nobody can end a session either; but not for ever.
inline constexpr absl::Duration kStreamUnconfirmedMax = absl::Seconds(30);

class Sessions {
 public:
  using Identities = std::vector<std::optional<rpc::Identity>>;  // Nothing: unknown or ended.
  using Asked = std::function<void(absl::StatusOr<Identities>)>;
  using Ask = std::function<void(const std::vector<std::string>& tokens, Asked asked)>;  // Answers once, on any thread.
  using Done = std::function<void(const absl::StatusOr<rpc::Identity>&)>;

  Sessions(Ask ask, os::Clock& clock, metrics::Registry& metrics);
  ~Sessions();

  // SESSION_ENDED (UNAUTHENTICATED), SESSIONS_UNAVAILABLE (UNAVAILABLE), FRONT_BUSY (RESOURCE_EXHAUSTED). `done` may
  // run before this returns, or later on another thread.
  void Authenticate(const std::string& token, Done done);

  // `ended` runs once, when the session has ended (SESSION_ENDED), when it is no longer the one let in (RIGHTS_CHANGED:
  // another tenant, permissions or sites), or when it could not be confirmed for too long.
  uint64_t Watch(const std::string& token, rpc::Identity let_in, std::function<void(const absl::Status&)> ended);
  void Unwatch(uint64_t watch);
  // The session was ended through us: do not believe the old answer.
  void Forget(const std::string& token);
  // Asks about the tokens of streams; every quarter of a second.
  void Tick();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace voltwell::front
