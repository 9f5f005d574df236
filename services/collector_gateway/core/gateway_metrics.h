// What a gateway counts. Asked for once; the references are used on hot paths.
#pragma once

#include <array>
#include <string>

#include "libs/metrics/metrics.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// Why a connection was not let in, or not kept before it registered.
enum class Refusal {
  kFull,
  kCrowdedOut,
  kUnknownId,
  kWrongNetwork,
  kNoRegistration,
  kDraining,
  kClash,
  kNetworkFull,
  kNetworkTooFast,
  kFlapping,
  kTaken,
  kProxyHeader,
  kTls,
  kWrongCertificate,
  kAssurance,
  kChallengeWrong,
  kChallengeLate,
  kTlsPsk,
  kDialled
};
inline constexpr int kRefusals = 19;

// Upper ends of the classes of waiting items.
inline constexpr std::array<double, 10> kQueueDepths = {0, 1, 2, 4, 8, 16, 32, 64, 128, 256};

struct GatewayMetrics {
  explicit GatewayMetrics(metrics::Registry& registry);

  prometheus::Counter& Exchanges(Outcome outcome) { return *exchanges[static_cast<size_t>(outcome)]; }
  prometheus::Counter& Refused(Refusal refusal) { return *refusals[static_cast<size_t>(refusal)]; }

  prometheus::Gauge& sessions;
  prometheus::Gauge& unregistered;
  prometheus::Counter& accepted;
  prometheus::Counter& accept_pauses;
  prometheus::Counter& registrations;
  prometheus::Counter& replaced;
  prometheus::Counter& takeovers;
  prometheus::Counter& searches;
  prometheus::Counter& accept_throttled;
  prometheus::Counter& dialect_answers;
  prometheus::Counter& challenges;
  std::array<prometheus::Counter*, kOutcomes> exchanges = {};
  std::array<prometheus::Counter*, kRefusals> refusals = {};
  prometheus::Counter& bytes_in;
  prometheus::Counter& bytes_out;
  prometheus::Counter& bad_checksums;
  prometheus::Counter& noise_bytes;
  prometheus::Counter& babble_bytes;
  prometheus::Counter& dials;
  prometheus::Counter& dials_failed;
  prometheus::Counter& dials_refused;
  prometheus::Gauge& dial_leases;
  prometheus::Counter& dial_leases_lost;
  prometheus::Counter& unknown_ports;
  prometheus::Counter& port_noise_bytes;
  prometheus::Counter& echoes;
  prometheus::Counter& strays;
  prometheus::Counter& collisions;
  prometheus::Counter& retries;
  prometheus::Counter& learned_timeouts;
  prometheus::Histogram& queue_depth;
  prometheus::Counter& busy_seconds;
  prometheus::Counter& flushes;
  // LinkKeeper and DirectoryFollower.
  prometheus::Counter& link_operations_dropped;
  prometheus::Gauge& link_operations_waiting;
  prometheus::Counter& claims;
  prometheus::Counter& fenced;
  prometheus::Counter& quarantined;
  prometheus::Gauge& directory_entries;
  prometheus::Gauge& directory_generation;
  prometheus::Counter& directory_bad_entries;
  prometheus::Counter& directory_clashes;
  prometheus::Counter& directory_unknown_dialects;
  prometheus::Counter& directory_unknown_assurances;
  prometheus::Counter& directory_unopened_keys;
  // Exchange calls.
  prometheus::Gauge& streams;
};

}  // namespace voltwell::gateway
