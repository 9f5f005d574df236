// Decimals, times and texts of records; see value.h.
#include "libs/codec/mbus/value.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace voltwell::codec::mbus {
namespace {

constexpr size_t kFloatTextMax = 32;

std::optional<decimal::Decimal> Scaled(int64_t units, int exponent) {
  if (exponent <= 0) {
    if (-exponent > decimal::kScaleMax) return std::nullopt;
    return decimal::Decimal(units, -exponent);
  }
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(units, 10, &units)) return std::nullopt;
  }
  return decimal::Decimal(units, 0);
}

float FloatOf(const Record& record) { return std::bit_cast<float>(static_cast<uint32_t>(record.units)); }

// Shortest digits in scientific form, "-2.153670e+01": their integer and the exponent of its last digit.
std::optional<decimal::Decimal> ParseScientific(const char* at, const char* end, int exponent) {
  const bool negative = *at == '-';
  if (negative) ++at;
  int64_t units = 0;
  bool behind_point = false;
  for (; at < end && *at != 'e'; ++at) {
    if (*at == '.') {
      behind_point = true;
      continue;
    }
    units = units * 10 + (*at - '0');  // At most nine digits tell two floats apart.
    if (behind_point) --exponent;
  }
  if (at < end) {
    ++at;
    if (at < end && *at == '+') ++at;
    int power = 0;
    std::from_chars(at, end, power);
    exponent += power;
  }
  return Scaled(negative ? -units : units, exponent);
}

// Month 15 and year 127 of types F and G mean "every", which is no moment; years above 99 are not in the standard.
constexpr int kEveryYear = -1;
bool IsDate(const MeterTime& time) {
  return time.year != kEveryYear && time.month >= 1 && time.month <= 12 && time.day >= 1 && time.day <= 31;
}

// The year's seven bits; the hundreds are sent by few meters.
int YearOf(unsigned low, unsigned high, unsigned hundreds) {
  constexpr int kLastOf20xx = 80;
  constexpr int kLastOfCentury = 99;
  const int year = static_cast<int>(low | high << 3);
  if (year > kLastOfCentury) return kEveryYear;
  if (hundreds != 0) return 1900 + 100 * static_cast<int>(hundreds) + year;
  return year <= kLastOf20xx ? 2000 + year : 1900 + year;
}

void SetDate(uint32_t day_byte, uint32_t month_byte, unsigned hundreds, MeterTime& time) {
  time.day = static_cast<int>(day_byte & 0x1F);
  time.month = static_cast<int>(month_byte & 0x0F);
  time.year = YearOf(day_byte >> 5, month_byte >> 4, hundreds);
}

MeterTime TypeF(uint32_t raw) {
  MeterTime time;
  time.minute = static_cast<int>(raw & 0x3F);
  time.hour = static_cast<int>((raw >> 8) & 0x1F);
  time.summer = ((raw >> 15) & 1) != 0;
  SetDate((raw >> 16) & 0xFF, raw >> 24, (raw >> 13) & 3, time);
  const bool says_invalid = (raw & 0x80) != 0;
  time.valid = !says_invalid && IsDate(time) && time.hour <= 23 && time.minute <= 59;
  return time;
}

// Seconds, bit 6 summer time; minutes, bit 7 not valid; hours; day; month; week.
MeterTime TypeI(uint64_t raw) {
  MeterTime time;
  time.second = static_cast<int>(raw & 0x3F);
  time.summer = ((raw >> 6) & 1) != 0;
  time.minute = static_cast<int>((raw >> 8) & 0x3F);
  time.hour = static_cast<int>((raw >> 16) & 0x1F);
  SetDate((raw >> 24) & 0xFF, (raw >> 32) & 0xFF, 0, time);
  const bool says_invalid = ((raw >> 15) & 1) != 0;
  time.valid = !says_invalid && IsDate(time) && time.hour <= 23 && time.minute <= 59 && time.second <= 59;
  return time;
}

MeterTime TypeJ(uint32_t raw) {
  MeterTime time;
  time.second = static_cast<int>(raw & 0x3F);
  time.minute = static_cast<int>((raw >> 8) & 0x3F);
  time.hour = static_cast<int>((raw >> 16) & 0x1F);
  time.valid = time.hour <= 23 && time.minute <= 59 && time.second <= 59;
  return time;
}

