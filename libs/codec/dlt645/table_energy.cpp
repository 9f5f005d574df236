// 2007: energies (class 00), remaining amounts (0090) and maximum demands (01).
//
// OBIS ids follow IEC 62056-61; energies that DL/T 645 combines by configuration take the nearest code of that list.
// What the standard says is known from implementations, their tables and captures (the sources and vectors), not from
// its text.
#include "libs/codec/dlt645/axes.h"
#include "libs/codec/dlt645/specs.h"
#include "libs/codec/dlt645/tables.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr char kEnergies[] = "DL/T 645-2007 annex A, energies";
constexpr char kDemands[] = "DL/T 645-2007 annex A, demands";
constexpr char kFirmware[] = "State Grid meter firmware, energies";
constexpr char kPrepaid[] = "State Grid prepaid meters, remaining amounts";

constexpr FieldSpec kKwh = Bcd(4, 2, "kWh");
constexpr FieldSpec kSignedKwh = SignedBcd(4, 2, "kWh");
constexpr FieldSpec kKvarh = Bcd(4, 2, "kvarh");
constexpr FieldSpec kSignedKvarh = SignedBcd(4, 2, "kvarh");
constexpr FieldSpec kKvah = Bcd(4, 2, "kVAh");

constexpr FieldSpec TakenAt() {
  FieldSpec spec = kDateTimeField;
  spec.is_time = true;
  return spec;
}
constexpr FieldSpec kKw[] = {Bcd(3, 4, "kW"), TakenAt()};
constexpr FieldSpec kKvar[] = {Bcd(3, 4, "kvar"), TakenAt()};
constexpr FieldSpec kSignedKvar[] = {SignedBcd(3, 4, "kvar"), TakenAt()};
constexpr FieldSpec kKva[] = {Bcd(3, 4, "kVA"), TakenAt()};

constexpr AxisWord kDirections[] = {{"forward", "正向", "forward"}, {"reverse", "反向", "reverse"}};
constexpr Axis kDirectionsInDi2 = {
    .letter = 'd', .shift = 16, .count = 2, .block = false, .words = AxisWords::kList, .list = kDirections};
constexpr AxisWord kPeriods[] = {{"now", "当前", "current"}, {"last", "上一", "last"}};
constexpr Axis kThisAndLast = {.letter = 'k', .count = 2, .block = false, .words = AxisWords::kList, .list = kPeriods};
constexpr AxisWord kParts[] = {
    {"forward_fundamental", "正向有功基波", "forward fundamental active"},
    {"reverse_fundamental", "反向有功基波", "reverse fundamental active"},
    {"forward_harmonic", "正向有功谐波", "forward harmonic active"},
    {"reverse_harmonic", "反向有功谐波", "reverse harmonic active"},
    {"copper_loss", "铜损有功补偿", "copper loss compensation active"},
    {"iron_loss", "铁损有功补偿", "iron loss compensation active"},
};
constexpr Axis kPartsInDi2 = {
    .letter = 'k', .shift = 16, .count = 6, .block = false, .words = AxisWords::kList, .list = kParts};
constexpr Axis kBackInDi0 = {.letter = 'n', .count = 12};

