// DATA in words; see explain_data.h.
#include "libs/codec/dlt645/explain_data.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/codec/dlt645/load_profile.h"
#include "libs/codec/dlt645/security_bodies.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr size_t kPasswordSize = 4;
constexpr size_t kOperatorSize = 4;
constexpr size_t kMacSize = 4;
constexpr uint8_t kCipherClass = 0x98;
constexpr uint8_t kMacClass = 0x99;
// Values named in a summary.
constexpr size_t kSummaryValues = 3;

uint8_t PlainByte(base::ByteView bytes, size_t index) { return static_cast<uint8_t>(bytes[index] - kOffset); }

// One walk over DATA; every step takes no more than is left of it.
class DataWalk {
 public:
  DataWalk(Cursor& cursor, const Frame& frame, Edition edition, bool damaged)
      : cursor_(cursor),
        speech_(cursor.speech()),
        frame_(frame),
        edition_(edition),
        damaged_request_(damaged && !frame.is_reply()),
        left_(frame.data.size()) {}

  std::string Walk();

 private:
  size_t di_size() const { return edition_ == Edition::k2007 ? kDiSize : kDiSize1997; }
  base::ByteView data() const { return frame_.data.last(left_); }

  void Take(size_t length, absl::string_view kind, std::string meaning) {
    cursor_.Take(std::min(length, left_), kind, std::move(meaning));
    left_ -= std::min(length, left_);
  }
  void TakeSecret(size_t length, absl::string_view kind, std::string meaning) {
    cursor_.TakeSecret(std::min(length, left_), kind, std::move(meaning));
    left_ -= std::min(length, left_);
  }
  void TakeUnknown(size_t length, std::string meaning) {
    cursor_.TakeUnknown(std::min(length, left_), std::move(meaning));
    left_ -= std::min(length, left_);
  }
  std::string TakeSpec(const FieldSpec& spec, absl::string_view kind);
  void TakePassword();
  void TakeOperator();
  // All that is left; a MAC only where the class of the password has one.
  void TakeMac(uint8_t level);
  // Named in the summary; false when DATA is too short for one.
  bool TakeIdentifier(uint32_t& di);
  void TakeGap(size_t length, const Match& match);
  std::string TakeValues(uint32_t di, size_t length);
  std::string TakeBody(uint32_t di);

  std::string Read();
  std::string Write();
  std::string Security();
  std::string Relay();
  std::string ByFunction2007(uint8_t function);
  std::string ByFunction1997(uint8_t function);
  std::string Clear(bool with_identifier);
  std::string TakeAddress();

  Cursor& cursor_;
  const Speech& speech_;
  const Frame& frame_;
  Edition edition_;
  bool damaged_request_;
  size_t left_;
};

std::string DataWalk::TakeSpec(const FieldSpec& spec, absl::string_view kind) {
  const std::string title = speech_.Say(spec.zh, spec.en);
  if (left_ < spec.length) {
    TakeUnknown(left_, absl::StrCat(title, speech_.colon(), speech_.Say("字节不足", "too few bytes")));
    return title;
  }
  const FieldValue value = DecodeField(data().first(spec.length), spec);
  std::string meaning = absl::StrCat(title, " = ", ValueText(speech_, spec, value));
  Take(spec.length, kind, meaning);
  return meaning;
}

void DataWalk::TakePassword() {
  // The class alone is no secret: it says which rule the command falls under.
  if (left_ > 0) {
    Take(1, "password level",
         absl::StrFormat("%s %02X", speech_.Say("密码权限", "password level"), PlainByte(data(), 0)));
  }
  TakeSecret(kPasswordSize - 1, "password", speech_.Say("密码", "password"));
}

void DataWalk::TakeOperator() { TakeSecret(kOperatorSize, "operator", speech_.Say("操作者代码", "operator code")); }

void DataWalk::TakeMac(uint8_t level) {
  if (left_ == kMacSize && (level == kCipherClass || level == kMacClass)) {
    Take(kMacSize, "mac", "MAC");
  } else {
    TakeUnknown(left_, speech_.Say("多余数据", "more data than expected"));
  }
}

