// 2007: parameters (class 04), time tables and prices apart (table_prices.cpp).
#include "libs/codec/dlt645/axes.h"
#include "libs/codec/dlt645/specs.h"
#include "libs/codec/dlt645/status_words.h"
#include "libs/codec/dlt645/tables.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr char kParameters[] = "DL/T 645-2007 annex A, parameters";
constexpr char kExtension[] = "State Grid extension of annex A, parameters";
constexpr char kThresholds[] = "State Grid extension of annex A, event thresholds";

constexpr FieldSpec kNumber = Bcd(1, 0);

constexpr AxisWord kPorts[] = {{"infrared", "调制型红外光口", "infrared port"},
                               {"contact", "接触式红外光口", "contact port"},
                               {"port_1", "通信口1", "port 1"},
                               {"port_2", "通信口2", "port 2"},
                               {"port_3", "通信口3", "port 3"}};
constexpr AxisWord kFreezes[] = {
    {"timed", "定时", "timed"}, {"immediate", "瞬时", "immediate"}, {"agreed", "约定", "agreed"}};
constexpr AxisWord kCoefficients[] = {
    {"a_conductance", "A相电导", "conductance, phase A"}, {"a_susceptance", "A相电纳", "susceptance, phase A"},
    {"a_resistance", "A相电阻", "resistance, phase A"},   {"a_reactance", "A相电抗", "reactance, phase A"},
    {"b_conductance", "B相电导", "conductance, phase B"}, {"b_susceptance", "B相电纳", "susceptance, phase B"},
    {"b_resistance", "B相电阻", "resistance, phase B"},   {"b_reactance", "B相电抗", "reactance, phase B"},
    {"c_conductance", "C相电导", "conductance, phase C"}, {"c_susceptance", "C相电纳", "susceptance, phase C"},
    {"c_resistance", "C相电阻", "resistance, phase C"},   {"c_reactance", "C相电抗", "reactance, phase C"}};
constexpr AxisWord kDirections[] = {{"forward", "正向", "forward"}, {"reverse", "反向", "reverse"}};
constexpr AxisWord kPhaseWords[] = {{"a", "A", "A"}, {"b", "B", "B"}, {"c", "C", "C"}};
constexpr AxisWord kSwitched[] = {{"zone_table", "两套时区表", "year zone sets"},
                                  {"day_table", "两套日时段表", "day table sets"},
                                  {"price", "两套费率电价", "tariff price sets"},
                                  {"step", "两套阶梯", "step sets"}};
constexpr AxisWord kVersions[] = {{"software_version", "厂家软件版本号", "software version"},
                                  {"hardware_version", "厂家硬件版本号", "hardware version"},
                                  {"factory_number", "厂家编号", "factory number"}};

constexpr Axis List(char letter, std::span<const AxisWord> words) {
  return {.letter = letter,
          .count = static_cast<uint16_t>(words.size()),
          .block = false,
          .words = AxisWords::kList,
          .list = words};
}
constexpr Axis Count(uint16_t count, int8_t shown = 0) {
  return {.letter = 'n', .count = count, .block = false, .shown = shown};
}
constexpr Axis kPortAxis = List('k', kPorts);
constexpr Axis kFreezeAxis = List('k', kFreezes);
constexpr Axis kCoefficientAxis = List('k', kCoefficients);
constexpr Axis kDirectionAxis = List('k', kDirections);
constexpr Axis kPhaseWordAxis = List('p', kPhaseWords);
constexpr Axis kSwitchAxis = List('k', kSwitched);
constexpr Axis kVersionAxis = List('k', kVersions);
constexpr Axis kTwo = Count(2);
constexpr Axis kCombinations = Count(2, -1);
constexpr Axis kThree = Count(3);
constexpr Axis kClasses = Count(6, -1);
constexpr Axis kLevels = Count(10, -1);
constexpr Axis kItems = Count(254);
constexpr AxisWord kDisplays[] = {{"auto", "自动循环", "automatic"}, {"key", "按键循环", "key"}};
constexpr Axis kDisplayAxis = {
    .letter = 'k', .shift = 8, .count = 2, .block = false, .words = AxisWords::kList, .list = kDisplays};