void AppendLatin1(uint8_t c, std::string& text) {
  if (c < 0x20 || c == 0x7F || (c >= 0x80 && c < 0xA0)) {
    text.push_back('?');
  } else if (c < 0x80) {
    text.push_back(static_cast<char>(c));
  } else {
    text.push_back(static_cast<char>(0xC0 | c >> 6));
    text.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

// Characters are sent last first, unless the frame is highest byte first.
std::string Latin1(base::ByteView bytes, bool reversed) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) AppendLatin1(bytes[reversed ? bytes.size() - 1 - i : i], text);
  return text;
}

struct Words {
  const char* en;
  const char* zh;
};

constexpr Words kMedia[] = {
    {"other", "其他"},
    {"oil", "油"},
    {"electricity", "电"},
    {"gas", "燃气"},
    {"heat", "热(回水侧)"},
    {"steam", "蒸汽"},
    {"warm water", "温水"},
    {"water", "水"},
    {"heat cost allocator", "热分配表"},
    {"compressed air", "压缩空气"},
    {"cooling (outlet)", "冷(回水侧)"},
    {"cooling (inlet)", "冷(供水侧)"},
    {"heat (inlet)", "热(供水侧)"},
    {"heat and cooling", "冷热"},
    {"bus or system", "总线系统"},
    {"unknown", "未知"},
};
constexpr struct {
  uint8_t code;
  Words words;
} kMoreMedia[] = {
    {0x14, {"calorific value", "热值"}},
    {0x15, {"hot water", "热水"}},
    {0x16, {"cold water", "冷水"}},
    {0x17, {"hot and cold water", "冷热水双表"}},
    {0x18, {"pressure", "压力"}},
    {0x19, {"A/D converter", "模数转换器"}},
    {0x1A, {"smoke detector", "烟感"}},
    {0x1B, {"room sensor", "室内传感器"}},
    {0x1C, {"gas detector", "燃气探测器"}},
    {0x20, {"breaker", "断路器"}},
    {0x21, {"valve", "阀门"}},
    {0x25, {"customer unit", "用户显示单元"}},
    {0x28, {"waste water", "污水"}},
    {0x29, {"garbage", "垃圾"}},
    {0x31, {"communication controller", "通信控制器"}},
    {0x32, {"unidirectional repeater", "单向中继器"}},
    {0x33, {"bidirectional repeater", "双向中继器"}},
    {0x36, {"radio converter, system side", "无线转换器(系统侧)"}},
    {0x37, {"radio converter, meter side", "无线转换器(表侧)"}},
};

constexpr Words kApplicationErrors[] = {
    {"unspecified error", "未指明的错误"},
    {"unimplemented CI", "CI不支持"},
    {"buffer too long, truncated", "数据过长被截断"},
    {"too many records", "记录过多"},
    {"premature end of record", "记录提前结束"},
    {"more than 10 DIFE", "DIFE超过10个"},
    {"more than 10 VIFE", "VIFE超过10个"},
    {"reserved", "保留"},
    {"application busy", "应用忙"},
    {"too many readouts", "抄读过于频繁"},
};

}  // namespace

std::optional<decimal::Decimal> NumberOf(const Record& record) {
  if (record.kind == ValueKind::kNumber) return Scaled(record.units, record.exponent);
  if (record.kind != ValueKind::kFloat || !std::isfinite(FloatOf(record))) return std::nullopt;
  char text[kFloatTextMax];
  const auto written = std::to_chars(text, text + sizeof(text), FloatOf(record), std::chars_format::scientific);
  return ParseScientific(text, written.ptr, record.exponent);
}

std::string FloatText(const Record& record) {
  if (std::isnan(FloatOf(record))) return "nan";
  char text[kFloatTextMax];
  const auto written = std::to_chars(text, text + sizeof(text), FloatOf(record));
  std::string result(text, written.ptr);
  if (record.exponent != 0 && std::isfinite(FloatOf(record))) absl::StrAppend(&result, "*10^", record.exponent);
  return result;
}

