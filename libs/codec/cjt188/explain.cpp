// Explaining frames; see explain.h.
#include "libs/codec/cjt188/explain.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "libs/codec/cjt188/body.h"
#include "libs/codec/cjt188/register_table.h"
#include "libs/codec/cjt188/unit.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec::cjt188 {
namespace {

constexpr uint16_t kValveMask = 0x0003;
constexpr uint16_t kBatteryMask = 0x0004;

struct Named {
  uint8_t code;
  absl::string_view zh;
  absl::string_view en;
};

constexpr Named kTypes[] = {
    {0x10, "冷水表", "cold water meter"},
    {0x11, "生活热水表", "hot water meter"},
    {0x12, "直饮水表", "drinking water meter"},
    {0x13, "中水表", "reclaimed water meter"},
    {0x20, "热量表（计热量）", "heat meter"},
    {0x21, "热量表（计冷量）", "cold meter"},
    {0x22, "热量表（计热量和冷量）", "heat and cold meter"},
    {0x30, "燃气表", "gas meter"},
    {0x40, "其他仪表（常为电能表）", "another meter (often electricity)"},
    {0xAA, "任意类型", "a meter of any type"},
};

constexpr Named kFunctions[] = {
    {kReadData, "读数据", "read data"},
    {0x02, "厂家参数", "vendor's parameters"},
    {kReadAddress, "读地址", "read address"},
    {kWriteData, "写数据", "write data"},
    {kReadKeyVersion, "读密钥版本号", "read key version"},
    {kWriteAddress, "写地址", "write address"},
    {kWriteBase, "写机电同步数据", "write base value"},
};

constexpr Named kValveActions[] = {
    {0x55, "开阀", "open the valve (water flows)"},
    {0x99, "关阀", "close the valve (water is cut)"},
    {0x00, "厂家：查询阀门状态", "vendor: ask for the valve's state"},
    {0x66, "厂家：自由开阀", "vendor: release to open"},
    {0x77, "厂家：自由关阀", "vendor: release to close"},
    {0x44, "厂家：半开", "vendor: half open"},
};

const Named* Find(std::span<const Named> names, uint8_t code) {
  const auto found = std::find_if(names.begin(), names.end(), [code](const Named& row) { return row.code == code; });
  return found == names.end() ? nullptr : &*found;
}

// What a reader of the summary wants to know.
const FieldValue& MainField(const Body& body) {
  for (const Reg reg : {Reg::kVolume, Reg::kHeat, Reg::kRemaining}) {
    if (const FieldValue* const field = body.Find(reg); field != nullptr) return *field;
  }
  return body.fields[0];
}

// Takes frames apart, one after the other; each Take moves on, so that no byte is left out or taken twice.
class Explainer {
 public:
  Explainer(base::ByteView bytes, bool chinese) : bytes_(bytes), chinese_(chinese) {}
  Explained Run() &&;

 private:
  absl::string_view Say(absl::string_view zh, absl::string_view en) const { return chinese_ ? zh : en; }
  absl::string_view Name(const Named& row) const { return Say(row.zh, row.en); }
  size_t left() const { return bytes_.size() - at_; }
  uint8_t Byte(size_t i = 0) const { return bytes_[at_ + i]; }

  void Take(size_t length, absl::string_view kind, std::string meaning, bool understood = true, bool secret = false);
  void Fail(Fault fault, size_t position);
  void Rest(absl::string_view zh, absl::string_view en);
  // False: nothing more can be told.
  bool TakeFrame();
  void TakeHead(const Frame& frame);
  void TakeTail(size_t begin, size_t size);
  void TakeData(const Frame& frame, size_t size);
  void TakeRefusal(const Frame& frame, size_t size);
  void TakeIdentifier(const WireIdentifier& identifier);
  void TakeBody(const Frame& frame, const WireIdentifier& identifier, size_t size);
  void TakeField(const FieldValue& value, bool unit_first);
  void TakeUnit(const FieldValue& value);

  std::string TypeMeaning(uint8_t type) const;
  std::string ControlMeaning(uint8_t control) const;
  std::string IdentifierMeaning(const WireIdentifier& identifier) const;
  std::string FieldTitle(const FieldValue& value) const;
  std::string FieldMeaning(const FieldValue& value) const;
  std::string StatusMeaning(uint16_t word) const;
  void Summarise(absl::string_view text) {
    absl::StrAppend(&out_.summary, out_.summary.empty() ? "" : Say("；", "; "), text);
  }

