// 2007: instantaneous values (class 02).
#include "libs/codec/dlt645/axes.h"
#include "libs/codec/dlt645/specs.h"
#include "libs/codec/dlt645/tables.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr char kVariables[] = "DL/T 645-2007 annex A, variables";
constexpr char kFirmware[] = "State Grid meter firmware, variables";

constexpr Axis kOrders = {.letter = 'h', .count = 21};
constexpr Axis kPhasesInDi1 = {.letter = 'p', .shift = 8, .count = 3, .block = false, .words = AxisWords::kPhase};

// clang-format off
constexpr Register kRows[] = {
    {0x02010100, {&kPhases}, "1-0:{p:32+20}.7.0", "voltage_{p}", "{p}相电压", "voltage, phase {p}", Bcd(2, 1, "V"), {},
     Access::kRead, kVariables, "voltage-a-1001"},
    {0x02020100, {&kPhases}, "1-0:{p:31+20}.7.0", "current_{p}", "{p}相电流", "current, phase {p}", SignedBcd(3, 3, "A"), {},
     Access::kRead, kVariables, "current-a-4999"},
    {0x02030000, {&kTotalAndPhases}, "1-0:{p:1+20}.7.0", "active_power_{p}", "{p}有功功率", "active power, {p}", SignedBcd(3, 4, "kW"), {},
     Access::kRead, kVariables, "active-power-total"},
    {0x02040000, {&kTotalAndPhases}, "1-0:{p:3+20}.7.0", "reactive_power_{p}", "{p}无功功率", "reactive power, {p}", SignedBcd(3, 4, "kvar"), {},
     Access::kRead, kVariables, "reactive-power-total"},
    {0x02050000, {&kTotalAndPhases}, "1-0:{p:9+20}.7.0", "apparent_power_{p}", "{p}视在功率", "apparent power, {p}", Bcd(3, 4, "kVA"), {},
     Access::kRead, kVariables, "apparent-power-total"},
    {0x02060000, {&kTotalAndPhases}, "1-0:{p:13+20}.7.0", "power_factor_{p}", "{p}功率因数", "power factor, {p}", SignedBcd(2, 3), {},
     Access::kRead, kVariables, "power-factor-total"},
    {0x02070100, {&kPhases}, "1-0:81.7.{p:4+11}", "phase_angle_{p}", "{p}相相角", "phase angle, phase {p}", Bcd(2, 1, "°"), {},
     Access::kRead, kVariables, "hand-02070100"},
    {0x02080100, {&kPhases}, "1-0:{p:32+20}.7.124", "voltage_distortion_{p}", "{p}相电压波形失真度", "voltage distortion, phase {p}", Bcd(2, 2, "%"), {},
     Access::kRead, kVariables, "hand-02080200"},
    {0x02090100, {&kPhases}, "1-0:{p:31+20}.7.124", "current_distortion_{p}", "{p}相电流波形失真度", "current distortion, phase {p}", Bcd(2, 2, "%"), {},
     Access::kRead, kVariables, "hand-02090300"},
    {0x020A0101, {&kOrders, &kPhasesInDi1}, "", "voltage_harmonic_{h}_{p}", "{p}相电压{h}次谐波含量", "voltage harmonic {h}, phase {p}", Bcd(2, 2, "%"), {},
     Access::kRead, kVariables, "hand-020a0102"},
    {0x020B0101, {&kOrders, &kPhasesInDi1}, "", "current_harmonic_{h}_{p}", "{p}相电流{h}次谐波含量", "current harmonic {h}, phase {p}", Bcd(2, 2, "%"), {},
     Access::kRead, kVariables, "hand-020b0315"},
    {0x02800001, {}, "1-0:91.7.0", "neutral_current", "零线电流", "neutral current", Bcd(3, 3, "A"), {}, Access::kRead, kVariables, "hand-02800001"},
    {0x02800002, {}, "1-0:14.7.0", "frequency", "电网频率", "grid frequency", Bcd(2, 2, "Hz"), {}, Access::kRead, kVariables, "frequency"},
    // Powers and present demands bear the direction in their highest bit (0 to 79.9999).
    {0x02800003, {}, "", "active_power_minute", "一分钟有功总平均功率", "active power, mean of one minute", SignedBcd(3, 4, "kW"), {},
     Access::kRead, kVariables, "hand-02800003"},
    {0x02800004, {}, "1-0:1.4.0", "active_demand_now", "当前有功需量", "present active demand", SignedBcd(3, 4, "kW"), {},
     Access::kRead, kVariables, "hand-02800004"},
    {0x02800005, {}, "1-0:3.4.0", "reactive_demand_now", "当前无功需量", "present reactive demand", SignedBcd(3, 4, "kvar"), {},
     Access::kRead, kVariables, "hand-02800005"},
    {0x02800006, {}, "1-0:9.4.0", "apparent_demand_now", "当前视在需量", "present apparent demand", Bcd(3, 4, "kVA"), {},
     Access::kRead, kVariables, "hand-02800006"},
    {0x02800007, {}, "0-0:96.9.0", "temperature", "表内温度", "temperature in the meter", SignedBcd(2, 1, "℃"), {},
     Access::kRead, kVariables, "hand-02800007"},
    {0x02800008, {}, "0-0:96.6.3", "clock_battery_voltage", "时钟电池电压", "clock battery voltage", Bcd(2, 2, "V"), {},
     Access::kRead, kVariables, "hand-02800008"},
    {0x02800009, {}, "0-1:96.6.3", "backup_battery_voltage", "停电抄表电池电压", "backup battery voltage", Bcd(2, 2, "V"), {},
     Access::kRead, kVariables, "hand-02800009"},
    {0x0280000A, {}, "0-0:96.6.0", "battery_working_time", "内部电池工作时间", "battery working time", Bcd(4, 0, "min"), {},
     Access::kRead, kVariables, "hand-0280000a"},
    {0x0280000B, {}, "", "step_price_now", "当前阶梯电价", "present step price", Bcd(4, 4, "CNY/kWh"), {},
     Access::kRead, kVariables, "hand-0280000b"},
    {0x02800020, {}, "", "price_now", "当前电价", "present price", Bcd(4, 4, "CNY/kWh"), {}, Access::kRead, kFirmware, ""},
    {0x02800021, {}, "", "tariff_price_now", "当前费率电价", "present tariff price", Bcd(4, 4, "CNY/kWh"), {},
     Access::kRead, kFirmware, ""},
    {0x02800022, {}, "", "authentication_left", "身份认证剩余时间", "time left of the authentication", Bcd(2, 0, "min"), {},
     Access::kRead, kFirmware, ""},
    {0x02800023, {}, "", "infrared_authentication_left", "红外认证剩余时间", "time left of the infrared authentication", Bcd(1, 0, "min"), {},
     Access::kRead, kFirmware, ""},
};
// clang-format on

}  // namespace

std::span<const Register> VariableRows() { return kRows; }

}  // namespace voltwell::codec::dlt645
