// Says what each byte of M-Bus frames is, in Chinese or English; see mbus_commands.h. A broken frame is explained as
// far as it is one: what the two lengths enclose is read as if the checksum held, and the first wrong byte is named.
#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "libs/codec/frame/frame_kind.h"
#include "libs/codec/mbus/address.h"
#include "libs/codec/mbus/telegram.h"
#include "libs/codec/mbus/value.h"
#include "libs/codec/mbus_commands.h"

namespace voltwell::codec {
namespace {

using mbus::Record;
using mbus::Telegram;
using mbus::ValueKind;

constexpr size_t kHead = 7;  // 68H L L 68H C A CI.
constexpr uint8_t kStart = 0x68;
constexpr uint8_t kStop = 0x16;
constexpr size_t kUserMax = 255;

// Data that is a secret, by name of its row.
constexpr absl::string_view kSecrets[] = {
    "access_code_user", "access_code_operator", "access_code_system_operator", "access_code_developer",
    "password",         "security_key"};

bool IsSecret(const Record& record) {
  const absl::string_view name = mbus::RowOf(record).name;
  return std::find(std::begin(kSecrets), std::end(kSecrets), name) != std::end(kSecrets);
}

class Explainer {
 public:
  Explainer(base::ByteView bytes, const ExplainOptions& options)
      : bytes_(bytes), zh_(options.language == Language::kChinese), show_secrets_(options.show_secrets) {
    result_.protocol = Protocol::kMbus;
  }

  ExplainedBytes Run();

 private:
  std::string Say(absl::string_view zh, absl::string_view en) const { return std::string(zh_ ? zh : en); }
  void Take(size_t length, absl::string_view kind, std::string meaning, bool understood = true, bool secret = false);
  void TakeRest(size_t until, std::string meaning) {
    if (until > at_) Take(until - at_, "unknown", std::move(meaning), /*understood=*/false);
  }
  void Fail(const mbus::Error& error, size_t frame_at);
  size_t left() const { return bytes_.size() - at_; }

  void ExplainNoise();
  void ExplainShort();
  void ExplainLong();
  void ExplainHead(size_t user_size);
  void ExplainUser(base::ByteView frame, size_t user_end);
  void ExplainHeader(base::ByteView frame, const mbus::Header& header);
  void ExplainSelect();
  void ExplainFixed(base::ByteView frame, const Telegram& telegram);
  void ExplainRecords(base::ByteView frame, const Telegram& telegram, const mbus::Error& error, size_t user_end);
  void ExplainRecord(base::ByteView frame, const Record& record);
  void ExplainVif(base::ByteView frame, const Record& record);
  void ExplainTail(size_t frame_at, size_t size, bool sum_holds);

  std::string ControlText(uint8_t control) const;
  std::string AddressText(uint8_t address) const;
  std::string CiText(uint8_t ci) const;
  std::string StatusText(uint8_t status) const;
  std::string DifText(base::ByteView frame, const Record& record) const;
  std::string ValueText(base::ByteView frame, const Record& record) const;

