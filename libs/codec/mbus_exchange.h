// What all commands of M-Bus share: the meter that is spoken to, requests as exchanges, and the order of FCB.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "libs/codec/codec.h"
#include "libs/codec/mbus/address.h"
#include "libs/codec/mbus/link.h"

namespace voltwell::codec {

// To whom and how.
struct MbusCall {
  mbus::MeterAddress address = {};
  uint8_t link_address = 0;  // FDH for who is selected first, FEH for the one meter of a line.
  int32_t baud = 0;
  const Profile& profile;
};

// An empty address, "254" and "p254" are the one meter of the line, for ReadAddress and WriteAddress; `broadcast` is
// FFH. BAD_METER_ADDRESS, BAD_BAUD.
absl::StatusOr<MbusCall> MbusCallOf(const Command& command, const Profile& profile);

// Exchanges that go before the first question: the selection, or SND_NKE. After them FCB begins at 1.
ExchangeGroup MbusOpening(const MbusCall& call);
// How many they are.
size_t MbusOpeningSize(const MbusCall& call);

// Adds SND_UD with this user data (CI first) or REQ_UD2; `turn` counts the frames with FCB since the opening, from 0.
void AddMbusSend(const MbusCall& call, base::ByteView user, size_t turn, ExchangeGroup& group);
void AddMbusRequest(const MbusCall& call, size_t turn, ExchangeGroup& group);
// A whole frame that E5H answers.
void AddMbusAcknowledged(const MbusCall& call, std::string request, ExchangeGroup& group);
// A frame that nobody answers.
void AddMbusUnanswered(const MbusCall& call, std::string request, ExchangeGroup& group);

absl::Status MbusNotUnderstood(absl::string_view why, base::ByteView frame, size_t position);

}  // namespace voltwell::codec
