// Load profile records; see load_profile.h.
#include "libs/codec/dlt645/load_profile.h"

#include <algorithm>

namespace voltwell::codec::dlt645 {
namespace {

constexpr uint8_t kRecordStart = static_cast<uint8_t>(0xA0 + kOffset);
constexpr uint8_t kClassEnd = static_cast<uint8_t>(0xAA + kOffset);
constexpr uint8_t kRecordEnd = static_cast<uint8_t>(0xE5 + kOffset);
constexpr size_t kHead = 8;  // A0 A0, length, time.
constexpr size_t kTimeOffset = 3;
constexpr size_t kTimeSize = 5;

constexpr FieldSpec kVoltage = {Format::kBcd, 2, 1, "V", "/u{i}", "{i}相电压", "voltage, phase {i}", 3};
constexpr FieldSpec kCurrent = {Format::kSignedBcd, 3, 3, "A", "/i{i}", "{i}相电流", "current, phase {i}", 3};
constexpr FieldSpec kFrequency = {Format::kBcd, 2, 2, "Hz", "/f", "频率", "frequency"};
constexpr FieldSpec kActive = {
    Format::kSignedBcd, 3, 4, "kW", "/p{i}", "有功功率{i}（0为总）", "active power {i} (0: total)", 4, 0};
constexpr FieldSpec kReactive = {
    Format::kSignedBcd, 3, 4, "kvar", "/q{i}", "无功功率{i}（0为总）", "reactive power {i} (0: total)", 4, 0};
constexpr FieldSpec kFactor = {
    Format::kSignedBcd, 2, 3, "", "/pf{i}", "功率因数{i}（0为总）", "power factor {i} (0: total)", 4, 0};
constexpr FieldSpec kForward = {Format::kBcd, 4, 2, "kWh", "/forward", "正向有功总电能", "forward active energy"};
constexpr FieldSpec kReverse = {Format::kBcd, 4, 2, "kWh", "/reverse", "反向有功总电能", "reverse active energy"};
constexpr FieldSpec kCombined = {
    Format::kSignedBcd, 4, 2, "kvarh", "/reactive{i}", "组合无功{i}总电能", "combined reactive energy {i}", 2};
constexpr FieldSpec kQuadrant = {
    Format::kBcd, 4, 2, "kvarh", "/quadrant{i}", "第{i}象限无功总电能", "reactive energy, quadrant {i}", 4};
constexpr FieldSpec kActiveDemand = {Format::kSignedBcd, 3, 4, "kW", "/demand", "当前有功需量", "active demand"};
constexpr FieldSpec kReactiveDemand = {Format::kSignedBcd, 3, 4, "kvar", "/reactive_demand", "当前无功需量",
                                       "reactive demand"};

constexpr FieldSpec kClass1[] = {kVoltage, kCurrent, kFrequency};
constexpr FieldSpec kClass2[] = {kActive, kReactive};
constexpr FieldSpec kClass3[] = {kFactor};
constexpr FieldSpec kClass4[] = {kForward, kReverse, kCombined};
constexpr FieldSpec kClass5[] = {kQuadrant};
constexpr FieldSpec kClass6[] = {kActiveDemand, kReactiveDemand};
constexpr std::span<const FieldSpec> kClasses[] = {kClass1, kClass2, kClass3, kClass4, kClass5, kClass6};

size_t SizeOf(std::span<const FieldSpec> specs) {
  size_t size = 0;
  for (const FieldSpec& spec : specs) size += size_t{spec.length} * spec.count;
  return size;
}

void TakeClass(const Match& match, std::span<const FieldSpec> specs, uint64_t time, base::ByteView& data,
               std::vector<Field>& fields) {
  for (const FieldSpec& spec : specs) {
    for (uint16_t i = 0; i < spec.count; ++i) {
      fields.push_back({match.row, &spec, match.di, i, DecodeField(data.first(spec.length), spec), time});
      data = data.subspan(spec.length);
    }
  }
}

// A record off the front.
bool TakeRecord(const Match& match, base::ByteView& data, std::vector<Field>& fields) {
  if (data.size() < kHead || data[0] != kRecordStart || data[1] != kRecordStart) return false;
  const FieldValue time = DecodeField(data.subspan(kTimeOffset, kTimeSize), Format::kDateTime, 0);
  const uint64_t raw = time.kind == FieldValue::Kind::kText ? time.raw : 0;
  data = data.subspan(kHead);
  for (const std::span<const FieldSpec> specs : kClasses) {
    if (data.empty()) return false;
    if (data[0] != kClassEnd) {
      if (data.size() <= SizeOf(specs) || data[SizeOf(specs)] != kClassEnd) return false;
      TakeClass(match, specs, raw, data, fields);
    }
    data = data.subspan(1);
  }
  if (data.size() < 2 || data[1] != kRecordEnd) return false;
  data = data.subspan(2);
  return true;
}

}  // namespace

bool DecodeLoadProfile(const Match& match, base::ByteView data, std::vector<Field>& fields) {
  if (data.empty()) return false;
  while (!data.empty()) {
    if (!TakeRecord(match, data, fields)) return false;
  }
  return true;
}

}  // namespace voltwell::codec::dlt645