constexpr FieldSpec kStatusBlock[] = {As(Bits(2, kWord1Bits), "/1", "状态字1", "word 1"),
                                      As(Bits(2, kWord2Bits), "/2", "状态字2", "word 2"),
                                      As(Bits(2, kWord3Bits), "/3", "状态字3", "word 3"),
                                      As(Bits(2, kPhaseWordBits), "/4", "状态字4（A相）", "word 4 (phase A)"),
                                      As(Bits(2, kPhaseWordBits), "/5", "状态字5（B相）", "word 5 (phase B)"),
                                      As(Bits(2, kPhaseWordBits), "/6", "状态字6（C相）", "word 6 (phase C)"),
                                      As(Bits(2, kWord7Bits), "/7", "状态字7", "word 7")};

// clang-format off
constexpr Register kRows[] = {
    {0x04000101, {}, "0-0:0.9.2", "clock_date", "日期及星期", "date and weekday", Plain(Format::kDateWeek, 4), {}, Access::kReadWrite, kParameters, "clock-date"},
    {0x04000102, {}, "0-0:0.9.1", "clock_time", "时间", "time", Plain(Format::kTime, 3), {}, Access::kReadWrite, kParameters, "clock-time"},
    {0x0400010C, {}, "0-0:1.0.0", "clock", "日期时间", "date and time", Plain(Format::kDateTimeWeek, 7), {}, Access::kReadWrite, kExtension, "hand-0400010c"},
    {0x04000103, {}, "1-0:0.8.0", "demand_period", "最大需量周期", "demand period", Bcd(1, 0, "min"), {}, Access::kReadWrite, kParameters, "hand-04000103"},
    {0x04000104, {}, "", "sliding_interval", "滑差时间", "sliding interval", Bcd(1, 0, "min"), {}, Access::kReadWrite, kParameters, "hand-04000104"},
    {0x04000105, {}, "", "pulse_width", "校表脉冲宽度", "calibration pulse width", Bcd(2, 0, "ms"), {}, Access::kReadWrite, kParameters, "hand-04000105"},
    {0x04000106, {&kSwitchAxis}, "", "{k}_switch_time", "{k}切换时间", "switch time of the two {k}", kDateTimeField, {}, Access::kReadWrite, kParameters, "hand-04000106"},
    {0x04000201, {}, "", "year_zones", "年时区数", "number of year zones", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000201"},
    {0x04000202, {}, "", "day_tables", "日时段表数", "number of day tables", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000202"},
    {0x04000203, {}, "", "day_periods", "日时段数", "periods a day", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000203"},
    {0x04000204, {}, "", "tariffs", "费率数", "number of tariffs", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000204"},
    {0x04000205, {}, "", "holidays", "公共假日数", "number of holidays", Bcd(2, 0), {}, Access::kReadWrite, kParameters, "hand-04000205"},
    {0x04000206, {}, "", "harmonic_orders", "谐波分析次数", "harmonic orders", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000206"},
    {0x04000207, {}, "", "steps", "阶梯数", "number of steps", kNumber, {}, Access::kReadWrite, kExtension, "hand-04000207"},
    {0x04000208, {}, "", "keys", "密钥总条数", "number of keys", kNumber, {}, Access::kRead, kExtension, ""},
    {0x04000301, {}, "", "auto_screens", "自动循环显示屏数", "automatic display screens", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000301"},
    {0x04000302, {}, "", "screen_seconds", "每屏显示时间", "time of a screen", Bcd(1, 0, "s"), {}, Access::kReadWrite, kParameters, "hand-04000302"},
    {0x04000303, {}, "", "energy_decimals", "显示电能小数位数", "decimals of energies shown", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000303"},
    {0x04000304, {}, "", "demand_decimals", "显示功率（最大需量）小数位数", "decimals of powers and demands shown", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000304"},
    {0x04000305, {}, "", "key_screens", "按键循环显示屏数", "key display screens", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000305"},
    {0x04000306, {}, "1-0:0.4.2", "current_transformer_ratio", "电流互感器变比", "current transformer ratio", Bcd(3, 0), {}, Access::kReadWrite, kExtension, "hand-04000306"},
    {0x04000307, {}, "1-0:0.4.3", "voltage_transformer_ratio", "电压互感器变比", "voltage transformer ratio", Bcd(3, 0), {}, Access::kReadWrite, kExtension, ""},
    {0x04000401, {}, "0-0:96.1.0", "communication_address", "通信地址", "communication address", Digits(6), {}, Access::kReadWrite, kParameters, "communication-address"},
    {0x04000402, {}, "0-0:96.1.1", "meter_number", "表号", "meter number", Digits(6), {}, Access::kReadWrite, kParameters, "meter-number"},
    {0x04000403, {}, "0-0:96.1.2", "asset_number", "资产管理编码", "asset number", Ascii(32), {}, Access::kReadWrite, kParameters, "hand-04000403"},
    {0x04000404, {}, "", "rated_voltage", "额定电压", "rated voltage", Ascii(6), {}, Access::kRead, kParameters, "hand-04000404"},
    {0x04000405, {}, "", "rated_current", "额定电流/基本电流", "rated or base current", Ascii(6), {}, Access::kRead, kParameters, "hand-04000405"},
    {0x04000406, {}, "", "maximum_current", "最大电流", "maximum current", Ascii(6), {}, Access::kRead, kParameters, "hand-04000406"},
    {0x04000407, {}, "", "active_accuracy", "有功准确度等级", "active accuracy class", Ascii(4), {}, Access::kRead, kParameters, "hand-04000407"},
    {0x04000408, {}, "", "reactive_accuracy", "无功准确度等级", "reactive accuracy class", Ascii(4), {}, Access::kRead, kParameters, "hand-04000408"},
    {0x04000409, {}, "1-0:0.3.0", "active_constant", "电表有功常数", "active constant", Bcd(3, 0, "imp/kWh"), {}, Access::kRead, kParameters, "hand-04000409"},
    {0x0400040A, {}, "1-0:0.3.1", "reactive_constant", "电表无功常数", "reactive constant", Bcd(3, 0, "imp/kvarh"), {}, Access::kRead, kParameters, "hand-0400040a"},
    {0x0400040B, {}, "", "model", "电表型号", "model", Ascii(10), {}, Access::kRead, kParameters, "hand-0400040b"},
    {0x0400040C, {}, "", "production_date", "生产日期", "production date", Ascii(10), {}, Access::kRead, kParameters, "hand-0400040c"},
    {0x0400040D, {}, "", "protocol_version", "协议版本号", "protocol version", Ascii(16), {}, Access::kRead, kParameters, "hand-0400040d"},
    {0x0400040E, {}, "", "customer_number", "客户编号", "customer number", Digits(6), {}, Access::kRead, kExtension, ""},
    {0x0400040F, {}, "", "meter_position", "电表位置信息", "position of the meter", Plain(Format::kHex, 11), {}, Access::kReadWrite, kExtension, ""},
    {0x04000501, {}, "", "status_word_1", "电表运行状态字1", "status word 1", Bits(2, kWord1Bits), {}, Access::kRead, kParameters, "hand-04000501"},
    {0x04000502, {}, "", "status_word_2", "电表运行状态字2", "status word 2 (directions)", Bits(2, kWord2Bits), {}, Access::kRead, kParameters, "hand-04000502"},
    {0x04000503, {}, "0-0:96.3.10", "relay_status_word", "电表运行状态字3", "status word 3 (relay)", Bits(2, kWord3Bits), {}, Access::kRead, kParameters, "relay-open"},
    {0x04000504, {&kPhaseWordAxis}, "", "status_word_phase_{p}", "电表运行状态字（{p}相）", "status word (phase {p})", Bits(2, kPhaseWordBits), {}, Access::kRead, kParameters, "hand-04000504"},
    {0x04000507, {}, "", "status_word_7", "电表运行状态字7", "status word 7 (whole meter)", Bits(2, kWord7Bits), {}, Access::kRead, kParameters, "hand-04000507"},
    {0x04000508, {}, "", "key_state", "密钥状态字", "key state word", Bits(4), {}, Access::kRead, kExtension, ""},
    {0x040005FF, {}, "", "status_words", "电表运行状态字数据块", "all status words", {}, kStatusBlock, Access::kRead, kParameters, "hand-040005ff"},
    {0x04000601, {}, "", "active_combination", "有功组合方式特征字", "active combination", Bits(1, kActiveCombinationBits), {}, Access::kReadWrite, kParameters, "hand-04000601"},
    {0x04000602, {&kCombinations}, "", "reactive_combination_{n}", "无功组合方式{n}特征字", "reactive combination {n}", Bits(1, kReactiveCombinationBits), {}, Access::kReadWrite, kParameters, "hand-04000602"},
    {0x04000701, {&kPortAxis}, "", "baud_{k}", "{k}通信速率特征字", "baud rate, {k}", Bits(1, kBaudBits), {}, Access::kReadWrite, kParameters, "hand-04000703"},
    {0x04000801, {}, "", "weekend_word", "周休日特征字", "weekend days", Bits(1, kWeekendBits), {}, Access::kReadWrite, kParameters, "hand-04000801"},
    {0x04000802, {}, "", "weekend_day_table", "周休日采用的日时段表号", "day table of weekends", kNumber, {}, Access::kReadWrite, kParameters, "hand-04000802"},
    {0x04000901, {}, "", "load_profile_mode", "负荷记录模式字", "load profile mode", Bits(1, kLoadProfileBits), {}, Access::kReadWrite, kParameters, "hand-04000901"},
    {0x04000902, {&kFreezeAxis}, "", "freeze_mode_{k}", "{k}冻结数据模式字", "{k} freeze mode", Bits(1, kFreezeBits), {}, Access::kReadWrite, kParameters, "hand-04000902"},
    {0x04000905, {}, "", "freeze_mode_hourly", "整点冻结数据模式字", "hourly freeze mode", Bits(1, kHourlyFreezeBits), {}, Access::kReadWrite, kExtension, ""},
    {0x04000906, {}, "", "freeze_mode_daily", "日冻结数据模式字", "daily freeze mode", Bits(1, kFreezeBits), {}, Access::kReadWrite, kExtension, ""},
    {0x04000A01, {}, "", "load_profile_start", "负荷记录起始时间", "load profile start", Plain(Format::kMonthDayTime, 4), {}, Access::kReadWrite, kParameters, "hand-04000a01"},
    {0x04000A02, {&kClasses}, "", "load_profile_interval_{n}", "第{n}类负荷记录时间间隔", "load profile interval, class {n}", Bcd(2, 0, "min"), {}, Access::kReadWrite, kParameters, "hand-04000a02"},
    {0x04000B01, {&kThree}, "", "settlement_day_{n}", "每月第{n}结算日", "settlement day {n}", Plain(Format::kDayHour, 2), {}, Access::kReadWrite, kParameters, "hand-04000b01"},
    {0x04000C01, {&kLevels}, "", "password_{n}", "{n}级密码", "password of level {n}", Plain(Format::kPassword, 4), {}, Access::kWrite, kParameters, "hand-04000c03"},
    {0x04000D01, {&kCoefficientAxis}, "", "coefficient_{k}", "{k}系数", "coefficient: {k}", Bcd(2, 3), {}, Access::kReadWrite, kParameters, "hand-04000d01"},
    {0x04000E01, {&kDirectionAxis}, "", "power_limit_{k}", "{k}有功功率上限值", "{k} active power limit", Bcd(3, 4, "kW"), {}, Access::kReadWrite, kParameters, "hand-04000e01"},
    {0x04000E03, {}, "", "voltage_upper_limit", "电压上限值", "upper voltage limit", Bcd(2, 1, "V"), {}, Access::kReadWrite, kParameters, "hand-04000e03"},
    {0x04000E04, {}, "", "voltage_lower_limit", "电压下限值", "lower voltage limit", Bcd(2, 1, "V"), {}, Access::kReadWrite, kParameters, "hand-04000e04"},
    {0x04000F01, {&kTwo}, "", "alarm_energy_{n}", "报警电量{n}限值", "alarm energy limit {n}", Bcd(4, 2, "kWh"), {}, Access::kReadWrite, kExtension, "hand-04000f01"},
    {0x04000F03, {}, "", "hoarding_energy", "囤积电量限值", "hoarding energy limit", Bcd(4, 2, "kWh"), {}, Access::kReadWrite, kExtension, "hand-04000f03"},
    {0x04000F04, {}, "", "overdraft_energy_limit", "透支电量限值", "overdraft energy limit", Bcd(4, 2, "kWh"), {}, Access::kReadWrite, kExtension, "hand-04000f04"},
    {0x04001001, {&kTwo}, "", "alarm_amount_{n}", "报警金额{n}限值", "alarm amount {n}", Bcd(4, 2, "CNY"), {}, Access::kReadWrite, kExtension, "hand-04001001"},
    {0x04001003, {}, "", "overdraft_amount_limit", "透支金额限值", "overdraft amount limit", Bcd(4, 2, "CNY"), {}, Access::kReadWrite, kExtension, "hand-04001003"},
    {0x04001004, {}, "", "hoarding_amount", "囤积金额限值", "hoarding amount limit", Bcd(4, 2, "CNY"), {}, Access::kReadWrite, kExtension, "hand-04001004"},
    {0x04001005, {}, "", "close_amount", "合闸允许金额限值", "amount at which closing is permitted", Bcd(4, 2, "CNY"), {}, Access::kReadWrite, kExtension, "hand-04001005"},
    {0x04001101, {}, "", "run_feature_word", "电表运行特征字1", "run feature word 1", Bits(1), {}, Access::kReadWrite, kExtension, ""},
    {0x04001104, {}, "", "report_mode", "主动上报模式字", "active report mode", Bits(8), {}, Access::kReadWrite, kExtension, "hand-04001104"},
    {0x04001201, {}, "", "hourly_freeze_start", "整点冻结起始时间", "start of hourly freezes", kDateTimeField, {}, Access::kReadWrite, kExtension, ""},
    {0x04001202, {}, "", "hourly_freeze_interval", "整点冻结时间间隔", "interval of hourly freezes", Bcd(1, 0, "min"), {}, Access::kReadWrite, kExtension, ""},
    {0x04001203, {}, "", "daily_freeze_time", "日冻结时间", "time of daily freezes", Plain(Format::kHourMinute, 2), {}, Access::kReadWrite, kExtension, ""},
    {0x04001301, {}, "", "wireless_state", "无线通信在线及信号强弱指示", "wireless state and signal", Bits(1), {}, Access::kReadWrite, kExtension, "hand-04001301"},
    {0x04001401, {}, "", "trip_delay", "跳闸延时时间", "trip delay", Bcd(2, 0, "min"), {}, Access::kReadWrite, kExtension, "hand-04001401"},
    {0x04001501, {}, "", "report_state", "主动上报状态字", "active report state", Plain(Format::kHex, 12), {}, Access::kRead, kExtension, "hand-04001501"},
    {0x04040101, {&kItems, &kDisplayAxis}, "", "display_{k}_{n}", "{k}显示第{n}屏显示数据项", "{k} display, item {n}", Plain(Format::kIdentifier, 4), {}, Access::kReadWrite, kParameters, "hand-04040201"},
    {0x04090501, {}, "", "voltage_unbalance_limit", "电压不平衡率限值", "voltage unbalance limit", Bcd(2, 2, "%"), {}, Access::kReadWrite, kThresholds, "hand-04090501"},
    {0x04090502, {}, "", "voltage_unbalance_delay", "电压不平衡率判定延时时间", "voltage unbalance delay", Bcd(1, 0, "s"), {}, Access::kReadWrite, kThresholds, "hand-04090502"},
    {0x04090601, {}, "", "current_unbalance_limit", "电流不平衡率限值", "current unbalance limit", Bcd(2, 2, "%"), {}, Access::kReadWrite, kThresholds, "hand-04090601"},
    {0x04090602, {}, "", "current_unbalance_delay", "电流不平衡率判定延时时间", "current unbalance delay", Bcd(1, 0, "s"), {}, Access::kReadWrite, kThresholds, "hand-04090602"},
    {0x04800001, {&kVersionAxis}, "", "{k}", "{k}", "{k}", Ascii(32), {}, Access::kRead, kParameters, "hand-04800001"},
};
// clang-format on

}  // namespace

std::span<const Register> ParameterRows() { return kRows; }

}  // namespace voltwell::codec::dlt645
