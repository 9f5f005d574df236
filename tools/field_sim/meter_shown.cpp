// What the registers of a DL/T 645-2007 meter mean, told to the admin port out of its state; and those registers that
// have no code of their own, as blocks too.
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "tools/field_sim/made_up.h"
#include "tools/field_sim/meter.h"

namespace voltwell::field_sim {
namespace {

constexpr uint32_t kTariffs = 4, kSettlementDays = 12;

bool ShowPhased(const std::array<int64_t, 3>& values, bool has_total, int64_t total, uint32_t which, int phases,
                size_t bytes, int scale, absl::string_view unit, Sheet* sheet) {
  if (which > static_cast<uint32_t>(phases) || (which == 0 && !has_total)) return false;
  sheet->Bcd(which == 0 ? total : values[which - 1], bytes, scale, unit);
  return true;
}

}  // namespace

bool Meter::ShowLiveVariable(uint32_t di, Moment now, Sheet* sheet) const {
  const Quantities q = load_.Now(now);
  const uint32_t item = di >> 16 & 0xFF, which = di >> 8 & 0xFF, index = di & 0xFF;
  if (item == 0x80 && which == 0) {
    if (index == 0x01) sheet->Bcd(0, 3, 3, "A");
    if (index == 0x02) sheet->Bcd(q.frequency_centi_hz, 2, 2, "Hz");
    if (index == 0x03 || index == 0x04) sheet->Bcd(Quantities::Sum(q.active_dw), 3, 4, "kW");
    if (index == 0x07) sheet->Bcd(q.temperature_tenths, 2, 1, "℃");
    if (index == 0x08) sheet->Bcd(365, 2, 2, "V");
    return !sheet->wire().empty();
  }
  if (index != 0) return false;
  const auto show = [&](const std::array<int64_t, 3>& values, bool has_total, size_t bytes, int scale,
                        absl::string_view unit) {
    return ShowPhased(values, has_total, Quantities::Sum(values), which, load_.phases(), bytes, scale, unit, sheet);
  };
  switch (item) {
    case 0x01:
      return show(q.voltage_dv, false, 2, 1, "V");
    case 0x02:
      return show(q.current_ma, false, 3, 3, "A");
    case 0x03:
      return show(q.active_dw, true, 3, 4, "kW");
    case 0x04:
      return show(q.reactive_dvar, true, 3, 4, "kvar");
    case 0x05:
      return show(q.apparent_dva, true, 3, 4, "kVA");
    case 0x06:
      return ShowPhased(q.power_factor_milli, true, q.power_factor_total_milli, which, load_.phases(), 2, 3, "", sheet);
    case 0x07:
      return show(q.angle_tenths, false, 2, 1, "°");
    default:
      return false;
  }
}

bool Meter::ShowLiveParameter(uint32_t di, Moment now, Sheet* sheet) const {
  const CivilTime clock = SecondsToCivil(load_.ClockSeconds(now));
  if (di == 0x04000101) sheet->Civil("WDMY", clock);
  if (di == 0x04000102) sheet->Civil("smh", clock);
  if (di == 0x0400010C) sheet->Civil("smhWDMY", clock);
  if (di == 0x04000103) sheet->Bcd(15, 1, 0, "min");
  if (di == 0x04000204) sheet->Bcd(kTariffs, 1, 0, "");
  if (di == 0x04000306 || di == 0x04000307) sheet->Bcd(1, 3, 0, "");
  if (di == 0x04000401 || di == 0x04000402) sheet->Word(config_.address, 6);
  if (di == 0x04000404) sheet->Ascii("220V", 6);
  if (di == 0x04000409) sheet->Bcd(1200, 3, 0, "imp/kWh");
  if (di == 0x0400040B) sheet->Ascii("VW-SIM", 10);
  if (di == 0x0400040D) sheet->Ascii("DL/T645-2007", 16);
  if (di >= 0x04000501 && di <= 0x04000507) sheet->Word(di == 0x04000503 ? StatusWord3() : 0, 2);
  if (di == 0x040005FF) {
    for (int word = 1; word <= 7; ++word) sheet->Word(word == 3 ? StatusWord3() : 0, 2);
  }
  return !sheet->wire().empty();
}

bool Meter::ShowLive(uint32_t di, Moment now, Sheet* sheet) const {
  const uint32_t item = di >> 16 & 0xFF, which = di >> 8 & 0xFF, index = di & 0xFF;
  switch (di >> 24) {
    case 0x00:
      if (item == 0x90 && which == 0x02 && index <= 1 && load_.prepaid()) {
        sheet->Bcd(index == 0 ? load_.RemainingFen() : load_.OverdraftFen(), 4, 2, "CNY");
        return true;
      }
      if (item > 4 || which > kTariffs || index > kSettlementDays) return false;
      sheet->Bcd(EnergyOf(static_cast<int>(item), static_cast<int>(which), static_cast<int>(index)), 4, 2,
                 item < 3 ? "kWh" : "kvarh");
      return true;
    case 0x02:
      return ShowLiveVariable(di, now, sheet);
    case 0x04:
      return ShowLiveParameter(di, now, sheet);
    case 0x1D:
    case 0x1E:
      if ((di & 0xFFFFFF) != 1) return false;
      sheet->Bcd(static_cast<int64_t>(di >> 24 == 0x1D ? counts_.relay_opened : counts_.relay_closed), 3, 0, "");
      return true;
    default:
      return false;
  }
}

bool Meter::ShowOther(uint32_t di, Moment, Sheet* sheet) const {
  if (di >> 16 == 0x0333) return ShowPurchase(di, sheet);
  const uint32_t index = di & 0xFF;
  if ((di >> 24 == 0x1D || di >> 24 == 0x1E) && (di >> 8 & 0xFFFF) == 1 && index >= 1 && index <= 10) {
    const std::vector<int64_t>& moved = relay_moved_at_[di >> 24 == 0x1D ? 1 : 0];
    index <= moved.size() ? sheet->Civil("smhDMY", SecondsToCivil(moved[index - 1])) : sheet->Nothing(6);
    return true;
  }
  if (di == 0x0400040E && load_.prepaid()) {
    opened_ ? sheet->Word(customer_, 6) : sheet->Nothing(6);
    return true;
  }
  const SheetRow* row = FindMadeUp(di);
  if (row == nullptr) return false;
  sheet->Invent(row->layout, config_.address << 16 ^ di);
  return true;
}

// FF in one of the two lowest bytes is all that there is of that index.
bool Meter::ShowBlock(uint32_t di, Moment now, Sheet* sheet) const {
  if (ShowOther(di, now, sheet)) return true;
  for (const int shift : {0, 8}) {
    if ((di >> shift & 0xFF) != 0xFF) continue;
    const uint32_t rest = di & ~(uint32_t{0xFF} << shift);
    for (uint32_t i = 0; i < 0x40; ++i) ShowOther(rest | i << shift, now, sheet);
    return !sheet->wire().empty();
  }
  return false;
}

nlohmann::json Meter::Registers(Moment now) {
  SettleRelay(now);
  load_.Advance(now);
  nlohmann::json out = nlohmann::json::array();
  const auto add = [&](uint32_t di, nlohmann::json fields) {
    out.push_back({{"id", IdOf2007(di)}, {"di", absl::StrFormat("%08X", di)}, {"fields", std::move(fields)}});
  };
  const auto add_live = [&](uint32_t di) {
    Sheet sheet;
    if (ShowLive(di, now, &sheet)) add(di, sheet.fields());
  };
  const auto add_other = [&](uint32_t di) {
    Sheet sheet;
    if (!written_.contains(di) && ShowOther(di, now, &sheet)) add(di, sheet.fields());
  };
  for (uint32_t item = 0; item <= 4; ++item) {
    for (uint32_t which = 0; which <= kTariffs; ++which) {
      for (uint32_t index = 0; index <= kSettlementDays; ++index) add_live(item << 16 | which << 8 | index);
    }
  }
  for (const uint32_t di : {0x00900200U, 0x00900201U, 0x1D000001U, 0x1E000001U, 0x040005FFU}) add_live(di);
  for (uint32_t item = 1; item <= 7; ++item) {
    for (uint32_t which = 0; which <= 3; ++which) add_live(0x02000000 | item << 16 | which << 8);
  }
  for (uint32_t index = 1; index <= 8; ++index) add_live(0x02800000 | index);
  for (uint32_t group = 1; group <= 5; ++group) {
    for (uint32_t index = 1; index <= 0x0D; ++index) add_live(0x04000000 | group << 8 | index);
  }
  for (uint32_t item = 1; item <= 6; ++item) {
    for (uint32_t back = 1; back <= 10; ++back) add_other(0x03330000 | item << 8 | back);
  }
  for (uint32_t back = 1; back <= 10; ++back) {
    add_other(0x1D000100 | back);
    add_other(0x1E000100 | back);
  }
  for (const uint32_t di : MadeUpRegisters()) add_other(di);
  for (uint32_t of = 0; of <= 6; ++of) {
    for (const uint32_t which : {0U, 2U}) {
      nlohmann::json fields = nlohmann::json::array();
      std::vector<uint8_t> wire;
      if (ShowProfile(0x06000000 | of << 16 | which, {}, now, &wire, &fields)) {
        add(0x06000000 | of << 16 | which, std::move(fields));
      }
    }
  }
  return out;
}

}  // namespace voltwell::field_sim