bool DataWalk::TakeIdentifier(uint32_t& di) {
  if (left_ < di_size()) {
    TakeUnknown(left_, speech_.Say("数据标识字节不足", "too short for a data identifier"));
    return false;
  }
  di = edition_ == Edition::k2007 ? DataIdentifier(data()) : DataIdentifier1997(data());
  if (damaged_request_ && !IsKnownIdentifier(edition_, di)) {
    cursor_.TakeMasked(left_, speech_.Say("不在数据标识表中", "not in the table"));
    left_ = 0;
    return false;
  }
  std::string meaning = IdentifierMeaning(speech_, edition_, di);
  if (IsKnownIdentifier(edition_, di)) {
    Take(di_size(), "data identifier", std::move(meaning));
  } else {
    cursor_.TakeUnknownIdentifier(di_size(), std::move(meaning));
    left_ -= di_size();
  }
  return true;
}

// What stands between values: times of the values, separators, the frame of a load profile record.
void DataWalk::TakeGap(size_t length, const Match& match) {
  const size_t end = left_ - length;
  const bool profile = match.row->di >> 24 == kLoadProfileClass && edition_ == Edition::k2007;
  while (left_ > end) {
    const uint8_t byte = PlainByte(data(), 0);
    if (profile && byte == 0xA0 && left_ - end >= 8) {
      Take(2, "record start", speech_.Say("负荷记录起始码", "start of a record"));
      Take(1, "record length", absl::StrCat(speech_.Say("记录长度 ", "length of the record: "), PlainByte(data(), 0)));
      TakeSpec({.format = Format::kDateTime, .length = 5, .zh = "记录时间", .en = "time of the record"}, "time");
    } else if (byte == 0xAA) {
      Take(1, "separator",
           profile ? speech_.Say("一类数据结束", "end of a class") : speech_.Say("分隔符", "separator"));
    } else if (profile && left_ - end >= 2 && PlainByte(data(), 1) == 0xE5) {
      Take(1, "record sum", speech_.Say("记录累加和", "sum of the record"));
      Take(1, "record end", speech_.Say("记录结束码", "end of the record"));
    } else if (!profile && left_ - end >= 5) {
      TakeSpec({.format = Format::kDateTime, .length = 5, .zh = "发生时间", .en = "time of the value"}, "time");
    } else {
      TakeUnknown(left_ - end, speech_.Say("含义不明", "not understood"));
    }
  }
}

std::string DataWalk::TakeValues(uint32_t di, size_t length) {
  const Match match = FindByDi(edition_, di);
  if (match && match.row->access == Access::kWrite) {
    TakeSecret(length, "password", TitleOf(match, speech_.language()));
    return TitleOf(match, speech_.language());
  }
  std::vector<Field> fields;
  const base::ByteView values = data().first(length);
  const ReadOutcome outcome = DecodeData(edition_, di, values, fields);
  if (outcome != ReadOutcome::kValues) {
    std::string why = outcome == ReadOutcome::kUnknownDi
                          ? speech_.Say("未知数据标识的数据", "data of an unknown identifier")
                          : speech_.Say("数据长度与数据标识表不符", "data of another length than the table says");
    TakeUnknown(length, absl::StrCat(why, speech_.comma(), speech_.Say("减33H后 ", "without 33H: "), PlainHex(values)));
    return why;
  }
  std::string summary;
  const size_t end = left_ - length;
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto offset = static_cast<size_t>(fields[i].value.bytes.data() - data().data());
    if (offset > 0) TakeGap(offset, match);
    std::string meaning = FieldMeaning(speech_, fields[i]);
    if (i < kSummaryValues) absl::StrAppend(&summary, i == 0 ? "" : speech_.Say("；", "; "), meaning);
    if (i == kSummaryValues) absl::StrAppend(&summary, speech_.Say("；等", "; ..."));
    Take(fields[i].value.length, "value", std::move(meaning));
  }
  if (left_ > end) TakeGap(left_ - end, match);
  return summary;
}

