// Tells which frame answers a request, without knowing what the bytes mean: the codec says which bytes must have which
// bits, the gateway compares. Late answers of another meter, echoes and other masters' requests fail the comparison.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/base/bytes.h"

namespace voltwell::codec::frame {

// (frame[offset] & mask) == value. Offsets count from the frame's first byte, without preambles.
struct MatchByte {
  uint16_t offset = 0;
  uint8_t mask = 0xFF;
  uint8_t value = 0;

  friend bool operator==(const MatchByte& a, const MatchByte& b) = default;
};

// All bytes must match; a byte beyond the frame's end does not.
using ReplyPattern = std::vector<MatchByte>;
bool Matches(const ReplyPattern& pattern, base::ByteView frame);

// One of several shapes of an answer: a DL/T 645 meter repeats the data identifier in a normal reply, but an abnormal
// one carries only an error word, so each needs its own pattern.
struct ReplyMatcher {
  std::vector<ReplyPattern> any_of = {};

  bool Matches(base::ByteView frame) const;
};

}  // namespace voltwell::codec::frame
