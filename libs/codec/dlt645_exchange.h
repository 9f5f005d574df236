// What all commands of DL/T 645 share: the meter that is spoken to, one request as an exchange, one reply as taken or
// refused.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/codec/codec.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/dlt645/request.h"

namespace voltwell::codec {

// To whom and how.
struct Dlt645Call {
  dlt645::Edition edition = dlt645::Edition::k2007;
  dlt645::Address address = {};
  int32_t baud = 0;
  const Profile& profile;
};

// BAD_METER_ADDRESS, BAD_BAUD.
absl::StatusOr<Dlt645Call> Dlt645CallOf(const Command& command, const Profile& profile);

// 99 99 99 99 99 99: all meters of a line; none answers.
dlt645::Address BroadcastAddress();
dlt645::Address AnyAddress();

// The request with what the profile sends before it, its matcher, and how long the reply takes at most.
// `reply_size`: bytes of data of the longest usual reply.
Exchange MakeExchange(const Dlt645Call& call, std::string request, frame::ReplyMatcher matcher, size_t reply_size);

// One command with these data (33H not yet added): any reply to the function is its answer.
absl::StatusOr<ExchangeGroup> AskOnce(const Dlt645Call& call, uint8_t function, const std::string& data,
                                      size_t reply_size);
// The same to all meters of the line, or a telegram that is never answered.
ExchangeGroup TellOnce(const Dlt645Call& call, const dlt645::Address& to, uint8_t function, const std::string& data);

// PA P0 P1 P2 with the class that the profile has for the action. BAD_PASSWORD_LENGTH.
absl::StatusOr<std::string> PasswordOf(const Dlt645Call& call, absl::string_view action, const Authority& authority);
// C0 to C3; the profile's, or zeros, when there is none. BAD_OPERATOR_LENGTH.
absl::StatusOr<std::string> OperatorOf(const Dlt645Call& call, const std::string& operator_code);

// The first frame of the reply at `place`: normal, or METER_REFUSED; FRAME_NOT_UNDERSTOOD for none or another.
absl::StatusOr<dlt645::Frame> TakenReply(const Dlt645Call& call, uint8_t function,
                                         const std::vector<ReplyFrames>& replies, size_t place = 0);

// Bytes of DATA without 33H.
std::string PlainData(base::ByteView data);

absl::Status ActionNotSupported(absl::string_view why);

}  // namespace voltwell::codec
