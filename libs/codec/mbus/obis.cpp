// Records to OBIS ids; see obis.h.
#include "libs/codec/mbus/obis.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/codec/mbus/value.h"

namespace voltwell::codec::mbus {
namespace {

constexpr uint8_t kElectricity = 1, kHca = 4, kCooling = 5, kHeat = 6, kGas = 7, kColdWater = 8, kHotWater = 9;
constexpr uint8_t kForward = 0x3B, kBackward = 0x3C, kUncorrected = 0x3A, kBaseConditions = 0x3E;
constexpr uint32_t kTariffMax = 63;
constexpr absl::string_view kOwn = "mbus:";

// C and D by EN 13757-1; heat, water and gas as OMS volume 2 annex A names them.
constexpr ObisRow kRows[] = {
    {kElectricity, "energy", 0, 1, 8, true, "kWh", "forward active energy", "正向有功电能", "00-07"},
    {kElectricity, "energy", kForward, 1, 8, true, "kWh", "forward active energy", "正向有功电能", "00-07"},
    {kElectricity, "energy", kBackward, 2, 8, true, "kWh", "reverse active energy", "反向有功电能", "00-07"},
    {kElectricity, "reactive_energy", 0, 3, 8, true, "kvarh", "forward reactive energy", "正向无功电能", "FB02-03"},
    {kElectricity, "power", 0, 1, 7, false, "kW", "active power", "有功功率", "28-2F"},
    {kElectricity, "power", kBackward, 2, 7, false, "kW", "reverse active power", "反向有功功率", "28-2F"},
    {kElectricity, "frequency", 0, 14, 7, false, "Hz", "frequency", "频率", "FB2C-2F"},
    {kHca, "hca", 0, 1, 0, true, "HCA", "heat cost allocation", "热分配计数", "6E"},
    {kCooling, "energy", 0, 1, 0, true, "kWh", "cooling energy", "冷量", "00-0F"},
    {kCooling, "volume", 0, 2, 0, true, "m3", "volume", "体积", "10-17"},
    {kCooling, "power", 0, 8, 0, false, "kW", "cooling power", "冷功率", "28-37"},
    {kCooling, "volume_flow", 0, 9, 0, false, "m3/h", "flow rate", "流量", "38-4F"},
    {kCooling, "flow_temperature", 0, 10, 0, false, "°C", "flow temperature", "供水温度", "58-5B"},
    {kCooling, "return_temperature", 0, 11, 0, false, "°C", "return temperature", "回水温度", "5C-5F"},
    {kCooling, "temperature_difference", 0, 12, 0, false, "K", "temperature difference", "温差", "60-63"},
    {kHeat, "energy", 0, 1, 0, true, "kWh", "heat energy", "热量", "00-0F"},
    {kHeat, "volume", 0, 2, 0, true, "m3", "volume", "体积", "10-17"},
    {kHeat, "power", 0, 8, 0, false, "kW", "heat power", "热功率", "28-37"},
    {kHeat, "volume_flow", 0, 9, 0, false, "m3/h", "flow rate", "流量", "38-4F"},
    {kHeat, "flow_temperature", 0, 10, 0, false, "°C", "flow temperature", "供水温度", "58-5B"},
    {kHeat, "return_temperature", 0, 11, 0, false, "°C", "return temperature", "回水温度", "5C-5F"},
    {kHeat, "temperature_difference", 0, 12, 0, false, "K", "temperature difference", "温差", "60-63"},
    {kGas, "volume", 0, 3, 0, true, "m3", "volume", "体积", "10-17"},
    {kGas, "volume", kUncorrected, 3, 0, true, "m3", "volume, uncorrected", "工况体积", "10-17"},
    {kGas, "volume", kBaseConditions, 3, 2, true, "m3", "volume at base conditions", "标况体积", "10-17"},
    {kGas, "volume_flow", 0, 43, 0, false, "m3/h", "flow rate", "流量", "38-4F"},
    {kColdWater, "volume", 0, 1, 0, true, "m3", "volume", "累计水量", "10-17"},
    {kColdWater, "volume_flow", 0, 2, 0, false, "m3/h", "flow rate", "流量", "38-4F"},
    {kHotWater, "volume", 0, 1, 0, true, "m3", "volume", "累计水量", "10-17"},
    {kHotWater, "volume_flow", 0, 2, 0, false, "m3/h", "flow rate", "流量", "38-4F"},
    {0, "time_point_datetime", 0, 1, 0, false, "", "clock", "时钟", "6D"},
    {0, "fabrication_no", 0, 96, 1, false, "", "fabrication number", "出厂编号", "78"},
    {0, "on_time", 0, 96, 8, false, "", "on time", "通电时间", "20-23"},
    {0, "error_flags", 0, 97, 97, false, "", "error flags", "故障标志", "FD17"},
    {0, "remaining_battery_days", 0, 96, 6, false, "d", "remaining battery life", "电池剩余寿命", "FD74"},
};

// The VIFE behind the VIF when there is at most one; 0: none. False: more, or one that means the vendor's.
bool SingleModifier(const Record& record, base::ByteView frame, uint8_t& modifier) {
  const base::ByteView modifiers = ModifiersOf(record, frame);
  modifier = modifiers.empty() ? 0 : modifiers[0] & 0x7F;
  return modifiers.size() <= 1 && (record.flags & (kVendorMeaning | kNoValueFlag)) == 0;
}

const ObisRow* RowOfRecord(const Record& record, base::ByteView frame, uint8_t group) {
  uint8_t modifier = 0;
  if (record.function != Function::kInstantaneous || record.subunit != 0 || record.tariff > kTariffMax) return nullptr;
  if (!SingleModifier(record, frame, modifier)) return nullptr;
  const absl::string_view quantity = RowOf(record).name;
  for (const ObisRow& row : kRows) {
    if ((row.group != 0 && row.group != group) || quantity != row.quantity || modifier != row.modifier) continue;
    if (record.tariff == 0 || row.tariffs) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const ObisRow> ObisRows() { return kRows; }

uint8_t ObisGroup(uint8_t medium) {
  switch (medium) {
    case 0x02:
      return kElectricity;
    case 0x03:
      return kGas;
    case 0x04:
    case 0x0C:
    case kHeatAndCoolingMedium:
      return kHeat;
    case 0x06:
    case 0x15:
      return kHotWater;
    case 0x07:
    case 0x16:
      return kColdWater;
    case 0x08:
      return kHca;
    case 0x0A:
    case 0x0B:
      return kCooling;
    default:
      return 0;
  }
}

std::string OwnId(const Record& record, base::ByteView frame) {
  constexpr const char* kFunctions[] = {"", "max:", "min:", "err:"};
  std::string vif = base::ToHex(frame.subspan(record.vif_offset, record.vif_size));
  if (record.kind == ValueKind::kManufacturer) vif = "0F";
  return absl::StrCat(kOwn, kFunctions[static_cast<size_t>(record.function)], record.storage, ".", record.tariff, ".",
                      record.subunit, ":", vif);
}

std::string RegisterId(const Record& record, base::ByteView frame, uint8_t medium) {
  if (record.kind == ValueKind::kManufacturer) return OwnId(record, frame);
  const uint8_t group = ObisGroup(medium);
  const ObisRow* const row = RowOfRecord(record, frame, group);
  if (row == nullptr) return OwnId(record, frame);
  std::string id = absl::StrCat(row->group == 0 ? 0 : group, "-0:", row->c, ".", row->d, ".", record.tariff);
  if (record.storage != 0) absl::StrAppend(&id, "*", record.storage);
  return id;
}

const ObisRow* FindObisRow(absl::string_view id) {
  uint64_t storage = 0;
  if (const size_t star = id.find('*'); star != absl::string_view::npos) {
    if (!absl::SimpleAtoi(id.substr(star + 1), &storage) || storage == 0) return nullptr;
    id = id.substr(0, star);
  }
  for (const ObisRow& row : kRows) {
    absl::string_view rest = id;
    if (!absl::ConsumePrefix(&rest, absl::StrCat(row.group, "-0:", row.c, ".", row.d, "."))) continue;
    uint32_t tariff = 0;
    if (!absl::SimpleAtoi(rest, &tariff) || tariff > (row.tariffs ? kTariffMax : 0)) continue;
    return &row;
  }
  return nullptr;
}

bool IsRegisterId(absl::string_view id) {
  if (id.size() > kRegisterIdMax) return false;
  if (id == kAllRegisters || id == kValveRegister) return true;
  if (!absl::ConsumePrefix(&id, kOwn)) return FindObisRow(id) != nullptr;
  return !id.empty() &&
         id.find_first_not_of("0123456789ABCDEFabcdefghijklmnopqrstuvwxyz.:#") == absl::string_view::npos;
}

}  // namespace voltwell::codec::mbus
