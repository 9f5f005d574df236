// Words of explanations; see explain_words.h.
#include "libs/codec/dlt645/explain_words.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "libs/codec/dlt645/error_words.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/dlt645/security_bodies.h"

namespace voltwell::codec::dlt645 {
namespace {

struct Function {
  uint8_t code = 0;
  absl::string_view zh = "";
  absl::string_view en = "";
};
constexpr Function kFunctions2007[] = {
    {0x00, "保留", "reserved"},
    {kSecurity, "安全认证", "security authentication"},
    {kBroadcastTime, "广播校时", "broadcast time"},
    {kReadData, "读数据", "read data"},
    {kReadNext, "读后续数据", "read subsequent data"},
    {kReadAddress, "读通信地址", "read address"},
    {kWriteData, "写数据", "write data"},
    {kWriteAddress, "写通信地址", "write address"},
    {kFreeze, "冻结命令", "freeze"},
    {kChangeBaud, "更改通信速率", "change baud rate"},
    {kChangePassword, "修改密码", "change password"},
    {kClearDemand, "最大需量清零", "clear maximum demand"},
    {kClearMeter, "电表清零", "clear meter"},
    {kClearEvents, "事件清零", "clear events"},
    {kRelayControl, "跳合闸、报警、保电", "relay control"},
    {0x1D, "多功能端子输出控制", "output terminal control"},
};
constexpr Function kFunctions1997[] = {
    {kReadData1997, "读数据", "read data"},
    {kReadNext1997, "读后续数据", "read subsequent data"},
    {0x03, "重读数据", "re-read data"},
    {kWriteData1997, "写数据", "write data"},
    {kBroadcastTime, "广播校时", "broadcast time"},
    {kWriteAddress1997, "写设备地址", "write address"},
    {kChangeBaud1997, "更改通信速率", "change baud rate"},
    {kChangePassword1997, "修改密码", "change password"},
    {kClearDemand1997, "最大需量清零", "clear maximum demand"},
};

}  // namespace

void Cursor::Take(size_t length, absl::string_view kind, std::string meaning) {
  Add(length, kind, std::move(meaning), false, true);
}
void Cursor::TakeSecret(size_t length, absl::string_view kind, std::string meaning) {
  Add(length, kind, std::move(meaning), true, true);
}
void Cursor::TakeUnknown(size_t length, std::string meaning) {
  Add(length, "unknown", std::move(meaning), false, false);
}

void Cursor::TakeMasked(size_t length, std::string meaning) { Add(length, "unknown", std::move(meaning), true, false); }
void Cursor::TakeUnknownIdentifier(size_t length, std::string meaning) {
  Add(length, "data identifier", std::move(meaning), false, false);
}

void Cursor::Add(size_t length, absl::string_view kind, std::string meaning, bool secret, bool understood) {
  length = std::min(length, rest().size());
  if (length == 0) return;
  std::string hex = base::ToHex(Peek(length));
  if (secret && !show_secrets_) hex.assign(hex.size(), '*');
  explanations_.push_back({at_, length, std::move(hex), std::string(kind), std::move(meaning), understood});
  at_ += length;
}

std::string PlainHex(base::ByteView bytes) {
  std::string plain;
  for (const uint8_t byte : bytes) plain.push_back(static_cast<char>(byte - kOffset));
  return base::ToHex(base::AsBytes(plain));
}

Edition EditionOf(uint8_t control, Protocol wanted) {
  const uint8_t function = control & kFunctionMask;
  // 03H and 08H are in both.
  if (function == kSecurity || function == kBroadcastTime) {
    return wanted == Protocol::kDlt645_1997 ? Edition::k1997 : Edition::k2007;
  }
  const bool is_1997 = std::any_of(std::begin(kFunctions1997), std::end(kFunctions1997),
                                   [function](const Function& candidate) { return candidate.code == function; });
  return is_1997 ? Edition::k1997 : Edition::k2007;
}

std::string FunctionName(const Speech& speech, Edition edition, uint8_t function) {
  const std::span<const Function> functions =
      edition == Edition::k2007 ? std::span<const Function>(kFunctions2007) : std::span<const Function>(kFunctions1997);
  for (const Function& candidate : functions) {
    if (candidate.code == function) return speech.Say(candidate.zh, candidate.en);
  }
  return absl::StrFormat("%s %02XH", speech.Say("未知功能", "unknown function"), function);
}

std::string ControlMeaning(const Speech& speech, Edition edition, uint8_t control) {
  const bool reply = (control & kReplyBit) != 0;
  std::string text = absl::StrCat(reply ? speech.Say("应答", "reply") : speech.Say("请求", "request"), speech.colon(),
                                  FunctionName(speech, edition, control & kFunctionMask));
  if ((control & kAbnormalBit) != 0) absl::StrAppend(&text, speech.comma(), speech.Say("异常", "abnormal"));
  if ((control & kMoreBit) != 0) absl::StrAppend(&text, speech.comma(), speech.Say("有后续数据", "more data follows"));
  return text;
}

std::string ErrorMeaning(const Speech& speech, uint8_t function, base::ByteView data) {
  const uint32_t word = ErrorWord(data);
  const std::span<const ErrorBit> names = ErrorBitsOf(function, data.size());
  std::vector<std::string> bits;
  for (size_t i = 0; i < 16 && !names.empty(); ++i) {
    if ((word >> i & 1) == 0) continue;
    bits.push_back(i < names.size() ? speech.Say(names[i].zh, names[i].en) : absl::StrCat(speech.Say("位", "bit "), i));
  }
  if (bits.empty()) bits.push_back(speech.Say("未说明原因", "unspecified"));
  return absl::StrCat(speech.Say("拒绝", "refused"), speech.colon(), absl::StrJoin(bits, speech.comma()));
}

std::string RelayActionMeaning(const Speech& speech, uint8_t n1) {
  switch (n1) {
    case 0x1A:
      return speech.Say("跳闸", "trip");
    case 0x1B:
      return speech.Say("合闸允许", "permit to close");
    case 0x1C:
      return speech.Say("直接合闸", "direct close");
    case 0x1D:
      return speech.Say("预跳闸（可直接合闸）", "pre-trip, later direct close");
    case 0x1E:
      return speech.Say("预跳闸（合闸允许）", "pre-trip, later permit to close");
    case 0x2A:
      return speech.Say("报警", "alarm on");
    case 0x2B:
      return speech.Say("报警解除", "alarm off");
    case 0x3A:
      return speech.Say("保电", "keep power on");
    case 0x3B:
      return speech.Say("保电解除", "keep power off");
    case 0x4A:  // This and the next of vendors of water meters behind a relay.
      return speech.Say("切断供水", "cut water");
    case 0x4C:
      return speech.Say("恢复供水", "restore water");
    default:
      return absl::StrFormat("%s %02XH", speech.Say("未知动作", "unknown action"), n1);
  }
}

std::string ValueText(const Speech& speech, const FieldSpec& spec, const FieldValue& value) {
  switch (value.kind) {
    case FieldValue::Kind::kNoValue:
      return value.raw == 0 && value.length <= 8 ? speech.Say("未设置", "not set")
                                                 : speech.Say("无值（全FF）", "no value (all bytes FF)");
    case FieldValue::Kind::kNotValid:
      return absl::StrCat(speech.Say("无效数据 ", "not valid: "), PlainHex(value.bytes));
    case FieldValue::Kind::kNumber:
      return absl::StrCat(value.number.ToString(), spec.unit.empty() ? "" : " ", std::string(spec.unit));
    case FieldValue::Kind::kText:
      return value.Text();
    case FieldValue::Kind::kBits:
      break;
  }
  std::string text = absl::StrCat(value.Text(), "H");
  const std::vector<std::string> words = BitWords(spec, value.raw, speech.language());
  if (!words.empty()) {
    absl::StrAppend(&text, speech.Say("（", " ("), absl::StrJoin(words, speech.comma()), speech.Say("）", ")"));
  }
  return text;
}

std::string FieldMeaning(const Speech& speech, const Field& field) {
  return absl::StrCat(ValueTitleOf(field, speech.language()), " = ", ValueText(speech, *field.spec, field.value));
}

bool IsKnownIdentifier(Edition edition, uint32_t di) {
  return FindByDi(edition, di) || (edition == Edition::k2007 && FindSecurityBody(di, false, 0) != nullptr);
}

std::string IdentifierMeaning(const Speech& speech, Edition edition, uint32_t di) {
  const std::string digits = edition == Edition::k2007 ? absl::StrFormat("%08X", di) : absl::StrFormat("%04X", di);
  std::string title;
  if (const Match match = FindByDi(edition, di)) {
    title = TitleOf(match, speech.language());
    if (match.block != nullptr) title += speech.Say("（数据块）", " (block)");
  } else if (const SecurityBody* const body = FindSecurityBody(di, false, 0); body != nullptr) {
    title = speech.Say(body->zh, body->en);
  } else {
    title = speech.Say("不在数据标识表中", "not in the table");
  }
  return absl::StrCat(digits, speech.colon(), title);
}

}  // namespace voltwell::codec::dlt645
