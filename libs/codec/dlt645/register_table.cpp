// Register table of DL/T 645-2007; see register_table.h.
#include "libs/codec/dlt645/register_table.h"

#include <algorithm>
#include <array>

namespace voltwell::codec::dlt645 {
namespace {

// Tariffs beyond 4 and further classes of the standard come with the meters that need them. OBIS ids follow IEC
// 62056-61; energies that DL/T 645 combines by configuration and powers that it signs by direction take the nearest
// code of that list. What the standard says is known from implementations and captures (the vectors), not from its
// text.
// clang-format off
constexpr Register kRegisters[] = {
    {0x00000000, "1-0:15.8.0", "energy_combined_active_total", "组合有功总电能", "combined active energy, total", "kWh", Format::kSignedBcd, 4, 2, false, "BCD XXXXXX.XX signed",
     "DL/T 645-2007 annex A, energies", "request-combined-energy"},
    {0x00010000, "1-0:1.8.0", "energy_forward_active_total", "正向有功总电能", "forward active energy, total", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "energy-269"},
    {0x00010100, "1-0:1.8.1", "energy_forward_active_tariff_1", "正向有功费率1电能", "forward active energy, tariff 1", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "energy-tariff-1"},
    {0x00010200, "1-0:1.8.2", "energy_forward_active_tariff_2", "正向有功费率2电能", "forward active energy, tariff 2", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "energy-tariff-2"},
    {0x00010300, "1-0:1.8.3", "energy_forward_active_tariff_3", "正向有功费率3电能", "forward active energy, tariff 3", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "energy-tariff-3"},
    {0x00010400, "1-0:1.8.4", "energy_forward_active_tariff_4", "正向有功费率4电能", "forward active energy, tariff 4", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "energy-tariff-4"},
    {0x00020000, "1-0:2.8.0", "energy_reverse_active_total", "反向有功总电能", "reverse active energy, total", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "energy-reverse"},
    {0x00020100, "1-0:2.8.1", "energy_reverse_active_tariff_1", "反向有功费率1电能", "reverse active energy, tariff 1", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "request-reverse-block"},
    {0x00020200, "1-0:2.8.2", "energy_reverse_active_tariff_2", "反向有功费率2电能", "reverse active energy, tariff 2", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "request-reverse-block"},
    {0x00020300, "1-0:2.8.3", "energy_reverse_active_tariff_3", "反向有功费率3电能", "reverse active energy, tariff 3", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "request-reverse-block"},
    {0x00020400, "1-0:2.8.4", "energy_reverse_active_tariff_4", "反向有功费率4电能", "reverse active energy, tariff 4", "kWh", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "DL/T 645-2007 annex A, energies", "request-reverse-block"},
    {0x00030000, "1-0:3.8.0", "energy_combined_reactive_1_total", "组合无功1总电能", "combined reactive energy 1, total", "kvarh", Format::kSignedBcd, 4, 2, false, "BCD XXXXXX.XX signed",
     "DL/T 645-2007 annex A, energies", ""},
    {0x00040000, "1-0:4.8.0", "energy_combined_reactive_2_total", "组合无功2总电能", "combined reactive energy 2, total", "kvarh", Format::kSignedBcd, 4, 2, false, "BCD XXXXXX.XX signed",
     "DL/T 645-2007 annex A, energies", ""},
    {0x00900200, "0-0:19.10.0", "remaining_amount", "剩余金额", "remaining amount", "CNY", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "State Grid extension of annex A, prepayment", "remaining-amount"},
    {0x00900201, "0-0:19.10.1", "overdraft_amount", "透支金额", "overdraft amount", "CNY", Format::kBcd, 4, 2, false, "BCD XXXXXX.XX",
     "State Grid extension of annex A, prepayment", ""},
    {0x02010100, "1-0:32.7.0", "voltage_a", "A相电压", "voltage, phase A", "V", Format::kBcd, 2, 1, false, "BCD XXX.X",
     "DL/T 645-2007 annex A, variables", "voltage-a-1001"},
    {0x02010200, "1-0:52.7.0", "voltage_b", "B相电压", "voltage, phase B", "V", Format::kBcd, 2, 1, false, "BCD XXX.X",
     "DL/T 645-2007 annex A, variables", "voltage-block"},
    {0x02010300, "1-0:72.7.0", "voltage_c", "C相电压", "voltage, phase C", "V", Format::kBcd, 2, 1, false, "BCD XXX.X",
     "DL/T 645-2007 annex A, variables", "voltage-block"},
    {0x02020100, "1-0:31.7.0", "current_a", "A相电流", "current, phase A", "A", Format::kSignedBcd, 3, 3, false, "BCD XXX.XXX signed",
     "DL/T 645-2007 annex A, variables", "current-a-4999"},
    {0x02020200, "1-0:51.7.0", "current_b", "B相电流", "current, phase B", "A", Format::kSignedBcd, 3, 3, false, "BCD XXX.XXX signed",
     "DL/T 645-2007 annex A, variables", "current-block"},
    {0x02020300, "1-0:71.7.0", "current_c", "C相电流", "current, phase C", "A", Format::kSignedBcd, 3, 3, false, "BCD XXX.XXX signed",
     "DL/T 645-2007 annex A, variables", "current-block"},
    {0x02030000, "1-0:1.7.0", "active_power_total", "总有功功率", "active power, total", "kW", Format::kSignedBcd, 3, 4, false, "BCD XX.XXXX signed",
     "DL/T 645-2007 annex A, variables", "active-power-total"},
    {0x02030100, "1-0:21.7.0", "active_power_a", "A相有功功率", "active power, phase A", "kW", Format::kSignedBcd, 3, 4, false, "BCD XX.XXXX signed",
     "DL/T 645-2007 annex A, variables", "power-block"},
    {0x02030200, "1-0:41.7.0", "active_power_b", "B相有功功率", "active power, phase B", "kW", Format::kSignedBcd, 3, 4, false, "BCD XX.XXXX signed",
     "DL/T 645-2007 annex A, variables", "power-block"},
    {0x02030300, "1-0:61.7.0", "active_power_c", "C相有功功率", "active power, phase C", "kW", Format::kSignedBcd, 3, 4, false, "BCD XX.XXXX signed",
     "DL/T 645-2007 annex A, variables", "power-block"},
    {0x02040000, "1-0:3.7.0", "reactive_power_total", "总无功功率", "reactive power, total", "kvar", Format::kSignedBcd, 3, 4, false, "BCD XX.XXXX signed",
     "DL/T 645-2007 annex A, variables", "reactive-power-total"},
    {0x02040100, "1-0:23.7.0", "reactive_power_a", "A相无功功率", "reactive power, phase A", "kvar", Format::kSignedBcd, 3, 4, false, "BCD XX.XXXX signed",
     "DL/T 645-2007 annex A, variables", ""},
    {0x02040200, "1-0:43.7.0", "reactive_power_b", "B相无功功率", "reactive power, phase B", "kvar", Format::kSignedBcd, 3, 4, false, "BCD XX.XXXX signed",
     "DL/T 645-2007 annex A, variables", "request-reactive-b"},
    {0x02040300, "1-0:63.7.0", "reactive_power_c", "C相无功功率", "reactive power, phase C", "kvar", Format::kSignedBcd, 3, 4, false, "BCD XX.XXXX signed",
     "DL/T 645-2007 annex A, variables", "request-reactive-c"},
    {0x02050000, "1-0:9.7.0", "apparent_power_total", "总视在功率", "apparent power, total", "kVA", Format::kBcd, 3, 4, false, "BCD XX.XXXX",
     "DL/T 645-2007 annex A, variables", "apparent-power-total"},
    {0x02050100, "1-0:29.7.0", "apparent_power_a", "A相视在功率", "apparent power, phase A", "kVA", Format::kBcd, 3, 4, false, "BCD XX.XXXX",
     "DL/T 645-2007 annex A, variables", "request-apparent-a"},
    {0x02050200, "1-0:49.7.0", "apparent_power_b", "B相视在功率", "apparent power, phase B", "kVA", Format::kBcd, 3, 4, false, "BCD XX.XXXX",
     "DL/T 645-2007 annex A, variables", ""},
    {0x02050300, "1-0:69.7.0", "apparent_power_c", "C相视在功率", "apparent power, phase C", "kVA", Format::kBcd, 3, 4, false, "BCD XX.XXXX",
     "DL/T 645-2007 annex A, variables", ""},
    {0x02060000, "1-0:13.7.0", "power_factor_total", "总功率因数", "power factor, total", "", Format::kSignedBcd, 2, 3, false, "BCD X.XXX signed",
     "DL/T 645-2007 annex A, variables", "power-factor-total"},
    {0x02060100, "1-0:33.7.0", "power_factor_a", "A相功率因数", "power factor, phase A", "", Format::kSignedBcd, 2, 3, false, "BCD X.XXX signed",
     "DL/T 645-2007 annex A, variables", "request-factor-a"},
    {0x02060200, "1-0:53.7.0", "power_factor_b", "B相功率因数", "power factor, phase B", "", Format::kSignedBcd, 2, 3, false, "BCD X.XXX signed",
     "DL/T 645-2007 annex A, variables", "request-factor-b"},
    {0x02060300, "1-0:73.7.0", "power_factor_c", "C相功率因数", "power factor, phase C", "", Format::kSignedBcd, 2, 3, false, "BCD X.XXX signed",
     "DL/T 645-2007 annex A, variables", "request-factor-c"},
    {0x02800002, "1-0:14.7.0", "frequency", "电网频率", "grid frequency", "Hz", Format::kBcd, 2, 2, false, "BCD XX.XX",
     "DL/T 645-2007 annex A, variables", "frequency"},
    {0x04000101, "0-0:0.9.2", "clock_date", "日期及星期", "date and weekday", "", Format::kDateWeek, 4, 0, true, "YYMMDDWW",
     "DL/T 645-2007 annex A, parameters", "clock-date"},
    {0x04000102, "0-0:0.9.1", "clock_time", "时间", "time", "", Format::kTime, 3, 0, true, "hhmmss",
     "DL/T 645-2007 annex A, parameters", "clock-time"},
    {0x0400010C, "0-0:1.0.0", "clock", "日期时间", "date and time", "", Format::kDateTimeWeek, 7, 0, true, "YYMMDDWWhhmmss",
     "State Grid extension of annex A, parameters", "request-clock"},
    {0x04000401, "0-0:96.1.0", "communication_address", "通信地址", "communication address", "", Format::kDigits, 6, 0, true, "NNNNNNNNNNNN",
     "DL/T 645-2007 annex A, parameters", "communication-address"},
    {0x04000402, "0-0:96.1.1", "meter_number", "表号", "meter number", "", Format::kDigits, 6, 0, true, "NNNNNNNNNNNN",
     "DL/T 645-2007 annex A, parameters", "meter-number"},
    {0x04000503, "0-0:96.3.10", "relay_status_word", "电表运行状态字3", "status word 3 (relay)", "", Format::kBits, 2, 0, false, "bits, 2 bytes",
     "DL/T 645-2007 annex A, parameters", "relay-open"},
};

constexpr Block kBlocks[] = {
    {0x0001FF00, 0x00010000, 5, 4, true, "forward active energies"},
    {0x0002FF00, 0x00020000, 5, 4, true, "reverse active energies"},
    {0x0201FF00, 0x02010100, 3, 2, false, "voltages"},
    {0x0202FF00, 0x02020100, 3, 3, false, "currents"},
    {0x0203FF00, 0x02030000, 4, 3, false, "active powers"},
    {0x0204FF00, 0x02040000, 4, 3, false, "reactive powers"},
    {0x0205FF00, 0x02050000, 4, 3, false, "apparent powers"},
    {0x0206FF00, 0x02060000, 4, 2, false, "power factors"},
};
// clang-format on

// Open addressing over the identifiers; the multiplier spreads them (a test checks that every row is found).
constexpr size_t kSlots = 256;
static_assert(std::size(kRegisters) * 2 < kSlots, "the table must stay half empty");

constexpr size_t SlotOf(uint32_t di) { return (di * 0x9E3779B1U) >> 24; }

constexpr std::array<uint8_t, kSlots> MakeIndex() {
  std::array<uint8_t, kSlots> index = {};  // 0: empty; else the row's number plus one.
  for (size_t row = 0; row < std::size(kRegisters); ++row) {
    size_t slot = SlotOf(kRegisters[row].di);
    while (index[slot] != 0) slot = (slot + 1) % kSlots;
    index[slot] = static_cast<uint8_t>(row + 1);
  }
  return index;
}
constexpr std::array<uint8_t, kSlots> kIndex = MakeIndex();

}  // namespace

std::span<const Register> Registers() { return kRegisters; }
std::span<const Block> Blocks() { return kBlocks; }

const Register* FindByDi(uint32_t di) {
  for (size_t slot = SlotOf(di); kIndex[slot] != 0; slot = (slot + 1) % kSlots) {
    const Register& row = kRegisters[kIndex[slot] - 1];
    if (row.di == di) return &row;
  }
  return nullptr;
}

const Register* FindByObis(absl::string_view obis) {
  const auto* const row = std::find_if(std::begin(kRegisters), std::end(kRegisters),
                                       [obis](const Register& candidate) { return candidate.obis == obis; });
  return row == std::end(kRegisters) ? nullptr : row;
}

const Block* FindBlock(uint32_t di) {
  const auto* const block =
      std::find_if(std::begin(kBlocks), std::end(kBlocks), [di](const Block& candidate) { return candidate.di == di; });
  return block == std::end(kBlocks) ? nullptr : block;
}

const Block* BlockOf(const Register& row) { return FindBlock((row.di & 0xFFFF00FF) | 0x0000FF00); }

}  // namespace voltwell::codec::dlt645
