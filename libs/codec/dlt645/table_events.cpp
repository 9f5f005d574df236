// 2007: events (class 03 and the second generation 10 to 1E) and purchase records (0332, 0333).
#include "libs/codec/dlt645/axes.h"
#include "libs/codec/dlt645/specs.h"
#include "libs/codec/dlt645/tables.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr char kEvents[] = "DL/T 645-2007 annex A, events";
constexpr char kPurchases[] = "State Grid prepaid meters, purchase records";
constexpr char kSecond[] = "State Grid meters of 2013, events";

constexpr FieldSpec kCount = Bcd(3, 0);
constexpr FieldSpec kMinutes = Bcd(3, 0, "min");
constexpr FieldSpec kStart = As(kDateTimeSecField, "/start", "发生时刻", "start");
constexpr FieldSpec kEnd = As(kDateTimeSecField, "/end", "结束时刻", "end");
constexpr FieldSpec kOperator = As(Plain(Format::kHex, 4), "/operator", "操作者代码", "operator");
constexpr FieldSpec kKwh = Bcd(4, 2, "kWh");
constexpr FieldSpec kKvarh = SignedBcd(4, 2, "kvarh");

// clang-format off
// Increments of four energies, of the sum or of a phase (x, a suffix and words).
#define VW_INCREMENTS(x, zh, en)                                                                    \
  As(kKwh, "/" x "_forward", zh "正向有功电能增量", "forward energy increment, " en),                  \
  As(kKwh, "/" x "_reverse", zh "反向有功电能增量", "reverse energy increment, " en),                  \
  As(kKvarh, "/" x "_reactive_1", zh "组合无功1电能增量", "reactive energy 1 increment, " en),         \
  As(kKvarh, "/" x "_reactive_2", zh "组合无功2电能增量", "reactive energy 2 increment, " en)
#define VW_AT_START(x, zh, en)                                                                      \
  As(Bcd(2, 1, "V"), "/" x "_voltage", zh "电压", "voltage, " en),                                   \
  As(SignedBcd(3, 3, "A"), "/" x "_current", zh "电流", "current, " en),                             \
  As(SignedBcd(3, 4, "kW"), "/" x "_active_power", zh "有功功率", "active power, " en),              \
  As(SignedBcd(3, 4, "kvar"), "/" x "_reactive_power", zh "无功功率", "reactive power, " en),        \
  As(SignedBcd(2, 3), "/" x "_power_factor", zh "功率因数", "power factor, " en)
#define VW_PHASES_INCREMENTS                                                                        \
  VW_INCREMENTS("total", "总", "total"), VW_INCREMENTS("a", "A相", "phase A"),                       \
  VW_INCREMENTS("b", "B相", "phase B"), VW_INCREMENTS("c", "C相", "phase C")
#define VW_PHASES_WITH_VALUES                                                                       \
  VW_INCREMENTS("total", "总", "total"),                                                             \
  VW_INCREMENTS("a", "A相", "phase A"), VW_AT_START("a", "A相", "phase A"),                           \
  VW_INCREMENTS("b", "B相", "phase B"), VW_AT_START("b", "B相", "phase B"),                           \
  VW_INCREMENTS("c", "C相", "phase C"), VW_AT_START("c", "C相", "phase C")
// Forward, reverse and four quadrants.
#define VW_SIX_ENERGIES(x, zh, en)                                                                  \
  As(kKwh, "/" x "_forward", zh "正向有功电能", "forward energy, " en),                                \
  As(kKwh, "/" x "_reverse", zh "反向有功电能", "reverse energy, " en),                                \
  As(Bcd(4, 2, "kvarh"), "/" x "_quadrant_{i}", zh "第{i}象限无功电能", "reactive energy, quadrant {i}, " en, 4)
#define VW_DEMAND(x, zh, en, unit)                                                                  \
  As(Bcd(3, 4, unit), "/" x, zh "最大需量", en " demand"),                                           \
  As(kDateTimeField, "/" x "_time", zh "最大需量发生时间", "time of " en " demand")
