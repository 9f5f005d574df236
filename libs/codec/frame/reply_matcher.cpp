// Comparing a frame with patterns; see reply_matcher.h.
#include "libs/codec/frame/reply_matcher.h"

#include <algorithm>

namespace voltwell::codec::frame {

bool Matches(const ReplyPattern& pattern, base::ByteView frame) {
  return std::all_of(pattern.begin(), pattern.end(), [frame](const MatchByte& byte) {
    return byte.offset < frame.size() && (frame[byte.offset] & byte.mask) == byte.value;
  });
}

bool ReplyMatcher::Matches(base::ByteView frame) const {
  return std::any_of(any_of.begin(), any_of.end(),
                     [frame](const ReplyPattern& pattern) { return frame::Matches(pattern, frame); });
}

}  // namespace voltwell::codec::frame
