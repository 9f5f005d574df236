// One item on the bus, from its first byte to its end: sends a question, cuts what comes into frames, skips one echo,
// takes the frame that the matcher knows, asks for more where the reply says so, and goes on to the next exchange of
// the group. Interprets nothing else. Pure: bytes and time come in, moves go out.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "libs/codec/frame/frame_cutter.h"
#include "services/collector_gateway/domain/bus_facts.h"
#include "services/collector_gateway/domain/keepalives.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// A gap this long inside a frame means that the rest will not come: a corrupted length points beyond it. Collectors
// close a packet after 10 to 200 ms of silence and radio links add jitter.
inline constexpr absl::Duration kInterByteTimeout = absl::Milliseconds(1500);
// What is kept of bytes that made no answer, for people who look for the fault.
inline constexpr size_t kNoiseKeptMax = 512;
// Frames that are taken by an exchange that listens: a line carries at most so many answers in its time.
inline constexpr size_t kListenFramesMax = 32;
// After an exchange that failed the line must have been quiet for this long before the next question, since a late
// answer would be taken for noise of the next one's. Twice the longest packet gap of common collectors.
inline constexpr absl::Duration kQuietAfterFailure = absl::Milliseconds(200);
// A line that never falls quiet does not stop its bus for longer.
inline constexpr absl::Duration kQuietWaitMax = absl::Seconds(3);

struct BusTiming {
  absl::Duration link_time = absl::Milliseconds(500);  // Between gateway and bus, there and back.
  int baud = 2400;                                     // bit/s; 0: no wire time.
};

// 11 bit times a byte: start, eight bits, parity, stop.
absl::Duration WireTime(size_t bytes, int baud);

class GroupRun {
 public:
  enum class Move {
    kWait,  // For bytes or for wake_at().
    kSend,  // Write to_send().
    kDone,  // Take the result.
  };

  // `facts` must outlive this: what was learned of the bus shortens waiting, and what happens is added to it.
  GroupRun(Item&& item, BusTiming timing, Keepalives keepalives, BusFacts& facts);

  // Always kSend. The caller has checked not_after.
  Move Begin(Instant now);
  // A no_reply exchange is done when its bytes were written, or, before another one, when its reply timeout is over;
  // for others this changes nothing.
  Move OnSent(Instant now);
  Move OnBytes(base::ByteView bytes, Instant now);
  Move OnTime(Instant now);

  absl::string_view to_send() const { return question_->request; }
  Instant wake_at() const;
  // Counted since it began; none before Begin.
  const codec::frame::CutterCounts& counts() const { return counts_; }
  // Taken out since the last call; their answers are the shard's to give.
  KeepalivesSeen TakeKeepalives() { return std::exchange(keepalives_seen_, {}); }
  const Item& item() const { return item_; }

  // After kDone.
  Result TakeResult() { return std::move(result_); }
  // What it asked; item() has no exchanges afterwards.
  std::vector<Exchange> TakeExchanges() { return std::move(item_.exchanges); }
  // When the line went: LOST, or OFFLINE when not one byte of the item was written.
  Result TakeFailed(Outcome outcome, Instant now);
  // to_send() is the item's first question: while it is unsent the item may still be answered "nothing sent".
  bool first_question() const { return exchange_ == 0 && step_ == 0; }

 private:
  Move Ask(const Question& question, Instant now);
  Move NextExchange(Instant now);
  Move Consume(base::ByteView bytes, Instant now);
  Move OnFrame(base::ByteView frame, Instant now);
  Move EndListening(Instant now);
  Move DropStalled(Instant now);
  Move Finish(Outcome outcome, Instant now);
  bool IsEcho(base::ByteView frame) const;
  void Learn(base::ByteView frame, Instant now);
  void LookForCollision(base::ByteView bytes, Instant now);
  // Of the question under way; while an answer is coming in it has all the time that the exchange grants.
  Instant Deadline() const;
  void Remember(base::ByteView bytes);
  void CollectCounts();

  Item item_;
  BusTiming timing_;
  Keepalives keepalives_;
  BusFacts* facts_;
  std::optional<codec::frame::FrameCutter> cutter_;
  codec::frame::CutterCounts counts_;
  size_t heard_frames_ = 0;  // Of an exchange that listens.
  std::string heard_;        // Of exchanges that listened, when their frames were not all that came.
  KeepalivesSeen keepalives_seen_;
  const Question* question_ = nullptr;  // In item_.
  size_t exchange_ = 0;                 // Index of the one under way.
  size_t step_ = 0;                     // Follow-ups asked in it.
  bool echo_skipped_ = false;
  bool echo_fresh_ = false;  // Skipped just now: seen_ must forget it.
  bool collided_ = false;
  QuestionKey key_ = {};  // Of question_.
  Instant asked_ = absl::ZeroDuration();
  std::string carry_;  // The beginning of a keepalive, not yet whole.
  std::string seen_;   // What came for this question and was neither echo nor keepalive.
  Instant began_ = absl::ZeroDuration();
  Instant deadline_ = absl::InfiniteDuration();  // By what was learned.
  Instant full_end_ = absl::InfiniteDuration();  // By what the exchange says; never sooner.
  Instant last_byte_ = absl::ZeroDuration();
  Result result_;
};

}  // namespace voltwell::gateway