#define VW_SIX_DEMANDS(x, zh, en)                                                                   \
  VW_DEMAND(x "_forward", zh "正向有功", en " forward", "kW"),                                       \
  VW_DEMAND(x "_reverse", zh "反向有功", en " reverse", "kW"),                                       \
  VW_DEMAND(x "_quadrant_1", zh "第1象限无功", en " quadrant 1", "kvar"),                            \
  VW_DEMAND(x "_quadrant_2", zh "第2象限无功", en " quadrant 2", "kvar"),                            \
  VW_DEMAND(x "_quadrant_3", zh "第3象限无功", en " quadrant 3", "kvar"),                            \
  VW_DEMAND(x "_quadrant_4", zh "第4象限无功", en " quadrant 4", "kvar")

constexpr FieldSpec kPhaseCounters[] = {
    As(kCount, "/a_count", "A相总次数", "count, phase A"), As(kMinutes, "/a_minutes", "A相累计时间", "duration, phase A"),
    As(kCount, "/b_count", "B相总次数", "count, phase B"), As(kMinutes, "/b_minutes", "B相累计时间", "duration, phase B"),
    As(kCount, "/c_count", "C相总次数", "count, phase C"), As(kMinutes, "/c_minutes", "C相累计时间", "duration, phase C")};
constexpr FieldSpec kCounters[] = {As(kCount, "/count", "总次数", "count"), As(kMinutes, "/minutes", "累计时间", "duration")};
constexpr FieldSpec kVoltageRecord[] = {
    kStart, kEnd, VW_PHASES_WITH_VALUES,
    As(Bcd(4, 2, "Ah"), "/total_ampere_hours", "总安时数", "ampere hours, total"),
    As(Bcd(4, 2, "Ah"), "/a_ampere_hours", "A相安时数", "ampere hours, phase A"),
    As(Bcd(4, 2, "Ah"), "/b_ampere_hours", "B相安时数", "ampere hours, phase B"),
    As(Bcd(4, 2, "Ah"), "/c_ampere_hours", "C相安时数", "ampere hours, phase C")};
constexpr FieldSpec kCurrentRecord[] = {kStart, kEnd, VW_PHASES_WITH_VALUES};
constexpr FieldSpec kPlainRecord[] = {kStart, kEnd, VW_PHASES_INCREMENTS};
constexpr FieldSpec kUnbalanceRecord[] = {
    kStart, kEnd, As(Bcd(2, 2, "%"), "/unbalance", "最大不平衡率", "largest unbalance"), VW_PHASES_INCREMENTS};
constexpr FieldSpec kAllLost[] = {kStart, As(SignedBcd(3, 3, "A"), "/current", "电流值", "current"), kEnd};
constexpr FieldSpec kStartEnd[] = {kStart, kEnd};
constexpr FieldSpec kQualification[] = {
    As(Bcd(3, 0, "min"), "/monitored", "电压监测时间", "monitored time"),
    As(Bcd(3, 2, "%"), "/qualified", "电压合格率", "qualified share"),
    As(Bcd(3, 2, "%"), "/over_limit", "电压超限率", "share beyond limits"),
    As(Bcd(3, 0, "min"), "/above", "电压超上限时间", "time above the upper limit"),
    As(Bcd(3, 0, "min"), "/below", "电压超下限时间", "time below the lower limit"),
    As(Bcd(2, 1, "V"), "/highest", "最高电压", "highest voltage"),
    As(Plain(Format::kMonthDayTime, 4), "/highest_time", "最高电压出现时间", "time of the highest voltage"),
    As(Bcd(2, 1, "V"), "/lowest", "最低电压", "lowest voltage"),
    As(Plain(Format::kMonthDayTime, 4), "/lowest_time", "最低电压出现时间", "time of the lowest voltage")};
constexpr FieldSpec kDemandOverCounters[] = {
    As(kCount, "/forward", "正向有功需量超限总次数", "forward active"), As(kCount, "/reverse", "反向有功需量超限总次数", "reverse active"),
    As(kCount, "/quadrant_{i}", "第{i}象限无功需量超限总次数", "reactive, quadrant {i}", 4)};
constexpr FieldSpec kDemandOver[] = {kStart, kEnd, As(Bcd(3, 4), "/demand", "最大需量", "maximum demand"),
                                     As(kDateTimeField, "/demand_time", "最大需量发生时间", "time of the maximum demand")};
constexpr FieldSpec kAt = As(kDateTimeSecField, "/time", "发生时刻", "time");
constexpr FieldSpec kProgramming[] = {
    kAt, kOperator, As(Plain(Format::kIdentifier, 4), "/identifier_{i}", "编程的第{i}个数据标识", "identifier {i}", 10)};
