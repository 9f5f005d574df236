// Commands that change a meter; see dlt645_write.h.
#include "libs/codec/dlt645_write.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645_plan.h"

namespace voltwell::codec {
namespace {

// L of an abnormal reply is 1 or 2, so even an empty normal one is waited for a little longer.
constexpr size_t kErrorDataMax = 2;
constexpr size_t kPasswordSize = 4;
constexpr uint32_t kDateDi = 0x04000101;
constexpr uint32_t kTimeDi = 0x04000102;
constexpr uint32_t kDateDi1997 = 0xC010;
constexpr uint32_t kTimeDi1997 = 0xC011;
constexpr uint32_t kAddressDi = 0x04000401;
constexpr uint32_t kAddressDi1997 = 0xC032;
constexpr uint32_t kPasswordsDi = 0x04000C01;
constexpr int32_t kEncryptedClass = 0x98;
constexpr int kPreTripStepMinutes = 5;

bool IsOld(const Dlt645Call& call) { return call.edition == dlt645::Edition::k1997; }

uint8_t WriteFunction(const Dlt645Call& call) { return IsOld(call) ? dlt645::kWriteData1997 : dlt645::kWriteData; }

absl::Status OnlyOf2007(absl::string_view what) {
  return ActionNotSupported(absl::StrCat("DL/T 645-1997 has no ", what));
}

// Each of the `asked` exchanges must have its answer: half of a group is no success.
Decoded Taken(const Dlt645Call& call, uint8_t function, const std::vector<ReplyFrames>& replies, size_t asked = 1) {
  Decoded decoded;
  if (replies.empty() && call.address == BroadcastAddress()) return decoded;  // Nobody answers.
  for (size_t i = 0; i < std::max(replies.size(), asked) && decoded.error.ok(); ++i) {
    decoded.error = TakenReply(call, function, replies, i).status();
  }
  return decoded;
}

// The action as the standard numbers it, and its name in profiles.
struct RelayCode {
  RelayAction action;
  dlt645::RelayAction code;
  absl::string_view name;
};
constexpr RelayCode kRelayCodes[] = {
    {RelayAction::kOpen, dlt645::RelayAction::kTrip, "open"},
    {RelayAction::kPermitClose, dlt645::RelayAction::kPermitClose, "permit_close"},
    {RelayAction::kClose, dlt645::RelayAction::kDirectClose, "close"},
    {RelayAction::kAlarmOn, dlt645::RelayAction::kAlarmOn, "alarm_on"},
    {RelayAction::kAlarmOff, dlt645::RelayAction::kAlarmOff, "alarm_off"},
    {RelayAction::kKeepPowerOn, dlt645::RelayAction::kKeepPowerOn, "keep_power_on"},
    {RelayAction::kKeepPowerOff, dlt645::RelayAction::kKeepPowerOff, "keep_power_off"},
    {RelayAction::kPreTrip, dlt645::RelayAction::kPreTrip, "pre_trip"},
    {RelayAction::kPreTripPermit, dlt645::RelayAction::kPreTripPermit, "pre_trip_permit"},
};

absl::StatusOr<dlt645::RelayAction> RelayCodeOf(const Profile& profile, RelayAction action) {
  // A meter that wants a hand on its button refuses a direct close; a permit is what it takes.
  if (profile.hand_on_button && action == RelayAction::kClose) action = RelayAction::kPermitClose;
  for (const RelayCode& row : kRelayCodes) {
    if (row.action != action) continue;
    const auto own = profile.relay_codes.find(std::string(row.name));
    return own == profile.relay_codes.end() ? row.code : static_cast<dlt645::RelayAction>(own->second);
  }
  return base::InvalidArgument("BAD_RELAY_ACTION", "no such relay action",
                               {{"action", absl::StrCat(static_cast<int>(action))}});
}

// N2: the length of a pre-trip, else the relay's number.
absl::StatusOr<uint8_t> RelayChannel(const Profile& profile, const ControlRelay& relay) {
  const bool pre_trip = relay.action == RelayAction::kPreTrip || relay.action == RelayAction::kPreTripPermit;
  if (!pre_trip) return static_cast<uint8_t>(profile.relay_channel);
  const int32_t steps = relay.delay_minutes / kPreTripStepMinutes;
  if (relay.delay_minutes % kPreTripStepMinutes != 0 || steps < 1 || steps > 255) {
    return base::InvalidArgument("BAD_DELAY", "a pre-trip takes 5 to 1275 minutes, in steps of 5",
                                 {{"minutes", absl::StrCat(relay.delay_minutes)}});
  }
  return static_cast<uint8_t>(steps);
}

// DI, password, operator (2007), data, MAC.
absl::StatusOr<Exchange> WriteExchange(const Dlt645Call& call, uint32_t di, absl::string_view action,
                                       const Authority& authority, const std::string& value) {
  std::string data;
  dlt645::AppendIdentifier(data, di, call.edition);
  VW_ASSIGN_OR_RETURN(const std::string password, PasswordOf(call, action, authority));
  data += password;
  if (!IsOld(call)) {
    VW_ASSIGN_OR_RETURN(const std::string operator_code, OperatorOf(call, authority.operator_code));
    data += operator_code;
  }
  const bool encrypted = static_cast<uint8_t>(password[0]) == kEncryptedClass;
  data += encrypted ? authority.cipher : value;
  data += authority.mac;
  VW_ASSIGN_OR_RETURN(ExchangeGroup group, AskOnce(call, WriteFunction(call), data, kErrorDataMax));
  return std::move(group.exchanges.front());
}

absl::StatusOr<std::string> ValueBytes(const WantedRegister& wanted, const std::string& value) {
  if (wanted.differs == nullptr || !wanted.match.row->list.empty() || !wanted.match.row->writable()) {
    return dlt645::EncodeValue(wanted.match, value);
  }
  return dlt645::EncodeField(SpecOf(wanted), value);
}

// What a meter may be called itself: a name of AA or of nines only would make it answer, and obey, for all.
absl::Status CheckOwnAddress(base::ByteView bytes) {
  const bool decimal =
      std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte >> 4 <= 9 && (byte & 0x0F) <= 9; });
  const bool everyone = std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0x99; });
  if (decimal && !everyone) return absl::OkStatus();
  return base::InvalidArgument("BAD_METER_ADDRESS", "a meter's own address has decimal digits, and not only nines",
                               {{"address", base::ToHex(bytes)}, {"position", "0"}});
}

