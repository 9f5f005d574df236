// What the tests of CJ/T 188's commands share: a meter, frames, and its replies.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/codec.h"

namespace voltwell::codec::cjt188_testing {

inline constexpr char kMeter[] = "1078330011223344";

inline std::string Hex(absl::string_view bytes) { return base::ToHex(base::AsBytes(bytes)); }
inline std::string Bytes(const char* hex) { return *base::FromHex(hex); }
inline std::string Reason(const absl::Status& status) { return base::ReasonOf(status); }

inline cjt188::Frame FrameOf(const std::string& bytes) {
  const auto parsed = cjt188::ParseFrame(base::AsBytes(bytes));
  REQUIRE(parsed.fault == cjt188::Fault::kNone);
  return parsed.frame;
}

inline Command To(const std::string& address) {
  Command command;
  command.protocol = Protocol::kCjt188;
  command.address = address;
  return command;
}

// A reply that repeats identifier and sequence.
inline std::string ReplyOf(const Exchange& exchange, uint8_t control, const std::string& body) {
  const cjt188::Frame request = FrameOf(exchange.request);
  return cjt188::BuildFrame(request.address, control, base::AsBytes(base::ToString(request.data.first(3)) + body));
}

}  // namespace voltwell::codec::cjt188_testing