constexpr FieldSpec kMeterClear[] = {kAt, kOperator, VW_SIX_ENERGIES("total", "清零前总", "total before"),
                                     VW_SIX_ENERGIES("a", "清零前A相", "phase A before"),
                                     VW_SIX_ENERGIES("b", "清零前B相", "phase B before"),
                                     VW_SIX_ENERGIES("c", "清零前C相", "phase C before")};
constexpr FieldSpec kDemandClear[] = {kAt, kOperator, VW_SIX_DEMANDS("total", "清零前总", "total"), VW_SIX_DEMANDS("a", "清零前A相", "phase A"),
                                      VW_SIX_DEMANDS("b", "清零前B相", "phase B"), VW_SIX_DEMANDS("c", "清零前C相", "phase C")};
constexpr FieldSpec kEventClear[] = {kAt, kOperator, As(Plain(Format::kIdentifier, 4), "/identifier", "清零的数据标识", "identifier")};
constexpr FieldSpec kClockSet[] = {kOperator, As(kDateTimeSecField, "/before", "校时前时间", "before"),
                                   As(kDateTimeSecField, "/after", "校时后时间", "after")};
constexpr FieldSpec kDayTables[] = {
    kAt, kOperator, As(Plain(Format::kTimeTariff, 3), "/period_{i}", "编程前第{i}时段（每表14个，两套各8表）", "period {i} before (14 a table, 2 sets of 8)", 224)};
constexpr FieldSpec kZoneTables[] = {
    kAt, kOperator, As(Plain(Format::kMonthDayTable, 3), "/zone_{i}", "编程前第{i}时区（两套各14个）", "zone {i} before (2 sets of 14)", 28)};
constexpr FieldSpec kWeekend[] = {kAt, kOperator, As(Bcd(1, 0), "/before", "编程前采用的日时段表号", "day table before")};
constexpr FieldSpec kHolidays[] = {kAt, kOperator, As(Plain(Format::kHoliday, 4), "/holiday_{i}", "编程前第{i}节假日", "holiday {i} before", 0)};
constexpr FieldSpec kCombination[] = {kAt, kOperator, As(Bits(1), "/before", "编程前的特征字", "word before")};
constexpr FieldSpec kSettlementDays[] = {kAt, kOperator, As(Plain(Format::kDayHour, 2), "/day_{i}", "编程前第{i}结算日", "settlement day {i} before", 3)};
constexpr FieldSpec kCover[] = {kStart, kEnd, VW_SIX_ENERGIES("before", "开盖前总", "total before"), VW_SIX_ENERGIES("after", "开盖后总", "total after")};
constexpr FieldSpec kMagnet[] = {kStart, kEnd,
                                 As(kKwh, "/before_forward", "开始时正向有功总电能", "forward energy at the start"),
                                 As(kKwh, "/before_reverse", "开始时反向有功总电能", "reverse energy at the start"),
                                 As(kKwh, "/after_forward", "结束时正向有功总电能", "forward energy at the end"),
                                 As(kKwh, "/after_reverse", "结束时反向有功总电能", "reverse energy at the end")};

#undef VW_INCREMENTS
#undef VW_AT_START
#undef VW_PHASES_INCREMENTS
#undef VW_PHASES_WITH_VALUES
#undef VW_SIX_ENERGIES
#undef VW_DEMAND
#undef VW_SIX_DEMANDS

constexpr AxisWord kVoltageEvents[] = {{"voltage_loss", "失压", "loss of voltage"}, {"under_voltage", "欠压", "under-voltage"},
                                       {"over_voltage", "过压", "over-voltage"}, {"phase_failure", "断相", "phase failure"}};
constexpr AxisWord kCurrentEvents[] = {{"current_loss", "失流", "loss of current"}, {"over_current", "过流", "over-current"},
                                       {"broken_current", "断流", "broken current"}};
constexpr AxisWord kPowerEvents[] = {{"flow_reversal", "潮流反向", "power flow reversal"}, {"overload", "过载", "overload"}};
constexpr AxisWord kPhaseEvents[] = {{"current_loss", "失流", "loss of current"}, {"over_current", "过流", "over-current"},
                                     {"broken_current", "断流", "broken current"}, {"flow_reversal", "潮流反向", "power flow reversal"},
                                     {"overload", "过载", "overload"}};