std::string DataWalk::Read() {
  uint32_t di = 0;
  if (!TakeIdentifier(di)) return speech_.Say("无数据标识", "without data identifier");
  const bool next = frame_.function() == kReadNext && edition_ == Edition::k2007;
  std::string summary = IdentifierMeaning(speech_, edition_, di);
  if (frame_.is_reply()) {
    const size_t tail = next && left_ > 0 ? 1 : 0;
    if (next || frame_.more_follows()) {
      // A part of the whole: its values do not begin at a field.
      TakeUnknown(left_ - tail, absl::StrCat(speech_.Say("分帧数据，减33H后 ", "a part of the data, without 33H: "),
                                             PlainHex(data().first(left_ - tail))));
    } else if (left_ > 0) {
      summary = TakeValues(di, left_);
    }
  }
  if (next && left_ > 0)
    Take(1, "sequence", absl::StrCat(speech_.Say("帧序号 ", "sequence number "), PlainByte(data(), 0)));
  if (left_ > 0 && edition_ == Edition::k2007) {
    Take(1, "count", absl::StrCat(speech_.Say("负荷记录块数 ", "number of records: "), PlainHex(data().first(1))));
  }
  if (left_ >= 5) TakeSpec({.format = Format::kDateTime, .length = 5, .zh = "起始时间", .en = "from"}, "time");
  if (left_ > 0 && !frame_.is_reply()) {
    // No read is so long: perhaps another command whose control code was damaged.
    cursor_.TakeMasked(left_, speech_.Say("多余数据", "more data than expected"));
    left_ = 0;
  }
  TakeUnknown(left_, speech_.Say("多余数据", "more data than expected"));
  return summary;
}

std::string DataWalk::Write() {
  uint32_t di = 0;
  if (!TakeIdentifier(di)) return speech_.Say("无数据标识", "without data identifier");
  const uint8_t level = left_ > 0 ? PlainByte(data(), 0) : 0;
  TakePassword();
  if (edition_ == Edition::k2007) TakeOperator();
  if (left_ == 0) return IdentifierMeaning(speech_, edition_, di);
  const bool protected_data =
      edition_ == Edition::k2007 && (level == kCipherClass || level == kMacClass) && left_ > kMacSize;
  const size_t length = left_ - (protected_data ? kMacSize : 0);
  std::string summary = IdentifierMeaning(speech_, edition_, di);
  if (protected_data && level == kCipherClass) {
    Take(length, "cipher", speech_.Say("密文", "cipher text"));
  } else {
    summary = TakeValues(di, length);
  }
  TakeMac(level);
  return summary;
}

std::string DataWalk::TakeBody(uint32_t di) {
  const SecurityBody* const body = FindSecurityBody(di, frame_.is_reply(), left_);
  std::string summary = IdentifierMeaning(speech_, edition_, di);
  const bool fits = body != nullptr && body->reply == frame_.is_reply() && (body->length == 0 || body->length == left_);
  if (!fits) {
    // A body that is not in the table may hold anything, also keys.
    TakeSecret(left_, "data", speech_.Say("未拆解的数据", "data that is not taken apart"));
    return summary;
  }
  size_t behind = 0;  // Of the parts behind one of open length.
  for (const BodyPart& part : body->parts) behind += part.spec.length;
  for (const BodyPart& part : body->parts) {
    FieldSpec spec = part.spec;
    behind -= spec.length;
    if (spec.length == 0) spec.length = static_cast<uint8_t>(left_ > behind ? left_ - behind : 0);
    if (spec.length == 0) continue;
    if (part.secret) {
      TakeSecret(spec.length, "key", speech_.Say(spec.zh, spec.en));
    } else {
      const std::string meaning = TakeSpec(spec, "value");
      if (spec.format != Format::kHex) absl::StrAppend(&summary, speech_.comma(), meaning);
    }
  }
  return summary;
}

