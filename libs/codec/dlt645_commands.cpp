// Which commands DL/T 645 has; see dlt645_commands.h. Each is said in dlt645_read, _write or _prepaid.
#include "libs/codec/dlt645_commands.h"

#include <type_traits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/register_table.h"
#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645_exchange.h"
#include "libs/codec/dlt645_prepaid.h"
#include "libs/codec/dlt645_read.h"
#include "libs/codec/dlt645_write.h"

namespace voltwell::codec {
namespace {

// One frame of the longest kind with some preambles.
constexpr size_t kRawMax = 300;

absl::Status NoAction() { return base::InvalidArgument("ACTION_MISSING", "the command says nothing to do"); }

absl::StatusOr<ExchangeGroup> EncodeRaw(const Dlt645Call& call, const Raw& raw) {
  if (raw.request.empty() || raw.request.size() > kRawMax) {
    return base::InvalidArgument("BAD_RAW", "raw bytes are 1 to 300", {{"size", absl::StrCat(raw.request.size())}});
  }
  // Any frame from a meter: an echo of the request is none.
  Exchange exchange = MakeExchange(
      call, raw.request, {{{{dlt645::kControlOffset, dlt645::kReplyBit, dlt645::kReplyBit}}}}, dlt645::kDataMax);
  exchange.request = raw.request;  // Without the profile's preambles.
  exchange.no_reply = raw.no_reply;
  return ExchangeGroup{{std::move(exchange)}};
}

Decoded DecodeRaw(const Raw& raw, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  if (!replies.empty() && !replies.front().empty()) {
    decoded.body = replies.front().front();
  } else if (!raw.no_reply) {
    decoded.error = dlt645::NotUnderstood("no reply", {});
  }
  return decoded;
}

// One overload an action.
struct Encoder {
  const Dlt645Call& call;

  using Group = absl::StatusOr<ExchangeGroup>;
  Group operator()(const std::monostate&) const { return NoAction(); }
  Group operator()(const ReadRegisters& read) const { return EncodeDlt645Read(call, read); }
  Group operator()(const ReadLoadProfile& read) const { return EncodeDlt645LoadProfile(call, read); }
  Group operator()(const ControlRelay& relay) const { return EncodeDlt645Relay(call, relay); }
  Group operator()(const ReadAddress&) const { return EncodeDlt645ReadAddress(call); }
  Group operator()(const WriteRegister& write) const { return EncodeDlt645Write(call, write); }
  Group operator()(const WriteAddress& write) const { return EncodeDlt645WriteAddress(call, write); }
  Group operator()(const SetClock& clock) const { return EncodeDlt645SetClock(call, clock); }
  Group operator()(const Freeze& freeze) const { return EncodeDlt645Freeze(call, freeze); }
  Group operator()(const ChangeBaud& change) const { return EncodeDlt645ChangeBaud(call, change); }
  Group operator()(const ChangePassword& change) const { return EncodeDlt645ChangePassword(call, change); }
  Group operator()(const Clear& clear) const { return EncodeDlt645Clear(call, clear); }
  Group operator()(const Secure& secure) const { return EncodeDlt645Secure(call, secure); }
  Group operator()(const Prepay& prepay) const { return EncodeDlt645Prepay(call, prepay); }
  Group operator()(const ReadPrepaid& read) const { return EncodeDlt645ReadPrepaid(call, read); }
  Group operator()(const Reset&) const { return ActionNotSupported("DL/T 645 has no reset"); }
  Group operator()(const Search&) const { return EncodeDlt645Search(call); }
  Group operator()(const Raw& raw) const { return EncodeRaw(call, raw); }
};

struct Decoder {
  const Dlt645Call& call;
  const std::vector<ReplyFrames>& replies;