constexpr AxisWord kSequenceEvents[] = {{"voltage_reverse_sequence", "电压逆相序", "voltage reverse sequence"},
                                        {"current_reverse_sequence", "电流逆相序", "current reverse sequence"}};
constexpr AxisWord kUnbalanceEvents[] = {{"voltage_unbalance", "电压不平衡", "voltage unbalance"}, {"current_unbalance", "电流不平衡", "current unbalance"}};
constexpr AxisWord kDemandWords[] = {{"forward", "正向有功", "forward active"}, {"reverse", "反向有功", "reverse active"},
                                     {"quadrant_1", "第1象限无功", "reactive, quadrant 1"}, {"quadrant_2", "第2象限无功", "reactive, quadrant 2"},
                                     {"quadrant_3", "第3象限无功", "reactive, quadrant 3"}, {"quadrant_4", "第4象限无功", "reactive, quadrant 4"}};
constexpr AxisWord kCombinations[] = {{"active", "有功组合方式", "active combination"}, {"reactive_1", "无功组合方式1", "reactive combination 1"},
                                      {"reactive_2", "无功组合方式2", "reactive combination 2"}};
constexpr AxisWord kProgrammings[] = {
    {"programming", "编程", "programming"}, {"meter_clear", "电表清零", "meter clear"}, {"demand_clear", "需量清零", "demand clear"},
    {"event_clear", "事件清零", "event clear"}, {"clock_set", "校时", "clock adjustment"}, {"day_table_programming", "时段表编程", "day table programming"},
    {"zone_table_programming", "时区表编程", "zone table programming"}, {"weekend_programming", "周休日编程", "weekend programming"},
    {"holiday_programming", "节假日编程", "holiday programming"}, {"active_combination_programming", "有功组合方式编程", "active combination programming"},
    {"reactive_combination_1_programming", "无功组合方式1编程", "reactive combination 1 programming"},
    {"reactive_combination_2_programming", "无功组合方式2编程", "reactive combination 2 programming"},
    {"settlement_day_programming", "结算日编程", "settlement day programming"}, {"cover_open", "开表盖", "cover opened"},
    {"terminal_cover_open", "开端钮盒", "terminal cover opened"}};
constexpr AxisWord kCovers[] = {{"cover_open", "开表盖", "cover opened"}, {"terminal_cover_open", "开端钮盒", "terminal cover opened"}};
constexpr AxisWord kTotalsAndPhases[] = {{"total", "", "total"}, {"a", "A相", "phase A"}, {"b", "B相", "phase B"}, {"c", "C相", "phase C"}};

constexpr Axis List(char letter, uint8_t shift, std::span<const AxisWord> words) {
  return {.letter = letter, .shift = shift, .count = static_cast<uint16_t>(words.size()), .block = false, .words = AxisWords::kList, .list = words};
}
constexpr Axis kVoltageAxis = List('e', 16, kVoltageEvents);
constexpr Axis kCurrentAxis = List('e', 16, kCurrentEvents);
constexpr Axis kPowerAxis = List('e', 16, kPowerEvents);
constexpr Axis kPhaseEventAxis = List('e', 16, kPhaseEvents);
constexpr Axis kSequenceAxis = List('e', 16, kSequenceEvents);
constexpr Axis kUnbalanceAxis = List('e', 16, kUnbalanceEvents);
constexpr Axis kDemandAxis = List('e', 8, kDemandWords);
constexpr Axis kCombinationAxis = List('e', 8, kCombinations);
constexpr Axis kProgrammingAxis = List('e', 8, kProgrammings);
constexpr Axis kCoverAxis = List('e', 8, kCovers);
constexpr Axis kQualificationAxis = List('p', 8, kTotalsAndPhases);
constexpr Axis kMonths = {.letter = 'n', .count = 13, .block = false};
constexpr Axis kPhasesOnce = {.letter = 'p', .shift = 8, .count = 3, .block = false, .words = AxisWords::kPhase};
constexpr Axis kVoltageInDi3 = List('e', 24, kVoltageEvents);
constexpr Axis kCurrentInDi3 = List('e', 24, kPhaseEvents);
constexpr Axis kPhasesOfSecond = {.letter = 'p', .shift = 16, .count = 3, .block = false, .words = AxisWords::kPhase};