  base::ByteView bytes_;
  const bool zh_;
  const bool show_secrets_;
  size_t at_ = 0;
  ExplainedBytes result_;
};

void Explainer::Take(size_t length, absl::string_view kind, std::string meaning, bool understood, bool secret) {
  if (length == 0) return;
  std::string hex = base::ToHex(bytes_.subspan(at_, length));
  if (secret && !show_secrets_) hex.assign(hex.size(), '*');
  result_.explanations.push_back({at_, length, std::move(hex), std::string(kind), std::move(meaning), understood});
  at_ += length;
}

void Explainer::Fail(const mbus::Error& error, size_t frame_at) {
  if (!result_.error.ok()) return;  // The first wrong byte is named.
  const char* const why = mbus::FaultText(error.fault);
  const size_t position = frame_at + error.position;
  result_.error = base::DataLoss("FRAME_NOT_UNDERSTOOD", why, {{"why", why}, {"position", absl::StrCat(position)}});
}

std::string Explainer::ControlText(uint8_t control) const {
  const bool fcb = (control & mbus::kFcb) != 0;
  const std::string turn = zh_ ? absl::StrCat("，FCB=", fcb ? 1 : 0) : absl::StrCat(", FCB ", fcb ? 1 : 0);
  if ((control & mbus::kFromMaster) == 0) {
    std::string text = (control & 0x0F) == mbus::kRspUd ? Say("从站应答用户数据(RSP_UD)", "meter's reply (RSP_UD)")
                                                        : Say("从站应答", "meter's reply");
    if ((control & 0x20) != 0) text += Say("，有告警数据待取(ACD)", ", alarm data waits (ACD)");
    if ((control & 0x10) != 0) text += Say("，暂不能接收(DFC)", ", cannot take data now (DFC)");
    return text;
  }
  switch (control & 0x5F) {
    case mbus::kSndNke:
      return Say("链路复位(SND_NKE)", "link reset (SND_NKE)");
    case mbus::kSndUd:
      return Say("发送用户数据(SND_UD)", "send user data (SND_UD)") + turn;
    case mbus::kReqUd2:
      return Say("请求2级数据(REQ_UD2)", "request data (REQ_UD2)") + turn;
    case mbus::kReqUd1:
      return Say("请求1级数据(REQ_UD1)", "request alarms (REQ_UD1)") + turn;
    case mbus::kReqSke:
      return Say("请求链路状态(REQ_SKE)", "request link status (REQ_SKE)");
    default:
      return Say("主站命令，功能未知", "master's command, unknown function");
  }
}

std::string Explainer::AddressText(uint8_t address) const {
  switch (address) {
    case 0:
      return Say("主地址0(未设置)", "primary address 0 (not set)");
    case mbus::kSelectedAddress:
      return Say("FDH：已按二级地址选中的表", "FDH: the meter selected by its secondary address");
    case mbus::kEveryoneAnswers:
      return Say("FEH：所有表，均应答", "FEH: every meter, all answer");
    case mbus::kEveryoneSilent:
      return Say("FFH：广播，不应答", "FFH: broadcast, none answers");
    default:
      if (address > mbus::kPrimaryMax) return Say("保留地址", "reserved address");
      return absl::StrCat(Say("主地址", "primary address "), address);
  }
}

std::string Explainer::CiText(uint8_t ci) const {
  if (const int32_t baud = mbus::BaudOfCi(ci); baud != 0) {
    return zh_ ? absl::StrCat("切换波特率到", baud) : absl::StrCat("change speed to ", baud, " bit/s");
  }
  switch (ci) {
    case mbus::kCiApplicationReset:
      return Say("应用层复位", "application reset");
    case mbus::kCiSend:
      return Say("下发数据，低字节在前", "data to the meter, lowest byte first");
    case mbus::kCiSendMsb:
      return Say("下发数据，高字节在前", "data to the meter, highest byte first");
    case mbus::kCiSelect:
      return Say("按二级地址选表", "select by secondary address");
    case mbus::kCiSelectMsb:
      return Say("按二级地址选表，高字节在前", "select by secondary address, highest byte first");
    case mbus::kCiError:
      return Say("应用错误报告", "application error report");
    case mbus::kCiAlarm:
      return Say("告警报告", "alarm report");
    case mbus::kCiLong:
      return Say("可变数据，长报头", "variable data, long header");
    case mbus::kCiLongMsb:
      return Say("可变数据，长报头，高字节在前", "variable data, long header, highest byte first");
    case mbus::kCiFixed:
      return Say("固定结构数据", "fixed structure");
    case mbus::kCiFixedMsb:
      return Say("固定结构数据，高字节在前", "fixed structure, highest byte first");
    case mbus::kCiNoHeader:
      return Say("可变数据，无报头", "variable data without header");
    case mbus::kCiShort:
      return Say("可变数据，短报头", "variable data, short header");
    default:
      if (ci >= 0xA0 && ci <= 0xB7) return Say("厂家自定义", "manufacturer specific");
      return Say("未知的CI", "unknown CI");
  }
}

std::string Explainer::StatusText(uint8_t status) const {
  constexpr std::array<const char*, 4> kEn = {"no error", "application busy", "application error",
                                              "abnormal condition"};
  constexpr std::array<const char*, 4> kZh = {"无错误", "应用忙", "应用错误", "异常"};
  std::string text = zh_ ? kZh[status & 3] : kEn[status & 3];
  if ((status & 0x04) != 0) text += Say("，电量低", ", power low");
  if ((status & 0x08) != 0) text += Say("，永久故障", ", permanent error");
  if ((status & 0x10) != 0) text += Say("，暂时故障", ", temporary error");
  if ((status & 0xE0) != 0) {
    absl::StrAppend(&text, Say("，厂家位", ", manufacturer's bits "), absl::StrFormat("%02XH", status & 0xE0));
  }
  return Say("状态：", "status: ") + text;
}

void Explainer::ExplainNoise() {
  size_t preambles = 0;
  while (preambles < left() && bytes_[at_ + preambles] == frame::kPreamble) ++preambles;
  Take(preambles, "preamble", Say("唤醒字节", "wakes the receiver"));
  const base::ByteView rest = bytes_.subspan(at_);
  const auto next = std::find_if(rest.begin(), rest.end(), [](uint8_t byte) {
    return byte == kStart || byte == frame::kMbusShortStart || byte == frame::kMbusAck;
  });
  if (next == rest.begin()) return;
  if (!rest.empty()) Fail({mbus::Fault::kNoStart, 0}, at_);
  Take(static_cast<size_t>(next - rest.begin()), "unknown", Say("不属于任何帧", "belongs to no frame"), false);
}

void Explainer::ExplainShort() {
  const size_t frame_at = at_;
  const base::ByteView frame = bytes_.subspan(at_, std::min(left(), frame::kMbusShortSize));
  mbus::Link link;
  const mbus::Error error = mbus::ParseLink(frame, link);
  if (!error.ok()) Fail(error, frame_at);
  Take(1, "start", Say("短帧起始符", "start of a short frame"));
  if (frame.size() > 1) Take(1, "control", ControlText(frame[1]));
  if (frame.size() > 2) Take(1, "address", AddressText(frame[2]));
  if (frame.size() > 3) {
    const bool holds = static_cast<uint8_t>(frame[1] + frame[2]) == frame[3];
    Take(1, "checksum", holds ? Say("校验码正确", "sum modulo 256, right") : Say("校验码错误", "wrong checksum"),
         holds);
  }
  if (frame.size() > 4) {
    const bool ends = frame[4] == kStop;
    Take(1, "end", ends ? Say("帧结束符", "frame end") : Say("应为16H", "16H should stand here"), ends);
  }
  if (frame.size() > 2) result_.summary = absl::StrCat(ControlText(frame[1]), Say("，", ", "), AddressText(frame[2]));
}

// C, A and CI, and the lengths before them, as far as they are there.
void Explainer::ExplainHead(size_t user_size) {
  const base::ByteView frame = bytes_.subspan(at_);
  Take(1, "start", Say("帧起始符", "frame start"));
  for (size_t i = 1; i <= 2; ++i) {
    Take(1, "length", zh_ ? absl::StrCat("长度", frame[i]) : absl::StrCat("length ", frame[i]));
  }
  Take(1, "start", Say("帧起始符", "frame start"));
  if (user_size > 0) Take(1, "control", ControlText(frame[4]));
  if (user_size > 1) Take(1, "address", AddressText(frame[5]));
  if (user_size > 2) Take(1, "function", CiText(frame[6]), CiText(frame[6]) != Say("未知的CI", "unknown CI"));
}

void Explainer::ExplainTail(size_t frame_at, size_t size, bool sum_holds) {
  if (at_ == frame_at + size - 2 && left() > 0) {
    Take(1, "checksum", sum_holds ? Say("校验码正确", "sum modulo 256, right") : Say("校验码错误", "wrong checksum"),
         sum_holds);
  }
  if (at_ == frame_at + size - 1 && left() > 0) {
    const bool ends = bytes_[at_] == kStop;
    Take(1, "end", ends ? Say("帧结束符", "frame end") : Say("应为16H", "16H should stand here"), ends);
  }
}

void Explainer::ExplainLong() {
  const size_t frame_at = at_;
  const base::ByteView rest = bytes_.subspan(at_);
  const size_t size = rest.size() > 1 ? rest[1] + frame::kMbusLongAround : rest.size();
  const base::ByteView frame = rest.first(std::min(size, rest.size()));
  mbus::Link link;
  const mbus::Error error = mbus::ParseLink(frame, link);
  if (!error.ok()) Fail(error, frame_at);
  const bool has_head =
      frame.size() >= 5 && frame[1] == frame[2] && frame[3] == kStart && frame[1] >= frame::kMbusLengthMin;
  if (!has_head) {
    // One byte, then on: a frame may begin behind it.
    Take(1, "unknown", Say("像帧起始符，但后面不是长度", "like a frame start, but no lengths follow"), false);
    return;
  }
  const size_t user_end = std::min(frame.size(), size - 2);
  const size_t user_size = user_end - 4;
  ExplainHead(user_size);
  if (user_size >= frame::kMbusLengthMin && user_size <= kUserMax) {
    // The same bytes as a frame that holds, offsets unchanged: so what is left of a broken one is explained too.
    const std::string whole = mbus::BuildLong(frame[4], frame[5], frame.subspan(6, user_size - 2));
    ExplainUser(base::AsBytes(whole), frame_at + user_end);
  }
  TakeRest(frame_at + user_end, Say("未解释", "not explained"));
  ExplainTail(frame_at, size, error.fault != mbus::Fault::kBadChecksum);
}

// at_: behind CI. `frame` begins where bytes_ has the frame; user_end counts in bytes_.
void Explainer::ExplainUser(base::ByteView frame, size_t user_end) {
  const size_t frame_at = at_ - kHead;
  const uint8_t ci = frame[kHead - 1];
  result_.summary =
      absl::StrCat(ControlText(frame[4]), Say("，", ", "), AddressText(frame[5]), Say("，", ", "), CiText(ci));
  if (ci == mbus::kCiSelect && user_end - at_ >= 8) {
    ExplainSelect();
    return;
  }
  if (ci == mbus::kCiApplicationReset && user_end > at_) {
    Take(1, "value", absl::StrFormat("%s%02XH", Say("复位子码", "sub-code "), bytes_[at_]));
    return;
  }
  if (ci == mbus::kCiError && user_end > at_) {
    Take(1, "value", std::string(mbus::ApplicationErrorText(bytes_[at_], zh_)));
    return;
  }
  Telegram telegram;
  const mbus::Error error = mbus::DecodeTelegram(frame, telegram);
  if (error.fault == mbus::Fault::kUnknownCi || error.fault == mbus::Fault::kApplicationError) return;
  if (!error.ok()) Fail(error, frame_at);
  if (ci == mbus::kCiFixed || ci == mbus::kCiFixedMsb) {
    if (telegram.count == 2) ExplainFixed(frame, telegram);
    return;
  }
  if (telegram.records_offset == 0) return;
  ExplainHeader(frame, telegram.header);
  if (telegram.encrypted) {
    TakeRest(user_end, Say("密文，需要密钥", "encrypted; a key is needed"));
    return;
  }
  ExplainRecords(frame, telegram, error, user_end);
}

void Explainer::ExplainSelect() {
  mbus::SecondaryAddress mask;
  const base::ByteView user = bytes_.subspan(at_, 8);
  mask.id = static_cast<uint32_t>(user[0] | user[1] << 8 | user[2] << 16) | static_cast<uint32_t>(user[3]) << 24;
  Take(4, "address",
       absl::StrFormat("%s%08X", Say("表号", "identification "), mask.id) +
           (mask.id == 0xFFFFFFFF ? Say("（任意）", " (any)") : ""));
  mask.manufacturer = static_cast<uint16_t>(user[4] | user[5] << 8);
  Take(2, "address",
       mask.manufacturer == 0xFFFF ? Say("任意厂家", "any manufacturer")
                                   : Say("厂家", "manufacturer ") + mbus::ManufacturerText(mask.manufacturer));
  Take(1, "address", user[6] == 0xFF ? Say("任意版本", "any version") : absl::StrCat(Say("版本", "version "), user[6]));
  Take(1, "address",
       user[7] == 0xFF ? Say("任意介质", "any medium")
                       : absl::StrCat(Say("介质：", "medium: "), mbus::MediumText(user[7], zh_)));
}

void Explainer::ExplainHeader(base::ByteView frame, const mbus::Header& header) {
  const uint8_t ci = frame[kHead - 1];
  const bool is_long = ci == mbus::kCiLong || ci == mbus::kCiLongMsb;
  if (!is_long && ci != mbus::kCiShort) return;
  if (is_long) {
    Take(4, "address", absl::StrFormat("%s%08X", Say("表号", "identification "), header.id));
    Take(2, "address", Say("厂家", "manufacturer ") + mbus::ManufacturerText(header.manufacturer));
    Take(1, "address", absl::StrCat(Say("版本", "version "), header.version));
    Take(1, "address", absl::StrCat(Say("介质：", "medium: "), mbus::MediumText(header.medium, zh_)));
    absl::StrAppend(&result_.summary, Say("，表号", ", meter "), absl::StrFormat("%08X", header.id), " ",
                    mbus::ManufacturerText(header.manufacturer), " ", mbus::MediumText(header.medium, zh_));
  }
  Take(1, "access number", absl::StrCat(Say("访问序号", "access number "), header.access));
  Take(1, "status", StatusText(header.status));
  const uint8_t mode = mbus::CipherMode(header.signature);
  Take(2, "signature",
       mode == 0 ? Say("签名字，未加密", "signature word, not encrypted")
                 : absl::StrCat(Say("签名字，加密模式", "signature word, encryption mode "), mode));
}

void Explainer::ExplainFixed(base::ByteView frame, const Telegram& telegram) {
  const mbus::Header& header = telegram.header;
  Take(4, "address", absl::StrFormat("%s%08X", Say("表号", "identification "), header.id));
  Take(1, "access number", absl::StrCat(Say("访问序号", "access number "), header.access));
  const bool binary = (header.status & 1) != 0;
  const bool historic = (header.status & 2) != 0;
  Take(1, "status",
       StatusText(header.status & 0xFC) +
           (binary ? Say("，二进制", ", counters binary") : Say("，BCD", ", counters BCD")) +
           (historic ? Say("，历史值", ", stored values") : Say("，当前值", ", actual values")));
  Take(2, "unit",
       absl::StrCat(Say("介质：", "medium: "), mbus::MediumText(header.medium, zh_), Say("；单位：", "; units: "),
                    mbus::UnitOf(telegram.buffer[0], frame), ", ", mbus::UnitOf(telegram.buffer[1], frame)));
  for (const Record& record : telegram.records()) Take(4, "value", ValueText(frame, record));
}

std::string Explainer::DifText(base::ByteView frame, const Record& record) const {
  constexpr std::array<const char*, 4> kFunctionsZh = {"瞬时值", "最大值", "最小值", "故障时的值"};
  constexpr std::array<const char*, 4> kFunctionsEn = {"instantaneous", "maximum", "minimum", "value during error"};
  const uint8_t field = frame[record.offset] & 0x0F;
  const uint8_t length = mbus::DataLength(field);
  std::string what;
  if (length == mbus::kVariable) {
    what = Say("变长", "variable length");
  } else if (length == 0) {
    what = field == 8 ? Say("选择读出", "selected for readout") : Say("无数据", "no data");
  } else if (field == 5) {
    what = Say("4字节浮点", "4-byte float");
  } else if (field > 8) {
    what = zh_ ? absl::StrCat(2 * length, "位BCD") : absl::StrCat(2 * length, " BCD digits");
  } else {
    what = zh_ ? absl::StrCat(length, "字节整数") : absl::StrCat(length, "-byte integer");
  }
  const auto function = static_cast<size_t>(record.function);
  std::string text = absl::StrCat("DIF", Say("：", ": "), what, Say("，", ", "),
                                  zh_ ? kFunctionsZh[function] : kFunctionsEn[function]);
  const bool has_dife = record.vif_offset > record.offset + 1;
  if (!has_dife && record.storage > 0) text += Say("，存储1", ", storage 1");
  return text;
}

// Codes behind VIFE FCH (EN 13757-3, second table of combinable VIFE); empty: none that we know.
absl::string_view PhaseText(uint8_t code, bool zh) {
  constexpr absl::string_view kPhases[][2] = {
      {"", ""},
      {"at phase L1", "L1相"},
      {"at phase L2", "L2相"},
      {"at phase L3", "L3相"},
      {"at neutral", "中性线"},
      {"between L1 and L2", "L1与L2间"},
      {"between L2 and L3", "L2与L3间"},
      {"between L3 and L1", "L3与L1间"},
  };
  return code < std::size(kPhases) ? kPhases[code][zh ? 1 : 0] : "";
}

void Explainer::ExplainVif(base::ByteView frame, const Record& record) {
  const base::ByteView vif = frame.subspan(record.vif_offset, record.vif_size);
  const mbus::VifRow& row = mbus::RowOf(record);
  const base::ByteView modifiers = mbus::ModifiersOf(record, frame);
  const bool known = row.meaning != mbus::Meaning::kReserved;
  std::string text = absl::StrCat("VIF", Say("：", ": "), zh_ ? row.title_zh : row.title_en);
  const std::string unit = mbus::PlainTextUnit(record, frame);
  if (!unit.empty()) absl::StrAppend(&text, " \"", unit, "\"");
  const absl::string_view factor_unit = mbus::UnitText(record.unit);
  if (record.exponent != 0) absl::StrAppend(&text, Say("，", ", "), "10^", record.exponent, " ", factor_unit);
  if (record.exponent == 0 && !factor_unit.empty()) absl::StrAppend(&text, Say("，", ", "), factor_unit);
  Take(vif.size() - modifiers.size(), "unit", std::move(text), known);
  bool vendor = (vif[0] & 0x7F) == 0x7F;
  bool next_table = false;
  for (const uint8_t vife : modifiers) {
    if (next_table) {
      next_table = false;
      const absl::string_view phase = PhaseText(vife & 0x7F, zh_);
      const std::string said(phase.empty() ? Say("保留", "reserved") : phase);
      Take(1, "unit", absl::StrCat("VIFE", Say("：", ": "), said), !phase.empty());
      continue;
    }
    if (vendor) {
      Take(1, "unit", Say("VIFE：厂家自定义", "VIFE: manufacturer specific"), /*understood=*/false);
      continue;
    }
    const mbus::VifEntry& entry = mbus::Entries(mbus::VifTable::kCombinable)[vife & 0x7F];
    const mbus::VifRow& modifier = mbus::VifRows()[entry.row];
    const bool vife_known = entry.meaning != mbus::Meaning::kReserved;
    const absl::string_view title = zh_ ? modifier.title_zh : modifier.title_en;
    Take(1, "unit", absl::StrCat("VIFE", Say("：", ": "), vife_known ? title : Say("保留", "reserved")), vife_known);
    vendor = entry.meaning == mbus::Meaning::kVendor;
    next_table = (vife & 0x7F) == mbus::kVifeNextTable;
  }
}

std::string Explainer::ValueText(base::ByteView frame, const Record& record) const {
  const mbus::VifRow& row = mbus::RowOf(record);
  std::string name = zh_ ? row.title_zh : row.title_en;
  if (IsSecret(record) && !show_secrets_) return name;
  std::string value;
  switch (record.kind) {
    case ValueKind::kNumber:
    case ValueKind::kFloat:
      if (const auto number = mbus::NumberOf(record)) {
        value = number->ToString();
      } else {
        value = record.kind == ValueKind::kFloat ? mbus::FloatText(record) : mbus::HexOf(record, frame);
      }
      break;
    case ValueKind::kDate:
    case ValueKind::kDateTime:
    case ValueKind::kDateTimeLong:
    case ValueKind::kTime:
      value = mbus::TimeText(mbus::TimeOf(record));
      if (value.empty()) value = Say("无效", "not valid");
      break;
    case ValueKind::kText:
      value = absl::StrCat("\"", mbus::CharactersOf(record, frame), "\"");
      break;
    case ValueKind::kErrorDigits:
      value = absl::StrCat(mbus::HexOf(record, frame), Say("（不是数字：错误显示）", " (no number: an error display)"));
      break;
    default:
      value = absl::StrCat(mbus::HexOf(record, frame), "H");
  }
  const std::string unit = mbus::UnitOf(record, frame);
  return absl::StrCat(name, " = ", value, unit.empty() ? "" : " ", unit);
}

void Explainer::ExplainRecord(base::ByteView frame, const Record& record) {
  if (record.kind == ValueKind::kManufacturer) {
    const bool more = (record.flags & mbus::kMoreFollow) != 0;
    Take(1, "data information",
         more ? Say("DIF：厂家数据，后续还有报文", "DIF: manufacturer's data; more telegrams follow")
              : Say("DIF：以下为厂家数据", "DIF: manufacturer's data from here on"));
    Take(record.data_size, "unknown", Say("厂家数据", "manufacturer's data"), /*understood=*/false);
    return;
  }
  Take(1, "data information", DifText(frame, record));
  const size_t dife = static_cast<size_t>(record.vif_offset - record.offset - 1);
  Take(dife, "data information",
       zh_ ? absl::StrCat("DIFE：存储", record.storage, "，费率", record.tariff, "，子单元", record.subunit)
           : absl::StrCat("DIFE: storage ", record.storage, ", tariff ", record.tariff, ", subunit ", record.subunit));
  ExplainVif(frame, record);
  const size_t lvar = static_cast<size_t>(record.data_offset - record.vif_offset - record.vif_size);
  Take(lvar, "length",
       zh_ ? absl::StrCat("变长数据，", record.data_size, "字节")
           : absl::StrCat("variable length, ", record.data_size, " bytes"));
  const bool vendor = (record.flags & mbus::kVendorMeaning) != 0;
  Take(record.data_size, "value", ValueText(frame, record), !vendor, IsSecret(record));
}

void Explainer::ExplainRecords(base::ByteView frame, const Telegram& telegram, const mbus::Error& error,
                               size_t user_end) {
  const size_t frame_at = at_ - telegram.records_offset;
  const auto fill = [&](size_t until) {
    while (at_ < until && bytes_[at_] == 0x2F) Take(1, "filler", Say("空闲填充", "idle filler"));
  };
  for (const Record& record : telegram.records()) {
    fill(frame_at + record.offset);
    ExplainRecord(frame, record);
  }
  fill(user_end);
  if (!error.ok()) {
    TakeRest(user_end, zh_ ? absl::StrCat("记录有误，位置", frame_at + error.position)
                           : absl::StrCat(mbus::FaultText(error.fault)));
  }
}

ExplainedBytes Explainer::Run() {
  while (at_ < bytes_.size()) {
    ExplainNoise();
    if (at_ == bytes_.size()) break;
    if (bytes_[at_] == frame::kMbusAck) {
      result_.summary = Say("确认(E5H)", "acknowledged (E5H)");
      Take(1, "acknowledge", Say("确认", "acknowledged"));
    } else if (bytes_[at_] == frame::kMbusShortStart) {
      ExplainShort();
    } else {
      ExplainLong();
    }
  }
  if (result_.summary.empty()) result_.summary = Say("不是M-Bus帧", "no M-Bus frame");
  return std::move(result_);
}

}  // namespace

ExplainedBytes ExplainMbus(base::ByteView bytes, const ExplainOptions& options) {
  return Explainer(bytes, options).Run();
}

}  // namespace voltwell::codec
