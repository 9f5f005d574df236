// What a session has learned about its bus: how fast each meter answers, who must wait because a late answer of his
// may still come or because he failed often, and what people look at when a bus is sick. Grows with the meters that
// were asked, up to its limits; an idle session has none. Pure: time comes in as an argument.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/collector_gateway/domain/question_key.h"
#include "services/collector_gateway/domain/turnaround.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// Meters remembered of one bus; RS-485 carries 32 to 128 of them. Beyond it the one asked longest ago is forgotten.
inline constexpr size_t kBusMetersMax = 256;
// Kinds of questions whose answer's length and time are remembered; beyond it the oldest is forgotten.
inline constexpr size_t kBusKindsMax = 32;
// Failures in a row after which a meter's planned work goes behind its neighbours'.
inline constexpr int kPenaltyAfter = 3;
// For so long at first, doubled for each further failure, and at most.
inline constexpr absl::Duration kPenaltyFirst = absl::Seconds(2);
inline constexpr absl::Duration kPenaltyMax = absl::Seconds(60);
// Upper ends of the round trips' classes; the last class has none.
inline constexpr std::array<int, 9> kRoundTripMs = {50, 100, 200, 300, 500, 1000, 2000, 5000, 10000};
inline constexpr size_t kRoundTripClasses = kRoundTripMs.size() + 1;
// Utilisation is told of the last whole minutes.
inline constexpr size_t kBusMinutes = 5;

// What was seen on the line, since the session began.
struct LineCounts {
  int64_t echoes = 0;         // Our own request came back.
  int64_t strays = 0;         // Valid frames that answered nothing: late answers, another master, another meter.
  int64_t collisions = 0;     // Bytes that came while our question was still on the wire, and were no echo.
  int64_t babble_bytes = 0;   // Bytes that came while nothing was asked.
  int64_t bad_checksums = 0;  // Frames whose checksum was wrong.
  int64_t noise_bytes = 0;    // Bytes in answers that belonged to no frame.
  int64_t asked = 0;          // Items that were put on the bus.
  int64_t retries = 0;        // Of these, not the first try.
  int64_t answered = 0;
  int64_t timeouts = 0;
  int64_t unanswered_in_a_row = 0;  // Items, of whatever meter.
  int64_t noises = 0;               // Something came, but no answer.
  int64_t learned_timeouts = 0;     // Of the timeouts, given up sooner than the exchange's own limit.
};

struct MeterFacts {
  uint64_t key = 0;
  std::string label = {};  // At most kMeterLabelMax bytes: fits into the string itself.
  Turnaround turnaround = {};
  uint32_t asked = 0;
  uint32_t answered = 0;
  uint32_t timeouts = 0;
  uint32_t noises = 0;
  uint32_t failures_in_a_row = 0;
  bool last_spoilt = false;                                  // The last failure was noise.
  std::array<uint16_t, kRoundTripClasses> round_trips = {};  // Halved, all of them, when one is full.
  Instant last_asked = absl::ZeroDuration();
  Instant last_answer = -absl::InfiniteDuration();
  Instant repeat_after = -absl::InfiniteDuration();  // A late answer may still come until then.
  Instant penalty_until = -absl::InfiniteDuration();
};

// May this meter be asked now?
enum class Hold {
  kNone,
  kPenalised,  // When nobody else waits.
  kMustWait,   // Not before hold_end().
};

class BusFacts {
 public:
  explicit BusFacts(Instant began) : began_(began), minute_(MinuteOf(began)) {}

  // Time for one question from its first byte to the end of its answer: what was learned of this meter and of this
  // kind of question, `full` at most. Relays are given `full`: their outcome matters more than a second. So is a
  // question whose answer names nobody: given up early, its late answer would be taken for the next meter's.
  absl::Duration AnswerLimit(const QuestionKey& key, absl::Duration request_wire, absl::Duration full, int baud,
                             Priority priority) const;
  void Answered(const QuestionKey& key, Instant now, absl::Duration turnaround, absl::Duration round_trip,
                size_t reply_bytes);
  // No answer came. `full_end` is when the exchange's own limit ends; `now` may be sooner.
  void Unanswered(const QuestionKey& key, Instant now, Instant full_end);

  // An item begins and ends on the bus; only OK, TIMEOUT, NOISE and LOST end there.
  void Began(const Item& item, Instant now);
  void Ended(uint64_t meter, Outcome outcome, Instant now, absl::Duration bus_time);
  // The end of an item that searches, which never began for any meter.
  void Searched(Instant now, absl::Duration bus_time) { CountMinutes(now, bus_time); }

  Hold HoldOf(uint64_t meter, Priority priority, Instant now) const;
  // When the meter's kMustWait ends.
  Instant HoldEnd(uint64_t meter) const;
  // False: nobody is held, and no queue needs to look.
  bool AnyHeld(Instant now) const { return now < held_until_; }

  LineCounts& counts() { return counts_; }
  const LineCounts& counts() const { return counts_; }
  const std::vector<MeterFacts>& meters() const { return meters_; }
  // Share of the time at work, 0 to 1, of the last kBusMinutes whole minutes and the one that runs.
  double Utilisation(Instant now) const;
  Instant began() const { return began_; }

 private:
  struct Kind {
    uint64_t key = 0;
    Turnaround turnaround = {};
    uint32_t reply_bytes = 0;  // The longest answer so far.
    Instant last_asked = absl::ZeroDuration();
  };
  static int64_t MinuteOf(Instant at) { return absl::ToInt64Minutes(at); }
  MeterFacts& MeterAt(uint64_t key, Instant now);
  const MeterFacts* Find(uint64_t key) const;
  const Kind* FindKind(uint64_t key) const;
  void Learn(const QuestionKey& key, Instant now, absl::Duration turnaround, size_t reply_bytes);
  void CountMinutes(Instant now, absl::Duration busy);

  Instant began_;
  LineCounts counts_ = {};
  std::vector<MeterFacts> meters_ = {};  // By key, so that a look costs seven comparisons at 128 meters.
  std::vector<Kind> kinds_ = {};
  Instant held_until_ = -absl::InfiniteDuration();
  int64_t minute_;                                      // The one that runs.
  std::array<uint32_t, kBusMinutes + 1> busy_ms_ = {};  // By minute, modulo.
};

}  // namespace voltwell::gateway