// WW: Sunday is 0. BAD_TIME for a day that is none, such as 31 February.
absl::StatusOr<char> WeekdayOf(const std::string& local_time) {
  absl::CivilSecond second;
  if (!absl::ParseCivilTime(local_time, &second)) {
    return base::InvalidArgument("BAD_TIME", "there is no such day", {{"text", local_time.substr(0, 32)}});
  }
  return static_cast<char>((static_cast<int>(absl::GetWeekday(second)) + 1) % 7);
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeDlt645Relay(const Dlt645Call& call, const ControlRelay& relay) {
  if (IsOld(call)) return OnlyOf2007("relay control; vendors had codes of their own");
  dlt645::RelayRequest request;
  VW_ASSIGN_OR_RETURN(request.action, RelayCodeOf(call.profile, relay.action));
  VW_ASSIGN_OR_RETURN(request.channel, RelayChannel(call.profile, relay));
  VW_ASSIGN_OR_RETURN(request.password, PasswordOf(call, "relay", relay.authority));
  VW_ASSIGN_OR_RETURN(request.operator_code, OperatorOf(call, relay.authority.operator_code));
  request.expiry = relay.expires_local_time;
  request.mac = relay.authority.mac;
  const bool encrypted = static_cast<uint8_t>(request.password[0]) == kEncryptedClass;
  if (encrypted) request.cipher = relay.authority.cipher;
  VW_ASSIGN_OR_RETURN(std::string bytes, dlt645::BuildRelay(call.address, request));
  return ExchangeGroup{{MakeExchange(call, std::move(bytes),
                                     dlt645::ReplyMatcherOf(call.address, dlt645::kRelayControl), kErrorDataMax)}};
}

absl::StatusOr<ExchangeGroup> EncodeDlt645Write(const Dlt645Call& call, const WriteRegister& write) {
  const dlt645::Match match = dlt645::FindByObis(call.edition, write.reg);
  if (!match || match.block != nullptr || !match.suffix.empty()) {
    return base::InvalidArgument("UNKNOWN_REGISTER", absl::StrCat("no register has the id ", write.reg),
                                 {{"register", write.reg}, {"position", "0"}});
  }
  const WantedRegister wanted = {write.reg, match, OverrideOf(call.edition, match, call.profile)};
  VW_ASSIGN_OR_RETURN(const std::string value, ValueBytes(wanted, write.value));
  const uint32_t di = IdentifierOf(wanted);
  if (di == (IsOld(call) ? kAddressDi1997 : kAddressDi)) VW_RETURN_IF_ERROR(CheckOwnAddress(base::AsBytes(value)));
  VW_ASSIGN_OR_RETURN(Exchange exchange, WriteExchange(call, di, "write", write.authority, value));
  return ExchangeGroup{{std::move(exchange)}};
}

absl::StatusOr<ExchangeGroup> EncodeDlt645WriteAddress(const Dlt645Call& call, const WriteAddress& write) {
  VW_ASSIGN_OR_RETURN(const dlt645::Address address, dlt645::ParseAddress(write.address));
  VW_RETURN_IF_ERROR(CheckOwnAddress(address.wire));
  const uint8_t function = IsOld(call) ? dlt645::kWriteAddress1997 : dlt645::kWriteAddress;
  const std::string data(address.wire.begin(), address.wire.end());
  return ExchangeGroup{{MakeExchange(call, dlt645::BuildFrame(call.address, function, base::AsBytes(data)),
                                     dlt645::ReplyMatcherOf(AnyAddress(), function), kErrorDataMax)}};
}

absl::StatusOr<ExchangeGroup> EncodeDlt645SetClock(const Dlt645Call& call, const SetClock& clock) {
  VW_ASSIGN_OR_RETURN(const std::string time, dlt645::TimeBytes(clock.local_time, /*with_seconds=*/true, "BAD_TIME"));
  VW_ASSIGN_OR_RETURN(const char weekday, WeekdayOf(clock.local_time));
  if (clock.broadcast) return TellOnce(call, BroadcastAddress(), dlt645::kBroadcastTime, time);
  if (clock.authority.password.empty() && !call.profile.password_levels.contains("clock")) {
    return TellOnce(call, call.address, dlt645::kBroadcastTime, time);
  }
  // Date first: between the two at midnight it is a day ahead for a moment, never behind.
  const std::string date = weekday + time.substr(3);
  VW_ASSIGN_OR_RETURN(Exchange first,
                      WriteExchange(call, IsOld(call) ? kDateDi1997 : kDateDi, "clock", clock.authority, date));
  VW_ASSIGN_OR_RETURN(Exchange second, WriteExchange(call, IsOld(call) ? kTimeDi1997 : kTimeDi, "clock",
                                                     clock.authority, time.substr(0, 3)));
  return ExchangeGroup{{std::move(first), std::move(second)}};
}

absl::StatusOr<ExchangeGroup> EncodeDlt645Freeze(const Dlt645Call& call, const Freeze& freeze) {
  if (IsOld(call)) return OnlyOf2007("freeze");
  constexpr char kEvery = '\x99';
  struct Part {
    int32_t value;
    int32_t low;
    int32_t high;
  };
  const Part parts[] = {{freeze.minute, 0, 59}, {freeze.hour, 0, 23}, {freeze.day, 1, 31}, {freeze.month, 1, 12}};
  std::string data;
  bool every = false;
  for (const Part& part : parts) {
    // 99 stands for "every" from the month downwards: month, month and day, ... all.
    const bool good = part.value == -1 || (!every && part.value >= part.low && part.value <= part.high);
    if (!good) {
      return base::InvalidArgument(
          "BAD_FREEZE", "a freeze names minute, hour, day, month, of which the greater ones may be left out");
    }
    every = part.value == -1;
    data.push_back(every ? kEvery : static_cast<char>(part.value / 10 << 4 | part.value % 10));
  }
  if (freeze.broadcast) return TellOnce(call, BroadcastAddress(), dlt645::kFreeze, data);
  return AskOnce(call, dlt645::kFreeze, data, kErrorDataMax);
}

namespace {

// Z: one bit a speed.
absl::StatusOr<char> SpeedBit(int32_t baud) {
  constexpr int32_t kSpeeds[] = {600, 1200, 2400, 4800, 9600, 19200};
  for (size_t i = 0; i < std::size(kSpeeds); ++i) {
    if (kSpeeds[i] == baud) return static_cast<char>(2 << i);
  }
  return base::InvalidArgument("BAD_BAUD", "a meter runs at 600, 1200, 2400, 4800, 9600 or 19200 bit/s",
                               {{"baud", absl::StrCat(baud)}});
}

uint8_t SpeedFunction(const Dlt645Call& call) { return IsOld(call) ? dlt645::kChangeBaud1997 : dlt645::kChangeBaud; }

absl::StatusOr<uint8_t> ClearFunction(const Dlt645Call& call, ClearWhat what) {
  if (what == ClearWhat::kDemand) return IsOld(call) ? dlt645::kClearDemand1997 : dlt645::kClearDemand;
  if (what == ClearWhat::kUnspecified) return base::InvalidArgument("BAD_CLEAR", "say what is to be cleared");
  if (IsOld(call)) return OnlyOf2007("clearing of the meter or of events");
  return what == ClearWhat::kMeter ? dlt645::kClearMeter : dlt645::kClearEvents;
}

absl::string_view ClearActionName(ClearWhat what) {
  if (what == ClearWhat::kDemand) return "clear_demand";
  return what == ClearWhat::kMeter ? "clear_meter" : "clear_events";
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeDlt645ChangeBaud(const Dlt645Call& call, const ChangeBaud& change) {
  VW_ASSIGN_OR_RETURN(const char bit, SpeedBit(change.baud));
  return AskOnce(call, SpeedFunction(call), std::string(1, bit), kErrorDataMax);
}

absl::StatusOr<ExchangeGroup> EncodeDlt645ChangePassword(const Dlt645Call& call, const ChangePassword& change) {
  if (change.level < 0 || change.level > 9) {
    return base::InvalidArgument("BAD_PASSWORD_LEVEL", "a meter has passwords of level 0 to 9",
                                 {{"level", absl::StrCat(change.level)}});
  }
  if (change.old_password.size() != kPasswordSize || change.new_password.size() != kPasswordSize) {
    return base::InvalidArgument("BAD_PASSWORD_LENGTH", "a DL/T 645 password is 4 bytes: PA P0 P1 P2");
  }
  std::string data;
  if (!IsOld(call)) {
    dlt645::AppendIdentifier(data, kPasswordsDi + static_cast<uint32_t>(change.level), call.edition);
  }
  data += change.old_password + change.new_password;
  const uint8_t function = IsOld(call) ? dlt645::kChangePassword1997 : dlt645::kChangePassword;
  return AskOnce(call, function, data, kPasswordSize);
}

absl::StatusOr<ExchangeGroup> EncodeDlt645Clear(const Dlt645Call& call, const Clear& clear) {
  VW_ASSIGN_OR_RETURN(const uint8_t function, ClearFunction(call, clear.what));
  std::string data;
  bool encrypted = false;
  // Meters of 1997 clear demands with a hand on their button; some ask for the password too.
  if (!IsOld(call) || !clear.authority.password.empty()) {
    VW_ASSIGN_OR_RETURN(data, PasswordOf(call, ClearActionName(clear.what), clear.authority));
    encrypted = static_cast<uint8_t>(data[0]) == kEncryptedClass;
  }
  if (!IsOld(call)) {
    VW_ASSIGN_OR_RETURN(const std::string operator_code, OperatorOf(call, clear.authority.operator_code));
    data += operator_code;
  }
  if (encrypted) {
    data += clear.authority.cipher;
  } else if (clear.what == ClearWhat::kEvents) {
    uint32_t di = 0xFFFFFFFF;
    if (!clear.reg.empty()) {
      const dlt645::Match match = dlt645::FindByObis(call.edition, clear.reg);
      if (!match) {
        return base::InvalidArgument("UNKNOWN_REGISTER", absl::StrCat("no register has the id ", clear.reg),
                                     {{"register", clear.reg}, {"position", "0"}});
      }
      di = match.di | 0xFF;  // All records of the class.
    }
    dlt645::AppendIdentifier(data, di, call.edition);
  }
  data += clear.authority.mac;
  return AskOnce(call, function, data, kErrorDataMax);
}

Decoded DecodeDlt645Relay(const Dlt645Call& call, const std::vector<ReplyFrames>& replies) {
  return Taken(call, dlt645::kRelayControl, replies);
}

Decoded DecodeDlt645Write(const Dlt645Call& call, const std::vector<ReplyFrames>& replies) {
  return Taken(call, WriteFunction(call), replies);
}

Decoded DecodeDlt645WriteAddress(const Dlt645Call& call, const std::vector<ReplyFrames>& replies) {
  Dlt645Call anyone = {call.edition, AnyAddress(), call.baud, call.profile};
  return Taken(anyone, IsOld(call) ? dlt645::kWriteAddress1997 : dlt645::kWriteAddress, replies);
}

Decoded DecodeDlt645SetClock(const Dlt645Call& call, const SetClock& clock, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const auto group = EncodeDlt645SetClock(call, clock);
  if (!group.ok()) {
    decoded.error = group.status();
    return decoded;
  }
  // A telegram is not answered.
  if (group->exchanges.front().no_reply) return decoded;
  return Taken(call, WriteFunction(call), replies, group->exchanges.size());
}

Decoded DecodeDlt645Freeze(const Dlt645Call& call, const Freeze& freeze, const std::vector<ReplyFrames>& replies) {
  return freeze.broadcast ? Decoded() : Taken(call, dlt645::kFreeze, replies);
}

Decoded DecodeDlt645ChangeBaud(const Dlt645Call& call, const ChangeBaud& change,
                               const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const auto bit = SpeedBit(change.baud);
  const auto frame = TakenReply(call, SpeedFunction(call), replies);
  if (!bit.ok() || !frame.ok()) {
    decoded.error = bit.ok() ? frame.status() : bit.status();
  } else if (!frame->data.empty() && PlainData(frame->data) != std::string(1, *bit)) {
    decoded.error = dlt645::NotUnderstood("the meter confirms another speed", base::AsBytes(replies[0][0]));
  }
  return decoded;
}

Decoded DecodeDlt645ChangePassword(const Dlt645Call& call, const std::vector<ReplyFrames>& replies) {
  return Taken(call, IsOld(call) ? dlt645::kChangePassword1997 : dlt645::kChangePassword, replies);
}

Decoded DecodeDlt645Clear(const Dlt645Call& call, const Clear& clear, const std::vector<ReplyFrames>& replies) {
  const auto function = ClearFunction(call, clear.what);
  if (function.ok()) return Taken(call, *function, replies);
  Decoded decoded;
  decoded.error = function.status();
  return decoded;
}

}  // namespace voltwell::codec