std::string DataWalk::Security() {
  uint32_t di = 0;
  if (!TakeIdentifier(di)) return speech_.Say("无数据标识", "without data identifier");
  if (!frame_.is_reply()) TakeOperator();
  std::string summary = TakeBody(di);
  if (left_ > 0) TakeSecret(left_, "data", speech_.Say("未拆解的数据", "data that is not taken apart"));
  return summary;
}

std::string DataWalk::Relay() {
  const uint8_t level = left_ > 0 ? PlainByte(data(), 0) : 0;
  const bool cipher = level == kCipherClass;
  TakePassword();
  TakeOperator();
  if (cipher && left_ > kMacSize) {
    Take(left_ - kMacSize, "cipher", speech_.Say("控制命令密文", "cipher text of the command"));
    Take(kMacSize, "mac", "MAC");
    return speech_.Say("密文控制命令", "a command in cipher");
  }
  if (left_ == 0) return speech_.Say("无动作", "without action");
  const uint8_t n1 = PlainByte(data(), 0);
  std::string action = RelayActionMeaning(speech_, n1);
  Take(1, "action", action);
  if (left_ > 0) {
    const int n2 = PlainByte(data(), 0);
    const bool pre_trip = n1 == 0x1D || n1 == 0x1E;
    Take(1, "channel",
         pre_trip ? absl::StrCat(speech_.Say("预跳闸时间（分钟） ", "pre-trip time in minutes: "), n2 * 5)
                  : absl::StrCat(speech_.Say("保留或回路号 ", "reserved, or channel: "), n2));
  }
  if (left_ >= 6) {
    const FieldSpec expiry = {.format = Format::kDateTimeSec, .length = 6, .zh = "命令有效截止时间", .en = "not after"};
    const FieldValue value = DecodeField(data().first(6), expiry);
    if (value.raw == 0) {
      const std::string without = speech_.Say("无截止时间", "without expiry");
      absl::StrAppend(&action, speech_.comma(), without);
      Take(6, "time", without);
    } else {
      absl::StrAppend(&action, speech_.comma(), speech_.Say("截止 ", "not after "), ValueText(speech_, expiry, value));
      TakeSpec(expiry, "time");
    }
  }
  TakeMac(level);
  return action;
}

std::string DataWalk::TakeAddress() {
  if (left_ != kAddressSize) {
    TakeUnknown(left_, speech_.Say("地址长度不对", "no address of six bytes"));
    return speech_.Say("地址长度不对", "no address");
  }
  Address address;
  for (size_t i = 0; i < kAddressSize; ++i) address.wire[i] = PlainByte(data(), i);
  std::string text = FormatAddress(address);
  Take(kAddressSize, "value", absl::StrCat(speech_.Say("通信地址 ", "address "), text));
  return text;
}

std::string DataWalk::Clear(bool with_identifier) {
  TakePassword();
  if (edition_ == Edition::k2007) TakeOperator();
  if (!with_identifier || left_ == 0) return speech_.Say("全部", "all");
  if (left_ >= kDiSize && DataIdentifier(data()) == 0xFFFFFFFF) {
    Take(kDiSize, "data identifier", speech_.Say("FFFFFFFF：全部事件", "FFFFFFFF: all events"));
    return speech_.Say("全部事件", "all events");
  }
  uint32_t di = 0;
  return TakeIdentifier(di) ? IdentifierMeaning(speech_, edition_, di)
                            : speech_.Say("无数据标识", "without data identifier");
}

// Month, day, hour, minute; 99 is every one.
std::string FreezeWhen(const Speech& speech, base::ByteView data) {
  const auto part = [data](size_t index) { return PlainHex(data.subspan(index, 1)); };
  if (part(3) != "99") return absl::StrCat(part(3), "-", part(2), " ", part(1), ":", part(0));
  if (part(2) != "99") {
    return absl::StrCat(speech.Say("每月", "monthly, day "), part(2), speech.Say("日 ", " "), part(1), ":", part(0));
  }
  if (part(1) != "99") return absl::StrCat(speech.Say("每日 ", "daily at "), part(1), ":", part(0));
  if (part(0) != "99") return absl::StrCat(speech.Say("每小时第", "hourly at minute "), part(0), speech.Say("分", ""));
  return speech.Say("立即冻结", "now");
}

