// Who is let in: how fast connections are accepted overall and from one network, how many one network may hold, and for
// how long an id that flaps is held off. Pure: time comes in as an argument; the caller locks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "services/collector_gateway/domain/directory_copy.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// A restart brings a full gateway's 20,000 collectors back at once: the burst takes them all, so that the rates only
// meet who comes again and again.
struct AdmissionLimits {
  int accepts_per_second = 10'000;
  int accept_burst = 20'000;
  int network_accepts_per_second = 2'000;
  int network_accept_burst = 20'000;
  int network_connections_max = 20'000;  // Behind one carrier's address there may be all of them.
};
// Networks remembered: with connections, or refused a moment ago. Beyond it those without connections are forgotten.
inline constexpr size_t kNetworksMax = 65'536;

// Tokens that come back at a rate up to a burst.
class TokenBucket {
 public:
  TokenBucket(int per_second, int burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}
  bool Take(Instant now);
  bool full(Instant now);
  // When the next one is there.
  Instant NextAt(Instant now);

 private:
  void Refill(Instant now);
  double per_second_;
  double burst_;
  double tokens_;
  Instant refilled_ = absl::ZeroDuration();
};

class Admission {
 public:
  explicit Admission(AdmissionLimits limits) : limits_(limits), all_(limits.accepts_per_second, limits.accept_burst) {}

  // When the next connection may be accepted: now, or later.
  Instant AcceptAt(Instant now) { return all_.NextAt(now); }
  // One was accepted, from whomever.
  void Accepted(Instant now) { all_.Take(now); }

  enum class Verdict : uint8_t { kIn, kNetworkFull, kNetworkTooFast };
  // A connection whose address is known; counted when it is in, until Gone.
  Verdict Knock(const Address& address, Instant now);
  void Gone(const Address& address, Instant now);
  size_t networks() const { return networks_.size(); }

 private:
  struct Network {
    TokenBucket bucket;
    int open = 0;
  };
  void Forget(Instant now);

  const AdmissionLimits limits_;
  TokenBucket all_;
  absl::flat_hash_map<Address, Network> networks_;  // By the /24 or /64.
};

// The /24 of an IPv4 address, the /64 of an IPv6 one.
Address NetworkOf(Address address);

// A session that ends so soon after it registered is a flap.
inline constexpr absl::Duration kFlapLife = absl::Seconds(30);
// Flaps that cost nothing; one is forgotten each kFlapLife.
inline constexpr int kFlapsFree = 5;
inline constexpr absl::Duration kHoldOffFirst = absl::Seconds(5);
inline constexpr absl::Duration kHoldOffMax = absl::Minutes(2);
// Ids remembered. Beyond it further ones are not: they flap on, within the accept rates.
inline constexpr size_t kFlapIdsMax = 16'384;

// Ids that flap cost Redis two facts each time, and their buses never get to work: after some flaps they wait outside.
class FlapBook {
 public:
  // A session of this id ended by itself or by its own successor.
  void Ended(absl::string_view registration, absl::Duration lived, Instant now);
  // How long this id is still held off; zero: it may register.
  absl::Duration HeldOff(absl::string_view registration, Instant now) const;
  size_t size() const { return ids_.size(); }

 private:
  struct Flaps {
    double count = 0;  // As of `since`; one less each kFlapLife.
    Instant since = absl::ZeroDuration();
    Instant held_until = absl::ZeroDuration();
  };
  static double CountAt(const Flaps& flaps, Instant now);
  absl::flat_hash_map<uint64_t, Flaps>
      ids_;  // By a hash: two ids that share one share its fate, which is rare and short.
};

}  // namespace voltwell::gateway
