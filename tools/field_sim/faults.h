// What can go wrong between a meter's answer and the collector's uplink. All of it is off by default, and drawn from a
// seeded generator, so that a run can be repeated.
#pragma once

#include <cstdint>

namespace voltwell::field_sim {

// Rates are probabilities per request, 0 to 1.
struct Faults {
  double silence_rate = 0;     // The meter does not hear the request.
  double drop_reply_rate = 0;  // It hears and acts, but its answer is lost.
  double late_rate = 0;        // It answers late_ms later than it should.
  int late_ms = 2000;
  double noise_before_rate = 0;  // noise_bytes random bytes in front of the answer.
  int noise_bytes = 8;
  double noise_inside_rate = 0;    // One random byte slips into the answer.
  double bad_checksum_rate = 0;    // The answer's checksum is wrong.
  double garbage_rate = 0;         // Random bytes in place of the answer.
  double wrong_address_rate = 0;   // A valid answer of a meter that was not asked.
  double double_rate = 0;          // The answer comes twice.
  double noise_after_rate = 0;     // noise_bytes random bytes behind the answer.
  double late_exchange_rate = 0;   // The answer is held back and comes right before the next one of this bus.
  double glue_rate = 0;            // The previous answer of this bus once more, in one segment with this one.
  double heartbeat_glue_rate = 0;  // The collector's heartbeat in one segment in front of the answer.
  int split_segments = 1;          // The answer comes in so many TCP segments, split_gap_ms apart.
  int split_gap_ms = 20;
  int leading_fe = 0;        // FE bytes in front of the answer: the ordinary wake-up preamble.
  bool relay_stuck = false;  // Relay commands are confirmed, but the relay does not move.

  bool operator==(const Faults&) const = default;
  bool any() const { return *this != Faults(); }
};

// SplitMix64: small, fast, and the same on each machine, unlike the standard library's distributions.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  // In [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  bool Happens(double rate) { return rate > 0 && (rate >= 1 || Unit() < rate); }

 private:
  uint64_t state_;
};

}  // namespace voltwell::field_sim