MeterTime TimeOf(const Record& record) {
  const auto raw = static_cast<uint64_t>(record.units);
  MeterTime time;
  switch (record.kind) {
    case ValueKind::kDate:
      SetDate(raw & 0xFF, (raw >> 8) & 0xFF, 0, time);
      time.valid = IsDate(time);
      break;
    case ValueKind::kDateTime:
      return TypeF(static_cast<uint32_t>(raw));
    case ValueKind::kDateTimeLong:
      return TypeI(raw);
    case ValueKind::kTime:
      return TypeJ(static_cast<uint32_t>(raw));
    default:
      break;
  }
  return time;
}

std::string TimeText(const MeterTime& time) {
  if (!time.valid) return "";
  std::string text;
  if (time.year >= 0) text = absl::StrFormat("%04d-%02d-%02d", time.year, time.month, time.day);
  if (time.hour < 0) return text;
  if (!text.empty()) text.push_back('T');
  absl::StrAppendFormat(&text, "%02d:%02d", time.hour, time.minute);
  if (time.second >= 0) absl::StrAppendFormat(&text, ":%02d", time.second);
  return text;
}

std::string CharactersOf(const Record& record, base::ByteView frame) {
  return Latin1(frame.subspan(record.data_offset, record.data_size), (record.flags & kMsbFirst) == 0);
}

std::string HexOf(const Record& record, base::ByteView frame) {
  std::string bytes = base::ToString(frame.subspan(record.data_offset, record.data_size));
  const bool as_sent = (record.flags & kMsbFirst) != 0 || record.kind == ValueKind::kManufacturer;
  if (!as_sent) std::reverse(bytes.begin(), bytes.end());
  return base::ToHex(base::AsBytes(bytes));
}

base::ByteView ModifiersOf(const Record& record, base::ByteView frame) {
  if ((record.flags & kHasModifiers) == 0) return {};
  const base::ByteView vif = frame.subspan(record.vif_offset, record.vif_size);
  size_t head = 1;
  if (vif[0] == 0xFB || vif[0] == 0xFD) head = 2;
  if ((vif[0] & 0x7F) == 0x7C) head = size_t{2} + vif[1];
  return vif.subspan(head);
}

std::vector<uint8_t> FirstTableModifiersOf(const Record& record, base::ByteView frame) {
  std::vector<uint8_t> codes;
  const base::ByteView modifiers = ModifiersOf(record, frame);
  for (size_t i = 0; i < modifiers.size(); ++i) {
    codes.push_back(modifiers[i]);
    if ((modifiers[i] & 0x7F) == kVifeNextTable) ++i;
  }
  return codes;
}

std::string PlainTextUnit(const Record& record, base::ByteView frame) {
  const base::ByteView vif = frame.subspan(record.vif_offset, record.vif_size);
  if (vif.size() < 2 || (vif[0] & 0x7F) != 0x7C) return "";
  return Latin1(vif.subspan(2, vif[1]), (record.flags & kMsbFirst) == 0);
}

std::string UnitOf(const Record& record, base::ByteView frame) {
  std::string unit = PlainTextUnit(record, frame);
  if (unit.empty()) unit = std::string(UnitText(record.unit));
  for (const uint8_t vife : FirstTableModifiersOf(record, frame)) {
    if ((vife & 0x7F) == 0x7F || (frame[record.vif_offset] & 0x7F) == 0x7F) break;  // What follows is the vendor's.
    const VifEntry& entry = Entries(VifTable::kCombinable)[vife & 0x7F];
    if (entry.meaning == Meaning::kPer) absl::StrAppend(&unit, "/", UnitText(entry.unit));
    if (entry.meaning == Meaning::kTimes) absl::StrAppend(&unit, "*", UnitText(entry.unit));
  }
  return unit;
}

absl::string_view FunctionName(Function function) {
  constexpr const char* kNames[] = {"instantaneous", "maximum", "minimum", "error"};
  return kNames[static_cast<size_t>(function)];
}

absl::string_view MediumText(uint8_t medium, bool zh) {
  if (medium < std::size(kMedia)) return zh ? kMedia[medium].zh : kMedia[medium].en;
  for (const auto& row : kMoreMedia) {
    if (row.code == medium) return zh ? row.words.zh : row.words.en;
  }
  return zh ? "保留" : "reserved";
}

absl::string_view ApplicationErrorText(uint8_t code, bool zh) {
  const Words& words = kApplicationErrors[code < std::size(kApplicationErrors) ? code : 0];
  return zh ? words.zh : words.en;
}

}  // namespace voltwell::codec::mbus
