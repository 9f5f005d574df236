// 2007: freezes (class 05) and load profiles (06).
#include "libs/codec/dlt645/axes.h"
#include "libs/codec/dlt645/specs.h"
#include "libs/codec/dlt645/tables.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr char kFreezes[] = "DL/T 645-2007 annex A, freezes";
constexpr char kProfiles[] = "DL/T 645-2007 annex A, load profile";

constexpr AxisWord kKinds[] = {{"timed", "定时", "timed"},
                               {"immediate", "瞬时", "immediate"},
                               {"zone_switch", "两套时区表切换", "zone table switch"},
                               {"day_table_switch", "两套日时段表切换", "day table switch"},
                               {"hourly", "整点", "hourly"},
                               {"price_switch", "两套费率电价切换", "price switch"},
                               {"daily", "日", "daily"},
                               {"step_switch", "两套阶梯切换", "step switch"}};
constexpr Axis kKind = {
    .letter = 'k', .shift = 16, .count = 8, .block = false, .words = AxisWords::kList, .list = kKinds};
constexpr Axis kNumber = {.letter = 'n', .count = 254, .block = false};
constexpr AxisWord kActive[] = {{"forward", "正向", "forward"}, {"reverse", "反向", "reverse"}};
constexpr Axis kActiveAxis = {
    .letter = 'd', .shift = 8, .count = 2, .block = false, .words = AxisWords::kList, .list = kActive};
constexpr Axis kCombinedAxis = {.letter = 'd', .shift = 8, .count = 2, .block = false, .shown = -2};
constexpr Axis kQuadrantAxis = {.letter = 'q', .shift = 8, .count = 4, .block = false, .shown = -4};

constexpr FieldSpec kKwh = As(Bcd(4, 2, "kWh"), "/{i}", "费率{i}（0为总）", "tariff {i} (0: total)", 0, 0);
constexpr FieldSpec kSignedKvarh =
    As(SignedBcd(4, 2, "kvarh"), "/{i}", "费率{i}（0为总）", "tariff {i} (0: total)", 0, 0);
constexpr FieldSpec kKvarh = As(Bcd(4, 2, "kvarh"), "/{i}", "费率{i}（0为总）", "tariff {i} (0: total)", 0, 0);
constexpr FieldSpec Demand(absl::string_view suffix, absl::string_view zh, absl::string_view en) {
  return As(Bcd(3, 4, "kW"), suffix, zh, en);
}
constexpr FieldSpec DemandTime(absl::string_view suffix, absl::string_view zh, absl::string_view en) {
  return As(kDateTimeField, suffix, zh, en);
}
constexpr FieldSpec kDemands[] = {
    Demand("/0", "总", "total"),       DemandTime("/0_time", "总发生时间", "total, time"),
    Demand("/1", "费率1", "tariff 1"), DemandTime("/1_time", "费率1发生时间", "tariff 1, time"),
    Demand("/2", "费率2", "tariff 2"), DemandTime("/2_time", "费率2发生时间", "tariff 2, time"),
    Demand("/3", "费率3", "tariff 3"), DemandTime("/3_time", "费率3发生时间", "tariff 3, time"),
    Demand("/4", "费率4", "tariff 4"), DemandTime("/4_time", "费率4发生时间", "tariff 4, time")};
constexpr FieldSpec kVariables[] = {
    As(SignedBcd(3, 4, "kW"), "/p{i}", "有功功率{i}（0为总）", "active power {i} (0: total)", 4, 0),
    As(SignedBcd(3, 4, "kvar"), "/q{i}", "无功功率{i}（0为总）", "reactive power {i} (0: total)", 4, 0)};

constexpr AxisWord kWhich[] = {
    {"first", "最早", "earliest"}, {"given", "给定时间", "given time"}, {"last", "最近", "latest"}};
constexpr Axis kWhichAxis = {.letter = 'k', .count = 3, .block = false, .words = AxisWords::kList, .list = kWhich};
constexpr AxisWord kClassWords[] = {{"all", "全部", "all classes"},
                                    {"1", "第1类（电压、电流、频率）", "class 1 (voltage, current, frequency)"},
                                    {"2", "第2类（功率）", "class 2 (powers)"},
                                    {"3", "第3类（功率因数）", "class 3 (power factors)"},
                                    {"4", "第4类（总电能）", "class 4 (energies)"},
                                    {"5", "第5类（四象限无功）", "class 5 (quadrants)"},
                                    {"6", "第6类（需量）", "class 6 (demands)"}};
constexpr Axis kClassAxis = {
    .letter = 'c', .shift = 16, .count = 7, .block = false, .words = AxisWords::kList, .list = kClassWords};

// clang-format off
constexpr Register kRows[] = {
    {0x05000001, {&kKind, &kNumber}, "", "freeze_{k}_time_{n}", "上{n}次{k}冻结时间", "time of {k} freeze {n} back", kDateTimeField, {}, Access::kRead, kFreezes, "hand-05060001"},
    {0x05000101, {&kKind, &kActiveAxis, &kNumber}, "", "freeze_{k}_{d}_energy_{n}", "上{n}次{k}冻结{d}有功电能", "{d} active energies, {k} freeze {n} back", kKwh, {}, Access::kRead, kFreezes, "hand-05060101"},
    {0x05000301, {&kKind, &kCombinedAxis, &kNumber}, "", "freeze_{k}_reactive_{d}_{n}", "上{n}次{k}冻结组合无功{d}电能", "combined reactive energies {d}, {k} freeze {n} back", kSignedKvarh, {}, Access::kRead, kFreezes, "hand-05060301"},
    {0x05000501, {&kKind, &kQuadrantAxis, &kNumber}, "", "freeze_{k}_quadrant_{q}_{n}", "上{n}次{k}冻结第{q}象限无功电能", "reactive energies of quadrant {q}, {k} freeze {n} back", kKvarh, {}, Access::kRead, kFreezes, "hand-05060501"},
    {0x05000901, {&kKind, &kActiveAxis, &kNumber}, "", "freeze_{k}_{d}_demand_{n}", "上{n}次{k}冻结{d}有功最大需量", "{d} active maximum demands, {k} freeze {n} back", {}, kDemands, Access::kRead, kFreezes, "hand-05060901"},
    {0x05001001, {&kKind, &kNumber}, "", "freeze_{k}_variables_{n}", "上{n}次{k}冻结变量", "variables, {k} freeze {n} back", {}, kVariables, Access::kRead, kFreezes, ""},
    {0x06000000, {&kWhichAxis, &kClassAxis}, "", "load_profile_{c}_{k}", "{k}负荷记录块，{c}", "{k} load profile records, {c}", Plain(Format::kHex, 1), {}, Access::kRead, kProfiles, ""},
};
// clang-format on

}  // namespace

std::span<const Register> FreezeRows() { return kRows; }

}  // namespace voltwell::codec::dlt645
