// The register table of DL/T 645-1997. Ids are those of 2007 where the quantity is the same.
//
// 9xyz energies, Axyz maximum demands, Bxyz their times: x bits 2 and 3 are the month (now, last, the one before), bits
// 0 and 1 active or reactive; y is the direction or quadrant; z the tariff, F all of them.
#include "libs/codec/dlt645/axes.h"
#include "libs/codec/dlt645/specs.h"
#include "libs/codec/dlt645/tables.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr char kAnnex[] = "DL/T 645-1997 annex A";

constexpr Axis kTariff = {.letter = 't', .bits = 4, .count = 15, .usual = 5, .words = AxisWords::kTariff};
constexpr Axis kMonth = {
    .letter = 'n', .shift = 10, .bits = 2, .count = 3, .block = false, .words = AxisWords::kSettlement};
constexpr Axis kPhase = {.letter = 'p', .bits = 4, .count = 3, .words = AxisWords::kPhase};
constexpr Axis kTotalPhase = {.letter = 'p', .bits = 4, .count = 4, .words = AxisWords::kTotalPhase};
constexpr Axis kEntry = {.letter = 'n', .bits = 4, .count = 14};
constexpr Axis kPeriod = {.letter = 'n', .bits = 4, .count = 10};
constexpr Axis kHoliday = {.letter = 'n', .bits = 4, .count = 13, .block = false};
constexpr Axis kTable = {.letter = 'd', .shift = 4, .bits = 4, .count = 8, .block = false, .shown = -2};

constexpr FieldSpec kKwh = Bcd(4, 2, "kWh");
constexpr FieldSpec kKvarh = Bcd(4, 2, "kvarh");
constexpr FieldSpec kKw = Bcd(3, 4, "kW");
constexpr FieldSpec kKvar = Bcd(3, 4, "kvar");
constexpr FieldSpec kMonthDayTime = Plain(Format::kMonthDayTime, 4);

constexpr BitName kMeterStatus[] = {{0, 1, 0, "自动抄表", "automatic reading"},
                                    {0, 1, 1, "手动抄表", "manual reading"},
                                    {1, 1, 0, "最大需量积算方式：滑差", "demand by sliding interval"},
                                    {1, 1, 1, "最大需量积算方式：区间", "demand by fixed interval"},
                                    {2, 1, 1, "电池欠压", "battery low"},
                                    {4, 1, 1, "有功电能反向", "active energy reversed"},
                                    {5, 1, 1, "无功电能反向", "reactive energy reversed"}};
constexpr BitName kGridStatus[] = {
    {0, 1, 1, "A相断电", "phase A failed"},       {1, 1, 1, "B相断电", "phase B failed"},
    {2, 1, 1, "C相断电", "phase C failed"},       {4, 1, 1, "A相过压", "phase A over-voltage"},
    {5, 1, 1, "B相过压", "phase B over-voltage"}, {6, 1, 1, "C相过压", "phase C over-voltage"}};
constexpr BitName kWeekend[] = {{0, 1, 0, "周日休息", "Sunday off"},   {1, 1, 0, "周一休息", "Monday off"},
                                {2, 1, 0, "周二休息", "Tuesday off"},  {3, 1, 0, "周三休息", "Wednesday off"},
                                {4, 1, 0, "周四休息", "Thursday off"}, {5, 1, 0, "周五休息", "Friday off"},
                                {6, 1, 0, "周六休息", "Saturday off"}};

