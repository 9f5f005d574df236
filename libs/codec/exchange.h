// What goes on a bus and how its answer is known: the codec's output, which the gateway executes without understanding.
// Mirrors voltwell.codec.v1.Exchange; services translate, this library knows no protobuf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/codec/frame/frame_kind.h"
#include "libs/codec/frame/reply_matcher.h"

namespace voltwell::codec {

// One further question when the meter says that more data follows.
struct FollowUpStep {
  std::string request = {};
  frame::ReplyMatcher matcher = {};
};

// While (reply[flag_offset] & flag_mask) == flag_value the next step is sent.
struct FollowUp {
  uint16_t flag_offset = 0;
  uint8_t flag_mask = 0;
  uint8_t flag_value = 0;
  std::vector<FollowUpStep> steps = {};
};

struct Exchange {
  std::string request = {};
  frame::FrameKind frame_kind = frame::FrameKind::kDlt645;
  frame::ReplyMatcher matcher = {};
  // From the last byte handed to the line until the reply is complete: wire time of request and reply, and the meter's
  // turnaround. What the link adds is added by the gateway.
  absl::Duration reply_timeout = absl::ZeroDuration();
  bool no_reply = false;
  // To whoever may be there: all that comes until reply_timeout is taken, frames and the rest; the matcher is not
  // asked.
  bool listen = false;
  std::optional<FollowUp> follow_up = {};
};

// The exchanges of one command, in order; nothing goes between them on the bus.
struct ExchangeGroup {
  std::vector<Exchange> exchanges = {};
};

}  // namespace voltwell::codec
