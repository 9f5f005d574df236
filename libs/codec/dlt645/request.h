// Requests of DL/T 645 as bytes, and the patterns of their replies.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "libs/codec/dlt645/address.h"
#include "libs/codec/dlt645/register_table.h"
#include "libs/codec/frame/reply_matcher.h"

namespace voltwell::codec::dlt645 {

// N1 of control code 1CH.
enum class RelayAction : uint8_t {
  kTrip = 0x1A,
  kPermitClose = 0x1B,
  kDirectClose = 0x1C,
  kPreTrip = 0x1D,        // Warns for N2 x 5 minutes, then trips; ended by a direct close.
  kPreTripPermit = 0x1E,  // The same; ended by a permit to close.
  kAlarmOn = 0x2A,
  kAlarmOff = 0x2B,
  kKeepPowerOn = 0x3A,
  kKeepPowerOff = 0x3B,
};

// Empty for a byte that is no action.
absl::string_view RelayActionName(uint8_t n1);

struct RelayRequest {
  RelayAction action = RelayAction::kTrip;  // Or a vendor's own number.
  std::string password = "";                // PA P0 P1 P2, 4 bytes as sent (33H not yet added).
  std::string operator_code = "";           // C0..C3, 4 bytes.
  std::string expiry = "";  // Meter's local time, "2026-11-22T09:30:00"; the meter ignores the command after it.
  uint8_t channel = 0;      // N2: relay number on multi-circuit meters, length of a pre-trip, 0 otherwise.
  std::string cipher = "";  // In place of N1..N8 where the password's class is 98H; empty: none.
  std::string mac = "";     // Behind them where the class is 98H or 99H; empty: none.
};

// The hot path: a read request into a fixed buffer, without allocation. Returns its size, 16 (1997: 14).
inline constexpr size_t kReadRequestMax = 16;
size_t EncodeRead(Edition edition, const Address& address, uint32_t di, std::span<uint8_t, kReadRequestMax> out);

std::string BuildRead(const Address& address, uint32_t di, Edition edition = Edition::k2007);  // 11H, 01H
// 12H, 02H. Sequence numbers begin at 1; the edition of 1997 has none.
std::string BuildReadNext(const Address& address, uint32_t di, uint8_t sequence, Edition edition = Edition::k2007);
std::string BuildReadAddress(const Address& address);  // 13H

// 1CH. BAD_PASSWORD_LENGTH, BAD_OPERATOR_LENGTH, BAD_EXPIRY.
absl::StatusOr<std::string> BuildRelay(const Address& address, const RelayRequest& request);

// Low byte first, as many bytes as the edition has.
void AppendIdentifier(std::string& data, uint32_t di, Edition edition);

// "2026-11-22T09:30:00" to ss mm hh DD MM YY, of "2026-11-22T09:30" to mm hh DD MM YY. The error is `reason` with
// metadata text.
absl::StatusOr<std::string> TimeBytes(absl::string_view text, bool with_seconds, absl::string_view reason);

// A normal reply to this function bearing this data identifier, or an abnormal one (which bears none). A reply has D7
// set, so an echo of the request and other masters' requests never match.
frame::ReplyMatcher ReadReplyMatcher(const Address& address, uint8_t function, uint32_t di,
                                     Edition edition = Edition::k2007);
// A normal or abnormal reply to this function, without looking at its data.
frame::ReplyMatcher ReplyMatcherOf(const Address& address, uint8_t function);

}  // namespace voltwell::codec::dlt645