constexpr Register kRows[] = {
    {0x03010000, {&kVoltageAxis}, "", "{e}_counters", "{e}总次数及累计时间", "{e}, counters", {}, kPhaseCounters, Access::kRead, kEvents, "hand-03010000"},
    {0x03010101, {&kVoltageAxis, &kPhasesOnce, &kLastTen}, "", "{e}_{p}_{n}", "{p}相{e}记录{n}", "{e}, phase {p}, record {n}", {}, kVoltageRecord, Access::kRead, kEvents, "hand-03010101"},
    {0x03050000, {}, "", "all_voltage_lost_counters", "全失压总次数及累计时间", "all voltages lost, counters", {}, kCounters, Access::kRead, kEvents, "hand-03050000"},
    {0x03050001, {&kLastTen}, "", "all_voltage_lost_{n}", "全失压记录{n}", "all voltages lost, record {n}", {}, kAllLost, Access::kRead, kEvents, "hand-03050001"},
    {0x03060000, {}, "", "auxiliary_lost_counters", "辅助电源失电总次数及累计时间", "auxiliary supply lost, counters", {}, kCounters, Access::kRead, kEvents, "hand-03060000"},
    {0x03060001, {&kLastTen}, "", "auxiliary_lost_{n}", "辅助电源失电记录{n}", "auxiliary supply lost, record {n}", {}, kStartEnd, Access::kRead, kEvents, "hand-0306000a"},
    {0x03070000, {&kSequenceAxis}, "", "{e}_counters", "{e}总次数及累计时间", "{e}, counters", {}, kCounters, Access::kRead, kEvents, "hand-03080000"},
    {0x03070001, {&kSequenceAxis, &kLastTen}, "", "{e}_{n}", "{e}记录{n}", "{e}, record {n}", {}, kPlainRecord, Access::kRead, kEvents, "hand-03070001"},
    {0x03090000, {&kUnbalanceAxis}, "", "{e}_counters", "{e}总次数及累计时间", "{e}, counters", {}, kCounters, Access::kRead, kEvents, "hand-03090000"},
    {0x03090001, {&kUnbalanceAxis, &kLastTen}, "", "{e}_{n}", "{e}记录{n}", "{e}, record {n}", {}, kUnbalanceRecord, Access::kRead, kEvents, "hand-030a0001"},
    {0x030B0000, {&kPhaseEventAxis}, "", "{e}_counters", "{e}总次数及累计时间", "{e}, counters", {}, kPhaseCounters, Access::kRead, kEvents, "hand-030c0000"},
    {0x030B0101, {&kCurrentAxis, &kPhasesOnce, &kLastTen}, "", "{e}_{p}_{n}", "{p}相{e}记录{n}", "{e}, phase {p}, record {n}", {}, kCurrentRecord, Access::kRead, kEvents, "hand-030b0301"},
    {0x030E0101, {&kPowerAxis, &kPhasesOnce, &kLastTen}, "", "{e}_{p}_{n}", "{p}相{e}记录{n}", "{e}, phase {p}, record {n}", {}, kPlainRecord, Access::kRead, kEvents, "hand-030f0201"},
    {0x03100000, {&kQualificationAxis, &kMonths}, "", "voltage_qualification_{p}_{n}", "{p}电压合格率统计（上{n}月）", "voltage qualification, {p}, {n} months back", {}, kQualification, Access::kRead, kEvents, "hand-03100101"},
    {0x03110000, {}, "0-0:96.7.0", "power_failure_count", "掉电总次数", "power failures", kCount, {}, Access::kRead, kEvents, "hand-03110000"},
    {0x03110001, {&kLastTen}, "", "power_failure_{n}", "掉电记录{n}", "power failure, record {n}", {}, kStartEnd, Access::kRead, kEvents, "hand-03110001"},
    {0x03120000, {}, "", "demand_over_limit_counters", "需量超限总次数", "demand over limit, counters", {}, kDemandOverCounters, Access::kRead, kEvents, "hand-03120000"},
    {0x03120101, {&kDemandAxis, &kLastTen}, "", "demand_over_limit_{e}_{n}", "{e}需量超限记录{n}", "{e} demand over limit, record {n}", {}, kDemandOver, Access::kRead, kEvents, "hand-03120101"},
    {0x03300000, {&kProgrammingAxis}, "", "{e}_count", "{e}总次数", "{e}, count", kCount, {}, Access::kRead, kEvents, "hand-03300000"},
    {0x03300001, {&kLastTen}, "", "programming_{n}", "编程记录{n}", "programming, record {n}", {}, kProgramming, Access::kRead, kEvents, "hand-03300001"},
    {0x03300101, {&kLastTen}, "", "meter_clear_{n}", "电表清零记录{n}", "meter clear, record {n}", {}, kMeterClear, Access::kRead, kEvents, "hand-03300101"},
    {0x03300201, {&kLastTen}, "", "demand_clear_{n}", "需量清零记录{n}", "demand clear, record {n}", {}, kDemandClear, Access::kRead, kEvents, "hand-03300201"},
    {0x03300301, {&kLastTen}, "", "event_clear_{n}", "事件清零记录{n}", "event clear, record {n}", {}, kEventClear, Access::kRead, kEvents, "hand-03300301"},
    {0x03300401, {&kLastTen}, "", "clock_set_{n}", "校时记录{n}", "clock adjustment, record {n}", {}, kClockSet, Access::kRead, kEvents, "hand-03300401"},
    {0x03300501, {&kLastTen}, "", "day_table_programming_{n}", "时段表编程记录{n}", "day table programming, record {n}", {}, kDayTables, Access::kRead, kEvents, "hand-03300501"},
    {0x03300601, {&kLastTen}, "", "zone_table_programming_{n}", "时区表编程记录{n}", "zone table programming, record {n}", {}, kZoneTables, Access::kRead, kEvents, "hand-03300601"},
    {0x03300701, {&kLastTen}, "", "weekend_programming_{n}", "周休日编程记录{n}", "weekend programming, record {n}", {}, kWeekend, Access::kRead, kEvents, "hand-03300701"},
    {0x03300801, {&kLastTen}, "", "holiday_programming_{n}", "节假日编程记录{n}", "holiday programming, record {n}", {}, kHolidays, Access::kRead, kEvents, "hand-03300801"},
    {0x03300901, {&kCombinationAxis, &kLastTen}, "", "{e}_combination_programming_{n}", "{e}编程记录{n}", "{e} programming, record {n}", {}, kCombination, Access::kRead, kEvents, "hand-03300901"},
    {0x03300C01, {&kLastTen}, "", "settlement_day_programming_{n}", "结算日编程记录{n}", "settlement day programming, record {n}", {}, kSettlementDays, Access::kRead, kEvents, "hand-03300c01"},
    {0x03300D01, {&kCoverAxis, &kLastTen}, "", "{e}_{n}", "{e}记录{n}", "{e}, record {n}", {}, kCover, Access::kRead, kEvents, "hand-03300d01"},
    {0x03350000, {}, "", "magnetic_field_count", "恒定磁场干扰总次数", "constant magnetic field, count", kCount, {}, Access::kRead, kSecond, ""},
    {0x03350001, {&kLastTen}, "", "magnetic_field_{n}", "恒定磁场干扰记录{n}", "constant magnetic field, record {n}", {}, kMagnet, Access::kRead, kSecond, ""},

    {0x03320101, {&kLastTen}, "", "energy_purchase_time_{n}", "上{n}次购电日期", "time of energy purchase {n} back", kDateTimeField, {}, Access::kRead, kPurchases, "hand-03320101"},
    {0x03320201, {&kLastTen}, "", "energy_purchase_count_{n}", "上{n}次购电后总购电次数", "number of energy purchase {n} back", Bcd(2, 0), {}, Access::kRead, kPurchases, "hand-03320201"},
    {0x03320301, {&kLastTen}, "", "energy_purchased_{n}", "上{n}次购电量", "energy bought, {n} back", kKwh, {}, Access::kRead, kPurchases, "hand-03320301"},
    {0x03320401, {&kLastTen}, "", "energy_before_purchase_{n}", "上{n}次购电前剩余电量", "remaining energy before purchase {n} back", SignedBcd(4, 2, "kWh"), {}, Access::kRead, kPurchases, "hand-03320401"},
    {0x03320501, {&kLastTen}, "", "energy_after_purchase_{n}", "上{n}次购电后剩余电量", "remaining energy after purchase {n} back", SignedBcd(4, 2, "kWh"), {}, Access::kRead, kPurchases, "hand-03320501"},
    {0x03320601, {&kLastTen}, "", "energy_purchased_sum_{n}", "上{n}次购电后累计购电量", "energy bought in all after purchase {n} back", kKwh, {}, Access::kRead, kPurchases, "hand-03320601"},
    {0x03330101, {&kLastTen}, "", "purchase_time_{n}", "上{n}次购电日期（金额）", "time of purchase {n} back", kDateTimeField, {}, Access::kRead, kPurchases, "hand-03330101"},
    {0x03330201, {&kLastTen}, "", "purchase_count_{n}", "上{n}次购电后总购电次数（金额）", "number of purchase {n} back", Bcd(2, 0), {}, Access::kRead, kPurchases, "hand-03330201"},
    {0x03330301, {&kLastTen}, "", "purchase_amount_{n}", "上{n}次购电金额", "amount of purchase {n} back", Bcd(4, 2, "CNY"), {}, Access::kRead, kPurchases, "hand-03330301"},
    {0x03330401, {&kLastTen}, "", "amount_before_purchase_{n}", "上{n}次购电前剩余金额", "remaining amount before purchase {n} back", SignedBcd(4, 2, "CNY"), {}, Access::kRead, kPurchases, "hand-03330401"},
    {0x03330501, {&kLastTen}, "", "amount_after_purchase_{n}", "上{n}次购电后剩余金额", "remaining amount after purchase {n} back", SignedBcd(4, 2, "CNY"), {}, Access::kRead, kPurchases, "hand-03330501"},
    {0x03330601, {&kLastTen}, "", "purchase_amount_sum_{n}", "上{n}次购电后累计购电金额", "amount bought in all after purchase {n} back", Bcd(4, 2, "CNY"), {}, Access::kRead, kPurchases, "hand-0333060a"},

    {0x10010001, {&kVoltageInDi3, &kPhasesOfSecond}, "", "{e}_{p}_count", "{p}相{e}总次数", "{e}, phase {p}, count", kCount, {}, Access::kRead, kSecond, "hand-13010001"},
    {0x10010002, {&kVoltageInDi3, &kPhasesOfSecond}, "", "{e}_{p}_minutes", "{p}相{e}累计时间", "{e}, phase {p}, duration", kMinutes, {}, Access::kRead, kSecond, "hand-13020002"},
    {0x10010101, {&kVoltageInDi3, &kPhasesOfSecond, &kLastTen}, "", "{e}_{p}_start_{n}", "上{n}次{p}相{e}发生时刻", "{e}, phase {p}, start {n} back", kDateTimeSecField, {}, Access::kRead, kSecond, "hand-13030101"},
    {0x10012501, {&kVoltageInDi3, &kPhasesOfSecond, &kLastTen}, "", "{e}_{p}_end_{n}", "上{n}次{p}相{e}结束时刻", "{e}, phase {p}, end {n} back", kDateTimeSecField, {}, Access::kRead, kSecond, "hand-13012501"},
    {0x18010001, {&kCurrentInDi3, &kPhasesOfSecond}, "", "{e}_{p}_count", "{p}相{e}总次数", "{e}, phase {p}, count", kCount, {}, Access::kRead, kSecond, "hand-1a010001"},
    {0x18010002, {&kCurrentInDi3, &kPhasesOfSecond}, "", "{e}_{p}_minutes", "{p}相{e}累计时间", "{e}, phase {p}, duration", kMinutes, {}, Access::kRead, kSecond, ""},
    {0x18010101, {&kCurrentInDi3, &kPhasesOfSecond, &kLastTen}, "", "{e}_{p}_start_{n}", "上{n}次{p}相{e}发生时刻", "{e}, phase {p}, start {n} back", kDateTimeSecField, {}, Access::kRead, kSecond, ""},
    {0x1D000001, {}, "", "trip_count", "跳闸次数", "trips of the relay", kCount, {}, Access::kRead, kSecond, ""},
    {0x1D000101, {&kLastTen}, "", "trip_time_{n}", "上{n}次跳闸时间", "time of trip {n} back", kDateTimeSecField, {}, Access::kRead, kSecond, "hand-1d000101"},
    {0x1E000001, {}, "", "close_count", "合闸次数", "closings of the relay", kCount, {}, Access::kRead, kSecond, ""},
    {0x1E000101, {&kLastTen}, "", "close_time_{n}", "上{n}次合闸时间", "time of closing {n} back", kDateTimeSecField, {}, Access::kRead, kSecond, "hand-1e000101"},
};
// clang-format on

}  // namespace

std::span<const Register> EventRows() { return kRows; }

}  // namespace voltwell::codec::dlt645
