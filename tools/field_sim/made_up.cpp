#include "tools/field_sim/made_up.h"

#include <unordered_map>

#include "absl/strings/str_format.h"

namespace voltwell::field_sim {
namespace {

// Energy increments of the sum or a phase, and what stood at the start of an event.
#define VW_GROWN "2*b4.2:kWh 2*s4.2:kvarh "
#define VW_STOOD "b2.1:V s3.3:A s3.4:kW s3.4:kvar s2.3 "
#define VW_SIX "2*b4.2:kWh 4*b4.2:kvarh "
#define VW_DEMANDS \
  "b3.4:kW c:mhDMY b3.4:kW c:mhDMY b3.4:kvar c:mhDMY b3.4:kvar c:mhDMY b3.4:kvar c:mhDMY b3.4:kvar c:mhDMY "
#define VW_SPAN "2*c:smhDMY "
#define VW_SIGNED_BY "c:smhDMY o4 "
#define VW_COUNT "b3.0 b3.0:min "

// clang-format off
constexpr SheetRow kRows[] = {
    {0x00050000, "8:5 0:13 16:4", "b4.2:kvarh"}, {0x00090000, "8:5 0:13 16:2", "b4.2:kVAh"},
    {0x000B0000, "0:2 16:2", "s4.2:kWh"}, {0x00150000, "0:13 16:2 16:3:20", "b4.2:kWh"},
    {0x00170000, "0:13 16:2 16:3:20", "s4.2:kvarh"}, {0x00190000, "0:13 16:4 16:3:20", "b4.2:kvarh"},
    {0x001D0000, "0:13 16:2 16:3:20", "b4.2:kVAh"}, {0x00800000, "0:13 16:7", "b4.2:kWh"},
    {0x00940000, "0:13 16:3:20", "b4.2:kWh"}, {0x00FE0001, "0:12", "c:mhDMY"},
    {0x01010000, "8:5 0:13 16:2", "b3.4:kW @"}, {0x01030000, "8:5 0:13 16:2", "s3.4:kvar @"},
    {0x01050000, "8:5 0:13 16:4", "b3.4:kvar @"}, {0x01090000, "8:5 0:13 16:2", "b3.4:kVA @"},
    {0x01150000, "0:13 16:2 16:3:20", "b3.4:kW @"}, {0x01170000, "0:13 16:2 16:3:20", "s3.4:kvar @"},
    {0x01190000, "0:13 16:4 16:3:20", "b3.4:kvar @"}, {0x011D0000, "0:13 16:2 16:3:20", "b3.4:kVA @"},

    {0x02080100, "8:3 16:2", "b2.2:%"}, {0x020A0101, "0:21 8:3 16:2", "b2.2:%"}, {0x02800005, "", "s3.4:kvar"},
    {0x02800006, "", "s3.4:kVA"}, {0x02800009, "", "b2.2:V"}, {0x0280000A, "", "b4.0:min"},
    {0x0280000B, "", "b4.4:CNY/kWh"}, {0x02800020, "0:2", "b4.4:CNY/kWh"}, {0x02800022, "", "b2.0:min"},
    {0x02800023, "", "b1.0:min"},

    {0x03010000, "16:4", "" VW_COUNT VW_COUNT VW_COUNT},
    {0x03010101, "16:4 8:3 0:2", "" VW_SPAN VW_GROWN VW_GROWN VW_STOOD VW_GROWN VW_STOOD VW_GROWN VW_STOOD "4*b4.2:Ah"},
    {0x03050000, "16:2", "" VW_COUNT}, {0x03050001, "0:10", "c:smhDMY s3.3:A c:smhDMY"}, {0x03060001, "0:10", "" VW_SPAN},
    {0x03070000, "16:4", "" VW_COUNT}, {0x03070001, "16:2 0:2", "" VW_SPAN VW_GROWN VW_GROWN VW_GROWN VW_GROWN},
    {0x03090001, "16:2 0:2", "" VW_SPAN "b2.2:% " VW_GROWN VW_GROWN VW_GROWN VW_GROWN},
    {0x030B0000, "16:5", "" VW_COUNT VW_COUNT VW_COUNT},
    {0x030B0101, "16:3 8:3 0:2", "" VW_SPAN VW_GROWN VW_GROWN VW_STOOD VW_GROWN VW_STOOD VW_GROWN VW_STOOD},
    {0x030E0101, "16:2 8:3 0:2", "" VW_SPAN VW_GROWN VW_GROWN VW_GROWN VW_GROWN},
    {0x03100000, "8:4 0:13", "b3.0:min 2*b3.2:% 2*b3.0:min b2.1:V c:mhDM b2.1:V c:mhDM"},
    {0x03110000, "", "b3.0"}, {0x03110001, "0:10", "" VW_SPAN}, {0x03120000, "", "6*b3.0"},
    {0x03120101, "8:6 0:2", "" VW_SPAN "b3.4 c:mhDMY"},
    {0x03300000, "8:15", "b3.0"}, {0x03300001, "0:10", "" VW_SIGNED_BY "10*w4"},
    {0x03300101, "0:2", "" VW_SIGNED_BY VW_SIX VW_SIX VW_SIX VW_SIX},
    {0x03300201, "0:2", "" VW_SIGNED_BY VW_DEMANDS VW_DEMANDS VW_DEMANDS VW_DEMANDS},
    {0x03300301, "0:10", "" VW_SIGNED_BY "w4"}, {0x03300401, "0:10", "o4 " VW_SPAN},
    {0x03300502, "0:2", "" VW_SIGNED_BY "224*c:Nmh"}, {0x03300601, "0:2", "" VW_SIGNED_BY "28*c:NDM"},
    {0x03300701, "0:2", "" VW_SIGNED_BY "b1.0"}, {0x03300801, "0:2", "" VW_SIGNED_BY "14*c:NDMY"},
    {0x03300901, "8:3 0:2", "" VW_SIGNED_BY "w1"}, {0x03300C01, "0:2", "" VW_SIGNED_BY "3*c:hD"},
    {0x03300D01, "8:2 0:2", "" VW_SPAN VW_SIX VW_SIX}, {0x03350000, "", "b3.0"}, {0x03350001, "0:2", "" VW_SPAN "4*b4.2:kWh"},
    {0x10010001, "16:3 24:4", "b3.0"}, {0x10010002, "16:3 24:4", "b3.0:min"}, {0x10010101, "0:10 16:3 24:4", "c:smhDMY"},
    {0x10012501, "0:10 16:3 24:4", "c:smhDMY"}, {0x18010001, "16:3 24:5", "b3.0"}, {0x18010002, "16:3 24:5", "b3.0:min"},
    {0x18010101, "0:10 16:3 24:5", "c:smhDMY"},

    {0x04000104, "", "b1.0:min"}, {0x04000105, "", "b2.0:ms"}, {0x04000106, "0:4", "c:mhDMY"}, {0x04000201, "0:3", "b1.0"},
    {0x04000205, "", "b2.0"}, {0x04000206, "0:3", "b1.0"}, {0x04000301, "", "b1.0"}, {0x04000302, "", "b1.0:s"},
    {0x04000303, "0:3", "b1.0"}, {0x04000403, "", "a32"}, {0x04000405, "0:2", "a6"}, {0x04000407, "0:2", "a4"},
    {0x0400040A, "", "b3.0:imp/kvarh"}, {0x0400040C, "", "a10"}, {0x0400040E, "", "n6"}, {0x0400040F, "", "o11"},
    {0x04000508, "", "w4"}, {0x04000601, "0:3", "w1"}, {0x04000701, "0:5", "w1"}, {0x04000801, "", "w1"},
    {0x04000802, "", "b1.0"}, {0x04000901, "0:6", "w1"}, {0x04000A01, "", "c:mhDM"}, {0x04000A02, "0:6", "b2.0:min"},
    {0x04000B01, "0:3", "c:hD"}, {0x04000D01, "0:12", "b2.3"}, {0x04000E01, "0:2", "b3.4:kW"}, {0x04000E03, "0:2", "b2.1:V"},
    {0x04000F01, "0:4", "b4.2:kWh"}, {0x04001001, "0:5", "b4.2:CNY"}, {0x04001101, "", "w1"}, {0x04001104, "", "w8"},
    {0x04001201, "", "c:mhDMY"}, {0x04001202, "", "b1.0:min"}, {0x04001203, "", "c:mh"}, {0x04001301, "", "w1"},
    {0x04001401, "", "b2.0:min"}, {0x04001501, "", "o12"}, {0x04010000, "16:2", "14*c:NDM"}, {0x04010001, "16:2 0:8", "14*c:Nmh"},
    {0x04030001, "0:20", "c:NDMY"}, {0x04040101, "8:2 0:20", "w4"}, {0x04050101, "8:2 0:4", "b4.4:CNY/kWh"},
    {0x04060001, "0:6 8:2:2", "b4.2:kWh"}, {0x04060101, "0:7 8:2:2", "b4.4:CNY/kWh"}, {0x04070001, "0:4", "c:hDM"},
    {0x04090501, "8:2", "b2.2:%"}, {0x04090502, "8:2", "b1.0:s"}, {0x04800001, "0:3", "a32"},

    {0x05000001, "16:4 0:3", "c:mhDMY"}, {0x05050001, "16:3 0:3", "c:mhDMY"}, {0x05000101, "16:4 8:2 0:3", "5*b4.2:kWh"},
    {0x05050101, "16:3 8:2 0:3", "5*b4.2:kWh"}, {0x05000301, "16:4 8:2 0:3", "5*s4.2:kvarh"},
    {0x05050301, "16:3 8:2 0:3", "5*s4.2:kvarh"}, {0x05000501, "16:4 8:4 0:3", "5*b4.2:kvarh"},
    {0x05050501, "16:3 8:4 0:3", "5*b4.2:kvarh"}, {0x05001001, "16:4 0:3", "4*s3.4:kW 4*s3.4:kvar"},
    {0x05051001, "16:3 0:3", "4*s3.4:kW 4*s3.4:kvar"}, {0x05040001, "0:24", "c:mhDMY"}, {0x05040101, "8:2 0:24", "b4.2:kWh"},
};
// clang-format on

#undef VW_GROWN
#undef VW_STOOD
#undef VW_SIX
#undef VW_DEMANDS
#undef VW_SPAN
#undef VW_SIGNED_BY
#undef VW_COUNT

std::unordered_map<uint32_t, const SheetRow*> MakeIndex() {
  std::unordered_map<uint32_t, const SheetRow*> index;
  for (const SheetRow& row : kRows) {
    for (const uint32_t di : MembersOf(row)) index.emplace(di, &row);
  }
  return index;
}

const std::unordered_map<uint32_t, const SheetRow*>& Index() {
  static const auto* const index = new std::unordered_map<uint32_t, const SheetRow*>(MakeIndex());
  return *index;
}

// Class 02: the codes of sum and phases lie twenty apart.
std::string IdOfVariable(int item, int which, int index) {
  constexpr int kFirst[] = {0, 12, 11, 1, 3, 9, 13};
  if (item >= 1 && item <= 6) return absl::StrFormat("1-0:%d.7.0", kFirst[item] + 20 * which);
  if (item == 7) return absl::StrFormat("1-0:81.7.%d", 4 + 11 * (which - 1));
  if (item == 8 || item == 9) return absl::StrFormat("1-0:%d.7.124", kFirst[item - 7] + 20 * which);
  if (item != 0x80 || which != 0) return "";
  constexpr std::pair<int, const char*> kOthers[] = {{0x01, "1-0:91.7.0"}, {0x02, "1-0:14.7.0"}, {0x04, "1-0:1.4.0"},
                                                     {0x05, "1-0:3.4.0"},  {0x06, "1-0:9.4.0"},  {0x07, "0-0:96.9.0"},
                                                     {0x08, "0-0:96.6.3"}, {0x09, "0-1:96.6.3"}, {0x0A, "0-0:96.6.0"}};
  for (const auto& [number, id] : kOthers) {
    if (number == index) return id;
  }
  return "";
}

std::string IdOfNamed(uint32_t di) {
  constexpr std::pair<uint32_t, const char*> kNamed[] = {
      {0x00900200, "0-0:19.10.0"}, {0x00900201, "0-0:19.10.1"}, {0x04000101, "0-0:0.9.2"},  {0x04000102, "0-0:0.9.1"},
      {0x0400010C, "0-0:1.0.0"},   {0x04000103, "1-0:0.8.0"},   {0x04000306, "1-0:0.4.2"},  {0x04000307, "1-0:0.4.3"},
      {0x04000401, "0-0:96.1.0"},  {0x04000402, "0-0:96.1.1"},  {0x04000403, "0-0:96.1.2"}, {0x04000409, "1-0:0.3.0"},
      {0x0400040A, "1-0:0.3.1"},   {0x04000503, "0-0:96.3.10"}, {0x03110000, "0-0:96.7.0"}};
  for (const auto& [named, id] : kNamed) {
    if (named == di) return id;
  }
  return "";
}

}  // namespace

const SheetRow* FindMadeUp(uint32_t di) {
  const auto found = Index().find(di);
  return found == Index().end() ? nullptr : found->second;
}

std::vector<uint32_t> MadeUpRegisters() {
  std::vector<uint32_t> out;
  for (const SheetRow& row : kRows) {
    for (const uint32_t di : MembersOf(row)) out.push_back(di);
  }
  return out;
}

bool IsWritable(uint32_t di) { return di >> 24 == 0x04; }

std::string IdOf2007(uint32_t di) {
  const int group = static_cast<int>(di >> 24), item = di >> 16 & 0xFF, which = di >> 8 & 0xFF, index = di & 0xFF;
  std::string id = IdOfNamed(di);
  if (id.empty() && group == 2) id = IdOfVariable(item, which, index);
  // Combined energy has 15; all others the number of the quantity, which phases continue.
  const bool phase = (item >= 0x15 && item <= 0x1E) || (item >= 0x29 && item <= 0x32) || (item >= 0x3D && item <= 0x46);
  if (id.empty() && group <= 1 && (item <= 0x0A || phase)) {
    id = absl::StrFormat("1-0:%d.%d.%d", item == 0 ? 15 : item, group == 0 ? 8 : 6, which);
    if (index > 0) absl::StrAppendFormat(&id, "*%d", index);
  }
  if (!id.empty()) return id;
  id = absl::StrFormat("0-%d:199.%d.%d", group, item, which);
  if (index > 0) absl::StrAppendFormat(&id, "*%d", index);
  return id;
}

}  // namespace voltwell::field_sim
