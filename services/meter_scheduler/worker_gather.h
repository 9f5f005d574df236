// The one gatherer of results of this process: takes what comes from all streams, has it decoded in batches, and hands
// what follows to the store. It flushes at 256 results or after 200 ms, at once when somebody waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/os/thread.h"
#include "services/meter_scheduler/attempt.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/closings.h"
#include "services/meter_scheduler/line.h"
#include "services/meter_scheduler/worker_store.h"

namespace voltwell::scheduler {

inline constexpr size_t kFlushAt = 256;                                 // Results.
inline constexpr absl::Duration kFlushAfter = absl::Milliseconds(200);  // Since the first that waits.
inline constexpr size_t kFlushMax = 512;                                // Of one Decode: the codec's limit.
inline constexpr int kContinuationsMax = 32;  // Rounds of one attempt that the codec may ask for.

class GatherWorker {
 public:
  GatherWorker(Clients& clients, Line& line, RegisterStore& registers, StoreWorker& store, os::Clock& clock,
               os::Random& random, absl::TimeZone meter_zone, metrics::Registry& metrics);
  ~GatherWorker();  // Gathers what has come, then stops.

  // Bounded by kInFlightMax: each attempt was counted when it was claimed.
  void Add(std::vector<AttemptPtr> ended);

 private:
  void Run();
  void Flush(std::vector<AttemptPtr> batch);
  void Decode(std::vector<AttemptPtr>& answered);
  // Sends again what MOVED or needs another round; the others stay.
  void SendAgain(std::vector<AttemptPtr>& attempts, std::vector<voltwell::codec::v1::ExchangeGroup>& continuations);
  void Close(std::vector<AttemptPtr> attempts);

  Clients& clients_;
  Line& line_;
  RegisterStore& registers_;
  StoreWorker& store_;
  os::Clock& clock_;
  os::Random& random_;
  const absl::TimeZone meter_zone_;
  prometheus::Gauge& waiting_gauge_;
  prometheus::Counter& flushes_total_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<AttemptPtr> waiting_;
  absl::Duration first_at_ = absl::ZeroDuration();
  bool urgent_ = false;
  bool stopping_ = false;
  os::Thread thread_;
};

}  // namespace voltwell::scheduler
