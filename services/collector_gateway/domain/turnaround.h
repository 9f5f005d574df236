// How long somebody takes to answer, learned from answers: mean and deviation as TCP does it (Jacobson, Karels 1988;
// RFC 6298), so that a lost answer costs a bus no more than it must and a slow meter is not cut off. Pure.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace voltwell::gateway {

// Answers before what was learned is believed. TCP believes the first one, of which half counts as deviation; so do we,
// but not on one answer alone. More would be too slow: a meter is asked a few times an hour.
inline constexpr int kTurnaroundSamplesMin = 3;
// Always granted beyond the mean: a mobile network stalls now and then for a fifth of a second.
inline constexpr absl::Duration kTurnaroundSlack = absl::Milliseconds(200);
// A limit that was too short doubles for each failure in a row, so often at most; the exchange's own limit caps it.
inline constexpr int kTurnaroundBackOffMax = 6;

class Turnaround {
 public:
  // From the last byte of the question on the wire to the first of the answer, what the link takes included.
  void Learn(absl::Duration sample);
  // No answer within limit(): the next one is longer, until an answer comes.
  void BackOff();

  bool known() const { return samples_ >= kTurnaroundSamplesMin; }
  // What to wait before an answer is given up; infinite until known().
  absl::Duration limit() const;
  absl::Duration mean() const { return absl::Microseconds(mean_us_); }
  absl::Duration deviation() const { return absl::Microseconds(deviation_us_); }

 private:
  // Small on purpose: a process keeps one for each meter.
  uint32_t mean_us_ = 0;
  uint32_t deviation_us_ = 0;
  uint8_t samples_ = 0;  // Counted up to kTurnaroundSamplesMin.
  uint8_t back_off_ = 0;
};

}  // namespace voltwell::gateway