std::string DataWalk::ByFunction2007(uint8_t function) {
  const bool request = !frame_.is_reply();
  switch (function) {
    case kSecurity:
      return Security();
    case kReadData:
    case kReadNext:
      return Read();
    case kReadAddress:
      return left_ > 0 ? TakeAddress() : "";
    case kWriteAddress:
      return left_ > 0 ? TakeAddress() : "";
    case kWriteData:
      return request ? Write() : "";
    case kFreeze: {
      if (left_ != 4) return "";
      std::string when = FreezeWhen(speech_, data());
      Take(4, "time", absl::StrCat(speech_.Say("冻结时间 ", "freeze: "), when));
      return when;
    }
    case kChangePassword: {
      uint32_t di = 0;
      if (request && !TakeIdentifier(di)) return "";
      if (request) TakePassword();
      TakeSecret(left_, "password", speech_.Say("新密码", "new password"));
      return request ? IdentifierMeaning(speech_, edition_, di) : "";
    }
    case kClearDemand:
    case kClearMeter:
      return request ? Clear(false) : "";
    case kClearEvents:
      return request ? Clear(true) : "";
    case kRelayControl:
      return request ? Relay() : "";
    case 0x1D: {
      if (left_ != 1) return "";
      const uint8_t which = PlainByte(data(), 0);
      std::string words = which == 0   ? speech_.Say("时钟秒脉冲", "seconds pulse")
                          : which == 1 ? speech_.Say("需量周期", "demand period")
                                       : speech_.Say("时段投切", "period switch");
      Take(1, "value", words);
      return words;
    }
    default:
      return "";
  }
}

std::string DataWalk::ByFunction1997(uint8_t function) {
  const bool request = !frame_.is_reply();
  switch (function) {
    case kReadData1997:
    case kReadNext1997:
    case 0x03:
      return Read();
    case kWriteData1997:
      return request ? Write() : "";
    case kWriteAddress1997:
      return left_ > 0 ? TakeAddress() : "";
    case kChangePassword1997:
      if (request) TakePassword();
      TakeSecret(left_, "password", speech_.Say("新密码", "new password"));
      return "";
    case kClearDemand1997:
      return request ? Clear(false) : "";
    default:
      return "";
  }
}

std::string DataWalk::Walk() {
  const uint8_t function = frame_.function();
  if (frame_.is_reply() && frame_.is_abnormal()) {
    std::string meaning = ErrorMeaning(speech_, function, frame_.data);
    Take(std::min<size_t>(left_, 2), "error", meaning);
    TakeUnknown(left_, speech_.Say("多余数据", "more data than expected"));
    return meaning;
  }
  std::string summary;
  if (function == kBroadcastTime && left_ == 6) {
    summary = TakeSpec({.format = Format::kDateTimeSec, .length = 6, .zh = "时间", .en = "time"}, "time");
  } else if ((function == kChangeBaud || function == kChangeBaud1997) && left_ == 1) {
    const Match baud = FindByDi(Edition::k2007, 0x04000703);
    FieldSpec spec = baud.row->value;
    spec.zh = "通信速率特征字";
    spec.en = "baud rate";
    summary = TakeSpec(spec, "value");
  } else {
    summary = edition_ == Edition::k2007 ? ByFunction2007(function) : ByFunction1997(function);
  }
  // Functions that may carry a password are not taken apart when they have another shape: all of it is secret then.
  if (left_ > 0) TakeSecret(left_, "data", speech_.Say("未拆解的数据", "data that is not taken apart"));
  return summary;
}

}  // namespace

std::string ExplainData(Cursor& cursor, const Frame& frame, Edition edition, bool damaged) {
  return DataWalk(cursor, frame, edition, damaged).Walk();
}

}  // namespace voltwell::codec::dlt645
