// What all commands of CJ/T 188 share: the meter that is spoken to, one request as an exchange, one reply as taken or
// refused.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/codec/cjt188/body.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/codec.h"

namespace voltwell::codec {

// To whom and how.
struct Cjt188Call {
  cjt188::Address address = {};
  int32_t baud = 0;
  const Profile& profile;
};

// BAD_METER_ADDRESS, BAD_BAUD.
absl::StatusOr<Cjt188Call> Cjt188CallOf(const Command& command, const Profile& profile);

// Sequence numbers tell what an answer is to, so that a late one to another command is not taken: the queries and the
// commands of the valve share an identifier. Reads count from kReadSequence; a purchase bears its own number.
inline constexpr uint8_t kReadSequence = 1;
inline constexpr uint8_t kQuerySequence = 0x40;
inline constexpr uint8_t kValveOpensSequence = 0x55;
inline constexpr uint8_t kValveClosesSequence = 0x99;
inline constexpr uint8_t kWriteSequence = 0x60;

// One question. `reply_size`: bytes of the longest usual body of its reply.
Exchange AskCjt188(const Cjt188Call& call, uint16_t di, const std::string& body, uint8_t sequence, size_t reply_size);

// The body (behind identifier and sequence) of the reply at `place`, or METER_REFUSED, FRAME_NOT_UNDERSTOOD.
struct Cjt188Reply {
  cjt188::Frame frame = {};
  base::ByteView body = {};
};
absl::StatusOr<Cjt188Reply> TakenCjt188(const Cjt188Call& call, uint16_t di, const std::vector<ReplyFrames>& replies,
                                        size_t place = 0);

cjt188::BodyOptions BodyOptionsOf(const Profile& profile);

// What the profile says of the register, by whichever of its ids it was asked for; null: nothing.
const RegisterOverride* OverrideOf(const Profile& profile, const cjt188::Found& found);

RelayState ValveState(const StatusBits& bits, uint16_t word);
bool IsValveFault(const StatusBits& bits, uint16_t word);

absl::Status Cjt188NotUnderstood(absl::string_view why, base::ByteView bytes, size_t position);

}  // namespace voltwell::codec