// clang-format off
constexpr Register kRows[] = {
    {0x9010, {&kTariff, &kMonth}, "1-0:1.8.{t}*{n:0+1}", "energy_forward_active_{t}{n}", "正向有功{t}电能{n}", "forward active energy, {t}{n}", kKwh, {}, Access::kRead, kAnnex, "energy-27261"},
    {0x9020, {&kTariff, &kMonth}, "1-0:2.8.{t}*{n:0+1}", "energy_reverse_active_{t}{n}", "反向有功{t}电能{n}", "reverse active energy, {t}{n}", kKwh, {}, Access::kRead, kAnnex, "energy-reverse"},
    {0x9110, {&kTariff, &kMonth}, "1-0:3.8.{t}*{n:0+1}", "energy_forward_reactive_{t}{n}", "正向无功{t}电能{n}", "forward reactive energy, {t}{n}", kKvarh, {}, Access::kRead, kAnnex, "energy-forward-reactive"},
    {0x9120, {&kTariff, &kMonth}, "1-0:4.8.{t}*{n:0+1}", "energy_reverse_reactive_{t}{n}", "反向无功{t}电能{n}", "reverse reactive energy, {t}{n}", kKvarh, {}, Access::kRead, kAnnex, "hand-9120"},
    {0x9130, {&kTariff, &kMonth}, "1-0:5.8.{t}*{n:0+1}", "energy_reactive_quadrant_1_{t}{n}", "第1象限无功{t}电能{n}", "reactive energy, quadrant 1, {t}{n}", kKvarh, {}, Access::kRead, kAnnex, "hand-9130"},
    {0x9140, {&kTariff, &kMonth}, "1-0:8.8.{t}*{n:0+1}", "energy_reactive_quadrant_4_{t}{n}", "第4象限无功{t}电能{n}", "reactive energy, quadrant 4, {t}{n}", kKvarh, {}, Access::kRead, kAnnex, "hand-9140"},
    {0x9150, {&kTariff, &kMonth}, "1-0:6.8.{t}*{n:0+1}", "energy_reactive_quadrant_2_{t}{n}", "第2象限无功{t}电能{n}", "reactive energy, quadrant 2, {t}{n}", kKvarh, {}, Access::kRead, kAnnex, "hand-9150"},
    {0x9160, {&kTariff, &kMonth}, "1-0:7.8.{t}*{n:0+1}", "energy_reactive_quadrant_3_{t}{n}", "第3象限无功{t}电能{n}", "reactive energy, quadrant 3, {t}{n}", kKvarh, {}, Access::kRead, kAnnex, "hand-9160"},
    {0xA010, {&kTariff, &kMonth}, "1-0:1.6.{t}*{n:0+1}", "demand_forward_active_{t}{n}", "正向有功{t}最大需量{n}", "forward active maximum demand, {t}{n}", kKw, {}, Access::kRead, kAnnex, "hand-a010"},
    {0xA020, {&kTariff, &kMonth}, "1-0:2.6.{t}*{n:0+1}", "demand_reverse_active_{t}{n}", "反向有功{t}最大需量{n}", "reverse active maximum demand, {t}{n}", kKw, {}, Access::kRead, kAnnex, "hand-a420"},
    {0xA110, {&kTariff, &kMonth}, "1-0:3.6.{t}*{n:0+1}", "demand_forward_reactive_{t}{n}", "正向无功{t}最大需量{n}", "forward reactive maximum demand, {t}{n}", kKvar, {}, Access::kRead, kAnnex, "hand-a110"},
    {0xA120, {&kTariff, &kMonth}, "1-0:4.6.{t}*{n:0+1}", "demand_reverse_reactive_{t}{n}", "反向无功{t}最大需量{n}", "reverse reactive maximum demand, {t}{n}", kKvar, {}, Access::kRead, kAnnex, "hand-a120"},
    {0xA130, {&kTariff, &kMonth}, "1-0:5.6.{t}*{n:0+1}", "demand_reactive_quadrant_1_{t}{n}", "第1象限无功{t}最大需量{n}", "reactive maximum demand, quadrant 1, {t}{n}", kKvar, {}, Access::kRead, kAnnex, "hand-a130"},
    {0xA140, {&kTariff, &kMonth}, "1-0:8.6.{t}*{n:0+1}", "demand_reactive_quadrant_4_{t}{n}", "第4象限无功{t}最大需量{n}", "reactive maximum demand, quadrant 4, {t}{n}", kKvar, {}, Access::kRead, kAnnex, "hand-a140"},
    {0xA150, {&kTariff, &kMonth}, "1-0:6.6.{t}*{n:0+1}", "demand_reactive_quadrant_2_{t}{n}", "第2象限无功{t}最大需量{n}", "reactive maximum demand, quadrant 2, {t}{n}", kKvar, {}, Access::kRead, kAnnex, "hand-a150"},
    {0xA160, {&kTariff, &kMonth}, "1-0:7.6.{t}*{n:0+1}", "demand_reactive_quadrant_3_{t}{n}", "第3象限无功{t}最大需量{n}", "reactive maximum demand, quadrant 3, {t}{n}", kKvar, {}, Access::kRead, kAnnex, "hand-a160"},
    {0xB010, {&kTariff, &kMonth}, "1-0:1.6.{t}*{n:0+1}/time", "demand_forward_active_time_{t}{n}", "正向有功{t}最大需量发生时间{n}", "time of the forward active maximum demand, {t}{n}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b010"},
    {0xB020, {&kTariff, &kMonth}, "1-0:2.6.{t}*{n:0+1}/time", "demand_reverse_active_time_{t}{n}", "反向有功{t}最大需量发生时间{n}", "time of the reverse active maximum demand, {t}{n}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b420"},
    {0xB110, {&kTariff, &kMonth}, "1-0:3.6.{t}*{n:0+1}/time", "demand_forward_reactive_time_{t}{n}", "正向无功{t}最大需量发生时间{n}", "time of the forward reactive maximum demand, {t}{n}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b110"},
    {0xB120, {&kTariff, &kMonth}, "1-0:4.6.{t}*{n:0+1}/time", "demand_reverse_reactive_time_{t}{n}", "反向无功{t}最大需量发生时间{n}", "time of the reverse reactive maximum demand, {t}{n}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b120"},

    {0xB130, {&kTariff, &kMonth}, "1-0:5.6.{t}*{n:0+1}/time", "demand_reactive_quadrant_1_time_{t}{n}", "第1象限无功{t}最大需量发生时间{n}", "time of the reactive maximum demand, quadrant 1, {t}{n}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b130"},
    {0xB140, {&kTariff, &kMonth}, "1-0:8.6.{t}*{n:0+1}/time", "demand_reactive_quadrant_4_time_{t}{n}", "第4象限无功{t}最大需量发生时间{n}", "time of the reactive maximum demand, quadrant 4, {t}{n}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b140"},
    {0xB150, {&kTariff, &kMonth}, "1-0:6.6.{t}*{n:0+1}/time", "demand_reactive_quadrant_2_time_{t}{n}", "第2象限无功{t}最大需量发生时间{n}", "time of the reactive maximum demand, quadrant 2, {t}{n}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b150"},
    {0xB160, {&kTariff, &kMonth}, "1-0:7.6.{t}*{n:0+1}/time", "demand_reactive_quadrant_3_time_{t}{n}", "第3象限无功{t}最大需量发生时间{n}", "time of the reactive maximum demand, quadrant 3, {t}{n}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b160"},
    {0xB210, {}, "0-0:96.2.1", "programming_time", "最近一次编程时间", "last programming", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b210"},
    {0xB211, {}, "", "demand_clear_time", "最近一次最大需量清零时间", "last demand clear", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b211"},
    {0xB212, {}, "0-0:96.2.0", "programming_count", "编程次数", "number of programmings", Bcd(2, 0), {}, Access::kRead, kAnnex, "hand-b212"},
    {0xB213, {}, "", "demand_clear_count", "最大需量清零次数", "number of demand clears", Bcd(2, 0), {}, Access::kRead, kAnnex, "hand-b213"},
    {0xB214, {}, "0-0:96.6.0", "battery_working_time", "电池工作时间", "battery working time", Bcd(3, 0, "min"), {}, Access::kRead, kAnnex, "hand-b214"},
    {0xB310, {&kTotalPhase}, "", "phase_failure_count_{p}", "{p}断相次数", "phase failures, {p}", Bcd(2, 0), {}, Access::kRead, kAnnex, "hand-b310"},
    {0xB320, {&kTotalPhase}, "", "phase_failure_minutes_{p}", "{p}断相时间累计值", "time of phase failures, {p}", Bcd(3, 0, "min"), {}, Access::kRead, kAnnex, "hand-b321"},
    {0xB330, {&kTotalPhase}, "", "phase_failure_start_{p}", "{p}最近一次断相起始时刻", "start of the last phase failure, {p}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b332"},
    {0xB340, {&kTotalPhase}, "", "phase_failure_end_{p}", "{p}最近一次断相结束时刻", "end of the last phase failure, {p}", kMonthDayTime, {}, Access::kRead, kAnnex, "hand-b343"},
    {0xB611, {&kPhase}, "1-0:{p:32+20}.7.0", "voltage_{p}", "{p}相电压", "voltage, phase {p}", Bcd(2, 0, "V"), {}, Access::kRead, kAnnex, "voltage-zero"},
    {0xB621, {&kPhase}, "1-0:{p:31+20}.7.0", "current_{p}", "{p}相电流", "current, phase {p}", Bcd(2, 2, "A"), {}, Access::kRead, kAnnex, "hand-b621"},
    {0xB630, {&kTotalPhase}, "1-0:{p:1+20}.7.0", "active_power_{p}", "{p}有功功率", "active power, {p}", Bcd(3, 4, "kW"), {}, Access::kRead, kAnnex, "hand-b630"},
    {0xB634, {}, "", "power_limit_forward", "正向有功功率上限值", "forward active power limit", Bcd(2, 2, "kW"), {}, Access::kReadWrite, kAnnex, "hand-b634"},
    {0xB635, {}, "", "power_limit_reverse", "反向有功功率上限值", "reverse active power limit", Bcd(2, 2, "kW"), {}, Access::kReadWrite, kAnnex, "hand-b635"},
    {0xB640, {&kTotalPhase}, "1-0:{p:3+20}.7.0", "reactive_power_{p}", "{p}无功功率", "reactive power, {p}", Bcd(2, 2, "kvar"), {}, Access::kRead, kAnnex, "hand-b641"},
    {0xB650, {&kTotalPhase}, "1-0:{p:13+20}.7.0", "power_factor_{p}", "{p}功率因数", "power factor, {p}", Bcd(2, 3), {}, Access::kRead, kAnnex, "hand-b650"},

    {0xC010, {}, "0-0:0.9.2", "clock_date", "日期及周次", "date and weekday", Plain(Format::kDateWeek, 4), {}, Access::kReadWrite, kAnnex, "clock-date"},
    {0xC011, {}, "0-0:0.9.1", "clock_time", "时间", "time", Plain(Format::kTime, 3), {}, Access::kReadWrite, kAnnex, "hand-c011"},
    {0xC020, {}, "", "meter_status", "电表运行状态字", "meter status", Bits(1, kMeterStatus), {}, Access::kRead, kAnnex, "hand-c020"},
    {0xC021, {}, "", "grid_status", "电网状态字", "grid status", Bits(1, kGridStatus), {}, Access::kRead, kAnnex, "hand-c021"},
    {0xC022, {}, "", "weekend_word", "周休日状态字", "weekend days", Bits(1, kWeekend), {}, Access::kReadWrite, kAnnex, "hand-c022"},
    {0xC030, {}, "1-0:0.3.0", "active_constant", "电表常数（有功）", "active constant", Bcd(3, 0, "imp/kWh"), {}, Access::kReadWrite, kAnnex, "hand-c030"},
    {0xC031, {}, "1-0:0.3.1", "reactive_constant", "电表常数（无功）", "reactive constant", Bcd(3, 0, "imp/kvarh"), {}, Access::kReadWrite, kAnnex, "hand-c031"},
    {0xC032, {}, "0-0:96.1.1", "meter_number", "表号", "meter number", Digits(6), {}, Access::kReadWrite, kAnnex, "hand-c032"},
    {0xC033, {}, "", "user_number", "用户号", "user number", Digits(6), {}, Access::kReadWrite, kAnnex, "hand-c033"},
    {0xC034, {}, "0-0:96.1.0", "device_code", "设备码", "device code", Digits(6), {}, Access::kReadWrite, kAnnex, "hand-c034"},
    {0xC111, {}, "1-0:0.8.0", "demand_period", "最大需量周期", "demand period", Bcd(1, 0, "min"), {}, Access::kReadWrite, kAnnex, "hand-c111"},
    {0xC112, {}, "", "sliding_interval", "滑差时间", "sliding interval", Bcd(1, 0, "min"), {}, Access::kReadWrite, kAnnex, "hand-c112"},
    {0xC113, {}, "", "display_cycle", "循显时间", "display cycle", Bcd(1, 0, "s"), {}, Access::kReadWrite, kAnnex, "hand-c113"},
    {0xC114, {}, "", "display_hold", "停显时间", "display hold", Bcd(1, 0, "s"), {}, Access::kReadWrite, kAnnex, "hand-c114"},
    {0xC115, {}, "", "energy_decimals", "显示电能小数位数", "decimals of energies shown", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c115"},
    {0xC116, {}, "", "demand_decimals", "显示功率（最大需量）小数位数", "decimals of powers and demands shown", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c116"},
    {0xC117, {}, "", "reading_day", "自动抄表日期", "day of automatic reading", Plain(Format::kDayHour, 2), {}, Access::kReadWrite, kAnnex, "hand-c117"},
    {0xC118, {}, "", "load_day", "负荷代表日", "load representative day", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c118"},
    {0xC119, {}, "", "active_start", "有功电能起始读数", "active start value", Bcd(4, 1, "kWh"), {}, Access::kReadWrite, kAnnex, "hand-c119"},
    {0xC11A, {}, "", "reactive_start", "无功电能起始读数", "reactive start value", Bcd(4, 1, "kvarh"), {}, Access::kReadWrite, kAnnex, "hand-c11a"},
    {0xC211, {}, "", "pulse_width", "输出脉冲宽度", "output pulse width", Bcd(2, 0, "ms"), {}, Access::kReadWrite, kAnnex, "hand-c211"},
    {0xC212, {}, "", "password", "密码权限及密码", "password", Plain(Format::kPassword, 4), {}, Access::kWrite, kAnnex, "hand-c212"},
    {0xC310, {}, "", "year_zones", "年时区数", "number of year zones", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c310"},
    {0xC311, {}, "", "day_tables", "日时段表数", "number of day tables", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c311"},
    {0xC312, {}, "", "day_periods", "日时段切换数", "periods a day", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c312"},
    {0xC313, {}, "", "tariffs", "费率数", "number of tariffs", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c313"},
    {0xC314, {}, "", "holidays", "公共假日数", "number of holidays", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c314"},
    {0xC321, {&kEntry}, "", "year_zone_{n}", "第{n}时区起始日期及日时段表号", "year zone {n}", Plain(Format::kMonthDayTable, 3), {}, Access::kReadWrite, kAnnex, "hand-c322"},
    {0xC331, {&kPeriod, &kTable}, "", "day_period_{d}_{n}", "第{d}日时段表第{n}时段", "period {n} of day table {d}", Plain(Format::kTimeTariff, 3), {}, Access::kReadWrite, kAnnex, "hand-c341"},
    {0xC411, {&kHoliday}, "", "holiday_{n}", "第{n}公共假日日期及日时段表号", "holiday {n} and its day table", Plain(Format::kMonthDayTable, 3), {}, Access::kReadWrite, kAnnex, "hand-c411"},
    {0xC41E, {}, "", "weekend_day_table", "周休日采用的日时段表号", "day table of weekends", Bcd(1, 0), {}, Access::kReadWrite, kAnnex, "hand-c41e"},
    {0xC510, {}, "", "load_record_start", "负荷记录起始时间", "load record start", kMonthDayTime, {}, Access::kReadWrite, kAnnex, "hand-c510"},
    {0xC511, {}, "", "load_record_interval", "负荷记录间隔时间", "load record interval", Bcd(2, 0, "min"), {}, Access::kReadWrite, kAnnex, "hand-c511"},
};
// clang-format on

}  // namespace

std::span<const Register> Rows1997() { return kRows; }

}  // namespace voltwell::codec::dlt645
