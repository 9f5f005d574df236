// What travels through a gateway: an item (one command's exchanges for one bus) going down, its result coming back.
// Plain values of the domain; the adapter turns them from and into voltwell.gateway.v1. Points in time are monotonic,
// as durations since the clock's start.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/codec/frame/frame_kind.h"
#include "libs/codec/frame/reply_matcher.h"
#include "services/collector_gateway/domain/replies.h"

namespace voltwell::gateway {

// A monotonic clock's reading; never wall time.
using Instant = absl::Duration;

// Numbers as in voltwell.gateway.v1.Priority.
enum class Priority : uint8_t { kBackfill = 1, kScheduled = 2, kInteractive = 3, kRelay = 4 };

// Numbers as in voltwell.codec.v1.Outcome.
enum class Outcome : uint8_t {
  kOk = 1,
  kNoise = 2,
  kTimeout = 3,
  kLost = 4,
  kOffline = 5,
  kBusy = 6,
  kMoved = 7,
  kExpired = 8,
};
inline constexpr int kOutcomes = 9;  // Highest number + 1, for tables.
const char* OutcomeName(Outcome outcome);

// Bytes to send and how their answer is known.
struct Question {
  std::string request = {};
  codec::frame::ReplyMatcher replies = {};
};

// While (reply[flag_offset] & flag_mask) == flag_value the next step is asked. No steps: one reply ends the exchange.
struct FollowUp {
  uint16_t flag_offset = 0;
  uint8_t flag_mask = 0;
  uint8_t flag_value = 0;
  std::vector<Question> steps = {};
};

struct Exchange {
  Question question = {};
  codec::frame::FrameKind frame_kind = codec::frame::FrameKind::kDlt645;
  absl::Duration reply_timeout =
      absl::Seconds(1);   // From the last byte on the line; what the link takes is added here.
  bool no_reply = false;  // A broadcast: done when sent.
  bool listen = false;    // To whoever may be there: all that comes until reply_timeout is taken.
  FollowUp follow_up = {};
};

// The call that an item came with. The domain only carries it along.
class Batch;

struct Item {
  uint32_t id = 0;  // The caller's; comes back with the result.
  Priority priority = Priority::kScheduled;
  std::vector<Exchange> exchanges = {};  // At least one; nothing goes between them on the bus.
  Instant not_after = absl::InfiniteDuration();
  uint32_t attempt = 1;  // Of the same command, from 1: a retry is counted apart.
  uint64_t meter = 0;    // MeterKeyOf; the queue fills it in.
  std::shared_ptr<Batch> batch = {};

  // A search for meters: neither success nor failure of any that is known.
  bool searches() const { return !exchanges.empty() && exchanges.front().listen; }
};

struct Result {
  uint32_t id = 0;
  Priority priority = Priority::kScheduled;
  Outcome outcome = Outcome::kOffline;
  Replies replies = {};                            // Frames of each exchange that was executed.
  std::string noise = {};                          // For NOISE: what came, at most kNoiseKeptMax bytes.
  std::string moved_to = {};                       // For MOVED: the pod, if known.
  absl::Duration bus_time = absl::ZeroDuration();  // From the first byte sent to the end.
  // What was asked, when something was: freed, or used again, by whoever made it. Across threads that is cheaper.
  std::vector<Exchange> spent = {};
  bool searched = false;  // Of an item that searches.
};

}  // namespace voltwell::gateway
