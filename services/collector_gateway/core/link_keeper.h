// Keeps in Redis which buses this pod holds, on its own thread: claims new sessions under a fencing epoch, restates all
// each minute and at once under a new generation, removes those that ended, tells the link stream, and says where this
// pod's gRPC is. While Redis is away facts wait, as many as the queue holds; what is dropped heals by restating.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "libs/redis/redis.h"
#include "services/collector_gateway/core/gateway_metrics.h"
#include "services/collector_gateway/core/link_book.h"
#include "services/collector_gateway/core/routes.h"

namespace voltwell::gateway {

// Facts that wait for Redis; a restart brings twenty thousand at once.
inline constexpr size_t kLinkOperationsMax = 65'536;
// In one round trip.
inline constexpr size_t kLinkBatchMax = 512;
// Claims of one script: Redis serves nobody else meanwhile, about 10 us for each.
inline constexpr size_t kClaimsInScript = 128;
// Facts wait so long for more of them: in a storm a round trip then carries a hundred.
inline constexpr absl::Duration kLinkGather = absl::Milliseconds(10);
inline constexpr absl::Duration kRestateEvery = absl::Seconds(60);
// The generation is looked at, and after a failure Redis is tried again.
inline constexpr absl::Duration kBeatEvery = absl::Seconds(1);
inline constexpr absl::Duration kAddressEvery = absl::Seconds(5);
// Unknown ids recorded in a second by one pod; more are refused all the same but not written down. A flood of made-up
// ids must not push online and offline out of the link stream.
inline constexpr int kQuarantinedPerSecond = 50;

struct LinkKeeperConfig {
  std::string pod = {};        // Name of this pod, without spaces.
  std::string advertise = {};  // host:port of its gRPC, as the scheduler reaches it.
};

class LinkKeeper final : public LinkBook {
 public:
  using CloseSession = std::function<void(SessionId, const char* reason)>;

  LinkKeeper(LinkKeeperConfig config, redis::Client& redis, Routes& routes, os::Clock& clock, GatewayMetrics& metrics);
  ~LinkKeeper() override;

  // `close` ends a session that another pod holds with a higher epoch.
  void Start(CloseSession close);
  // Tries to tell Redis what waits, takes this pod's address away, and ends the thread. `limit` of real time. Who asks
  // WhoHolds afterwards hears at once that nobody does. Once; there is no starting again.
  void Stop(absl::Duration limit);
  bool reached() const;  // The last round trip succeeded.

  void Registered(const Route& route) override;
  void Gone(const Route& route, const char* reason) override;
  void Quarantined(const std::string& sent, const Peer& peer) override;
  void WhoHolds(std::vector<Sought> buses, Answer answer) override;

  // One round of work; tells when it wants the next. The worker calls it, once facts have gathered; tests may, instead
  // of Start.
  absl::Duration Step();

 private:
  enum class Kind { kClaim, kRelease, kQuarantine };
  struct Operation {
    Kind kind = Kind::kClaim;
    Route route = {};
    std::string text = {};  // Reason of a release, id of a quarantine.
    Peer peer = {};
  };
  struct Question {
    std::vector<Sought> buses;
    Answer answer;
  };

  void Push(Operation operation);
  // Null when there is nobody to wake. Under mutex_; once made it lives as long as this.
  os::Worker* WorkerToWake() const { return stopped_ ? nullptr : worker_.get(); }
  absl::Status Beat(Instant now);
  absl::Status LoadScripts();
  absl::Status WorkOff();
  void AnswerQuestions();
  absl::Duration StepOrGather();
  redis::Command CommandFor(const Operation& operation) const;
  redis::Command ClaimCommand(const Operation* first, const Operation* end) const;
  // The operations of a command, and what Redis said of them. True when they must be done again.
  bool Apply(const Operation* first, const Operation* end, const redis::Reply& reply);
  void Claimed(const Route& route, int64_t generation, absl::string_view answer);
  void RestateAll();
  std::vector<Operation> TakeBatch();
  void PutBack(std::vector<Operation>&& operations);

  const LinkKeeperConfig config_;
  redis::Client& redis_;
  Routes& routes_;
  os::Clock& clock_;
  GatewayMetrics& metrics_;
  CloseSession close_;

  mutable std::mutex mutex_;
  std::deque<Operation> waiting_;                 // Guarded by mutex_.
  Instant waiting_since_ = absl::ZeroDuration();  // Guarded by mutex_; of the first.
  std::vector<Question> questions_;               // Guarded by mutex_.
  bool reached_ = false;                          // Guarded by mutex_.
  bool stopped_ = false;                          // Guarded by mutex_.
  int quarantined_now_ = 0;                       // Guarded by mutex_; in the current second.
  Instant quarantine_second_ = -absl::InfiniteDuration();
  std::unique_ptr<os::Worker> worker_;  // Guarded by mutex_; shards push before Start and after Stop.

  // Of the worker.
  std::vector<BusEntryPtr> restating_;  // Taken from the end.
  int64_t generation_ = 0;
  bool scripts_loaded_ = false;
  std::array<std::string, 3> shas_;
  Instant next_beat_ = -absl::InfiniteDuration();
  Instant next_address_ = -absl::InfiniteDuration();
  Instant next_restate_ = absl::InfiniteDuration();
};

}  // namespace voltwell::gateway