  base::ByteView bytes_;
  bool chinese_;
  size_t at_ = 0;
  uint16_t index_ = 0;  // Which of several records the identifier names, from 1.
  Explained out_;
};

void Explainer::Take(size_t length, absl::string_view kind, std::string meaning, bool understood, bool secret) {
  length = std::min(length, left());
  if (length == 0) return;
  out_.spans.push_back({at_, length, kind, std::move(meaning), understood, secret});
  at_ += length;
}

void Explainer::Fail(Fault fault, size_t position) {
  if (out_.fault != Fault::kNone) return;
  out_.fault = fault;
  out_.position = position;
}

void Explainer::Rest(absl::string_view zh, absl::string_view en) {
  Take(left(), "unknown", std::string(Say(zh, en)), /*understood=*/false);
}

std::string Explainer::TypeMeaning(uint8_t type) const {
  if (const Named* const known = Find(kTypes, type); known != nullptr) return std::string(Name(*known));
  switch (type >> 4) {
    case 1:
      return std::string(Say("水表", "water meter"));
    case 2:
      return std::string(Say("热量表", "heat meter"));
    case 3:
      return std::string(Say("燃气表", "gas meter"));
    case 4:
      return std::string(Say("其他仪表", "another meter"));
    default:
      return std::string(Say("未知仪表类型", "meter type that is not known"));
  }
}

std::string Explainer::ControlMeaning(uint8_t control) const {
  const Named* const known = Find(kFunctions, control & kFunctionMask);
  std::string text = absl::StrCat((control & kReplyBit) != 0 ? Say("应答：", "reply: ") : Say("请求：", "request: "),
                                  known == nullptr ? Say("未知功能", "function that is not known") : Name(*known));
  if ((control & kAbnormalBit) != 0) absl::StrAppend(&text, Say("，异常", ", abnormal"));
  if ((control & kFollowBit) != 0) {
    absl::StrAppend(&text, Say("，有后续数据或主动上报", ", more follows or sent unasked"));
  }
  return text;
}

std::string Explainer::IdentifierMeaning(const WireIdentifier& identifier) const {
  const Identifier* const row = FindIdentifier(identifier.di);
  std::string text = absl::StrFormat("%04X", identifier.di);
  absl::StrAppend(&text, Say("：", ": "),
                  row == nullptr ? Say("未知数据标识", "not in the table") : Say(row->title_zh, row->title_en));
  if (row != nullptr && row->first != row->last) {
    absl::StrAppend(&text, Say("，第", ", number "), identifier.di - row->first + 1, Say("个", ""));
  }
  if (row != nullptr) {
    absl::StrAppend(&text, identifier.low_first ? Say("（低字节在前）", " (low byte first)")
                                                : Say("（高字节在前）", " (high byte first)"));
  }
  return text;
}

std::string Explainer::StatusMeaning(uint16_t word) const {
  std::string text = std::string(Say("阀门", "valve "));
  switch (word & kValveMask) {
    case 0:
      absl::StrAppend(&text, Say("开", "open"));
      break;
    case 1:
      absl::StrAppend(&text, Say("关", "closed"));
      break;
    case 3:
      absl::StrAppend(&text, Say("异常", "faulty"));
      break;
    default:
      absl::StrAppend(&text, Say("状态未定义", "in an undefined state"));
  }
  absl::StrAppend(
      &text, (word & kBatteryMask) != 0 ? Say("，电池欠压", ", battery low") : Say("，电池正常", ", battery good"));
  return absl::StrCat(text, Say("（标准位；厂家可能不同）", " (bits of the standard; vendors differ)"));
}

std::string Explainer::FieldTitle(const FieldValue& value) const {
  switch (value.reg) {
    case Reg::kPriceStartDay:
      return std::string(Say("启用日", "start day"));
    case Reg::kKey:
      return std::string(Say("新密钥", "new key"));
    case Reg::kValveAction:
      return std::string(Say("阀门操作", "valve action"));
    case Reg::kUnknown:
      return std::string(Say("含义未知", "meaning not known"));
    default:
      break;
  }
  const Register& row = RegisterOf(value.reg);
  return absl::StrReplaceAll(Say(row.title_zh, row.title_en), {{"{n}", absl::StrCat(index_)}});
}

std::string Explainer::FieldMeaning(const FieldValue& value) const {
  const std::string title = FieldTitle(value);
  if (value.format == Format::kSecret) return absl::StrCat(title, Say("（保密）", " (secret)"));
  if (value.format == Format::kValve) {
    const Named* const action = Find(kValveActions, value.raw[0]);
    return absl::StrCat(title, Say("：", ": "), action == nullptr ? Say("未知操作", "not known") : Name(*action));
  }
  switch (value.kind) {
    case FieldValue::Kind::kNoValue:
      return absl::StrCat(title, Say("：无数据", ": no value"));
    case FieldValue::Kind::kNotValid:
      return absl::StrCat(title, Say("：数据无效，", ": not valid, "), value.WireText());
    case FieldValue::Kind::kBits:
      return absl::StrCat(title, " = ", value.WireText(), "H", Say("：", ": "), StatusMeaning(value.word));
    case FieldValue::Kind::kTime:
      return absl::StrCat(title, " = ", value.TimeText(),
                          value.high_first ? Say("（高字节在前）", " (century first)") : "");
    default:
      return absl::StrCat(title, " = ", value.Text(), value.unit.empty() ? "" : " ", value.unit);
  }
}

void Explainer::TakeUnit(const FieldValue& value) {
  const Unit* const unit = FindUnit(value.unit_code);
  if (unit == nullptr) {
    Take(1, "unit", std::string(Say("未知单位", "unit that is not known")), /*understood=*/false);
    return;
  }
  constexpr absl::string_view kFactors[] = {"", " x 10", " x 100"};
  Take(1, "unit", absl::StrCat(Say("单位 ", "unit "), unit->name, kFactors[unit->power]));
}

void Explainer::TakeField(const FieldValue& value, bool unit_first) {
  if (value.has_unit && unit_first) TakeUnit(value);
  const bool known = value.reg != Reg::kUnknown && value.kind != FieldValue::Kind::kNotValid;
  const absl::string_view kind = value.format == Format::kSecret   ? "key"
                                 : value.format == Format::kStatus ? "status"
                                 : value.format == Format::kValve  ? "action"
                                                                   : "value";
  Take(value.length, known ? kind : "unknown", FieldMeaning(value), known, value.format == Format::kSecret);
  if (value.has_unit && !unit_first) TakeUnit(value);
}

void Explainer::TakeIdentifier(const WireIdentifier& identifier) {
  const Identifier* const row = FindIdentifier(identifier.di);
  index_ = row != nullptr ? static_cast<uint16_t>(identifier.di - row->first + 1) : 0;
  Take(kDiSize, "data identifier", IdentifierMeaning(identifier), identifier.known);
}

void Explainer::TakeBody(const Frame& frame, const WireIdentifier& identifier, size_t size) {
  const bool writes = identifier.di >> 12 == 0xA;
  const Use use = !writes ? Use::kReply : frame.is_reply() ? Use::kWriteReply : Use::kWrite;
  Body body;
  const base::ByteView bytes = bytes_.subspan(at_, size);
  // A read request with a body is a vendor's own; its bytes are no reply.
  const bool readable = writes || frame.is_reply();
  if (size > 0 && readable && DecodeBody(identifier.di, use, frame.address.type, bytes, {}, body)) {
    const size_t end = at_ + size;
    for (size_t i = 0; i < body.count; ++i) TakeField(body.fields[i], body.unit_first);
    if (body.count > 0) Summarise(FieldMeaning(MainField(body)));
    if (at_ < end) {
      Take(end - at_, "unknown", std::string(Say("厂家附加数据", "a vendor's further data")), /*understood=*/false);
    }
    return;
  }
  if (size == 0) return;
  // What may be a key is not shown.
  const bool secret = writes && !frame.is_reply();
  Take(size, "unknown",
       std::string(Say("长度或标识不在表中的数据", "data of an identifier or length that is not in the table")),
       /*understood=*/false, secret);
}

void Explainer::TakeRefusal(const Frame& frame, size_t size) {
  // The standard: SER and ST; others repeat the identifier and give an error byte.
  if (size == kHeadSize) {
    Take(1, "sequence", absl::StrFormat("%s %02X", std::string(Say("序列号", "sequence")), Byte()));
    const auto word = static_cast<uint16_t>(Byte() | Byte(1) << 8);
    Take(2, "status", absl::StrCat(Say("状态ST：", "status word: "), StatusMeaning(word)));
  } else if (size == kHeadSize + 1) {
    TakeIdentifier(RecogniseIdentifier(Byte(), Byte(1)));
    Take(1, "sequence", absl::StrFormat("%s %02X", std::string(Say("序列号", "sequence")), Byte()));
    Take(1, "error",
         absl::StrFormat("%s %02X", std::string(Say("错误码（厂家定义）", "error code, the vendor's own,")), Byte()));
  } else {
    Take(size, "error", std::string(Say("异常应答数据", "data of an abnormal reply")),
         /*understood=*/frame.data.empty());
  }
  Summarise(Say("表计拒绝", "the meter refused"));
}

void Explainer::TakeData(const Frame& frame, size_t size) {
  if (frame.is_reply() && frame.is_abnormal()) {
    if (size > 0) TakeRefusal(frame, size);
    return;
  }
  if (size < kDiSize) {
    Take(size, "unknown", std::string(Say("不足一个数据标识", "too short for a data identifier")),
         /*understood=*/false);
    return;
  }
  const WireIdentifier identifier = RecogniseIdentifier(Byte(), Byte(1));
  Summarise(IdentifierMeaning(identifier));
  TakeIdentifier(identifier);
  if (size == kDiSize) return;  // A vendor's shape without sequence.
  Take(1, "sequence", absl::StrFormat("%s %02X", std::string(Say("序列号", "sequence")), Byte()));
  TakeBody(frame, identifier, size - kHeadSize);
}

void Explainer::TakeHead(const Frame& frame) {
  Take(1, "start", std::string(Say("帧起始符", "frame start")));
  const std::string type = TypeMeaning(frame.address.type);
  Take(1, "type", absl::StrFormat("%s %02X: %s", std::string(Say("仪表类型", "meter type")), frame.address.type, type),
       Find(kTypes, frame.address.type) != nullptr || (frame.address.type >> 4 >= 1 && frame.address.type >> 4 <= 4));
  const std::string serial = FormatSerial(frame.address);
  Take(kAddressSize, "address",
       absl::StrCat(Say("地址 ", "address "), serial,
                    Say("（前4位厂家代码，后10位表号）", " (4 digits manufacturer, 10 digits number)")));
  Take(1, "control", ControlMeaning(frame.control), Find(kFunctions, frame.function()) != nullptr);
  Summarise(absl::StrCat(type, " ", serial, Say("，", ", "), ControlMeaning(frame.control)));
}

void Explainer::TakeTail(size_t begin, size_t size) {
  if (left() == 0) return;
  const uint8_t right = frame::Sum8(bytes_.subspan(begin, size - 2));
  const bool good = Byte() == right;
  Take(1, "checksum",
       good ? std::string(Say("校验和，正确", "checksum, right"))
            : absl::StrFormat("%s %02X", std::string(Say("校验和，错误，应为", "checksum, wrong, should be")), right),
       good);
  if (left() == 0) return;
  const bool closed = Byte() == kEnd;
  Take(1, "end",
       std::string(closed ? Say("帧结束符", "frame end") : Say("应为帧结束符16H", "should be the frame end 16H")),
       closed);
}

bool Explainer::TakeFrame() {
  size_t preambles = 0;
  while (preambles < left() && Byte(preambles) == frame::kPreamble) ++preambles;
  Take(preambles, "preamble", std::string(Say("唤醒字节", "wakes the receiver")));
  if (left() == 0) {
    if (out_.summary.empty()) Fail(Fault::kTruncated, at_);
    return false;
  }
  const size_t begin = at_;
  const Parsed parsed = ParseFrame(bytes_.subspan(begin));
  if (parsed.fault != Fault::kNone) Fail(parsed.fault, begin + parsed.position);
  if (parsed.fault == Fault::kBadStart) {
    // Line noise before a frame is passed over.
    const auto rest = bytes_.subspan(begin);
    const auto next = std::find(rest.begin(), rest.end(), kStart);
    Take(static_cast<size_t>(next - rest.begin()), "unknown", std::string(Say("不属于任何帧", "belongs to no frame")),
         /*understood=*/false);
    return left() > 0;
  }
  if (left() <= kLengthOffset) {
    Take(1, "start", std::string(Say("帧起始符", "frame start")));
    Rest("不完整的帧头", "part of a frame's head");
    Summarise(Say("帧不完整", "the frame is cut off"));
    return false;
  }
  TakeHead(parsed.frame);
  const size_t length = Byte();
  if (parsed.fault == Fault::kBadLength) {
    Take(1, "length", absl::StrCat(length, Say(" 字节，与实际不符", " bytes, which is not what came")),
         /*understood=*/false);
    const size_t actual = left() - 2;
    TakeData(parsed.frame, actual);
    TakeTail(begin, kDataOffset + actual + 2);
    return left() > 0;
  }
  Take(1, "length", absl::StrCat(length, Say(" 字节数据", " bytes of data")));
  if (left() < length + 2) {
    const size_t there = std::min(length, left());
    if (there < length) {
      // What is cut off may be a key.
      Take(left(), "unknown", std::string(Say("数据不完整", "part of the data")), /*understood=*/false,
           /*secret=*/!parsed.frame.is_reply());
    } else {
      TakeData(parsed.frame, length);
      TakeTail(begin, kDataOffset + length + 2);
    }
    Summarise(Say("帧不完整", "the frame is cut off"));
    return false;
  }
  TakeData(parsed.frame, length);
  TakeTail(begin, kFrameMin + length);
  return left() > 0;
}

Explained Explainer::Run() && {
  while (left() > 0) {
    if (!TakeFrame()) break;
  }
  if (bytes_.empty()) Fail(Fault::kTruncated, 0);
  if (out_.summary.empty())
    Summarise(bytes_.empty() ? Say("空", "nothing") : Say("不是CJ/T 188帧", "not a CJ/T 188 frame"));
  return std::move(out_);
}

}  // namespace

Explained Explain(base::ByteView bytes, bool chinese) { return Explainer(bytes, chinese).Run(); }

}  // namespace voltwell::codec::cjt188