// clang-format off
constexpr Register kRows[] = {
    {0x00000000, {&kTariffs, &kSettlements}, "1-0:15.8.{t}*{n}", "energy_combined_active_{t}{n}", "组合有功{t}电能{n}",
     "combined active energy, {t}{n}", kSignedKwh, {}, Access::kRead, kEnergies, "hand-00000000"},
    {0x00010000, {&kTariffs, &kSettlements}, "1-0:1.8.{t}*{n}", "energy_forward_active_{t}{n}", "正向有功{t}电能{n}",
     "forward active energy, {t}{n}", kKwh, {}, Access::kRead, kEnergies, "energy-269"},
    {0x00020000, {&kTariffs, &kSettlements}, "1-0:2.8.{t}*{n}", "energy_reverse_active_{t}{n}", "反向有功{t}电能{n}",
     "reverse active energy, {t}{n}", kKwh, {}, Access::kRead, kEnergies, "energy-reverse"},
    {0x00030000, {&kTariffs, &kSettlements}, "1-0:3.8.{t}*{n}", "energy_combined_reactive_1_{t}{n}", "组合无功1{t}电能{n}",
     "combined reactive energy 1, {t}{n}", kSignedKvarh, {}, Access::kRead, kEnergies, "hand-00030000"},
    {0x00040000, {&kTariffs, &kSettlements}, "1-0:4.8.{t}*{n}", "energy_combined_reactive_2_{t}{n}", "组合无功2{t}电能{n}",
     "combined reactive energy 2, {t}{n}", kSignedKvarh, {}, Access::kRead, kEnergies, "hand-00040000"},
    {0x00050000, {&kTariffs, &kSettlements, &kQuadrants}, "1-0:{q}.8.{t}*{n}", "energy_reactive_quadrant_{q}_{t}{n}",
     "第{q}象限无功{t}电能{n}", "reactive energy, quadrant {q}, {t}{n}", kKvarh, {}, Access::kRead, kEnergies, "hand-00050000"},
    {0x00090000, {&kTariffs, &kSettlements, &kDirectionsInDi2}, "1-0:{d:9+1}.8.{t}*{n}", "energy_{d}_apparent_{t}{n}",
     "{d}视在{t}电能{n}", "{d} apparent energy, {t}{n}", kKvah, {}, Access::kRead, kEnergies, "hand-00090000"},
    {0x000B0000, {&kThisAndLast}, "", "energy_month_{k}", "{k}月度组合有功总用电量",
     "combined active energy of the {k} month period", kSignedKwh, {}, Access::kRead, kFirmware, "hand-000b0001"},
    {0x000C0000, {&kThisAndLast}, "", "energy_year_{k}", "{k}年度阶梯累计用电量",
     "energy of the {k} year of steps", kSignedKwh, {}, Access::kRead, kFirmware, ""},
    {0x00150000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:21+20}.8.0*{n}", "energy_forward_active_{p}{n}", "{p}相正向有功电能{n}",
     "forward active energy, phase {p}{n}", kKwh, {}, Access::kRead, kEnergies, "hand-00150000"},
    {0x00160000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:22+20}.8.0*{n}", "energy_reverse_active_{p}{n}", "{p}相反向有功电能{n}",
     "reverse active energy, phase {p}{n}", kKwh, {}, Access::kRead, kEnergies, "hand-002a0000"},
    {0x00170000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:23+20}.8.0*{n}", "energy_combined_reactive_1_{p}{n}", "{p}相组合无功1电能{n}",
     "combined reactive energy 1, phase {p}{n}", kSignedKvarh, {}, Access::kRead, kEnergies, "hand-003f0000"},
    {0x00180000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:24+20}.8.0*{n}", "energy_combined_reactive_2_{p}{n}", "{p}相组合无功2电能{n}",
     "combined reactive energy 2, phase {p}{n}", kSignedKvarh, {}, Access::kRead, kEnergies, "hand-00180000"},
    {0x00190000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:25+20}.8.0*{n}", "energy_reactive_quadrant_1_{p}{n}", "{p}相第1象限无功电能{n}",
     "reactive energy, quadrant 1, phase {p}{n}", kKvarh, {}, Access::kRead, kEnergies, "hand-002d0000"},
    {0x001A0000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:26+20}.8.0*{n}", "energy_reactive_quadrant_2_{p}{n}", "{p}相第2象限无功电能{n}",
     "reactive energy, quadrant 2, phase {p}{n}", kKvarh, {}, Access::kRead, kEnergies, "hand-00420000"},
    {0x001B0000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:27+20}.8.0*{n}", "energy_reactive_quadrant_3_{p}{n}", "{p}相第3象限无功电能{n}",
     "reactive energy, quadrant 3, phase {p}{n}", kKvarh, {}, Access::kRead, kEnergies, "hand-001b0000"},
    {0x001C0000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:28+20}.8.0*{n}", "energy_reactive_quadrant_4_{p}{n}", "{p}相第4象限无功电能{n}",
     "reactive energy, quadrant 4, phase {p}{n}", kKvarh, {}, Access::kRead, kEnergies, "hand-00300000"},
    {0x001D0000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:29+20}.8.0*{n}", "energy_forward_apparent_{p}{n}", "{p}相正向视在电能{n}",
     "forward apparent energy, phase {p}{n}", kKvah, {}, Access::kRead, kEnergies, "hand-00450000"},
    {0x001E0000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:30+20}.8.0*{n}", "energy_reverse_apparent_{p}{n}", "{p}相反向视在电能{n}",
     "reverse apparent energy, phase {p}{n}", kKvah, {}, Access::kRead, kEnergies, "hand-001e0000"},
    {0x00800000, {&kSettlements}, "", "energy_associated_total{n}", "关联总电能{n}", "associated energy, total{n}",
     kKwh, {}, Access::kRead, kEnergies, ""},
    {0x00810000, {&kSettlements, &kPartsInDi2}, "", "energy_{k}{n}", "{k}总电能{n}", "{k} energy, total{n}",
     kKwh, {}, Access::kRead, kEnergies, "hand-00850000"},
    {0x00940000, {&kSettlements, &kPhasesInDi2}, "", "energy_associated_{p}{n}", "{p}相关联电能{n}", "associated energy, phase {p}{n}",
     kKwh, {}, Access::kRead, kEnergies, ""},
    {0x00900100, {}, "", "remaining_energy", "剩余电量", "remaining energy", SignedBcd(4, 2, "kWh"), {}, Access::kRead, kPrepaid, "hand-00900100"},
    {0x00900101, {}, "", "overdraft_energy", "透支电量", "overdraft energy", kKwh, {}, Access::kRead, kPrepaid, "hand-00900101"},
    {0x00900200, {}, "0-0:19.10.0", "remaining_amount", "剩余金额", "remaining amount", SignedBcd(4, 2, "CNY"), {},
     Access::kRead, kPrepaid, "remaining-amount"},
    {0x00900201, {}, "0-0:19.10.1", "overdraft_amount", "透支金额", "overdraft amount", Bcd(4, 2, "CNY"), {},
     Access::kRead, kPrepaid, "hand-00900201"},
    {0x00FE0001, {&kBackInDi0}, "", "settlement_time_{n}", "上{n}结算日时间", "time of settlement day {n} back",
     kDateTimeField, {}, Access::kRead, kFirmware, ""},

    {0x01010000, {&kTariffs, &kSettlements}, "1-0:1.6.{t}*{n}", "demand_forward_active_{t}{n}", "正向有功{t}最大需量{n}",
     "forward active maximum demand, {t}{n}", {}, kKw, Access::kRead, kDemands, "hand-01010000"},
    {0x01020000, {&kTariffs, &kSettlements}, "1-0:2.6.{t}*{n}", "demand_reverse_active_{t}{n}", "反向有功{t}最大需量{n}",
     "reverse active maximum demand, {t}{n}", {}, kKw, Access::kRead, kDemands, "hand-01020001"},
    {0x01030000, {&kTariffs, &kSettlements}, "1-0:3.6.{t}*{n}", "demand_combined_reactive_1_{t}{n}", "组合无功1{t}最大需量{n}",
     "combined reactive maximum demand 1, {t}{n}", {}, kSignedKvar, Access::kRead, kDemands, "hand-01030000"},
    {0x01040000, {&kTariffs, &kSettlements}, "1-0:4.6.{t}*{n}", "demand_combined_reactive_2_{t}{n}", "组合无功2{t}最大需量{n}",
     "combined reactive maximum demand 2, {t}{n}", {}, kSignedKvar, Access::kRead, kDemands, "hand-01040000"},
    {0x01050000, {&kTariffs, &kSettlements, &kQuadrants}, "1-0:{q}.6.{t}*{n}", "demand_reactive_quadrant_{q}_{t}{n}",
     "第{q}象限无功{t}最大需量{n}", "reactive maximum demand, quadrant {q}, {t}{n}", {}, kKvar, Access::kRead, kDemands, "hand-01050000"},
    {0x01090000, {&kTariffs, &kSettlements, &kDirectionsInDi2}, "1-0:{d:9+1}.6.{t}*{n}", "demand_{d}_apparent_{t}{n}",
     "{d}视在{t}最大需量{n}", "{d} apparent maximum demand, {t}{n}", {}, kKva, Access::kRead, kDemands, "hand-01090000"},
    {0x01150000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:21+20}.6.0*{n}", "demand_forward_active_{p}{n}", "{p}相正向有功最大需量{n}",
     "forward active maximum demand, phase {p}{n}", {}, kKw, Access::kRead, kDemands, "hand-01150000"},
    {0x01160000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:22+20}.6.0*{n}", "demand_reverse_active_{p}{n}", "{p}相反向有功最大需量{n}",
     "reverse active maximum demand, phase {p}{n}", {}, kKw, Access::kRead, kDemands, "hand-012a0000"},
    {0x01170000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:23+20}.6.0*{n}", "demand_combined_reactive_1_{p}{n}", "{p}相组合无功1最大需量{n}",
     "combined reactive maximum demand 1, phase {p}{n}", {}, kSignedKvar, Access::kRead, kDemands, "hand-013f0000"},
    {0x01180000, {&kSettlements, &kPhasesInDi2}, "1-0:{p:24+20}.6.0*{n}", "demand_combined_reactive_2_{p}{n}", "{p}相组合无功2最大需量{n}",
     "combined reactive maximum demand 2, phase {p}{n}", {}, kSignedKvar, Access::kRead, kDemands, "hand-01180000"},
};
// clang-format on

}  // namespace

std::span<const Register> EnergyRows() { return kRows; }

}  // namespace voltwell::codec::dlt645
