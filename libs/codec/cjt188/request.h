// Requests of CJ/T 188 and how their replies are known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/codec/cjt188/frame.h"
#include "libs/codec/frame/reply_matcher.h"

namespace voltwell::codec::cjt188 {

// The function that reads or writes an identifier: 03H for 810A, 09H for 8106, 15H for A018, 16H for A016, 04H for
// other A-identifiers, 01H for all else.
uint8_t FunctionOf(uint16_t di);

// How a meter wants identifiers, and which sequence number this request bears.
struct RequestOptions {
  bool low_first = true;
  uint8_t sequence = 0;
};

// From 68H to 16H, without preambles.
std::string BuildRequest(const Address& address, uint16_t di, base::ByteView body, const RequestOptions& options);

// Normal replies repeat the identifier (in either order, whichever was asked) and the sequence; abnormal ones have the
// sequence first and a status, or all three and an error byte. The follow-up bit and the type are not compared: meters
// are known that set the one and answer AA for the other. Without sequence: it is not compared either.
frame::ReplyMatcher MatcherOf(const Address& address, uint16_t di, std::optional<uint8_t> sequence);

// Packed BCD, lowest pair first; false when the number has more digits or is negative.
bool PutBcd(int64_t number, size_t bytes, std::string& out);

// "YYYY-MM-DDThh:mm:ss" as ss mm hh DD MM YY CC; false when it is no moment from 2000 to 2099.
bool PutTime(absl::string_view local_time, std::string& out);

}  // namespace voltwell::codec::cjt188
