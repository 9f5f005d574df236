// Commands of M-Bus to exchanges; see mbus_commands.h.
#include "libs/codec/mbus_commands.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "libs/codec/mbus/obis.h"
#include "libs/codec/mbus/request.h"
#include "libs/codec/mbus_exchange.h"
#include "libs/codec/mbus_read.h"

namespace voltwell::codec {
namespace {

constexpr size_t kRawMax = 300;
constexpr uint8_t kDifByte = 0x01;
constexpr uint8_t kDifWord = 0x04;
constexpr uint8_t kDifDigits8 = 0x0C;
constexpr uint8_t kVifBusAddress = 0x7A;
constexpr uint8_t kVifIdentification = 0x79;
constexpr uint8_t kVifDateTime = 0x6D;

absl::Status NotSupported(absl::string_view why) { return base::InvalidArgument("ACTION_NOT_SUPPORTED", why); }

absl::Status CheckRegisters(const std::vector<std::string>& registers) {
  if (registers.empty()) return base::InvalidArgument("NO_REGISTERS", "a read names at least one register");
  if (registers.size() > kRegistersMax) {
    return base::InvalidArgument("TOO_MANY_REGISTERS", "a read names at most 32 registers",
                                 {{"size", absl::StrCat(registers.size())}, {"limit", absl::StrCat(kRegistersMax)}});
  }
  for (size_t i = 0; i < registers.size(); ++i) {
    if (mbus::IsRegisterId(registers[i])) continue;
    return base::InvalidArgument("UNKNOWN_REGISTER", "no register has the id",
                                 {{"register", registers[i]}, {"position", absl::StrCat(i)}});
  }
  return absl::OkStatus();
}

ExchangeGroup SendOnce(const MbusCall& call, base::ByteView user) {
  ExchangeGroup group = MbusOpening(call);
  AddMbusSend(call, user, 0, group);
  return group;
}

absl::StatusOr<ExchangeGroup> EncodeRelay(const MbusCall& call, const ControlRelay& relay) {
  const bool opens_valve = relay.action == RelayAction::kClose || relay.action == RelayAction::kPermitClose;
  if (!opens_valve && relay.action != RelayAction::kOpen) {
    return base::InvalidArgument("BAD_RELAY_ACTION", "a valve is opened or closed, nothing else",
                                 {{"action", absl::StrCat(static_cast<int>(relay.action))}});
  }
  const std::string& user = opens_valve ? call.profile.valve_open : call.profile.valve_close;
  if (user.empty()) return NotSupported("the meter's profile does not tell how its valve is moved");
  ExchangeGroup group = SendOnce(call, base::AsBytes(user));
  AddMbusRequest(call, 1, group);
  return group;
}

// One meter by its mask; what a select without answer means the gateway's outcome tells.
absl::StatusOr<ExchangeGroup> EncodeSearch(const MbusCall& call) {
  if (!call.address.is_secondary) {
    return base::InvalidArgument("BAD_METER_ADDRESS", "a search is by 8 or 16 digits with F for any",
                                 {{"position", "0"}});
  }
  ExchangeGroup group = MbusOpening(call);
  AddMbusRequest(call, 0, group);
  group.exchanges.back().matcher = mbus::AnyTelegramMatcher();
  return group;
}

absl::StatusOr<ExchangeGroup> EncodeWriteAddress(const MbusCall& call, const WriteAddress& write) {
  VW_ASSIGN_OR_RETURN(const mbus::MeterAddress to, mbus::ParseMeterAddress(write.address));
  if (!to.is_secondary) {
    const uint8_t user[] = {mbus::kCiSend, kDifByte, kVifBusAddress, to.primary};
    return SendOnce(call, user);
  }
  const uint32_t id = to.secondary.id;
  bool is_plain = to.secondary == mbus::SecondaryAddress{.id = id};
  for (int shift = 0; shift < 32; shift += 4) is_plain = is_plain && ((id >> shift) & 0xF) <= 9;
  if (!is_plain) {
    return base::InvalidArgument("BAD_METER_ADDRESS", "an identification is written as 8 decimal digits",
                                 {{"address", write.address}, {"position", "0"}});
  }
  const uint8_t user[] = {mbus::kCiSend,
                          kDifDigits8,
                          kVifIdentification,
                          static_cast<uint8_t>(id),
                          static_cast<uint8_t>(id >> 8),
                          static_cast<uint8_t>(id >> 16),
                          static_cast<uint8_t>(id >> 24)};
  return SendOnce(call, user);
}

absl::StatusOr<ExchangeGroup> EncodeBaud(const MbusCall& call, const ChangeBaud& change) {
  const uint8_t ci = mbus::CiOfBaud(change.baud);
  if (ci == 0) {
    return base::InvalidArgument("BAD_BAUD", "M-Bus runs at 300, 600, 1200, 2400, 4800, 9600, 19200 or 38400 bit/s",
                                 {{"baud", absl::StrCat(change.baud)}});
  }
  const uint8_t user[] = {ci};
  return SendOnce(call, user);
}

// Type F, to the minute; seconds are left out.
absl::StatusOr<ExchangeGroup> EncodeClock(const MbusCall& call, const SetClock& clock) {
  absl::CivilSecond time;
  if (!absl::ParseCivilTime(clock.local_time, &time) || time.year() < 2000 || time.year() > 2080) {
    return base::InvalidArgument("BAD_TIME", "a local time is YYYY-MM-DDThh:mm:ss, from 2000 to 2080",
                                 {{"text", clock.local_time}});
  }
  const auto year = static_cast<uint8_t>(time.year() % 100);
  const uint8_t user[] = {mbus::kCiSend,
                          kDifWord,
                          kVifDateTime,
                          static_cast<uint8_t>(time.minute()),
                          static_cast<uint8_t>(time.hour()),
                          static_cast<uint8_t>(time.day() | (year & 7) << 5),
                          static_cast<uint8_t>(time.month() | year >> 3 << 4)};
  if (!clock.broadcast) return SendOnce(call, user);
  ExchangeGroup group;
  AddMbusUnanswered(call, mbus::BuildLong(mbus::kSndUd | mbus::kFcb, mbus::kEveryoneSilent, user), group);
  return group;
}

absl::StatusOr<ExchangeGroup> EncodeReset(const MbusCall& call, const Reset& reset) {
  if (!reset.application) {
    ExchangeGroup group;
    if (call.address.is_secondary) group = MbusOpening(call);
    AddMbusAcknowledged(call, mbus::BuildShort(mbus::kSndNke, call.link_address), group);
    return group;
  }
  if (reset.subcode > 0xFF) {
    return base::InvalidArgument("BAD_VALUE", "the sub-code of an application reset is one byte",
                                 {{"value", absl::StrCat(reset.subcode)}});
  }
  const uint8_t user[] = {mbus::kCiApplicationReset, static_cast<uint8_t>(std::max(reset.subcode, 0))};
  return SendOnce(call, base::ByteView(user).first(reset.subcode < 0 ? 1 : 2));
}

absl::StatusOr<ExchangeGroup> EncodeRaw(const MbusCall& call, const Raw& raw) {
  if (raw.request.empty() || raw.request.size() > kRawMax) {
    return base::InvalidArgument("BAD_RAW", "raw bytes are 1 to 300", {{"size", absl::StrCat(raw.request.size())}});
  }
  ExchangeGroup group;
  AddMbusUnanswered(call, raw.request, group);
  if (raw.no_reply) return group;
  AddMbusRequest(call, 0, group);  // For its timeout.
  group.exchanges[0].no_reply = false;
  group.exchanges[0].matcher = {{frame::ReplyPattern{}}};
  group.exchanges[0].reply_timeout = group.exchanges[1].reply_timeout;
  group.exchanges.pop_back();
  return group;
}

// Of a group that E5H ends: the gateway saw it. A select alone that was acknowledged is no success.
Decoded DecodeAcknowledged(const Answer& answer, const absl::StatusOr<ExchangeGroup>& asked) {
  Decoded decoded;
  if (!asked.ok()) {
    decoded.error = asked.status();
    return decoded;
  }
  const bool acknowledged = answer.replies.size() >= asked->exchanges.size() && !answer.replies.empty() &&
                            !answer.replies.back().empty() &&
                            answer.replies.back().front() == std::string(1, static_cast<char>(frame::kMbusAck));
  if (!acknowledged) decoded.error = MbusNotUnderstood("no E5H", {}, 0);
  return decoded;
}

Decoded DecodeRaw(const Answer& answer) {
  Decoded decoded;
  if (!answer.replies.empty() && !answer.replies[0].empty()) decoded.body = answer.replies[0][0];
  return decoded;
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeMbus(const Command& command, const Profile& profile) {
  VW_ASSIGN_OR_RETURN(const MbusCall call, MbusCallOf(command, profile));
  const auto& action = command.action;
  if (std::holds_alternative<std::monostate>(action)) {
    return base::InvalidArgument("ACTION_MISSING", "the command says nothing to do");
  }
  if (const auto* const read = std::get_if<ReadRegisters>(&action)) {
    VW_RETURN_IF_ERROR(CheckRegisters(read->registers));
    return MbusReadout(call, 1);
  }
  if (std::holds_alternative<ReadAddress>(action)) return MbusReadout(call, 1);
  if (std::holds_alternative<Search>(action)) return EncodeSearch(call);
  if (const auto* const relay = std::get_if<ControlRelay>(&action)) return EncodeRelay(call, *relay);
  if (const auto* const write = std::get_if<WriteAddress>(&action)) return EncodeWriteAddress(call, *write);
  if (const auto* const clock = std::get_if<SetClock>(&action)) return EncodeClock(call, *clock);
  if (const auto* const change = std::get_if<ChangeBaud>(&action)) return EncodeBaud(call, *change);
  if (const auto* const reset = std::get_if<Reset>(&action)) return EncodeReset(call, *reset);
  if (const auto* const raw = std::get_if<Raw>(&action)) return EncodeRaw(call, *raw);
  return NotSupported("M-Bus has no such command");
}

Decoded DecodeMbus(const Answer& answer, const Profile& profile) {
  const auto call = MbusCallOf(answer.command, profile);
  const auto& action = answer.command.action;
  Decoded failed;
  if (!call.ok()) {
    failed.error = call.status();
    return failed;
  }
  if (const auto* const read = std::get_if<ReadRegisters>(&action)) {
    failed.error = CheckRegisters(read->registers);
    return failed.error.ok() ? DecodeMbusReadout(*call, read->registers, answer.replies) : failed;
  }
  if (std::holds_alternative<ReadAddress>(action)) return DecodeMbusAddress(*call, answer.replies);
  if (std::holds_alternative<Search>(action)) return DecodeMbusSearch(*call, answer.replies);
  if (std::holds_alternative<ControlRelay>(action)) return DecodeMbusValve(*call, answer.replies);
  if (std::holds_alternative<Raw>(action)) return DecodeRaw(answer);
  if (std::holds_alternative<WriteAddress>(action) || std::holds_alternative<ChangeBaud>(action) ||
      std::holds_alternative<Reset>(action)) {
    return DecodeAcknowledged(answer, EncodeMbus(answer.command, profile));
  }
  if (const auto* const clock = std::get_if<SetClock>(&action)) {
    return clock->broadcast ? failed : DecodeAcknowledged(answer, EncodeMbus(answer.command, profile));
  }
  failed.error = std::holds_alternative<std::monostate>(action)
                     ? base::InvalidArgument("ACTION_MISSING", "the command says nothing to do")
                     : NotSupported("M-Bus has no such command");
  return failed;
}

}  // namespace voltwell::codec
