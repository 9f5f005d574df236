// Decoding bodies; see body.h.
#include "libs/codec/cjt188/body.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "libs/base/check.h"
#include "libs/codec/cjt188/unit.h"

namespace voltwell::codec::cjt188 {
namespace {

constexpr uint8_t kNinetyNine = 0x99;
constexpr size_t kTimeSize = 7;
constexpr size_t kValueSize = 4;  // Of volumes and amounts; shorter fields of nines are numbers.

bool AllAre(base::ByteView bytes, uint8_t value) {
  return std::all_of(bytes.begin(), bytes.end(), [value](uint8_t byte) { return byte == value; });
}

bool IsBcd(uint8_t byte) { return (byte >> 4) <= 9 && (byte & 0x0F) <= 9; }
int FromBcd(uint8_t byte) { return (byte >> 4) * 10 + (byte & 0x0F); }

bool IsSentinel(base::ByteView bytes, const BodyOptions& options) {
  return std::any_of(options.sentinels.begin(), options.sentinels.end(), [bytes](const std::string& sentinel) {
    const base::ByteView raw = base::AsBytes(sentinel);
    return std::equal(raw.begin(), raw.end(), bytes.begin(), bytes.end());
  });
}

bool IsNoValue(const Field& field, base::ByteView bytes, const BodyOptions& options) {
  if (IsSentinel(bytes, options)) return true;
  if (field.format == Format::kTime) return AllAre(bytes, 0) || AllAre(bytes, 0xFF) || AllAre(bytes, kNinetyNine);
  if (field.format == Format::kBcd) {
    return AllAre(bytes, 0xFF) || (bytes.size() >= kValueSize && AllAre(bytes, kNinetyNine));
  }
  return false;
}

// Seconds first: is this a moment from 1990 to 2099?
bool IsMoment(const std::array<uint8_t, kTimeSize>& low_first) {
  if (!std::all_of(low_first.begin(), low_first.end(), IsBcd)) return false;
  const auto at = [&low_first](size_t i) { return FromBcd(low_first[i]); };
  const int year = at(6) * 100 + at(5);
  return at(0) < 60 && at(1) < 60 && at(2) < 24 && at(3) >= 1 && at(3) <= 31 && at(4) >= 1 && at(4) <= 12 &&
         year >= 1990 && year <= 2099;
}

// Some vendors send the century first: taken so only where the standard's order is no moment.
void DecodeTime(base::ByteView bytes, FieldValue& value) {
  std::array<uint8_t, kTimeSize> low_first = {};
  std::copy_n(bytes.begin(), kTimeSize, low_first.begin());
  value.kind = FieldValue::Kind::kTime;
  if (IsMoment(low_first)) return;
  std::reverse(low_first.begin(), low_first.end());
  value.high_first = IsMoment(low_first);
  if (!value.high_first) value.kind = FieldValue::Kind::kNotValid;
}

bool BcdToInt(base::ByteView bytes, int64_t& units) {
  units = 0;
  for (size_t i = bytes.size(); i > 0; --i) {
    if (!IsBcd(bytes[i - 1])) return false;
    units = units * 100 + FromBcd(bytes[i - 1]);
  }
  return true;
}

int ScaleOf(const Field& field, const Unit* unit, const BodyOptions& options) {
  const int override_scale = options.scale[static_cast<size_t>(field.reg)];
  if (override_scale >= 0) return override_scale;
  const bool is_volume =
      unit != nullptr && (unit->code == kLitres || unit->code == kLitres + 1 || unit->code == kLitres + 2 ||
                          (unit->code >= kCubicMetres && unit->code <= kCubicMetres + 2));
  const bool counts_volume = is_volume || field.reg == Reg::kVolume;
  return counts_volume && options.volume_decimals >= 0 ? options.volume_decimals : field.scale;
}

// Volumes without a code are cubic metres in all meters that were seen; heat may be anything.
absl::string_view UnitWithoutCode(Reg reg) {
  if (reg == Reg::kHeat || static_cast<size_t>(reg) >= kRegisterCount) return "";
  return RegisterOf(reg).unit;
}

void DecodeNumber(const Field& field, base::ByteView bytes, const BodyOptions& options, FieldValue& value) {
  int64_t units = 0;
  value.kind = FieldValue::Kind::kNotValid;
  if (!BcdToInt(bytes, units)) return;
  const Unit* const unit = value.has_unit ? FindUnit(value.unit_code) : nullptr;
  if (value.has_unit && unit == nullptr) return;
  int scale = ScaleOf(field, unit, options) - (unit == nullptr ? 0 : unit->power);
  for (; scale < 0; ++scale) units *= 10;
  value.number = decimal::Decimal(units, scale);
  value.unit = unit != nullptr ? unit->name : UnitWithoutCode(field.reg);
  value.kind = FieldValue::Kind::kNumber;
}

void DecodeBinary(const Field& field, base::ByteView bytes, const BodyOptions& options, FieldValue& value) {
  int64_t number = 0;
  value.kind = FieldValue::Kind::kNumber;
  if (field.reg == Reg::kPurchaseNumber && options.number_bcd) {
    if (!BcdToInt(bytes, number)) value.kind = FieldValue::Kind::kNotValid;
  } else {
    for (size_t i = bytes.size(); i > 0; --i) number = number << 8 | bytes[i - 1];
  }
  value.number = decimal::Decimal(number, 0);
}

size_t LengthOf(const Field& field, const BodyOptions& options) {
  const int length = options.length[static_cast<size_t>(field.reg)];
  return length > 0 && length <= static_cast<int>(kFieldMax) && field.format != Format::kTime
             ? static_cast<size_t>(length)
             : field.length;
}

size_t LengthOf(const Layout& layout, const BodyOptions& options) {
  size_t sum = 0;
  for (const Field& field : layout.fields) sum += LengthOf(field, options) + (field.unit ? 1U : 0U);
  return sum;
}

bool Fits(Family family, uint8_t meter_type) {
  const Family own = FamilyOf(meter_type);
  return family == Family::kAny || own == Family::kAny || family == own;
}

const Layout* FindLayout(uint16_t di, Use use, uint8_t meter_type, size_t length, const BodyOptions& options) {
  for (const Layout& layout : Layouts()) {
    if (layout.use != use || di < layout.first || di > layout.last || !Fits(layout.family, meter_type)) continue;
    if (LengthOf(layout, options) == length) return &layout;
  }
  return nullptr;
}

// Whether a number of this register may have the unit: volumes have units of volume.
bool IsUnitOf(Reg reg, const Unit* unit) {
  if (unit == nullptr || static_cast<size_t>(reg) >= kRegisterCount) return false;
  struct Range {
    absl::string_view of;  // The table's unit of the register.
    uint8_t first;
    uint8_t last;
  };
  constexpr Range kRanges[] = {{"m3", 0x29, 0x2E}, {"m3/h", 0x32, 0x37}, {"kWh", 0x01, 0x13}, {"kW", 0x14, 0x1C}};
  return std::any_of(std::begin(kRanges), std::end(kRanges), [&](const Range& range) {
    return range.of == RegisterOf(reg).unit && unit->code >= range.first && unit->code <= range.last;
  });
}

// Of so many numbers all have a unit of their kind in front by chance only once in millions.
constexpr size_t kSureUnits = 3;

// Some vendors put the unit before its number. Told by the whole body: no byte behind a number is a unit code, and each
// before one is a unit of the register. A 00 behind is a high byte of digits, or a meter without units: where few
// numbers bear witness it is taken for the latter, since a value that is not valid does less harm than a wrong one.
bool UnitsStandFirst(const Layout& layout, base::ByteView body, const BodyOptions& options) {
  size_t at = 0;
  size_t units = 0;
  bool has_zero = false;
  for (const Field& field : layout.fields) {
    const size_t length = LengthOf(field, options);
    if (field.unit) {
      if (FindUnit(body[at + length]) != nullptr || !IsUnitOf(field.reg, FindUnit(body[at]))) return false;
      has_zero = has_zero || body[at + length] == 0;
      ++units;
    }
    at += length + (field.unit ? 1U : 0U);
  }
  return units >= kSureUnits || (units > 0 && !has_zero);
}

// A vendor's body of unknown length that begins as the standard's: its first value is taken, the rest left alone.
constexpr size_t kFirstValueSize = 5;
bool DecodeFirstValue(uint16_t di, Use use, uint8_t meter_type, base::ByteView body, const BodyOptions& options,
                      Body& out) {
  constexpr Field kFirst = {Reg::kVolume, Format::kBcd, 4, 2, true};
  if (di != 0x901F || use != Use::kReply || FamilyOf(meter_type) == Family::kHeat) return false;
  if (body.size() < kFirstValueSize) return false;
  const uint8_t code = body[4];
  if (code < kLitres || code > kCubicMetres + 2) return false;
  out.fields[0] = DecodeField(kFirst, body.first(4), body.subspan(4, 1), options);
  out.fields[0].unit_offset = 4;
  out.count = 1;
  return true;
}

}  // namespace

FieldValue DecodeField(const Field& field, base::ByteView bytes, base::ByteView unit, const BodyOptions& options) {
  VW_CHECK(!bytes.empty() && bytes.size() <= kFieldMax);
  FieldValue value;
  value.reg = field.reg;
  value.format = field.format;
  value.length = static_cast<uint8_t>(bytes.size());
  value.has_unit = !unit.empty();
  if (value.has_unit) value.unit_code = unit[0];
  std::copy(bytes.begin(), bytes.end(), value.raw.begin());
  if (IsNoValue(field, bytes, options)) {
    value.kind = FieldValue::Kind::kNoValue;
    return value;
  }
  switch (field.format) {
    case Format::kBcd:
      DecodeNumber(field, bytes, options, value);
      break;
    case Format::kBinary:
      DecodeBinary(field, bytes, options, value);
      break;
    case Format::kDay:
      value.kind = IsBcd(bytes[0]) && FromBcd(bytes[0]) <= 31 ? FieldValue::Kind::kNumber : FieldValue::Kind::kNotValid;
      value.number = decimal::Decimal(FromBcd(bytes[0]), 0);
      break;
    case Format::kTime:
      if (bytes.size() == kTimeSize) DecodeTime(bytes, value);
      break;
    case Format::kStatus:
      value.kind = FieldValue::Kind::kBits;
      value.word = static_cast<uint16_t>(bytes[0] | (bytes.size() > 1 ? bytes[1] << 8 : 0));
      break;
    case Format::kDigits:
      value.kind = FieldValue::Kind::kDigits;
      break;
    case Format::kValve:
    case Format::kSecret:
    case Format::kUnknown:
      break;
  }
  return value;
}

bool DecodeBody(uint16_t di, Use use, uint8_t meter_type, base::ByteView body, const BodyOptions& options, Body& out) {
  out.count = 0;
  out.unit_first = false;
  const Layout* const layout = FindLayout(di, use, meter_type, body.size(), options);
  if (layout == nullptr) return DecodeFirstValue(di, use, meter_type, body, options, out);
  out.unit_first = UnitsStandFirst(*layout, body, options);
  size_t at = 0;
  for (const Field& field : layout->fields) {
    const size_t length = LengthOf(field, options);
    const size_t value_at = field.unit && out.unit_first ? at + 1 : at;
    const size_t unit_at = out.unit_first ? at : at + length;
    FieldValue& value = out.fields[out.count++];
    value = DecodeField(field, body.subspan(value_at, length), body.subspan(unit_at, field.unit ? 1 : 0), options);
    value.offset = static_cast<uint8_t>(value_at);
    value.unit_offset = static_cast<uint8_t>(unit_at);
    at += length + (field.unit ? 1U : 0U);
  }
  return true;
}

const FieldValue* Body::Find(Reg reg) const {
  for (size_t i = 0; i < count; ++i) {
    if (fields[i].reg == reg) return &fields[i];
  }
  return nullptr;
}

std::string FieldValue::TimeText() const {
  if (kind != Kind::kTime) return "";
  const auto at = [this](size_t i) { return FromBcd(raw[high_first ? kTimeSize - 1 - i : i]); };
  return absl::StrFormat("%02d%02d-%02d-%02dT%02d:%02d:%02d", at(6), at(5), at(4), at(3), at(2), at(1), at(0));
}

std::string FieldValue::HexText() const {
  std::string text;
  for (size_t i = length; i > 0; --i) absl::StrAppendFormat(&text, "%02X", raw[i - 1]);
  return text;
}

std::string FieldValue::WireText() const { return base::ToHex(base::ByteView(raw).first(length)); }

std::string FieldValue::Text() const {
  switch (kind) {
    case Kind::kNumber:
      return number.ToString();
    case Kind::kTime:
      return TimeText();
    case Kind::kBits:
    case Kind::kRaw:
      return WireText();
    case Kind::kDigits:
      return HexText();
    case Kind::kNoValue:
    case Kind::kNotValid:
      break;
  }
  return "";
}

}  // namespace voltwell::codec::cjt188