  static Decoded Failed(absl::Status status) {
    Decoded decoded;
    decoded.error = std::move(status);
    return decoded;
  }
  Decoded operator()(const std::monostate&) const { return Failed(NoAction()); }
  Decoded operator()(const ReadRegisters& read) const { return DecodeDlt645Read(call, read, replies); }
  Decoded operator()(const ReadLoadProfile& read) const { return DecodeDlt645LoadProfile(call, read, replies); }
  Decoded operator()(const ControlRelay&) const { return DecodeDlt645Relay(call, replies); }
  Decoded operator()(const ReadAddress&) const { return DecodeDlt645ReadAddress(call, replies); }
  Decoded operator()(const WriteRegister&) const { return DecodeDlt645Write(call, replies); }
  Decoded operator()(const WriteAddress&) const { return DecodeDlt645WriteAddress(call, replies); }
  Decoded operator()(const SetClock& clock) const { return DecodeDlt645SetClock(call, clock, replies); }
  Decoded operator()(const Freeze& freeze) const { return DecodeDlt645Freeze(call, freeze, replies); }
  Decoded operator()(const ChangeBaud& change) const { return DecodeDlt645ChangeBaud(call, change, replies); }
  Decoded operator()(const ChangePassword&) const { return DecodeDlt645ChangePassword(call, replies); }
  Decoded operator()(const Clear& clear) const { return DecodeDlt645Clear(call, clear, replies); }
  Decoded operator()(const Secure& secure) const { return DecodeDlt645Secure(call, secure, replies); }
  Decoded operator()(const Prepay& prepay) const { return DecodeDlt645Prepay(call, prepay, replies); }
  Decoded operator()(const ReadPrepaid& read) const { return DecodeDlt645ReadPrepaid(call, read, replies); }
  Decoded operator()(const Reset&) const { return Failed(ActionNotSupported("DL/T 645 has no reset")); }
  Decoded operator()(const Search&) const { return DecodeDlt645Search(call, replies); }
  Decoded operator()(const Raw& raw) const { return DecodeRaw(raw, replies); }
};

void Describe(const dlt645::Register& row, RegisterInfo& info) {
  std::vector<std::string> formats;
  for (const dlt645::FieldSpec& spec : row.fields()) formats.push_back(dlt645::Notation(spec));
  info.format = absl::StrJoin(formats, ", ");
  info.unit = std::string(row.value.unit);
  info.length = static_cast<int32_t>(dlt645::LengthOf(row));
  info.readable = row.readable();
  info.writable = row.writable();
  info.proof = std::string(row.proof);
  info.source = std::string(row.source);
}

std::vector<RegisterInfo> ListOf(dlt645::Edition edition) {
  std::vector<RegisterInfo> registers;
  for (const dlt645::Register* const row : dlt645::Registers(edition)) {
    RegisterInfo& info = registers.emplace_back();
    Describe(*row, info);
    info.reg = dlt645::PatternOf(edition, *row);
    info.name = std::string(row->name);
    info.title_zh = std::string(row->title_zh);
    info.title_en = std::string(row->title_en);
    info.data_identifier = dlt645::IdentifierText(edition, *row);
  }
  return registers;
}

std::optional<RegisterInfo> Find(dlt645::Edition edition, absl::string_view reg) {
  const dlt645::Match match = dlt645::FindByObis(edition, reg);
  if (!match || match.block != nullptr) return std::nullopt;
  RegisterInfo info;
  Describe(*match.row, info);
  info.reg = std::string(reg);
  info.name = dlt645::NameOf(match);
  info.title_zh = dlt645::TitleOf(match, Language::kChinese);
  info.title_en = dlt645::TitleOf(match, Language::kEnglish);
  const bool old = edition == dlt645::Edition::k1997;
  info.data_identifier =
      absl::AsciiStrToUpper(absl::StrCat(absl::Hex(match.di, old ? absl::kZeroPad4 : absl::kZeroPad8)));
  return info;
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeDlt645(const Command& command, const Profile& profile) {
  VW_ASSIGN_OR_RETURN(const Dlt645Call call, Dlt645CallOf(command, profile));
  return std::visit(Encoder{call}, command.action);
}

Decoded DecodeDlt645(const Answer& answer, const Profile& profile) {
  const auto call = Dlt645CallOf(answer.command, profile);
  if (!call.ok()) return Decoder::Failed(call.status());
  return std::visit(Decoder{*call, answer.replies}, answer.command.action);
}

std::vector<RegisterInfo> ListDlt645Registers() { return ListOf(dlt645::Edition::k2007); }
std::vector<RegisterInfo> ListDlt645Registers1997() { return ListOf(dlt645::Edition::k1997); }
std::optional<RegisterInfo> FindDlt645Register(absl::string_view reg) { return Find(dlt645::Edition::k2007, reg); }
std::optional<RegisterInfo> FindDlt645Register1997(absl::string_view reg) { return Find(dlt645::Edition::k1997, reg); }

}  // namespace voltwell::codec
