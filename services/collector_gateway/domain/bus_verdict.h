// What is most likely wrong with a bus, and whether socket, collector and meter are alive: judged from facts when
// somebody asks, never stored. Pure.
#pragma once

#include <optional>

#include "services/collector_gateway/domain/bus_facts.h"

namespace voltwell::gateway {

// Items before a bus is judged: at one lost answer in twenty, fewer would be chance.
inline constexpr int64_t kVerdictAskedMin = 20;
// A box that keeps no heartbeat, or three of whose heartbeats are missing, is doubted after this at the latest.
inline constexpr absl::Duration kHeartbeatLate = absl::Minutes(3);

// Numbers as in voltwell.gateway.v1.BusVerdict.
enum class BusVerdict {
  kUnknown = 0,
  kHealthy = 1,
  kSilent = 2,
  kNoisy = 3,
  kColliding = 4,
  kBabbling = 5,
  kMetersFailing = 6,
  kSaturated = 7,
};
// `queued`: items that wait.
BusVerdict Judge(const BusFacts& facts, int queued, Instant now);

// Numbers as in voltwell.gateway.v1.Liveness.
enum class LifeState { kAlive = 1, kDoubtful = 2, kDead = 3, kUnknown = 4 };
enum class LifeReason {
  kBytesSeen = 1,
  kNothingDue = 2,
  kHeartbeatOverdue = 3,
  kUnsent = 4,
  kAnswered = 5,
  kNoAnswer = 6,
  kSpoilt = 7,
  kNotAsked = 8,
};
struct Liveness {
  LifeState state = LifeState::kUnknown;
  LifeReason reason = LifeReason::kNotAsked;
  std::optional<absl::Duration> silent = {};  // Since the last sign of life.
};

// What the session itself knows.
struct SessionSigns {
  absl::Duration idle = absl::ZeroDuration();  // Since bytes came.
  bool unsent = false;                         // Bytes of ours wait in the socket.
  bool heartbeat = false;                      // One is agreed.
  // Questions in a row that nobody on the bus answered, of whatever meter.
  int64_t unanswered = 0;
};
// The TCP connection: can bytes pass?
Liveness SocketLife(const SessionSigns& signs);
// The box: does it do what boxes do?
Liveness CollectorLife(const SessionSigns& signs);
Liveness MeterLife(const MeterFacts& meter, Instant now);

}  // namespace voltwell::gateway
