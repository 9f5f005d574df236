// The way to the meters: routes attempts to gateway pods and runs one Exchange stream for each pod of a batch. Streams
// are read by callback reactors, so that hundreds of slow buses need no threads.
#pragma once

#include <memory>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "services/meter_scheduler/attempt.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/router.h"

namespace voltwell::scheduler {

inline constexpr int kStreamsMax = 1024;  // Exchange streams in flight; beyond it items end as BUSY and come again.

class Line {
 public:
  // `name` begins the names of its metrics: those of the road and of searches are told apart.
  Line(Router& router, GatewayClients& gateways, os::Clock& clock, metrics::Registry& metrics,
       const std::string& name = "voltwell_scheduler");
  ~Line();  // Finishes.

  // Every attempt comes back through `ended` exactly once, with its outcome; in parts, from any thread, perhaps before
  // Send returns. Set it before the first Send.
  void OnEnded(AttemptsEnded ended);
  // What comes after its not_after ends as EXPIRED. An opening never waits for a connection: BUSY, not sent.
  void Send(std::vector<AttemptPtr> attempts);
  // Ends all streams: what they carry comes back as GATEWAY_LOST.
  void CancelAll();
  // The same, waits until it has come back, and takes nothing more: later attempts end as BUSY.
  void Finish();

 private:
  void SendTo(const std::string& address, std::vector<AttemptPtr> attempts);

  struct State;
  std::shared_ptr<State> state_;
  class Call;
};

}  // namespace voltwell::scheduler
