// Shared parts of the commands of M-Bus; see mbus_exchange.h.
#include "libs/codec/mbus_exchange.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/mbus/request.h"

namespace voltwell::codec {
namespace {

constexpr int64_t kBitsPerByte = 11;  // Start, 8 data, even parity, stop.
// EN 13757-2: a slave answers within 330 bit times and 50 ms.
constexpr int64_t kAnswerBits = 330;
constexpr absl::Duration kAnswerTime = absl::Milliseconds(50);
constexpr int32_t kBaudMin = 300;
constexpr int32_t kBaudMax = 115200;
constexpr size_t kAckSize = 1;

absl::Duration WireTime(int64_t bits, int32_t baud) {
  return baud == 0 ? absl::ZeroDuration() : absl::Seconds(1) * bits / baud;
}

Exchange MakeExchange(const MbusCall& call, std::string request, frame::ReplyMatcher matcher, size_t reply_size) {
  Exchange exchange;
  exchange.frame_kind = frame::FrameKind::kMbus;
  if (call.profile.preambles > 0) {
    request.insert(0, static_cast<size_t>(call.profile.preambles), static_cast<char>(frame::kPreamble));
  }
  const absl::Duration turnaround = std::max(
      call.profile.turnaround, call.baud == 0 ? absl::ZeroDuration() : WireTime(kAnswerBits, call.baud) + kAnswerTime);
  const auto bytes = static_cast<int64_t>(request.size() + reply_size);
  exchange.reply_timeout = turnaround + WireTime(bytes * kBitsPerByte, call.baud);
  exchange.request = std::move(request);
  exchange.matcher = std::move(matcher);
  return exchange;
}

// C of the frame that is the turn-th since the opening.
uint8_t WithFcb(const MbusCall& call, uint8_t control, size_t turn) {
  return call.profile.uses_fcb && turn % 2 == 0 ? control | mbus::kFcb : control;
}

}  // namespace

absl::StatusOr<MbusCall> MbusCallOf(const Command& command, const Profile& profile) {
  if (command.baud != 0 && (command.baud < kBaudMin || command.baud > kBaudMax)) {
    return base::InvalidArgument("BAD_BAUD", "a bus runs at 300 to 115200 bit/s; 0 means without wire time",
                                 {{"baud", absl::StrCat(command.baud)}});
  }
  MbusCall call = {.baud = command.baud, .profile = profile};
  const bool searches = std::holds_alternative<Search>(command.action);
  const bool may_be_anyone = std::holds_alternative<ReadAddress>(command.action) ||
                             std::holds_alternative<WriteAddress>(command.action) ||
                             std::holds_alternative<Raw>(command.action);
  const bool is_anyone = command.address.empty() || command.address == "254" || command.address == "p254";
  if (searches && command.address.empty()) {
    call.address.is_secondary = true;
  } else if (may_be_anyone && is_anyone) {
    call.link_address = mbus::kEveryoneAnswers;
    return call;
  } else {
    VW_ASSIGN_OR_RETURN(call.address, mbus::ParseMeterAddress(command.address));
  }
  call.link_address = call.address.is_secondary ? mbus::kSelectedAddress : call.address.primary;
  return call;
}

ExchangeGroup MbusOpening(const MbusCall& call) {
  ExchangeGroup group;
  if (call.address.is_secondary) {
    AddMbusAcknowledged(call, mbus::BuildSelect(call.address.secondary), group);
  } else if (call.profile.reset_before_read) {
    AddMbusAcknowledged(call, mbus::BuildShort(mbus::kSndNke, call.link_address), group);
  } else if (call.profile.uses_fcb) {
    // Without it the first question bears the last readout's FCB, and the meter may send that readout again.
    AddMbusUnanswered(call, mbus::BuildShort(mbus::kSndNke, call.link_address), group);
  }
  return group;
}

size_t MbusOpeningSize(const MbusCall& call) {
  return call.address.is_secondary || call.profile.reset_before_read || call.profile.uses_fcb ? 1 : 0;
}

void AddMbusSend(const MbusCall& call, base::ByteView user, size_t turn, ExchangeGroup& group) {
  AddMbusAcknowledged(call, mbus::BuildLong(WithFcb(call, mbus::kSndUd, turn), call.link_address, user), group);
}

void AddMbusRequest(const MbusCall& call, size_t turn, ExchangeGroup& group) {
  const bool from_anyone = call.link_address == mbus::kEveryoneAnswers;
  group.exchanges.push_back(MakeExchange(call, mbus::BuildShort(WithFcb(call, mbus::kReqUd2, turn), call.link_address),
                                         from_anyone ? mbus::AnyTelegramMatcher() : mbus::TelegramMatcher(call.address),
                                         frame::kMbusFrameMax));
}

void AddMbusAcknowledged(const MbusCall& call, std::string request, ExchangeGroup& group) {
  group.exchanges.push_back(MakeExchange(call, std::move(request), mbus::AckMatcher(), kAckSize));
}

void AddMbusUnanswered(const MbusCall& call, std::string request, ExchangeGroup& group) {
  Exchange exchange = MakeExchange(call, std::move(request), {}, 0);
  exchange.no_reply = true;
  group.exchanges.push_back(std::move(exchange));
}

absl::Status MbusNotUnderstood(absl::string_view why, base::ByteView frame, size_t position) {
  return base::DataLoss(
      "FRAME_NOT_UNDERSTOOD", absl::StrCat("the reply is not understood: ", why),
      {{"why", std::string(why)}, {"frame", base::ToHex(frame)}, {"position", absl::StrCat(position)}});
}

}  // namespace voltwell::codec
