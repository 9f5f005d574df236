// 2007: year zones, day tables, holidays, tariff prices and steps (0401 to 0407).
#include "libs/codec/dlt645/axes.h"
#include "libs/codec/dlt645/specs.h"
#include "libs/codec/dlt645/tables.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr char kTables[] = "DL/T 645-2007 annex A, time tables";
constexpr char kPrices[] = "State Grid extension of annex A, prices";

constexpr Axis kSets = {.letter = 's', .shift = 16, .count = 2, .block = false};
constexpr Axis kDayTableAxis = {.letter = 'n', .count = 8, .block = false};
constexpr Axis kHolidayAxis = {.letter = 'n', .count = 254, .block = false};
constexpr Axis kTariffNumbers = {.letter = 't', .count = 63, .usual = 4};
constexpr Axis kStepNumbers = {.letter = 'n', .count = 16, .usual = 6};
constexpr AxisWord kPriceSetWords[] = {{"1", "第一套", "set 1"}, {"2", "第二套", "set 2"}};
constexpr Axis kPriceSets = {
    .letter = 's', .shift = 8, .count = 2, .block = false, .words = AxisWords::kList, .list = kPriceSetWords};
constexpr Axis kStepSets = {.letter = 's',
                            .shift = 8,
                            .step = 2,
                            .count = 2,
                            .block = false,
                            .words = AxisWords::kList,
                            .list = kPriceSetWords};

constexpr FieldSpec kZones = As(Plain(Format::kMonthDayTable, 3), "/{i}", "第{i}时区", "zone {i}", 0);
constexpr FieldSpec kPeriods = As(Plain(Format::kTimeTariff, 3), "/{i}", "第{i}时段", "period {i}", 0);

// clang-format off
constexpr Register kRows[] = {
    {0x04010000, {&kSets}, "", "year_zones_{s}", "第{s}套时区表", "year zones, set {s}", kZones, {}, Access::kReadWrite, kTables, "hand-04010000"},
    {0x04010001, {&kSets, &kDayTableAxis}, "", "day_table_{s}_{n}", "第{s}套第{n}日时段表", "day table {n}, set {s}", kPeriods, {}, Access::kReadWrite, kTables, "hand-04020003"},
    {0x04030001, {&kHolidayAxis}, "", "holiday_{n}", "第{n}公共假日日期及日时段表号", "holiday {n} and its day table", Plain(Format::kHoliday, 4), {}, Access::kReadWrite, kTables, "hand-04030001"},
    {0x04050101, {&kTariffNumbers, &kPriceSets}, "", "tariff_price_{s}_{t}", "{s}费率{t}电价", "price of tariff {t}, {s}", Bcd(4, 4, "CNY/kWh"), {}, Access::kReadWrite, kPrices, "hand-04050101"},
    {0x04060001, {&kStepNumbers, &kStepSets}, "", "step_threshold_{s}_{n}", "{s}阶梯值{n}", "threshold of step {n}, {s}", Bcd(4, 2, "kWh"), {}, Access::kReadWrite, kPrices, "hand-040600ff"},
    {0x04060101, {&kStepNumbers, &kStepSets}, "", "step_price_{s}_{n}", "{s}阶梯电价{n}", "price of step {n}, {s}", Bcd(4, 4, "CNY/kWh"), {}, Access::kReadWrite, kPrices, "hand-040601ff"},
    {0x04070001, {&kDayTableAxis}, "", "step_settlement_day_{n}", "阶梯结算日{n}", "settlement day of steps {n}", Plain(Format::kMonthDayHour, 3), {}, Access::kReadWrite, kPrices, ""},
};
// clang-format on

}  // namespace

std::span<const Register> TableRows() { return kRows; }

}  // namespace voltwell::codec::dlt645
