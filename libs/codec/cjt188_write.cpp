// Writing to CJ/T 188 meters; see cjt188_write.h.
#include "libs/codec/cjt188_write.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/register_table.h"
#include "libs/codec/cjt188/request.h"
#include "libs/codec/cjt188/unit.h"

namespace voltwell::codec {
namespace {

using cjt188::Reg;

constexpr uint16_t kPurchaseWriteDi = 0xA013;
constexpr uint16_t kKeyWriteDi = 0xA014;
constexpr uint16_t kClockWriteDi = 0xA015;
constexpr uint16_t kAddressWriteDi = 0xA018;
constexpr uint8_t kValveOpens = 0x55;
constexpr uint8_t kValveCloses = 0x99;
constexpr size_t kReplyBody = 5;  // The longest: purchase number and amount.
constexpr size_t kStatusBody = 2;
constexpr size_t kKeyBody = 9;  // Version and eight bytes.
constexpr uint8_t kBroadcastByte = 0x99;
constexpr int64_t kAmountMax = 99'999'999;  // XXXXXX.XX yuan in fen.
constexpr uint32_t kPurchaseNumberMax = 255;
constexpr uint32_t kPurchaseNumberBcdMax = 99;
// L is one byte, of which identifier and sequence take three.
constexpr size_t kWriteBodyMax = 252;
// One frame of the longest kind with some preambles.
constexpr size_t kRawMax = 300;

absl::Status BadValue(absl::string_view why, size_t position) {
  return base::InvalidArgument("BAD_VALUE", absl::StrCat("no value of the register: ", why),
                               {{"position", absl::StrCat(position)}});
}

// A decimal with at most `scale` digits behind the point, as BCD.
absl::Status PutDecimal(absl::string_view text, int scale, size_t bytes, size_t position, std::string& out) {
  const auto number = decimal::Decimal::Parse(text);
  if (!number.ok()) return BadValue("not a decimal", position);
  const auto fitted = number->Round(scale, decimal::Rounding::kDown);
  if (!fitted.ok() || !(*fitted == *number)) {
    return BadValue(absl::StrCat("at most ", scale, " digits behind the point"), position);
  }
  if (!cjt188::PutBcd(fitted->units(), bytes, out)) return BadValue("negative, or too many digits", position);
  return absl::OkStatus();
}

absl::Status PutDay(absl::string_view text, size_t position, std::string& out) {
  std::string day;
  VW_RETURN_IF_ERROR(PutDecimal(text, 0, 1, position, day));
  if (day[0] < 0x01 || day[0] > 0x31) return BadValue("not a day of the month", position);
  out += day;
  return absl::OkStatus();
}

// "price1 step1 price2 step2 price3 start-day".
absl::StatusOr<std::string> PriceTableBody(const std::string& value) {
  const std::vector<std::string> words = absl::StrSplit(value, ' ', absl::SkipEmpty());
  constexpr size_t kWords = 6;
  if (words.size() != kWords) return BadValue("three prices, two steps between them and a start day are wanted", 0);
  std::string body;
  for (size_t i = 0; i + 1 < kWords; ++i) {
    const bool is_price = i % 2 == 0;
    VW_RETURN_IF_ERROR(PutDecimal(words[i], is_price ? 2 : 0, 3, i, body));
  }
  VW_RETURN_IF_ERROR(PutDay(words[kWords - 1], kWords - 1, body));
  return body;
}

// Counts in litres where the profile says so; else in cubic metres with two decimals, as most meters do.
absl::StatusOr<std::string> BaseBody(const Profile& profile, const std::string& id, const std::string& value) {
  const RegisterOverride* const differs = OverrideOf(profile, cjt188::FindById(id));
  const bool litres = differs != nullptr && differs->unit == "L";
  const bool own_scale = differs != nullptr && differs->scale >= 0;
  const int scale = own_scale ? differs->scale : profile.volume_decimals >= 0 ? profile.volume_decimals : 2;
  std::string body;
  VW_RETURN_IF_ERROR(PutDecimal(value, scale, 4, 0, body));
  body.push_back(static_cast<char>(litres ? cjt188::kLitres : cjt188::kCubicMetres));
  return body;
}

absl::StatusOr<std::string> RegisterBody(const Profile& profile, Reg reg, const WriteRegister& write) {
  std::string body;
  switch (reg) {
    case Reg::kPriceTable:
      return PriceTableBody(write.value);
    case Reg::kSettlementDay:
    case Reg::kReadingDay:
      VW_RETURN_IF_ERROR(PutDay(write.value, 0, body));
      return body;
    case Reg::kClock:
      if (!cjt188::PutTime(write.value, body)) return BadValue("YYYY-MM-DDThh:mm:ss from 2000 to 2099 is wanted", 0);
      return body;
    case Reg::kVolume:
      return BaseBody(profile, write.reg, write.value);
    case Reg::kFactoryEnable:
      if (write.value != "enable") return BadValue("the word enable is wanted: this cannot be undone", 0);
      return body;
    default:
      break;
  }
  return base::InvalidArgument("NOT_WRITABLE", absl::StrCat("the register is not written: ", write.reg),
                               {{"register", write.reg}});
}

absl::StatusOr<uint16_t> WriteDiOf(const WriteRegister& write) {
  const cjt188::Found found = cjt188::FindById(write.reg);
  if (found.row == nullptr) {
    return base::InvalidArgument("UNKNOWN_REGISTER", absl::StrCat("no register has the id ", write.reg),
                                 {{"register", write.reg}, {"position", "0"}});
  }
  if (found.row->write_di != 0) return found.row->write_di;
  return base::InvalidArgument("NOT_WRITABLE", absl::StrCat("the register is not written: ", write.reg),
                               {{"register", write.reg}});
}

// A vendor's own code of the action, where its profile has one.
absl::StatusOr<uint8_t> ValveCode(const Profile& profile, RelayAction action) {
  const auto own = [&profile](const char* name, uint8_t standard) {
    const auto code = profile.relay_codes.find(name);
    return code == profile.relay_codes.end() ? standard : static_cast<uint8_t>(code->second);
  };
  // Somebody opens such a valve by hand: it is released, never forced open.
  if (profile.hand_on_button && action == RelayAction::kClose) action = RelayAction::kPermitClose;
  switch (action) {
    case RelayAction::kOpen:
      return own("open", kValveCloses);
    case RelayAction::kClose:
      return own("close", kValveOpens);
    case RelayAction::kPermitClose:
      return own("permit_close", kValveOpens);
    default:
      break;
  }
  return base::InvalidArgument("BAD_RELAY_ACTION", "a valve opens and closes; it has no alarm and no keep-power",
                               {{"action", absl::StrCat(static_cast<int>(action))}});
}

ExchangeGroup Write(const Cjt188Call& call, uint16_t di, const std::string& body, uint8_t sequence = kWriteSequence) {
  return {{AskCjt188(call, di, body, sequence, kReplyBody)}};
}

absl::StatusOr<ExchangeGroup> EncodeClock(const Cjt188Call& call, const SetClock& clock) {
  std::string body;
  if (!cjt188::PutTime(clock.local_time, body)) {
    return base::InvalidArgument("BAD_TIME", "a local time is YYYY-MM-DDThh:mm:ss from 2000 to 2099",
                                 {{"text", clock.local_time.substr(0, 32)}});
  }
  if (!clock.broadcast) return Write(call, kClockWriteDi, body);
  Cjt188Call all = {call.address, call.baud, call.profile};
  all.address.wire.fill(kBroadcastByte);
  ExchangeGroup group = Write(all, kClockWriteDi, body);
  group.exchanges[0].no_reply = true;
  group.exchanges[0].matcher = {};
  return group;
}

// The reply comes from the old address or already from the new one.
absl::StatusOr<ExchangeGroup> EncodeAddress(const Cjt188Call& call, const WriteAddress& write) {
  VW_ASSIGN_OR_RETURN(const cjt188::Address address, cjt188::ParseAddress(write.address, call.address.type));
  const bool decimal = std::all_of(write.address.begin(), write.address.end(),
                                   [](unsigned char c) { return absl::ascii_isdigit(c) != 0; });
  const bool everyone =
      std::all_of(address.wire.begin(), address.wire.end(), [](uint8_t byte) { return byte == kBroadcastByte; });
  if (!decimal || everyone) {
    return base::InvalidArgument("BAD_METER_ADDRESS", "a meter's own address has no wildcards, and not only nines",
                                 {{"position", "0"}});
  }
  ExchangeGroup group = Write(call, kAddressWriteDi, base::ToString(address.wire));
  const auto sequence = call.profile.check_sequence ? std::optional<uint8_t>(kWriteSequence) : std::nullopt;
  for (auto& pattern : cjt188::MatcherOf(address, kAddressWriteDi, sequence).any_of) {
    group.exchanges[0].matcher.any_of.push_back(std::move(pattern));
  }
  return group;
}

absl::StatusOr<ExchangeGroup> EncodeSecure(const Cjt188Call& call, const Secure& secure) {
  const bool is_write = secure.data_identifier <= 0xFFFF && secure.data_identifier >> 12 == 0xA;
  if (!is_write) {
    return base::InvalidArgument("BAD_VALUE", "an identifier from A000 to AFFF is wanted",
                                 {{"position", "0"}, {"identifier", absl::StrCat(absl::Hex(secure.data_identifier))}});
  }
  const auto di = static_cast<uint16_t>(secure.data_identifier);
  if (di == kKeyWriteDi && secure.body.size() != kKeyBody) {
    return BadValue("a key is its version and eight bytes", std::min(secure.body.size(), kKeyBody));
  }
  if (secure.body.size() > kWriteBodyMax) {
    return base::InvalidArgument("VALUE_TOO_LONG", "the data of a frame has at most 255 bytes",
                                 {{"size", absl::StrCat(secure.body.size())}, {"limit", absl::StrCat(kWriteBodyMax)}});
  }
  // Money and the valve have roads of their own, with their guards.
  if (di == kPurchaseWriteDi || di == kValveDi) {
    return base::InvalidArgument("ACTION_NOT_SUPPORTED", "purchases and the valve are commands of their own");
  }
  return Write(call, di, secure.body);
}

absl::StatusOr<std::string> PurchaseBody(const Profile& profile, const Prepay& prepay) {
  const uint32_t highest = profile.prepay.number_bcd ? kPurchaseNumberBcdMax : kPurchaseNumberMax;
  // What a meter does after its last number is not known, so none is sent.
  if (prepay.purchase_number > highest) {
    return base::InvalidArgument("BAD_PURCHASE_NUMBER", absl::StrCat("a meter counts purchases to ", highest),
                                 {{"number", absl::StrCat(prepay.purchase_number)}, {"limit", absl::StrCat(highest)}});
  }
  if (prepay.purchase_number == 0 && prepay.kind == PrepayKind::kTopUp) {
    return base::InvalidArgument("BAD_PURCHASE_NUMBER", "a top-up's number is the meter's count + 1, so never 0",
                                 {{"number", "0"}, {"limit", absl::StrCat(highest)}});
  }
  if (prepay.amount_fen <= 0 || prepay.amount_fen > kAmountMax) {
    return base::InvalidArgument("BAD_AMOUNT", "0.01 to 999999.99 yuan are wanted",
                                 {{"fen", absl::StrCat(prepay.amount_fen)}});
  }
  std::string body;
  if (profile.prepay.number_bcd) {
    cjt188::PutBcd(prepay.purchase_number, 1, body);
  } else {
    body.push_back(static_cast<char>(prepay.purchase_number));
  }
  cjt188::PutBcd(prepay.amount_fen, 4, body);
  return body;
}

absl::StatusOr<ExchangeGroup> EncodePrepay(const Cjt188Call& call, const Prepay& prepay) {
  if (prepay.kind == PrepayKind::kUnspecified) {
    return base::InvalidArgument("BAD_PREPAY_KIND", "say whether the account is opened, topped up or refunded");
  }
  if (prepay.kind != PrepayKind::kTopUp && prepay.kind != PrepayKind::kOpenAccount) {
    return base::InvalidArgument("ACTION_NOT_SUPPORTED",
                                 "CJ/T 188 knows purchases only; an account opens by the first");
  }
  VW_ASSIGN_OR_RETURN(const std::string body, PurchaseBody(call.profile, prepay));
  return Write(call, kPurchaseWriteDi, body, static_cast<uint8_t>(body[0]));
}

// A reply that shows the status word behind a write.
const cjt188::FieldValue* StatusIn(const Cjt188Call& call, uint16_t di, const Cjt188Reply& reply, cjt188::Body& body) {
  if (!cjt188::DecodeBody(di, cjt188::Use::kWriteReply, reply.frame.address.type, reply.body,
                          BodyOptionsOf(call.profile), body)) {
    return nullptr;
  }
  return body.Find(Reg::kStatus);
}

// The valve moves for 5 to 30 s: a reply that shows its old state tells nothing, so only the wanted one is taken.
void DecodeValve(const Cjt188Call& call, const ControlRelay& relay, const Cjt188Reply& reply, Decoded& decoded) {
  cjt188::Body body;
  const cjt188::FieldValue* const status = StatusIn(call, kValveDi, reply, body);
  if (status == nullptr) return;
  const RelayState wanted = relay.action == RelayAction::kOpen ? RelayState::kOpen : RelayState::kClosed;
  if (ValveState(call.profile.status, status->word) == wanted) decoded.relay_state = wanted;
  RegisterValue value;
  value.reg = std::string(cjt188::RegisterOf(Reg::kStatus).id);
  value.text = status->WireText();
  if (IsValveFault(call.profile.status, status->word)) value.quality = Quality::kMeterError;
  decoded.values.push_back(std::move(value));
}

// Money counts as booked by an answer to this very purchase only, of a shape that is known: nothing, a status word, or
// the purchase repeated. Else what the meter booked is not known.
absl::Status DecodePurchase(const Cjt188Call& call, const Prepay& prepay, const Cjt188Reply& reply, Decoded& decoded) {
  VW_ASSIGN_OR_RETURN(const std::string sent, PurchaseBody(call.profile, prepay));
  const base::ByteView data = reply.frame.data;
  const auto number = static_cast<uint8_t>(sent[0]);
  if (call.profile.check_sequence && (data.size() < cjt188::kHeadSize || data[cjt188::kDiSize] != number)) {
    return Cjt188NotUnderstood("the reply to another purchase", data, cjt188::kDataOffset + cjt188::kDiSize);
  }
  if (reply.body.empty() || reply.body.size() == kStatusBody) return absl::OkStatus();
  if (reply.body.size() != sent.size()) {
    return Cjt188NotUnderstood(absl::StrCat(reply.body.size(), " bytes confirm no purchase"), data,
                               cjt188::kLengthOffset);
  }
  if (base::ToString(reply.body) != sent) {
    return Cjt188NotUnderstood("the meter confirms another purchase", reply.frame.data, cjt188::kDataOffset);
  }
  PrepaidState state;
  state.purchase_number = prepay.purchase_number;
  state.last_amount = decimal::Decimal(prepay.amount_fen, 2);
  decoded.prepaid = state;
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> IdentifierOf(const Command& command) {
  if (const auto* const write = std::get_if<WriteRegister>(&command.action)) return WriteDiOf(*write);
  if (std::holds_alternative<ControlRelay>(command.action)) return kValveDi;
  if (std::holds_alternative<WriteAddress>(command.action)) return kAddressWriteDi;
  if (std::holds_alternative<SetClock>(command.action)) return kClockWriteDi;
  if (std::holds_alternative<Prepay>(command.action)) return kPurchaseWriteDi;
  if (const auto* const secure = std::get_if<Secure>(&command.action)) {
    return static_cast<uint16_t>(secure->data_identifier);
  }
  if (std::holds_alternative<std::monostate>(command.action)) {
    return base::InvalidArgument("ACTION_MISSING", "the command says nothing to do");
  }
  return base::InvalidArgument("ACTION_NOT_SUPPORTED", "CJ/T 188 has no such command");
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeCjt188Write(const Cjt188Call& call, const Command& command) {
  VW_ASSIGN_OR_RETURN(const uint16_t di, IdentifierOf(command));
  if (const auto* const write = std::get_if<WriteRegister>(&command.action)) {
    VW_ASSIGN_OR_RETURN(const std::string body,
                        RegisterBody(call.profile, cjt188::FindById(write->reg).row->reg, *write));
    return Write(call, di, body);
  }
  if (const auto* const relay = std::get_if<ControlRelay>(&command.action)) {
    VW_ASSIGN_OR_RETURN(const uint8_t code, ValveCode(call.profile, relay->action));
    const bool opens = relay->action != RelayAction::kOpen;  // An open relay is a closed valve.
    return Write(call, di, std::string(1, static_cast<char>(code)), opens ? kValveOpensSequence : kValveClosesSequence);
  }
  if (const auto* const clock = std::get_if<SetClock>(&command.action)) return EncodeClock(call, *clock);
  if (const auto* const address = std::get_if<WriteAddress>(&command.action)) return EncodeAddress(call, *address);
  if (const auto* const prepay = std::get_if<Prepay>(&command.action)) return EncodePrepay(call, *prepay);
  return EncodeSecure(call, std::get<Secure>(command.action));
}

Decoded DecodeCjt188Write(const Cjt188Call& call, const Answer& answer) {
  Decoded decoded;
  const auto di = IdentifierOf(answer.command);
  if (!di.ok()) {
    decoded.error = di.status();
    return decoded;
  }
  const auto* const clock = std::get_if<SetClock>(&answer.command.action);
  if (clock != nullptr && clock->broadcast) return decoded;
  Cjt188Call asked = {call.address, call.baud, call.profile};
  auto reply = TakenCjt188(asked, *di, answer.replies);
  if (const auto* const write = std::get_if<WriteAddress>(&answer.command.action); write != nullptr && !reply.ok()) {
    const auto address = cjt188::ParseAddress(write->address, call.address.type);
    if (address.ok()) asked.address = *address;
    if (auto renamed = TakenCjt188(asked, *di, answer.replies); renamed.ok()) reply = std::move(renamed);
  }
  if (!reply.ok()) {
    decoded.error = reply.status();
    return decoded;
  }
  if (const auto* const relay = std::get_if<ControlRelay>(&answer.command.action)) {
    DecodeValve(call, *relay, *reply, decoded);
  } else if (const auto* const prepay = std::get_if<Prepay>(&answer.command.action)) {
    decoded.error = DecodePurchase(call, *prepay, *reply, decoded);
  } else if (std::holds_alternative<Secure>(answer.command.action)) {
    decoded.body = base::ToString(reply->body);
  } else if (const auto* const write = std::get_if<WriteAddress>(&answer.command.action)) {
    if (const auto address = cjt188::ParseAddress(write->address, call.address.type); address.ok()) {
      decoded.address = cjt188::FormatAddress(*address);
    }
  }
  return decoded;
}

absl::StatusOr<ExchangeGroup> EncodeCjt188Raw(const Raw& raw, const Command& command, const Profile& profile) {
  if (raw.request.empty() || raw.request.size() > kRawMax) {
    return base::InvalidArgument("BAD_RAW", "raw bytes are 1 to 300", {{"size", absl::StrCat(raw.request.size())}});
  }
  Command addressed = command;
  if (addressed.address.empty()) addressed.address = "AAAAAAAAAAAAAA";
  VW_ASSIGN_OR_RETURN(const Cjt188Call call, Cjt188CallOf(addressed, profile));
  // The time that a usual question and its longest answer take.
  Exchange exchange = AskCjt188(call, kValveDi, raw.request.substr(0, kWriteBodyMax), 0, kWriteBodyMax);
  exchange.request = raw.request;
  exchange.no_reply = raw.no_reply;
  exchange.matcher.any_of = {{}};
  return ExchangeGroup{{std::move(exchange)}};
}

Decoded DecodeCjt188Raw(const Answer& answer) {
  Decoded decoded;
  if (std::get<Raw>(answer.command.action).no_reply) return decoded;
  if (answer.replies.empty() || answer.replies[0].empty()) {
    decoded.error = Cjt188NotUnderstood("no reply", {}, 0);
  } else {
    decoded.body = answer.replies[0][0];
  }
  return decoded;
}

}  // namespace voltwell::codec
