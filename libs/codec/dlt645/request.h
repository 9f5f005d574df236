// Requests of DL/T 645-2007 as bytes, and the patterns of their replies.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "libs/codec/dlt645/address.h"
#include "libs/codec/frame/reply_matcher.h"

namespace voltwell::codec::dlt645 {

// N1 of control code 1CH.
enum class RelayAction : uint8_t {
  kTrip = 0x1A,
  kPermitClose = 0x1B,
  kDirectClose = 0x1C,
  kAlarmOn = 0x2A,
  kAlarmOff = 0x2B,
  kKeepPowerOn = 0x3A,
  kKeepPowerOff = 0x3B,
};

// Empty for a byte that is no action.
absl::string_view RelayActionName(uint8_t n1);

struct RelayRequest {
  RelayAction action = RelayAction::kTrip;
  std::string password = "";       // PA P0 P1 P2, 4 bytes as sent (33H not yet added).
  std::string operator_code = "";  // C0..C3, 4 bytes.
  std::string expiry = "";         // Meter's local time, "2026-11-22T09:30:00"; the meter ignores the command after it.
  uint8_t channel = 0;             // N2: relay number on multi-circuit meters, 0 otherwise.
};

std::string BuildRead(const Address& address, uint32_t di);                        // 11H
std::string BuildReadNext(const Address& address, uint32_t di, uint8_t sequence);  // 12H, from 1
std::string BuildReadAddress(const Address& address);                              // 13H

// 1CH. BAD_PASSWORD_LENGTH, BAD_OPERATOR_LENGTH, BAD_EXPIRY.
absl::StatusOr<std::string> BuildRelay(const Address& address, const RelayRequest& request);

// A normal reply to this function bearing this data identifier, or an abnormal one (which bears none). A reply has D7
// set, so an echo of the request and other masters' requests never match.
frame::ReplyMatcher ReadReplyMatcher(const Address& address, uint8_t function, uint32_t di);
// A normal or abnormal reply to this function, without looking at its data.
frame::ReplyMatcher ReplyMatcherOf(const Address& address, uint8_t function);

}  // namespace voltwell::codec::dlt645
