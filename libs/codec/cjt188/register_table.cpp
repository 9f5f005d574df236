// The tables; see register_table.h. Sources are named where the vectors are: libs/codec/vectors/cjt188.vec.
#include "libs/codec/cjt188/register_table.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/codec/cjt188/frame.h"

namespace voltwell::codec::cjt188 {
namespace {

constexpr char kText[] = "CJ/T 188-2004, identifiers of reading, as deployed software has them";
constexpr char kNew[] = "CJ/T 188-2018 as a public driver and its manual describe it";
constexpr char kWrites[] = "CJ/T 188-2004, identifiers of writing, as deployed software has them";

// clang-format off
constexpr Register kRegisters[] = {
    {Reg::kVolume, "8-0:1.0.0", "7-0:3.0.0", Family::kVolume, "volume", "当前累积流量", "volume", "m3", 0x901F, 0, 0, 0xA016, "BCD XXXXXX.XX and unit", 4, kText, "water-123"},
    {Reg::kVolumeSettled, "8-0:1.2.0", "7-0:3.2.0", Family::kVolume, "volume_settled", "结算日累积流量", "volume on the settlement day", "m3", 0x901F, 0, 0, 0, "BCD XXXXXX.XX and unit", 4, kText, "water-settled"},
    {Reg::kFlow, "8-0:2.0.0", "7-0:43.0.0", Family::kVolume, "flow", "瞬时流量", "flow rate", "m3/h", 0x901F, 0, 0, 0, "BCD XXXXXX.XX and unit", 4, "long body of a LoRa vendor", "lora-push"},
    {Reg::kVolumeHistory, "8-0:1.0.0*{n}", "7-0:3.0.0*{n}", Family::kVolume, "volume_history", "上{n}月结算日累积流量", "volume {n} settlement days back", "m3", 0xD120, 1, 12, 0, "BCD XXXXXX.XX and unit", 4, kText, "history-9"},
    {Reg::kHeat, "6-0:1.0.0", "", Family::kHeat, "heat", "当前热量", "heat", "kWh", 0x901F, 0, 0, 0, "BCD XXXXXX.XX and unit", 4, kText, "heat-544"},
    {Reg::kHeatSettled, "6-0:1.2.0", "", Family::kHeat, "heat_settled", "结算日热量", "heat on the settlement day", "kWh", 0x901F, 0, 0, 0, "BCD XXXXXX.XX and unit", 4, kText, "heat-544"},
    {Reg::kPower, "6-0:8.0.0", "", Family::kHeat, "heat_power", "热功率", "thermal power", "kW", 0x901F, 0, 0, 0, "BCD and unit, 2004 XXXXXX.XX, 2018 XXXX.XX", 4, kText, "heat-2012"},
    {Reg::kHeatFlow, "6-0:9.0.0", "", Family::kHeat, "heat_flow", "流量", "flow rate of the heat meter", "m3/h", 0x901F, 0, 0, 0, "BCD and unit, 2004 XXXXXX.XX, 2018 XXX.XXX", 4, kText, "heat-2012"},
    {Reg::kHeatVolume, "6-0:2.0.0", "", Family::kHeat, "heat_volume", "累积流量", "volume of the heat meter", "m3", 0x901F, 0, 0, 0, "BCD XXXXXX.XX and unit", 4, kText, "heat-unit-first"},
    {Reg::kSupplyTemperature, "6-0:10.0.0", "", Family::kHeat, "supply_temperature", "供水温度", "supply temperature", "°C", 0x901F, 0, 0, 0, "BCD, 2004 XXXX.XX, 2018 XX.XX", 3, kText, "heat-2012"},
    {Reg::kReturnTemperature, "6-0:11.0.0", "", Family::kHeat, "return_temperature", "回水温度", "return temperature", "°C", 0x901F, 0, 0, 0, "BCD, 2004 XXXX.XX, 2018 XX.XX", 3, kText, "heat-2012"},
    {Reg::kWorkingHours, "0-0:96.8.0", "", Family::kHeat, "working_hours", "累积工作时间", "operating time", "h", 0x901F, 0, 0, 0, "BCD, 2004 XXXXXX, 2018 XXXXXXXX", 3, kText, "heat-2012"},
    {Reg::kHeatHistory, "6-0:1.0.0*{n}", "", Family::kHeat, "heat_history", "上{n}月结算日热量", "heat {n} settlement days back", "kWh", 0xD120, 1, 12, 0, "BCD XXXXXX.XX and unit", 4, kText, "heat-history-7"},
    {Reg::kCold, "5-0:1.0.0", "", Family::kHeat, "cold", "当前冷量", "cold", "kWh", 0x911F, 0, 0, 0, "BCD XXXXXX.XX and unit", 4, kNew, ""},
    {Reg::kColdSettled, "5-0:1.2.0", "", Family::kHeat, "cold_settled", "结算日冷量", "cold on the settlement day", "kWh", 0x911F, 0, 0, 0, "BCD XXXXXX.XX and unit", 4, kNew, ""},
    {Reg::kSupplyPressure, "cjt188:supply_pressure", "", Family::kHeat, "supply_pressure", "供水压力", "supply pressure", "", 0x911F, 0, 0, 0, "BCD XX.XX", 2, kNew, ""},
    {Reg::kReturnPressure, "cjt188:return_pressure", "", Family::kHeat, "return_pressure", "回水压力", "return pressure", "", 0x911F, 0, 0, 0, "BCD XX.XX", 2, kNew, ""},
    {Reg::kClock, "0-0:1.0.0", "", Family::kAny, "clock", "实时时间", "clock", "", 0x901F, 0, 0, 0xA015, "ssmmhhDDMMYYCC", 7, kText, "water-2017"},
    {Reg::kStatus, "0-0:96.3.10", "", Family::kAny, "status", "状态ST(阀门、电池)", "status word (valve, battery)", "", 0x901F, 0, 0, 0, "bits, S0 and S1", 2, kText, "valve-open"},
    {Reg::kBattery, "cjt188:battery", "", Family::kAny, "battery", "电池状态", "battery", "", 0x901F, 0, 0, 0, "bit of the status word: ok or low", 2, kText, "water-2017"},
    {Reg::kPrice1, "cjt188:price1", "", Family::kAny, "price_1", "价格一", "price 1", "CNY", 0x8102, 0, 0, 0, "BCD XXXX.XX", 3, kText, "price-table"},
    {Reg::kStep1, "cjt188:step1", "", Family::kAny, "step_1", "用量一", "volume up to which price 1 holds", "m3", 0x8102, 0, 0, 0, "BCD XXXXXX", 3, kText, "price-table"},
    {Reg::kPrice2, "cjt188:price2", "", Family::kAny, "price_2", "价格二", "price 2", "CNY", 0x8102, 0, 0, 0, "BCD XXXX.XX", 3, kText, "price-table"},
    {Reg::kStep2, "cjt188:step2", "", Family::kAny, "step_2", "用量二", "volume up to which price 2 holds", "m3", 0x8102, 0, 0, 0, "BCD XXXXXX", 3, kText, "price-table"},
    {Reg::kPrice3, "cjt188:price3", "", Family::kAny, "price_3", "价格三", "price 3", "CNY", 0x8102, 0, 0, 0, "BCD XXXX.XX", 3, kText, "price-table"},
    {Reg::kSettlementDay, "cjt188:settlement_day", "", Family::kAny, "settlement_day", "结算日", "settlement day", "", 0x8103, 0, 0, 0xA011, "BCD DD", 1, kText, "settlement-day"},
    {Reg::kReadingDay, "cjt188:reading_day", "", Family::kAny, "reading_day", "抄表日", "reading day", "", 0x8104, 0, 0, 0xA012, "BCD DD", 1, kText, "reading-day"},
    {Reg::kPurchaseNumber, "cjt188:purchase_number", "", Family::kAny, "purchase_number", "本次购买序号", "number of the last purchase", "", 0x8105, 0, 0, 0, "binary, 1 byte (profile: BCD)", 1, kText, "purchase"},
    {Reg::kLastAmount, "cjt188:last_amount", "", Family::kAny, "last_amount", "本次购入金额", "amount of the last purchase", "CNY", 0x8105, 0, 0, 0, "BCD XXXXXX.XX", 4, kText, "purchase"},
    {Reg::kAccumulated, "cjt188:accumulated_amount", "", Family::kAny, "accumulated_amount", "累计购入金额", "accumulated purchases", "CNY", 0x8105, 0, 0, 0, "BCD XXXXXX.XX", 4, kText, "purchase"},
    {Reg::kRemaining, "0-0:19.10.0", "", Family::kAny, "remaining_amount", "剩余金额", "remaining amount", "CNY", 0x8105, 0, 0, 0, "BCD XXXXXX.XX", 4, kText, "purchase"},
    {Reg::kKeyVersion, "cjt188:key_version", "", Family::kAny, "key_version", "密钥版本号", "key version", "", 0x8106, 0, 0, 0, "binary, 1 byte", 1, kText, "key-version"},
    {Reg::kAddress, "0-0:96.1.0", "", Family::kAny, "communication_address", "表地址", "address", "", 0x810A, 0, 0, 0, "NNNNNNNNNNNNNN", 7, kText, "read-address"},
    {Reg::kClockAlone, "cjt188:clock", "", Family::kAny, "clock_alone", "实时时间(907F)", "clock (907F)", "", 0x907F, 0, 0, 0, "ssmmhhDDMMYYCC", 7, kNew, "clock-907f"},
    {Reg::kD2Volume, "cjt188:D2.volume*{n}", "", Family::kVolume, "history_volume", "历史数据2第{n}条累积流量", "volume, history 2, record {n}", "m3", 0xD200, 1, 256, 0, "BCD XXXXXX.XX and unit", 4, kNew, "history-2"},
    {Reg::kD2Heat, "cjt188:D2.heat*{n}", "", Family::kHeat, "history_heat", "历史数据2第{n}条热量", "heat, history 2, record {n}", "kWh", 0xD200, 1, 256, 0, "BCD XXXXXX.XX and unit", 4, kNew, "heat-history-2"},
    {Reg::kD2Cold, "cjt188:D2.cold*{n}", "", Family::kHeat, "history_cold", "历史数据2第{n}条冷量", "cold, history 2, record {n}", "kWh", 0xD200, 1, 256, 0, "BCD XXXXXX.XX and unit", 4, kNew, "heat-history-2"},
    {Reg::kD2HeatVolume, "cjt188:D2.heat_volume*{n}", "", Family::kHeat, "history_heat_volume", "历史数据2第{n}条累积流量(热量表)", "volume of the heat meter, history 2, record {n}", "m3", 0xD200, 1, 256, 0, "BCD XXXXXX.XX and unit", 4, kNew, "heat-history-2"},
    {Reg::kD3Time, "cjt188:D3.time*{n}", "", Family::kVolume, "freeze_time", "上{n}次定时冻结时间", "time of timed freeze {n} back", "", 0xD300, 1, 256, 0, "ssmmhhDDMMYYCC", 7, kNew, "timed-freeze"},
    {Reg::kD3Volume, "cjt188:D3.volume*{n}", "", Family::kVolume, "freeze_volume", "上{n}次定时冻结累积流量", "volume at timed freeze {n} back", "m3", 0xD300, 1, 256, 0, "BCD XXXXXX.XX and unit", 4, kNew, "timed-freeze"},
    {Reg::kD3Flow, "cjt188:D3.flow*{n}", "", Family::kVolume, "freeze_flow", "上{n}次定时冻结瞬时流量", "flow rate at timed freeze {n} back", "m3/h", 0xD300, 1, 256, 0, "BCD XXXX.XXXX and unit", 4, kNew, "timed-freeze"},
    {Reg::kD3Temperature, "cjt188:D3.temperature*{n}", "", Family::kVolume, "freeze_temperature", "上{n}次定时冻结温度", "temperature at timed freeze {n} back", "°C", 0xD300, 1, 256, 0, "BCD XXXX.XX", 3, kNew, "timed-freeze"},
    {Reg::kD3Pressure, "cjt188:D3.pressure*{n}", "", Family::kVolume, "freeze_pressure", "上{n}次定时冻结压力", "pressure at timed freeze {n} back", "", 0xD300, 1, 256, 0, "BCD XXXX.XX", 3, kNew, "timed-freeze"},
    {Reg::kD4Time, "cjt188:D4.time*{n}", "", Family::kVolume, "instant_freeze_time", "上{n}次瞬时冻结时间", "time of immediate freeze {n} back", "", 0xD400, 1, 256, 0, "ssmmhhDDMMYYCC", 7, kNew, "instant-freeze"},
    {Reg::kD4Volume, "cjt188:D4.volume*{n}", "", Family::kVolume, "instant_freeze_volume", "上{n}次瞬时冻结累积流量", "volume at immediate freeze {n} back", "m3", 0xD400, 1, 256, 0, "BCD XXXXXX.XX and unit", 4, kNew, "instant-freeze"},
    {Reg::kD4Flow, "cjt188:D4.flow*{n}", "", Family::kVolume, "instant_freeze_flow", "上{n}次瞬时冻结瞬时流量", "flow rate at immediate freeze {n} back", "m3/h", 0xD400, 1, 256, 0, "BCD XXXX.XXXX and unit", 4, kNew, "instant-freeze"},
    {Reg::kD4Temperature, "cjt188:D4.temperature*{n}", "", Family::kVolume, "instant_freeze_temperature", "上{n}次瞬时冻结温度", "temperature at immediate freeze {n} back", "°C", 0xD400, 1, 256, 0, "BCD XXXX.XX", 3, kNew, "instant-freeze"},
    {Reg::kD4Pressure, "cjt188:D4.pressure*{n}", "", Family::kVolume, "instant_freeze_pressure", "上{n}次瞬时冻结压力", "pressure at immediate freeze {n} back", "", 0xD400, 1, 256, 0, "BCD XXXX.XX", 3, kNew, "instant-freeze"},
    {Reg::kPriceTable, "cjt188:price_table", "", Family::kAny, "price_table", "价格表(写)", "price table, written as: price1 step1 price2 step2 price3 start-day", "", 0, 0, 0, 0xA010, "BCD, 3 bytes each, start day 1", 16, kWrites, "write-prices"},
    {Reg::kFactoryEnable, "cjt188:factory_enable", "", Family::kAny, "factory_enable", "出厂启用(写，不可逆)", "leave the factory state, written as: enable (cannot be undone)", "", 0, 0, 0, 0xA019, "no data", 0, kWrites, "factory-enable"},
};

constexpr Field kVolumeBody[] = {{Reg::kVolume, Format::kBcd, 4, 2, true}, {Reg::kVolumeSettled, Format::kBcd, 4, 2, true}, {Reg::kClock, Format::kTime, 7}, {Reg::kStatus, Format::kStatus, 2}};
constexpr Field kVolumeShort[] = {{Reg::kVolume, Format::kBcd, 4, 2, false}, {Reg::kStatus, Format::kStatus, 2}};
constexpr Field kHeatShort[] = {{Reg::kHeat, Format::kBcd, 4, 2, false}, {Reg::kStatus, Format::kStatus, 2}};
constexpr Field kVolumeLong[] = {{Reg::kVolume, Format::kBcd, 4, 2, true}, {Reg::kVolumeSettled, Format::kBcd, 4, 2, true}, {Reg::kFlow, Format::kBcd, 4, 2, true}, {Reg::kClock, Format::kTime, 7}, {Reg::kUnknown, Format::kUnknown, 4}};
constexpr Field kHeat2004[] = {{Reg::kHeatSettled, Format::kBcd, 4, 2, true}, {Reg::kHeat, Format::kBcd, 4, 2, true}, {Reg::kPower, Format::kBcd, 4, 2, true}, {Reg::kHeatFlow, Format::kBcd, 4, 2, true}, {Reg::kHeatVolume, Format::kBcd, 4, 2, true}, {Reg::kSupplyTemperature, Format::kBcd, 3, 2}, {Reg::kReturnTemperature, Format::kBcd, 3, 2}, {Reg::kWorkingHours, Format::kBcd, 3}, {Reg::kClock, Format::kTime, 7}, {Reg::kStatus, Format::kStatus, 2}};
constexpr Field kHeat2018[] = {{Reg::kHeatSettled, Format::kBcd, 4, 2, true}, {Reg::kHeat, Format::kBcd, 4, 2, true}, {Reg::kPower, Format::kBcd, 3, 2, true}, {Reg::kHeatFlow, Format::kBcd, 3, 3, true}, {Reg::kHeatVolume, Format::kBcd, 4, 2, true}, {Reg::kSupplyTemperature, Format::kBcd, 2, 2}, {Reg::kReturnTemperature, Format::kBcd, 2, 2}, {Reg::kWorkingHours, Format::kBcd, 4}, {Reg::kClock, Format::kTime, 7}, {Reg::kStatus, Format::kStatus, 2}};
constexpr Field kHeatAndCold[] = {{Reg::kHeatSettled, Format::kBcd, 4, 2, true}, {Reg::kColdSettled, Format::kBcd, 4, 2, true}, {Reg::kHeat, Format::kBcd, 4, 2, true}, {Reg::kCold, Format::kBcd, 4, 2, true}, {Reg::kPower, Format::kBcd, 3, 2, true}, {Reg::kHeatFlow, Format::kBcd, 3, 4, true}, {Reg::kHeatVolume, Format::kBcd, 4, 2, true}, {Reg::kSupplyTemperature, Format::kBcd, 2, 2}, {Reg::kReturnTemperature, Format::kBcd, 2, 2}, {Reg::kSupplyPressure, Format::kBcd, 2, 2}, {Reg::kReturnPressure, Format::kBcd, 2, 2}, {Reg::kWorkingHours, Format::kBcd, 4}, {Reg::kClock, Format::kTime, 7}, {Reg::kStatus, Format::kStatus, 2}};
constexpr Field kHistoryBody[] = {{Reg::kVolumeHistory, Format::kBcd, 4, 2, true}};
constexpr Field kHeatHistoryBody[] = {{Reg::kHeatHistory, Format::kBcd, 4, 2, true}};
constexpr Field kD2Body[] = {{Reg::kD2Volume, Format::kBcd, 4, 2, true}};
constexpr Field kD2HeatBody[] = {{Reg::kD2Heat, Format::kBcd, 4, 2, true}, {Reg::kD2Cold, Format::kBcd, 4, 2, true}, {Reg::kD2HeatVolume, Format::kBcd, 4, 2, true}};
constexpr Field kD3Body[] = {{Reg::kD3Time, Format::kTime, 7}, {Reg::kD3Volume, Format::kBcd, 4, 2, true}, {Reg::kD3Flow, Format::kBcd, 4, 4, true}, {Reg::kD3Temperature, Format::kBcd, 3, 2}, {Reg::kD3Pressure, Format::kBcd, 3, 2}};
constexpr Field kD4Body[] = {{Reg::kD4Time, Format::kTime, 7}, {Reg::kD4Volume, Format::kBcd, 4, 2, true}, {Reg::kD4Flow, Format::kBcd, 4, 4, true}, {Reg::kD4Temperature, Format::kBcd, 3, 2}, {Reg::kD4Pressure, Format::kBcd, 3, 2}};
constexpr Field kPrices[] = {{Reg::kPrice1, Format::kBcd, 3, 2}, {Reg::kStep1, Format::kBcd, 3}, {Reg::kPrice2, Format::kBcd, 3, 2}, {Reg::kStep2, Format::kBcd, 3}, {Reg::kPrice3, Format::kBcd, 3, 2}};
constexpr Field kSettlementDayBody[] = {{Reg::kSettlementDay, Format::kDay, 1}};
constexpr Field kReadingDayBody[] = {{Reg::kReadingDay, Format::kDay, 1}};
constexpr Field kPurchaseBody[] = {{Reg::kPurchaseNumber, Format::kBinary, 1}, {Reg::kLastAmount, Format::kBcd, 4, 2}, {Reg::kAccumulated, Format::kBcd, 4, 2}, {Reg::kRemaining, Format::kBcd, 4, 2}, {Reg::kStatus, Format::kStatus, 2}};
constexpr Field kKeyVersionBody[] = {{Reg::kKeyVersion, Format::kBinary, 1}};
constexpr Field kAddressBody[] = {{Reg::kAddress, Format::kDigits, 7}};
constexpr Field kClockBody[] = {{Reg::kClockAlone, Format::kTime, 7}};
constexpr Field kStatusBody[] = {{Reg::kStatus, Format::kStatus, 2}};
constexpr Field kStatusByteBody[] = {{Reg::kStatus, Format::kStatus, 1}};
constexpr Field kPriceWrite[] = {{Reg::kPrice1, Format::kBcd, 3, 2}, {Reg::kStep1, Format::kBcd, 3}, {Reg::kPrice2, Format::kBcd, 3, 2}, {Reg::kStep2, Format::kBcd, 3}, {Reg::kPrice3, Format::kBcd, 3, 2}, {Reg::kPriceStartDay, Format::kDay, 1}};
constexpr Field kPurchaseWrite[] = {{Reg::kPurchaseNumber, Format::kBinary, 1}, {Reg::kLastAmount, Format::kBcd, 4, 2}};
constexpr Field kKeyWrite[] = {{Reg::kKeyVersion, Format::kBinary, 1}, {Reg::kKey, Format::kSecret, 8}};
constexpr Field kClockWrite[] = {{Reg::kClock, Format::kTime, 7}};
constexpr Field kBaseWrite[] = {{Reg::kVolume, Format::kBcd, 4, 2, true}};
constexpr Field kBaseWriteShort[] = {{Reg::kVolume, Format::kBcd, 4, 2, false}};
constexpr Field kValveWrite[] = {{Reg::kValveAction, Format::kValve, 1}};

constexpr Layout kLayouts[] = {
    {0x901F, 0x901F, Use::kReply, Family::kVolume, kVolumeBody},
    {0x901F, 0x901F, Use::kReply, Family::kVolume, kVolumeShort},
    {0x901F, 0x901F, Use::kReply, Family::kVolume, kVolumeLong},
    {0x901F, 0x901F, Use::kReply, Family::kHeat, kHeatShort},
    {0x901F, 0x901F, Use::kReply, Family::kHeat, kHeat2004},
    {0x901F, 0x901F, Use::kReply, Family::kHeat, kHeat2018},
    {0x911F, 0x911F, Use::kReply, Family::kHeat, kHeatAndCold},
    {0xD120, 0xD12B, Use::kReply, Family::kVolume, kHistoryBody},
    {0xD120, 0xD12B, Use::kReply, Family::kHeat, kHeatHistoryBody},
    {0xD200, 0xD2FF, Use::kReply, Family::kVolume, kD2Body},
    {0xD200, 0xD2FF, Use::kReply, Family::kHeat, kD2HeatBody},
    {0xD300, 0xD3FF, Use::kReply, Family::kVolume, kD3Body},
    {0xD400, 0xD4FF, Use::kReply, Family::kVolume, kD4Body},
    {0x8102, 0x8102, Use::kReply, Family::kAny, kPrices},
    {0x8103, 0x8103, Use::kReply, Family::kAny, kSettlementDayBody},
    {0x8104, 0x8104, Use::kReply, Family::kAny, kReadingDayBody},
    {0x8105, 0x8105, Use::kReply, Family::kAny, kPurchaseBody},
    {0x8106, 0x8106, Use::kReply, Family::kAny, kKeyVersionBody},
    {0x810A, 0x810A, Use::kReply, Family::kAny, {}},
    {0x810A, 0x810A, Use::kReply, Family::kAny, kAddressBody},
    {0x907F, 0x907F, Use::kReply, Family::kAny, kClockBody},
    {0xA010, 0xA010, Use::kWrite, Family::kAny, kPriceWrite},
    {0xA011, 0xA011, Use::kWrite, Family::kAny, kSettlementDayBody},
    {0xA012, 0xA012, Use::kWrite, Family::kAny, kReadingDayBody},
    {0xA013, 0xA013, Use::kWrite, Family::kAny, kPurchaseWrite},
    {0xA014, 0xA014, Use::kWrite, Family::kAny, kKeyWrite},
    {0xA015, 0xA015, Use::kWrite, Family::kAny, kClockWrite},
    {0xA016, 0xA016, Use::kWrite, Family::kAny, kBaseWrite},
    {0xA016, 0xA016, Use::kWrite, Family::kAny, kBaseWriteShort},
    {0xA017, 0xA017, Use::kWrite, Family::kAny, kValveWrite},
    {0xA018, 0xA018, Use::kWrite, Family::kAny, kAddressBody},
    {0xA013, 0xA013, Use::kWriteReply, Family::kAny, kPurchaseWrite},
    {0xA014, 0xA014, Use::kWriteReply, Family::kAny, kKeyVersionBody},
    {0xA000, 0xAFFF, Use::kWriteReply, Family::kAny, {}},
    {0xA000, 0xAFFF, Use::kWriteReply, Family::kAny, kStatusByteBody},
    {0xA000, 0xAFFF, Use::kWriteReply, Family::kAny, kStatusBody},
};

constexpr Identifier kIdentifiers[] = {
    {0x8102, 0x8102, "价格表", "price table"},
    {0x8103, 0x8103, "结算日", "settlement day"},
    {0x8104, 0x8104, "抄表日", "reading day"},
    {0x8105, 0x8105, "购入金额", "purchase"},
    {0x8106, 0x8106, "密钥版本号", "key version"},
    {0x810A, 0x810A, "表地址", "address"},
    {0x8115, 0x8115, "厂家：标准时间", "vendor: clock"},
    {0x8515, 0x8515, "厂家：标准时间", "vendor: clock"},
    {0x8580, 0x8580, "厂家：表状态", "vendor: meter state"},
    {0x9017, 0x9017, "厂家：超声水表数据", "vendor: ultrasonic meter data"},
    {0x901F, 0x901F, "当前计量数据", "current metering data"},
    {0x903F, 0x903F, "热功率；厂家：上1至6月数据", "thermal power; vendor: months 1 to 6 back"},
    {0x904F, 0x904F, "回水温度；厂家：上7至12月数据", "return temperature; vendor: months 7 to 12 back"},
    {0x905F, 0x905F, "供水温度", "supply temperature"},
    {0x906F, 0x906F, "累积工作时间", "operating time"},
    {0x907F, 0x907F, "实时时间", "clock"},
    {0x9097, 0x9097, "厂家：超声水表上报", "vendor: ultrasonic meter report"},
    {0x910F, 0x910F, "厂家：日历史数据", "vendor: daily history"},
    {0x911F, 0x911F, "热量和冷量数据", "heat and cold metering data"},
    {0x913F, 0x913F, "厂家：上1至5日数据", "vendor: days 1 to 5 back"},
    {0x914F, 0x914F, "厂家：上6至10日数据", "vendor: days 6 to 10 back"},
    {0x915F, 0x915F, "厂家：上11至15日数据", "vendor: days 11 to 15 back"},
    {0x916F, 0x916F, "厂家：上16至20日数据", "vendor: days 16 to 20 back"},
    {0x917F, 0x917F, "厂家：上21至25日数据", "vendor: days 21 to 25 back"},
    {0x918F, 0x918F, "厂家：上26至30日数据", "vendor: days 26 to 30 back"},
    {0xA010, 0xA010, "写价格表", "write the price table", "write-prices"},
    {0xA011, 0xA011, "写结算日", "write the settlement day", "write-settlement-day"},
    {0xA012, 0xA012, "写抄表日", "write the reading day", "write-reading-day"},
    {0xA013, 0xA013, "写购入金额", "write a purchase", "write-purchase"},
    {0xA014, 0xA014, "写新密钥", "write a new key", "write-key"},
    {0xA015, 0xA015, "写标准时间", "set the clock", "write-clock"},
    {0xA016, 0xA016, "写机电同步数据（表底数）", "write the base value", "write-base"},
    {0xA017, 0xA017, "写阀门控制", "valve control", "valve-open"},
    {0xA018, 0xA018, "写地址", "write the address", "write-address"},
    {0xA019, 0xA019, "出厂启用", "leave the factory state", "factory-enable"},
    {0xA101, 0xA101, "进入检定模式", "enter verification mode"},
    {0xA102, 0xA102, "退出检定模式", "leave verification mode"},
    {0xA103, 0xA103, "写通信参数", "write communication parameters"},
    {0xA104, 0xA104, "写冻结参数", "write freeze parameters"},
    {0xA105, 0xA105, "写报警剩余量", "write the alarm volume"},
    {0xA106, 0xA106, "写报警剩余金额", "write the alarm amount"},
    {0xA107, 0xA107, "修改密钥", "change the key"},
    {0xA119, 0xA119, "厂家：上报参数", "vendor: report parameters"},
    {0xA580, 0xA580, "厂家：写表状态", "vendor: write the meter state"},
    {0xD120, 0xD12B, "上月结算日数据", "value on a past settlement day"},
    {0xD200, 0xD2FF, "历史数据2", "history 2"},
    {0xD300, 0xD3FF, "定时冻结数据", "timed freeze"},
    {0xD400, 0xD4FF, "瞬时冻结数据", "immediate freeze"},
};
// clang-format on

static_assert(std::size(kRegisters) == kRegisterCount);

// The id without its index, and the index; 0: none.
struct SplitId {
  absl::string_view stem = "";
  uint16_t n = 0;
  bool ok = true;
};

SplitId Split(absl::string_view id) {
  const size_t star = id.find('*');
  if (star == absl::string_view::npos) return {id, 0, true};
  uint32_t n = 0;
  const absl::string_view digits = id.substr(star + 1);
  const bool ok = digits.size() <= 3 && absl::SimpleAtoi(digits, &n) && n > 0 && digits[0] != '0' && digits[0] != '+';
  return {id.substr(0, star), static_cast<uint16_t>(n), ok};
}

absl::string_view Stem(absl::string_view id) { return id.substr(0, id.find('*')); }

// "8-0:1.0.0" and "9-0:1.0.0" are one row.
bool SameWater(absl::string_view row, absl::string_view asked) {
  return absl::StartsWith(row, "8-0:") && absl::StartsWith(asked, "9-0:") && row.substr(1) == asked.substr(1);
}

}  // namespace

Family FamilyOf(uint8_t meter_type) {
  if (meter_type >= 0x20 && meter_type <= 0x29) return Family::kHeat;
  return meter_type == kAnyType ? Family::kAny : Family::kVolume;
}

std::span<const Register> Registers() { return kRegisters; }

const Register& RegisterOf(Reg reg) {
  VW_CHECK(static_cast<size_t>(reg) < kRegisterCount);
  return kRegisters[static_cast<size_t>(reg)];
}

std::string IdFor(const Register& row, uint8_t meter_type, uint16_t n) {
  const bool gas = meter_type >= 0x30 && meter_type <= 0x39 && !row.gas_id.empty();
  std::string id = std::string(Stem(gas ? row.gas_id : row.id));
  if (meter_type == kHotWater && absl::StartsWith(id, "8-0:")) id[0] = '9';
  if (row.n_first != 0) absl::StrAppend(&id, "*", n);
  return id;
}

Found FindById(absl::string_view id) {
  const SplitId split = Split(id);
  if (!split.ok) return {};
  for (const Register& row : kRegisters) {
    const absl::string_view stem = Stem(row.id);
    const bool same =
        stem == split.stem || SameWater(stem, split.stem) || (!row.gas_id.empty() && Stem(row.gas_id) == split.stem);
    if (!same) continue;
    if (row.n_first == 0 ? split.n == 0 && id.find('*') == absl::string_view::npos
                         : split.n >= row.n_first && split.n <= row.n_last) {
      return {&row, split.n};
    }
  }
  return {};
}

size_t Layout::length() const {
  size_t sum = 0;
  for (const Field& field : fields) sum += field.length + (field.unit ? 1U : 0U);
  return sum;
}

std::span<const Layout> Layouts() { return kLayouts; }
std::span<const Identifier> Identifiers() { return kIdentifiers; }

const Identifier* FindIdentifier(uint16_t di) {
  const auto* const found = std::find_if(std::begin(kIdentifiers), std::end(kIdentifiers),
                                         [di](const Identifier& row) { return di >= row.first && di <= row.last; });
  return found == std::end(kIdentifiers) ? nullptr : found;
}

WireIdentifier RecogniseIdentifier(uint8_t first, uint8_t second) {
  const auto low = static_cast<uint16_t>(first | second << 8);
  const auto high = static_cast<uint16_t>(first << 8 | second);
  if (FindIdentifier(low) != nullptr) return {low, true, true};
  if (FindIdentifier(high) != nullptr) return {high, true, false};
  return {low, false, true};
}

}  // namespace voltwell::codec::cjt188
